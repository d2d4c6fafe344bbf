//! Events: written with the change that caused them, in the order of the commits, read by any number of readers.

use std::time::Duration;

use domain::event::AccountEvent;
use domain::outcome::Failure;
use domain::saga::{Failover, MemberResult, Progress, RegistryChange, Saga, SagaState};
use domain::{AccountState, AlertId, EventFilter, EventId, MessageState};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::{
    AlertState, Approval, Begin, EventRetention, EventsRead, Fail, Resolution, SagaChange, Store,
    StoredAlert, StoredEvent, Then,
};
use tokio::runtime::Runtime;

use crate::support::{World, accept, account, change, chat, conformance};

conformance! {
    each_change_of_a_message_is_an_event,
    sagas_emit_events_of_themselves_and_their_chats,
    failovers_alerts_and_account_states_are_events,
    events_of_a_write_that_fails_are_undone,
    a_repeated_write_emits_one_event,
    filters_narrow_and_pages_go_on,
    events_end_by_age_and_count_and_readers_learn_it,
    readers_wake_when_events_are_committed,
    a_reader_beside_many_writers_misses_none,
    ids_go_on_when_the_clock_was_set_back,
    held_back_work_emits_events,
}

async fn all(store: &Store) -> Vec<StoredEvent> {
    let (mut events, mut at) = (Vec::new(), EventId::ZERO);
    loop {
        let read = store.events().after(at, &EventFilter::default(), 1000).await.unwrap();
        if read.up_to == at {
            return events;
        }
        at = read.up_to;
        events.extend(read.events);
    }
}

async fn types(store: &Store) -> Vec<&'static str> {
    all(store).await.iter().map(|event| event.kind.as_str()).collect()
}

fn data_of(event: &StoredEvent) -> Value {
    serde_json::from_str(&event.data).unwrap()
}

fn failure() -> Failure {
    Failure::NoAccount { asked: Vec::new() }
}

async fn each_change_of_a_message_is_an_event(world: World) {
    let outbox = world.store.outbox();
    let id = world.sending(2).await;
    outbox.part_sent(world.sent(id, 0)).await.unwrap();
    outbox.begin(world.begin(id, 1)).await.unwrap();
    outbox.part_sent(world.sent(id, 1)).await.unwrap();
    let events = all(&world.store).await;
    let [accepted, sent] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(data_of(accepted), json!({"message_id": id, "state": "sending"}));
    assert_eq!(data_of(sent), json!({"message_id": id, "state": "sent", "message_ids": [500, 501]}));
    assert!(accepted.id < sent.id);
    for event in &events {
        assert_eq!(
            (event.account.clone(), event.chat.clone()),
            (Some(account("main")), Some(chat().to_string()))
        );
    }

    let id = world.queued(1).await;
    outbox.fail(Fail { id, failure: failure(), at: world.now() }).await.unwrap();
    outbox.retry(id, world.now()).await.unwrap();
    outbox.begin(world.begin(id, 0)).await.unwrap();
    outbox.part_unsent(world.unsent(id, 0, Then::Requeue { account: None })).await.unwrap();
    outbox.begin(world.begin(id, 0)).await.unwrap();
    outbox.part_unsent(world.unsent(id, 0, Then::Fail(failure()))).await.unwrap();
    outbox.retry(id, world.now()).await.unwrap();
    outbox.begin(world.begin(id, 0)).await.unwrap();
    outbox.doubt(world.doubt(id)).await.unwrap();
    outbox.resolve(id, Resolution::Resend, world.now()).await.unwrap();
    outbox.cancel(id, world.now(), None).await.unwrap();
    let drafts: Vec<_> = [(); 2].map(|()| world.message(1)).into();
    for (message, word) in drafts.into_iter().zip([Approval::Approved, Approval::Rejected]) {
        let id = message.id;
        let draft = domain::message::OutboundMessage { state: MessageState::AwaitingApproval, ..message };
        outbox.accept(accept(draft)).await.unwrap();
        outbox.decide(id, word, world.now(), "owner".into()).await.unwrap();
    }
    let events = all(&world.store).await;
    let failed = events.iter().find(|event| event.kind.as_str() == "message.failed").unwrap();
    assert_eq!(data_of(failed), json!({"message_id": id, "state": "failed", "code": "no_account"}));
    let types: Vec<_> = events[2..].iter().map(|event| &event.kind.as_str()["message.".len()..]).collect();
    assert_eq!(
        types,
        [
            "accepted",
            "failed",
            "queued",
            "failed",
            "queued",
            "in_doubt",
            "queued",
            "cancelled",
            "accepted",
            "queued",
            "accepted",
            "cancelled"
        ]
    );
}

