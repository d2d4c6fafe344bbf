//! Runs of flows, and which flows are stopped.

use std::time::Duration;

use domain::{
    ChatId, EventType, FlowMoment, FlowRunId, FlowRunState, FlowStage, TelegramMessageId, Timestamp,
};
use store::{
    DefinitionSaved, FlowDefinition, FlowRunFilter, FlowSwitch, Page, Retention, StoredFlowRun, Swept,
};

use crate::support::{World, conformance};

conformance! {
    a_run_is_saved_in_steps_and_each_event_is_emitted_once,
    runs_under_way_are_cut_by_the_end_of_the_program,
    limits_count_runs_of_one_flow_and_account,
    messages_that_began_no_run_are_counted_and_use_no_limit_up,
    a_stopped_flow_stays_stopped_and_emits_an_event,
    runs_that_ended_long_ago_are_forgotten,
    a_definition_is_kept_unless_another_was_meanwhile
}

fn moment(at_us: u64, stage: FlowStage, step: Option<u16>) -> FlowMoment {
    FlowMoment { at_us, stage, step, note: Some("Book".to_owned()) }
}

fn run(world: &World, flow: &str, state: FlowRunState) -> StoredFlowRun {
    let ended_at = (state != FlowRunState::Running).then(|| world.now());
    StoredFlowRun {
        id: FlowRunId::from_uuid(*world.id().as_uuid()),
        flow: flow.to_owned(),
        account: "main".parse().unwrap(),
        chat_id: ChatId::user(7).unwrap(),
        message_id: TelegramMessageId::new(5).unwrap(),
        began_at: world.now(),
        ended_at,
        state,
        code: None,
        step: 1,
        moments: vec![moment(0, FlowStage::Seen, None), moment(3, FlowStage::Matched, None)],
    }
}

async fn event_types(world: &World) -> Vec<EventType> {
    let read = world.store.events().after(domain::EventId::ZERO, &domain::EventFilter::default(), 100).await;
    read.unwrap().events.into_iter().map(|stored| stored.kind).collect()
}

async fn a_run_is_saved_in_steps_and_each_event_is_emitted_once(world: World) {
    let runs = world.store.flow_runs();
    let first = run(&world, "trip", FlowRunState::Running);
    runs.save(first.clone(), 0).await.unwrap();
    let mut later = StoredFlowRun { step: 2, ..first.clone() };
    later.moments.push(moment(9, FlowStage::Pressed, Some(1)));
    runs.save(later.clone(), 2).await.unwrap();
    later.moments.push(moment(12, FlowStage::Ended, None));
    let ended = StoredFlowRun {
        state: FlowRunState::Failed,
        code: Some("no_button".to_owned()),
        ended_at: Some(world.now()),
        ..later
    };
    runs.save(ended.clone(), 3).await.unwrap();
    assert_eq!(runs.get(first.id).await.unwrap().as_ref(), Some(&ended));
    assert_eq!(
        event_types(&world).await,
        [EventType::FlowBegan, EventType::FlowPressed, EventType::FlowEnded]
    );
    let other = run(&world, "other", FlowRunState::Done);
    runs.save(other.clone(), 9).await.unwrap();
    let page = Page { limit: 1, cursor: None };
    let all = runs.list(FlowRunFilter::default(), &page).await.unwrap();
    assert_eq!(all.items, [other]);
    let next =
        runs.list(FlowRunFilter::default(), &Page { cursor: all.next_cursor, ..page.clone() }).await.unwrap();
    assert_eq!((next.items, next.next_cursor), (vec![ended.clone()], None));
    let of_trip =
        FlowRunFilter { flow: Some("trip".to_owned()), account: Some("main".parse().unwrap()), state: None };
    assert_eq!(runs.list(of_trip, &page).await.unwrap().items, [ended]);
    let unmatched = FlowRunFilter { account: Some("fifth".parse().unwrap()), ..FlowRunFilter::default() };
    assert_eq!(runs.list(unmatched, &page).await.unwrap().items, []);
}