async fn sagas_emit_events_of_themselves_and_their_chats(world: World) {
    let sagas = world.store.sagas();
    let mut saga = world.begun_making().await;
    let member = serde_json::from_value(json!({"who": "@demo_main", "role": "member"})).unwrap();
    saga.progress = Progress { members: vec![member], ..Progress::default() };
    saga.chat_id = Some(chat());
    let created = RegistryChange::Created {
        chat_id: chat(),
        title: "Demo".into(),
        about: String::new(),
        account: account("main"),
    };
    sagas.save(SagaChange { registry: vec![created], ..change(saga.clone()) }).await.unwrap();
    saga.progress.members[0].result = Some(MemberResult::Added);
    saga.updated_at = world.now();
    sagas.save(change(saga.clone())).await.unwrap();
    saga.progress.members[0].result = Some(MemberResult::Removed);
    saga.updated_at = world.now();
    let edited = RegistryChange::Edited { chat_id: chat(), title: Some("Paid".into()), about: None };
    sagas.save(SagaChange { registry: vec![edited], ..change(saga.clone()) }).await.unwrap();
    let saga = world.ended(saga, SagaState::Failed);
    sagas.save(change(saga.clone())).await.unwrap();
    sagas.retry(saga.id, world.now()).await.unwrap();
    sagas.cancel(saga.id, world.now(), None).await.unwrap();
    world.store.chats().change(vec![RegistryChange::Left { chat_id: chat() }], world.now()).await.unwrap();
    let unclear = Saga { state: SagaState::InDoubt, ..world.begun_making().await };
    sagas.save(change(unclear.clone())).await.unwrap();
    assert_eq!(
        types(&world.store).await,
        [
            "operation.accepted",
            "chat.created",
            "chat.member_added",
            "chat.edited",
            "chat.member_removed",
            "operation.failed",
            "operation.resumed",
            "operation.cancelled",
            "chat.left",
            "operation.accepted",
            "operation.in_doubt"
        ]
    );
    let events = all(&world.store).await;
    assert_eq!(data_of(&events[1]), json!({"chat_id": chat(), "title": "Demo", "operation_id": saga.id}));
    assert_eq!(data_of(&events[2]), json!({"who": "@demo_main", "operation_id": saga.id}));
    assert_eq!(events[2].chat, Some(chat().to_string()));
    assert_eq!(data_of(&events[3]), json!({"chat_id": chat(), "title": "Paid", "operation_id": saga.id}));
    assert_eq!(data_of(&events[4]), json!({"who": "@demo_main", "operation_id": saga.id}));
    assert_eq!(data_of(&events[10]), json!({"operation_id": unclear.id, "kind": "create_chat"}));
}

fn alert(world: &World, state: AlertState) -> StoredAlert {
    StoredAlert {
        id: AlertId::MIN,
        card: "account:main".into(),
        kind: "account".into(),
        name: "main".into(),
        parent: None,
        state,
        reason: "banned".into(),
        detail: None,
        raised_at: world.now(),
        closed_at: None,
        joined_to: None,
        notified_at: None,
        reminded_at: None,
        finished_at: None,
    }
}

async fn failovers_alerts_and_account_states_are_events(world: World) {
    let id = world.queued(1).await;
    let failover = Failover {
        at: world.now(),
        chat_id: Some(chat()),
        from: account("main"),
        to: account("backup_1"),
        reason: "banned".into(),
    };
    let begin = Begin { account: account("backup_1"), failover: Some(failover), ..world.begin(id, 0) };
    world.store.outbox().begin(begin).await.unwrap();
    // Saved often, raised once and over once.
    for state in [AlertState::Open, AlertState::Open, AlertState::Cleared, AlertState::Cleared] {
        world.store.alerts().save(vec![alert(&world, state)], None).await.unwrap();
    }
    let change = AccountEvent { state: AccountState::Banned, was: None };
    world.store.events().account_states(vec![(account("main"), change)], world.now()).await.unwrap();
    let expected = ["message.accepted", "failover", "alert.raised", "alert.cleared", "account.state"];
    assert_eq!(types(&world.store).await, expected);
    let events = all(&world.store).await;
    assert_eq!(
        data_of(&events[1]),
        json!({"from": "main", "to": "backup_1", "reason": "banned", "subject": id})
    );
    assert_eq!(events[1].account, Some(account("backup_1")));
    assert_eq!(events[2].account, Some(account("main")));
    assert_eq!(data_of(&events[4]), json!({"state": "banned"}));
}