async fn runs_under_way_are_cut_by_the_end_of_the_program(world: World) {
    let runs = world.store.flow_runs();
    let (open, done) = (run(&world, "trip", FlowRunState::Running), run(&world, "trip", FlowRunState::Done));
    runs.save(open.clone(), 0).await.unwrap();
    runs.save(done.clone(), 0).await.unwrap();
    let now = world.now();
    assert_eq!(runs.cut(now).await, Ok(1));
    let cut = runs.get(open.id).await.unwrap().unwrap();
    assert_eq!(
        (cut.state, cut.ended_at, cut.code.as_deref()),
        (FlowRunState::Cut, Some(now), Some("program_ended"))
    );
    assert_eq!(runs.get(done.id).await.unwrap(), Some(done));
    assert_eq!(runs.cut(now).await, Ok(0));
}

async fn limits_count_runs_of_one_flow_and_account(world: World) {
    let runs = world.store.flow_runs();
    let main = "main".parse().unwrap();
    let nothing = runs.counted("trip", &main, Timestamp::from_micros(0), world.now()).await.unwrap();
    assert_eq!((nothing.begun.len(), nothing.last_ended, nothing.done, nothing.latest), (0, None, 0, None));
    for state in [FlowRunState::Done, FlowRunState::Failed] {
        runs.save(run(&world, "trip", state), 0).await.unwrap();
    }
    runs.save(run(&world, "other", FlowRunState::Done), 0).await.unwrap();
    let now = world.now();
    let counted = runs.counted("trip", &main, Timestamp::from_micros(0), now).await.unwrap();
    assert_eq!((counted.begun.len(), counted.done), (2, 1));
    let one = run(&world, "trip", FlowRunState::Done);
    let is_same = |begun: &store::FlowRunBegun| {
        (begun.chat_id, begun.message_id) == (one.chat_id, one.message_id) && !begun.has_acted
    };
    assert!(counted.begun.iter().all(is_same));
    assert_eq!(counted.latest.map(|run| run.state), Some(FlowRunState::Failed));
    assert_eq!(counted.last_ended, None, "none of them did anything");
    assert_eq!(counted.missed, [(FlowRunState::Failed, String::new(), 1)]);
    let started = runs.counted("trip", &main, now.plus(Duration::from_secs(1)), now).await.unwrap();
    assert_eq!(started.done, 0);
    let later = runs.counted("trip", &main, now, now.plus(Duration::from_hours(2))).await.unwrap();
    assert_eq!(later.begun, []);
}

async fn messages_that_began_no_run_are_counted_and_use_no_limit_up(world: World) {
    let runs = world.store.flow_runs();
    let main = "main".parse().unwrap();
    let mut pressed = run(&world, "trip", FlowRunState::Failed);
    pressed.moments.push(moment(9, FlowStage::Pressed, Some(1)));
    pressed.code = Some("no_button".to_owned());
    runs.save(pressed.clone(), 9).await.unwrap();
    // What a note says is no deed.
    let mut quoted = run(&world, "trip", FlowRunState::Cut);
    quoted.moments[0].note = Some("\"stage\":\"pressed\"".to_owned());
    runs.save(quoted, 9).await.unwrap();
    for code in ["busy", "per_hour", "busy"] {
        let skipped =
            StoredFlowRun { code: Some(code.to_owned()), ..run(&world, "trip", FlowRunState::Skipped) };
        runs.save(skipped, 0).await.unwrap();
    }
    // An offer that waited for a run when the program ended.
    let mut waited = run(&world, "other", FlowRunState::Cut);
    waited.moments.truncate(1);
    runs.save(waited, 0).await.unwrap();
    let other = runs.counted("other", &main, Timestamp::from_micros(0), world.now()).await.unwrap();
    assert_eq!((other.begun.len(), other.missed), (0, vec![(FlowRunState::Cut, String::new(), 1)]));
    let counted = runs.counted("trip", &main, Timestamp::from_micros(0), world.now()).await.unwrap();
    let acted: Vec<_> = counted.begun.iter().map(|begun| begun.has_acted).collect();
    assert_eq!((acted.len(), acted.iter().filter(|acted| **acted).count()), (2, 1));
    assert_eq!(counted.last_ended, pressed.ended_at);
    assert_eq!(counted.latest.map(|run| run.state), Some(FlowRunState::Cut));
    let mut missed = counted.missed;
    missed.sort();
    let expected = [
        (FlowRunState::Failed, "no_button".to_owned(), 1),
        (FlowRunState::Cut, String::new(), 1),
        (FlowRunState::Skipped, "busy".to_owned(), 2),
        (FlowRunState::Skipped, "per_hour".to_owned(), 1),
    ];
    assert_eq!(missed, expected);
    let skipped = FlowRunFilter { state: Some(FlowRunState::Skipped), ..FlowRunFilter::default() };
    let page = Page { limit: 10, cursor: None };
    assert_eq!(runs.list(skipped, &page).await.unwrap().items.len(), 3);
}