async fn events_of_a_write_that_fails_are_undone(world: World) {
    let known = world.queued(1).await;
    let tasks: Vec<_> = (0..60)
        .map(|number| {
            let mut message = world.message(1);
            if number % 10 == 0 {
                message.id = known;
            }
            let store = world.store.clone();
            tokio::spawn(async move { store.outbox().accept(accept(message)).await.is_ok() })
        })
        .collect();
    let mut accepted = 1;
    for task in tasks {
        accepted += usize::from(task.await.unwrap());
    }
    let events = all(&world.store).await;
    assert_eq!((accepted, events.len()), (55, 55));
    assert!(events.is_sorted_by(|one, next| one.id < next.id));
}

async fn a_repeated_write_emits_one_event(world: World) {
    let id = world.sending(1).await;
    let sent = world.sent(id, 0);
    for _ in 0..2 {
        world.store.outbox().part_sent(sent.clone()).await.unwrap();
        let saga = world.begun_making().await;
        let ended = change(world.ended(saga, SagaState::Done));
        world.store.sagas().save(ended.clone()).await.unwrap();
        world.store.sagas().save(ended).await.unwrap();
    }
    let count = |types: &[&str], word| types.iter().filter(|kind| **kind == word).count();
    let types = types(&world.store).await;
    assert_eq!((count(&types, "message.sent"), count(&types, "operation.done")), (1, 2));
}

async fn filters_narrow_and_pages_go_on(world: World) {
    let ids = [world.sending(1).await, world.queued(1).await, world.sending(1).await];
    for id in [ids[0], ids[2]] {
        world.store.outbox().part_sent(world.sent(id, 0)).await.unwrap();
    }
    let filter = EventFilter { types: vec!["message.sent".parse().unwrap()], ..EventFilter::default() };
    let first = world.store.events().after(EventId::ZERO, &filter, 1).await.unwrap();
    let second = world.store.events().after(first.up_to, &filter, 1).await.unwrap();
    let third = world.store.events().after(second.up_to, &filter, 1).await.unwrap();
    let of = |read: &EventsRead| {
        read.events.iter().map(|event| data_of(event)["message_id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!([of(&first), of(&second), of(&third)], [vec![json!(ids[0])], vec![json!(ids[2])], vec![]]);
    assert_eq!(third.up_to, second.up_to);
    let unknown = EventFilter { accounts: vec![account("nobody")], ..EventFilter::default() };
    let none = world.store.events().after(EventId::ZERO, &unknown, 10).await.unwrap();
    assert_eq!((none.events.len(), none.up_to), (0, third.up_to), "what does not match is passed");
}

async fn events_end_by_age_and_count_and_readers_learn_it(world: World) {
    for _ in 0..250 {
        world.queued(1).await;
    }
    let events = all(&world.store).await;
    let (week, hour) = (Duration::from_hours(7 * 24), Duration::from_hours(1));
    let by_count = EventRetention { keep: week, most: 120 };
    assert_eq!(world.store.events().sweep(by_count).await.unwrap(), 130);
    assert_eq!(all(&world.store).await, events[130..]);
    let after = async |id| world.store.events().after(id, &EventFilter::default(), 10).await.unwrap().gap;
    assert_eq!(after(events[0].id).await, Some(events[129].id));
    assert_eq!(after(events[129].id).await, None, "it has missed nothing");
    assert_eq!(after(EventId::ZERO).await, None, "who begins at the beginning knows of none");

    world.clock.advance(2 * hour);
    let by_age = EventRetention { keep: hour, most: 1000 };
    assert_eq!(world.store.events().sweep(by_age).await.unwrap(), 119);
    assert_eq!(all(&world.store).await, events[249..], "ids go on from the newest");
    let store = {
        world.store.clone().close().await;
        world.open_again().await.unwrap()
    };
    assert_eq!(*store.events().newest().borrow(), events[249].id);
}

async fn readers_wake_when_events_are_committed(world: World) {
    let mut newest = world.store.events().newest();
    assert!(!newest.has_changed().unwrap());
    world.queued(1).await;
    let event = all(&world.store).await.pop().unwrap();
    newest.changed().await.unwrap();
    assert_eq!(*newest.borrow_and_update(), event.id);
    world.store.round_trip().await.unwrap();
    assert!(!newest.has_changed().unwrap(), "what tells nothing wakes no one");
    world.store.clone().close().await;
    assert!(newest.changed().await.is_err());
}

async fn a_reader_beside_many_writers_misses_none(world: World) {
    let writers: Vec<_> = (0..200)
        .map(|_| {
            let (store, accept) = (world.store.clone(), accept(world.message(1)));
            tokio::spawn(async move { store.outbox().accept(accept).await.unwrap() })
        })
        .collect();
    // Each look begins where the one before ended: what was committed behind it would never be seen.
    let (mut read, mut at, mut is_over) = (Vec::new(), EventId::ZERO, false);
    loop {
        let was_over = is_over;
        is_over = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let page = world.store.events().after(at, &EventFilter::default(), 1000).await.unwrap();
        if was_over && page.up_to == at {
            break;
        }
        at = page.up_to;
        read.extend(page.events.into_iter().map(|event| event.id));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let all: Vec<_> = all(&world.store).await.into_iter().map(|event| event.id).collect();
    assert_eq!((read.len() >= 200, read), (true, all));
}

async fn ids_go_on_when_the_clock_was_set_back(world: World) {
    let before = world.now().as_micros();
    world.queued(1).await;
    world.clock.set_back(Duration::from_hours(24));
    world.queued(1).await;
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    store.outbox().accept(accept(world.message(1))).await.unwrap();
    let ids: Vec<i64> = all(&store).await.iter().map(|event| event.id.get()).collect();
    assert!(ids[0] >= before && ids == [ids[0], ids[0] + 1, ids[0] + 2], "{ids:?}");
}

async fn held_back_work_emits_events(world: World) {
    world.queued(1).await;
    world.sending(1).await;
    world.making().await;
    world.store.hold_back(world.now()).await.unwrap();
    let mut kinds = types(&world.store).await.split_off(3);
    kinds.sort_unstable();
    assert_eq!(kinds, ["message.failed", "message.in_doubt", "operation.failed"]);
}

/// What happens while readers follow.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// So many writes side by side.
    Write(usize),
    /// A reader reads one page of this length.
    Read(usize, u32),
    /// A reader loses what it has not noted: it goes on from its last id.
    Cut(usize),
    /// The store is opened again.
    Restart,
    /// The clock is set back by an hour.
    SetBack,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..20_usize).prop_map(Step::Write),
        6 => (0..3_usize, 1..8_u32).prop_map(|(reader, limit)| Step::Read(reader, limit)),
        2 => (0..3_usize).prop_map(Step::Cut),
        1 => Just(Step::Restart),
        1 => Just(Step::SetBack),
    ]
}

/// A reader: what it has, and where it goes on.
#[derive(Default)]
struct Reader {
    seen: Vec<EventId>,
    up_to: Option<EventId>,
}

impl Reader {
    async fn read(&mut self, store: &Store, limit: u32) -> bool {
        let after = self.up_to.unwrap_or(EventId::ZERO);
        let read = store.events().after(after, &EventFilter::default(), limit).await.unwrap();
        assert_eq!(read.gap, None);
        self.seen.extend(read.events.iter().map(|event| event.id));
        self.up_to = Some(read.up_to);
        read.up_to != after
    }
}

async fn follow(steps: Vec<Step>, postgres: bool) {
    let mut world = World::fresh_on(postgres).await;
    let mut readers: [Reader; 3] = Default::default();
    for step in steps {
        match step {
            Step::Write(count) => {
                let here = &world;
                let write = |_| async move { here.store.outbox().accept(accept(here.message(1))).await };
                let writes = futures::future::join_all((0..count).map(write));
                // One reader reads in the middle of it.
                let (answers, _) = tokio::join!(writes, readers[0].read(&here.store, 5));
                assert!(answers.iter().all(Result::is_ok));
            }
            Step::Read(reader, limit) => {
                readers[reader].read(&world.store, limit).await;
            }
            Step::Cut(reader) => readers[reader].up_to = readers[reader].seen.last().copied(),
            Step::Restart => {
                world.store.clone().close().await;
                world.store = world.open_again().await.unwrap();
            }
            Step::SetBack => world.clock.set_back(Duration::from_hours(1)),
        }
    }
    let expected: Vec<EventId> = all(&world.store).await.iter().map(|event| event.id).collect();
    for reader in &mut readers {
        while reader.read(&world.store, 7).await {}
        assert_eq!(reader.seen, expected);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 50, ..ProptestConfig::default() })]

    #[test]
    fn every_reader_gets_every_event_once_in_order(
        steps in proptest::collection::vec(step(), 1..40), postgres in proptest::bool::weighted(0.2),
    ) {
        Runtime::new().unwrap().block_on(follow(steps, postgres));
    }
}