async fn a_stopped_flow_stays_stopped_and_emits_an_event(world: World) {
    let runs = world.store.flow_runs();
    assert_eq!(runs.switches().await, Ok(Vec::new()));
    let stopped = FlowSwitch {
        flow: "trip".to_owned(),
        account: "main".parse().unwrap(),
        stopped: Some("by_hand".to_owned()),
        changed_at: world.now(),
    };
    runs.switch(stopped.clone()).await.unwrap();
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    assert_eq!(store.flow_runs().switches().await, Ok(vec![stopped.clone()]));
    let started = FlowSwitch { stopped: None, changed_at: world.now(), ..stopped };
    store.flow_runs().switch(started.clone()).await.unwrap();
    assert_eq!(store.flow_runs().switches().await, Ok(vec![started]));
    let world = World { store, ..world };
    assert_eq!(event_types(&world).await, [EventType::FlowStopped]);
}

async fn runs_that_ended_long_ago_are_forgotten(world: World) {
    let runs = world.store.flow_runs();
    let open = run(&world, "trip", FlowRunState::Running);
    runs.save(open.clone(), 9).await.unwrap();
    runs.save(run(&world, "trip", FlowRunState::Done), 9).await.unwrap();
    world.clock.advance(Retention::default().operations + Duration::from_secs(1));
    assert_eq!(world.store.sweep().await, Ok(Swept { flow_runs: 1, ..Swept::default() }));
    assert_eq!(runs.get(open.id).await.unwrap(), Some(open));
}

async fn a_definition_is_kept_unless_another_was_meanwhile(world: World) {
    let definitions = world.store.flow_definitions();
    let definition = FlowDefinition {
        name: "trip".to_owned(),
        text: "[[flows]] # поездка".to_owned(),
        changed_at: world.now(),
        changed_by: "anna".to_owned(),
    };
    let save = async |definition: &FlowDefinition, replaces| {
        definitions.save(definition.clone(), replaces).await.unwrap()
    };
    let first = definition.changed_at;
    assert_eq!(save(&definition, None).await, DefinitionSaved::Saved(first));
    assert_eq!(save(&definition, None).await, DefinitionSaved::Changed);
    // The clock stood still.
    let DefinitionSaved::Saved(second) = save(&definition, Some(first)).await else { panic!("not saved") };
    assert!(second > first);
    assert_eq!(save(&definition, Some(first)).await, DefinitionSaved::Changed);
    let kept = FlowDefinition { changed_at: second, ..definition };
    assert_eq!(definitions.all().await, Ok(vec![kept]));
    assert_eq!(definitions.remove("trip".to_owned()).await, Ok(true));
    assert_eq!(definitions.remove("trip".to_owned()).await, Ok(false));
    assert_eq!(definitions.all().await, Ok(Vec::new()));
}
