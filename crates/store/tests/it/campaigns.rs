//! Campaigns: claims, cycles, caps, and what is never sent twice.

mod counts;
mod limits;
mod people;
mod profiles;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::media::{FileKey, Media, MediaForm, MediaSource, Sha256};
use domain::text::ParseMode;
use domain::{
    AttemptState, CampaignAttemptId, CampaignLog, CampaignRunId, CampaignRunState, CampaignSender, ChatId,
    EventType, ProxyHealth, SenderCaps, SenderState, Timestamp,
};
use store::{
    AttemptEnd, AttemptFilter, CampaignRow, CampaignRun, Claim, Claiming, NewCampaignMessage,
    NewCampaignTask, NewRun, NextTurn, Page, PastAttempt, PastCampaign, PastTask, Readied, RunChange,
    SenderStop, StoreError, StoredAttempt, Unblocking,
};

use self::profiles::{picture, profile};
use crate::support::{World, conformance};

conformance! {
    two_senders_share_the_chats_and_each_has_its_turn_once,
    many_claims_at_once_give_each_chat_once,
    a_cycle_ends_after_all_turns_and_the_next_after_a_pause,
    the_cap_of_an_hour_holds_over_campaigns,
    the_last_message_of_a_sender_is_known_by_run,
    the_same_chat_under_two_names_is_readied_once,
    effects_of_an_ended_attempt_are_stored,
    sent_messages_are_counted_by_sender_hour_and_run,
    a_canary_pauses_the_run,
    a_run_that_is_paused_or_over_gives_nothing,
    a_run_that_begins_later_gives_nothing_before,
    chats_and_messages_are_added_once,
    a_restored_store_pauses_runs_and_doubts_what_was_open,
    other_programs_query_views_by_the_names_they_know,
    history_of_another_program_is_imported_once,
    attempts_are_removed_in_time_and_run_results_stay,
    a_clock_set_back_makes_no_room_in_an_hour,
    times_of_a_clock_that_ran_ahead_hold_no_run,
}

const CAPS: SenderCaps = SenderCaps { hour: 25, day: 100 };

fn sender(name: &str) -> CampaignSender {
    CampaignSender::Account(name.parse().unwrap())
}

fn task(chat: &str) -> NewCampaignTask {
    NewCampaignTask { chat: chat.parse().unwrap(), variables: BTreeMap::new() }
}

pub(crate) async fn campaign(world: &World, name: &str, chats: &[&str]) {
    let campaigns = world.store.campaigns();
    let row = CampaignRow {
        name: name.to_owned(),
        title: name.to_owned(),
        settings: "{}".to_owned(),
        created_at: world.now(),
    };
    assert!(campaigns.add(row.clone()).await.unwrap());
    assert!(!campaigns.add(row).await.unwrap());
    campaigns.add_senders(name, vec![sender("main"), sender("fifth")], world.now()).await.unwrap();
    let added = campaigns.add_tasks(name, chats.iter().map(|chat| task(chat)).collect()).await.unwrap();
    assert_eq!(added.added, chats.len());
}

pub(crate) async fn run(world: &World, name: &str, cycles: u32, canary: Option<u32>) -> CampaignRun {
    let now = world.now();
    let id = CampaignRunId::from_uuid(*world.id().as_uuid());
    let new = NewRun { id, campaign: name.to_owned(), cycles, canary, now, starts_at: now };
    world.store.campaigns().begin(new).await.unwrap()
}

pub(crate) async fn claim_with(world: &World, run: &CampaignRun, who: &str, caps: SenderCaps) -> Claim {
    let claiming = Claiming {
        run: run.id,
        sender: sender(who),
        id: CampaignAttemptId::from_uuid(*world.id().as_uuid()),
        caps,
        person: None,
        counted_with: Vec::new(),
        between_cycles: Duration::from_mins(5),
        now: world.now(),
    };
    world.store.campaigns().claim(claiming).await.unwrap()
}

async fn claim(world: &World, run: &CampaignRun, who: &str) -> Claim {
    claim_with(world, run, who, CAPS).await
}

async fn claimed(world: &World, run: &CampaignRun, who: &str) -> StoredAttempt {
    match claim(world, run, who).await {
        Claim::Task(attempt) => *attempt,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn ended(
    attempt: &StoredAttempt,
    state: AttemptState,
    next: NextTurn,
    now: Timestamp,
) -> AttemptEnd {
    let (code, detail, outbox_id, sender) = (None, None, None, None);
    AttemptEnd { attempt: attempt.clone(), state, code, detail, outbox_id, next, sender, now }
}

fn stop(why: &str, others: Vec<CampaignSender>) -> SenderStop {
    SenderStop { state: SenderState::Blocked, why: why.to_owned(), others }
}

async fn sent(world: &World, attempt: &StoredAttempt) {
    let end = ended(attempt, AttemptState::Sent, NextTurn::NextCycle, world.now());
    world.store.campaigns().end(end).await.unwrap();
}

/// The kinds of all events.
async fn kinds(world: &World) -> Vec<EventType> {
    let read = world.store.events().after(domain::EventId::ZERO, &domain::EventFilter::default(), 100).await;
    read.unwrap().events.into_iter().map(|event| event.kind).collect()
}

async fn two_senders_share_the_chats_and_each_has_its_turn_once(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2", "@client_3"]).await;
    let run = run(&world, "spring", 1, None).await;
    let mut chats = Vec::new();
    for who in ["main", "fifth", "main"] {
        let attempt = claimed(&world, &run, who).await;
        assert_eq!((attempt.state, attempt.cycle), (AttemptState::Claimed, 1));
        chats.push(attempt.chat.to_string());
    }
    assert_eq!(chats, ["@client_1", "@client_2", "@client_3"]);
    assert_eq!(claim(&world, &run, "fifth").await, Claim::Busy);
    let open = world.store.campaigns().open_attempts(run.id).await.unwrap();
    assert_eq!(open.len(), 3);
    for attempt in &open {
        sent(&world, attempt).await;
    }
    assert_eq!(claim(&world, &run, "fifth").await, Claim::Over);
    let over = world.store.campaigns().last_run("spring").await.unwrap().unwrap();
    assert_eq!(over.state, CampaignRunState::Done);
    let attempted = EventType::CampaignAttempted;
    let expected = [EventType::CampaignBegan, attempted, attempted, attempted, EventType::CampaignEnded];
    assert_eq!(kinds(&world).await, expected);
}

async fn many_claims_at_once_give_each_chat_once(world: World) {
    let mut chats: Vec<_> = (1..=30).map(|number| format!("@client_{number}")).collect();
    campaign(&world, "spring", &chats.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let run = run(&world, "spring", 1, None).await;
    let claims = ["main", "fifth"].into_iter().cycle().take(40).map(|who| claim(&world, &run, who));
    let mut taken = Vec::new();
    for claim in futures::future::join_all(claims).await {
        match claim {
            Claim::Task(attempt) => taken.push(attempt.chat.to_string()),
            other => assert_eq!(other, Claim::Busy),
        }
    }
    chats.sort_unstable();
    taken.sort_unstable();
    assert_eq!(taken, chats);
}

async fn a_cycle_ends_after_all_turns_and_the_next_after_a_pause(world: World) {
    campaign(&world, "spring", &["@client_1"]).await;
    let run = run(&world, "spring", 2, None).await;
    sent(&world, &claimed(&world, &run, "main").await).await;
    let Claim::Later(at) = claim(&world, &run, "main").await else { panic!("a pause") };
    assert!(at >= world.now().plus(Duration::from_mins(4)));
    assert_eq!(claim(&world, &run, "fifth").await, Claim::Later(at));
    world.clock.advance(Duration::from_mins(5));
    let second = claimed(&world, &run, "fifth").await;
    assert_eq!((second.cycle, second.chat.to_string().as_str()), (2, "@client_1"));
    sent(&world, &second).await;
    assert_eq!(claim(&world, &run, "main").await, Claim::Over);
    let tasks = world.store.campaigns().tasks("spring", &Page { limit: 10, cursor: None }).await.unwrap();
    assert_eq!(tasks.items[0].cycles, 2);
}

async fn the_cap_of_an_hour_holds_over_campaigns(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    campaign(&world, "summer", &["@client_3", "@client_4"]).await;
    let (spring, summer) = (run(&world, "spring", 1, None).await, run(&world, "summer", 1, None).await);
    let caps = SenderCaps { hour: 2, day: 100 };
    let Claim::Task(first) = claim_with(&world, &spring, "main", caps).await else { panic!("a chat") };
    sent(&world, &first).await;
    let ended_at = world.store.campaigns().attempt(first.id).await.unwrap().unwrap().ended_at.unwrap();
    let Claim::Task(second) = claim_with(&world, &summer, "main", caps).await else { panic!("a chat") };
    assert!(matches!(claim_with(&world, &spring, "main", caps).await, Claim::Limited(_)));
    sent(&world, &second).await;
    let free_at = ended_at.plus(Duration::from_hours(1));
    assert_eq!(claim_with(&world, &summer, "main", caps).await, Claim::Limited(free_at));
    assert!(matches!(claim_with(&world, &summer, "fifth", caps).await, Claim::Task(_)));
    world.clock.advance(Duration::from_hours(1));
    assert!(matches!(claim_with(&world, &spring, "main", caps).await, Claim::Task(_)));
}

async fn the_last_message_of_a_sender_is_known_by_run(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    campaign(&world, "summer", &["@client_3"]).await;
    let [spring, summer] = [run(&world, "spring", 1, None).await, run(&world, "summer", 1, None).await];
    let (campaigns, begun) = (world.store.campaigns(), world.now());
    let last = async |run: &CampaignRun, since| campaigns.last_sent(run.id, &sender("main"), since).await;
    for who in ["main", "fifth"] {
        world.clock.advance(Duration::from_mins(1));
        sent(&world, &claimed(&world, &spring, who).await).await;
    }
    let at = last(&spring, begun).await.unwrap().unwrap();
    assert!(at >= begun.plus(Duration::from_mins(1)) && at <= world.now().minus(Duration::from_mins(1)));
    assert_eq!(last(&spring, at).await.unwrap(), None);
    assert_eq!(last(&summer, begun).await.unwrap(), None);
}

async fn the_same_chat_under_two_names_is_readied_once(world: World) {
    campaign(&world, "spring", &["@client_1", "5500000001"]).await;
    let run = run(&world, "spring", 1, None).await;
    let (first, second) = (claimed(&world, &run, "main").await, claimed(&world, &run, "fifth").await);
    let campaigns = world.store.campaigns();
    let ready = |attempt: &StoredAttempt, number: u32, text: &str| {
        campaigns.ready(attempt.id, "5500000001".to_owned(), number, text.to_owned(), ParseMode::None)
    };
    let says = |number, text: &str| Readied::Ready(number, text.to_owned(), ParseMode::None);
    assert_eq!(ready(&first, 1, "Hi").await.unwrap(), says(1, "Hi"));
    assert_eq!(ready(&first, 2, "Ho").await.unwrap(), says(1, "Hi"));
    assert_eq!(ready(&second, 1, "Hi").await.unwrap(), Readied::Duplicate(first.chat.clone()));
    let end = ended(&first, AttemptState::Failed, NextTurn::NextCycle, world.now());
    campaigns.end(end).await.unwrap();
    assert_eq!(ready(&second, 1, "Hi").await.unwrap(), says(1, "Hi"));
    let peer: ChatId = "5500000001".parse().unwrap();
    assert!(!campaigns.has_written_to(&second.sender, peer).await.unwrap());
    sent(&world, &second).await;
    assert!(campaigns.has_written_to(&second.sender, peer).await.unwrap());
    assert!(!campaigns.has_written_to(&first.sender, peer).await.unwrap());
}

/// Gives the campaign its only text.
async fn says_hi(world: &World) {
    let message = NewCampaignMessage {
        text: "Hi".into(),
        parse_mode: ParseMode::None,
        weight: 1,
        is_active: true,
        media: Vec::new(),
    };
    world.store.campaigns().add_messages("spring", vec![message], false).await.unwrap();
}

async fn effects_of_an_ended_attempt_are_stored(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    let campaigns = world.store.campaigns();
    says_hi(&world).await;
    let run = run(&world, "spring", 1, None).await;
    let first = claimed(&world, &run, "main").await;
    let later = world.now().plus(Duration::from_mins(1));
    let again = ended(&first, AttemptState::Failed, NextTurn::Again(later), world.now());
    campaigns.end(again.clone()).await.unwrap();
    let second = claimed(&world, &run, "main").await;
    let stopped = AttemptEnd {
        sender: Some(stop("restricted", Vec::new())),
        ..ended(&second, AttemptState::Failed, NextTurn::Back, world.now())
    };
    campaigns.end(stopped).await.unwrap();
    let senders = campaigns.senders("spring").await.unwrap();
    assert_eq!(senders[1].sender, sender("main"));
    assert_eq!((senders[1].state, senders[1].why.as_deref()), (SenderState::Blocked, Some("restricted")));
    let third = claimed(&world, &run, "fifth").await;
    assert_eq!(third.chat, second.chat);
    let gone = NextTurn::Never("chat_not_found".to_owned());
    let gone = AttemptEnd {
        code: Some("chat_not_found".to_owned()),
        ..ended(&third, AttemptState::Failed, gone, world.now())
    };
    campaigns.end(gone).await.unwrap();
    assert_eq!(claim(&world, &run, "fifth").await, Claim::Later(later));
    world.clock.advance(Duration::from_mins(1));
    let fourth = claimed(&world, &run, "fifth").await;
    assert_eq!(fourth.chat, first.chat);
    campaigns.ready(fourth.id, "1".to_owned(), 1, "Hi".to_owned(), ParseMode::None).await.unwrap();
    sent(&world, &fourth).await;
    // An end that is said twice counts once.
    campaigns.end(again).await.unwrap();
    sent(&world, &fourth).await;
    assert_eq!(campaigns.messages("spring").await.unwrap()[0].uses, 1);
    let counted = campaigns.tasks_counted("spring", Some(&run)).await.unwrap();
    assert_eq!((counted.all, counted.blocked), (2, 1));
    let only =
        |chat: Option<&str>, sender| Unblocking { chat: chat.map(|chat| chat.parse().unwrap()), sender };
    let blocked = async || {
        let tasks = campaigns.tasks_counted("spring", Some(&run)).await.unwrap().blocked;
        let senders = campaigns.senders("spring").await.unwrap();
        (tasks, senders.iter().filter(|row| row.state != SenderState::Active).count())
    };
    let lifted = async |only| campaigns.unblock("spring", only, world.now()).await.unwrap();
    assert_eq!(lifted(only(Some("@client_1"), Some(sender("fifth")))).await, 0);
    assert_eq!(blocked().await, (1, 1));
    assert_eq!(lifted(only(None, Some(sender("main")))).await, 1);
    assert_eq!(blocked().await, (1, 0));
    assert_eq!(lifted(only(Some("@client_2"), None)).await, 1);
    assert_eq!(blocked().await, (0, 0));
    let attempts = campaigns.attempts_counted(run.id).await.unwrap();
    assert_eq!(attempts.iter().map(|row| row.count).sum::<u64>(), 4);
    let page = Page { limit: 2, cursor: None };
    let wanted = AttemptFilter { state: Some(AttemptState::Failed), ..AttemptFilter::default() };
    let failed = campaigns.attempts(run.id, wanted, &page).await.unwrap();
    for (log, count) in [(CampaignLog::FailedChats, 1), (CampaignLog::FailedSend, 2)] {
        let found = campaigns
            .attempts(run.id, AttemptFilter { log, ..AttemptFilter::default() }, &page)
            .await
            .unwrap();
        assert_eq!(found.items.len(), count, "{log:?}");
        assert!(found.items.iter().all(|row| log.has(row.state, row.code.as_deref())));
    }
    assert_eq!((failed.items.len(), failed.next_cursor.is_some()), (2, true));
    // What is unblocked has its turn again in the cycle that goes on, and what was sent has none.
    assert_eq!(claimed(&world, &run, "main").await.chat, second.chat);
    assert_eq!(claim(&world, &run, "main").await, Claim::Busy);
}

async fn sent_messages_are_counted_by_sender_hour_and_run(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    campaign(&world, "summer", &["@client_3"]).await;
    let campaigns = world.store.campaigns();
    let began_at = world.now().minus(Duration::from_secs(1));
    let (spring, summer) = (run(&world, "spring", 1, None).await, run(&world, "summer", 1, None).await);
    sent(&world, &claimed(&world, &spring, "main").await).await;
    sent(&world, &claimed(&world, &summer, "main").await).await;
    let gone = NextTurn::Never("chat_not_found".to_owned());
    let lost = claimed(&world, &spring, "fifth").await;
    let end = AttemptEnd {
        code: Some("chat_not_found".to_owned()),
        ..ended(&lost, AttemptState::Failed, gone, world.now())
    };
    campaigns.end(end).await.unwrap();
    // What an account sends for one campaign counts in its hour for the others too.
    let by_sender = campaigns.sent_since("spring", began_at).await.unwrap();
    let hours = async |now| campaigns.sent_by_hours_ago("spring", now).await.unwrap();
    let lately = hours(world.now()).await;
    assert_eq!((lately.len(), lately[&sender("main")][..2].to_vec()), (1, vec![2, 0]));
    let later = hours(world.now().plus(Duration::from_mins(90))).await;
    assert_eq!(later[&sender("main")][..3], [0, 2, 0]);
    assert!(hours(world.now().plus(Duration::from_hours(25))).await.is_empty());
    assert_eq!(by_sender, BTreeMap::from([(sender("main"), 2)]));
    let by_hour = campaigns.sent_by_hour("spring", began_at).await.unwrap();
    assert_eq!(by_hour, BTreeMap::from([(world.now().as_micros() / 3_600_000_000, 1)]));
    assert_eq!(campaigns.sent_by_hour("spring", world.now()).await.unwrap(), BTreeMap::new());
    let page = Page { limit: 1, cursor: None };
    let blocked = campaigns.blocked_tasks("spring", &page).await.unwrap();
    assert_eq!((blocked.items[0].chat.to_string(), blocked.next_cursor), ("@client_2".to_owned(), None));
    let wanted = |code: &str| AttemptFilter { code: Some(code.to_owned()), ..AttemptFilter::default() };
    let found = campaigns.attempts(spring.id, wanted("chat_not_found"), &page).await.unwrap();
    assert_eq!((found.items[0].id, found.next_cursor), (lost.id, None));
    assert_eq!(campaigns.attempts(spring.id, wanted("banned"), &page).await.unwrap().items, []);
    // It has no chat that is due, so its first run ends.
    assert_eq!(claim(&world, &spring, "main").await, Claim::Over);
    let again = run(&world, "spring", 1, None).await;
    let first = campaigns.runs("spring", &page).await.unwrap();
    assert_eq!(first.items[0].id, again.id);
    let rest = campaigns.runs("spring", &Page { limit: 1, cursor: first.next_cursor }).await.unwrap();
    assert_eq!((rest.items[0].id, rest.next_cursor), (spring.id, None));
}

async fn a_canary_pauses_the_run(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    let run = run(&world, "spring", 1, Some(1)).await;
    let first = claimed(&world, &run, "main").await;
    assert_eq!(claim(&world, &run, "fifth").await, Claim::Busy);
    sent(&world, &first).await;
    assert_eq!(claim(&world, &run, "fifth").await, Claim::Over);
    let campaigns = world.store.campaigns();
    let paused = campaigns.open_run("spring").await.unwrap().unwrap();
    assert_eq!((paused.state, paused.reason.as_deref()), (CampaignRunState::Paused, Some("canary")));
    let wish = RunChange { state: CampaignRunState::Running, reason: None, canary: None, now: world.now() };
    campaigns.change_run(run.id, wish).await.unwrap().unwrap();
    assert!(matches!(claim(&world, &run, "fifth").await, Claim::Task(_)));
}

async fn a_run_that_is_paused_or_over_gives_nothing(world: World) {
    campaign(&world, "spring", &["@client_1"]).await;
    let first = run(&world, "spring", 1, None).await;
    let campaigns = world.store.campaigns();
    let (now, id) = (world.now(), CampaignRunId::MIN);
    let again = NewRun { id, campaign: "spring".to_owned(), cycles: 1, canary: None, now, starts_at: now };
    assert!(matches!(campaigns.begin(again).await, Err(StoreError::Conflict { .. })));
    assert!(matches!(campaigns.remove("spring").await, Err(StoreError::Conflict { .. })));
    for state in [CampaignRunState::Paused, CampaignRunState::Stopped] {
        let wish = RunChange { state, reason: None, canary: None, now };
        campaigns.change_run(first.id, wish).await.unwrap().unwrap();
        assert_eq!(claim(&world, &first, "main").await, Claim::Over);
    }
    let expected = [EventType::CampaignBegan, EventType::CampaignPaused, EventType::CampaignEnded];
    assert_eq!(kinds(&world).await, expected);
    assert!(campaigns.runs_at_work().await.unwrap().is_empty());
    let wish = RunChange { state: CampaignRunState::Running, reason: None, canary: None, now };
    assert_eq!(campaigns.change_run(first.id, wish).await.unwrap(), None);
    assert!(campaigns.remove("spring").await.unwrap());
    assert!(campaigns.list().await.unwrap().is_empty());
}

async fn a_run_that_begins_later_gives_nothing_before(world: World) {
    campaign(&world, "spring", &["@client_1"]).await;
    let (now, starts_at) = (world.now(), world.now().plus(Duration::from_hours(1)));
    let id = CampaignRunId::from_uuid(*world.id().as_uuid());
    let new = NewRun { id, campaign: "spring".to_owned(), cycles: 1, canary: None, now, starts_at };
    let run = world.store.campaigns().begin(new).await.unwrap();
    assert_eq!(claim(&world, &run, "main").await, Claim::Later(starts_at));
    world.clock.advance(Duration::from_hours(1));
    assert!(matches!(claim(&world, &run, "main").await, Claim::Task(_)));
}

async fn attempts_are_removed_in_time_and_run_results_stay(world: World) {
    let mut runs = Vec::new();
    for name in ["spring", "autumn"] {
        campaign(&world, name, &["@client_1"]).await;
        let run = run(&world, name, 1, None).await;
        sent(&world, &claimed(&world, &run, "main").await).await;
        runs.push(run);
    }
    let campaigns = world.store.campaigns();
    let wish = RunChange { state: CampaignRunState::Stopped, reason: None, canary: None, now: world.now() };
    campaigns.change_run(runs[0].id, wish).await.unwrap();
    let left = async |run: &CampaignRun| {
        let page = Page { limit: 10, cursor: None };
        campaigns.attempts(run.id, AttemptFilter::default(), &page).await.unwrap().items.len()
    };
    world.clock.advance(Duration::from_hours(179 * 24));
    assert_eq!(world.store.sweep().await.unwrap().attempts, 0);
    let hours_counted = || world.texts("SELECT sender FROM campaign_sent").len();
    assert_ne!(hours_counted(), 0);
    world.clock.advance(Duration::from_hours(2 * 24));
    assert_eq!(world.store.sweep().await.unwrap().attempts, 1);
    assert_eq!((left(&runs[0]).await, left(&runs[1]).await), (0, 1));
    assert_eq!(hours_counted(), 0);
    let counted = campaigns.attempts_counted(runs[0].id).await.unwrap();
    assert_eq!(counted.len(), 1, "{counted:?}");
}

async fn chats_and_messages_are_added_once(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    let campaigns = world.store.campaigns();
    let variables = BTreeMap::from([("name".to_owned(), "Anna".to_owned())]);
    let known = NewCampaignTask { variables, ..task("@client_1") };
    let added = campaigns.add_tasks("spring", vec![known, task("@client_3")]).await.unwrap();
    assert_eq!((added.added, added.known), (1, 1));
    let first = campaigns.tasks("spring", &Page { limit: 2, cursor: None }).await.unwrap();
    assert_eq!(first.items[0].variables["name"], "Anna");
    let rest = campaigns.tasks("spring", &Page { limit: 2, cursor: first.next_cursor }).await.unwrap();
    assert_eq!((rest.items[0].chat.to_string().as_str(), rest.next_cursor), ("@client_3", None));
    let message = |weight| NewCampaignMessage {
        text: "Hi".into(),
        parse_mode: ParseMode::Html,
        weight,
        is_active: true,
        media: Vec::new(),
    };
    assert_eq!(campaigns.add_messages("spring", vec![message(1), message(3)], false).await.unwrap(), 1);
    let messages = campaigns.messages("spring").await.unwrap();
    assert_eq!((messages.len(), messages[0].weight, messages[0].number), (1, 3, 1));
    let key = FileKey::from_uuid(world.ids.next());
    let source = MediaSource::File { key: key.clone(), size: 3, sha256: Sha256([7; 32]) };
    let file = Media { source, form: MediaForm::Document, name: "a.pdf".into(), mime: String::new() };
    let other = NewCampaignMessage { text: "Hello".into(), media: vec![file.clone()], ..message(1) };
    assert_eq!(campaigns.add_messages("spring", vec![other], true).await.unwrap(), 1);
    let in_use: Vec<_> =
        campaigns.messages("spring").await.unwrap().iter().map(|one| one.is_active).collect();
    assert_eq!(in_use, [false, true]);
    assert_eq!(campaigns.messages("spring").await.unwrap()[1].media, [file]);
    assert_eq!(campaigns.message_files().await.unwrap(), [key]);
    let without = NewCampaignMessage { text: "Hello".into(), ..message(1) };
    campaigns.add_messages("spring", vec![without], false).await.unwrap();
    assert_eq!(campaigns.message_files().await.unwrap(), []);
    assert!(campaigns.change("spring", "{\"cycles\":2}".to_owned()).await.unwrap());
    assert!(!campaigns.change("summer", "{}".to_owned()).await.unwrap());
    assert_eq!(campaigns.get("spring").await.unwrap().unwrap().settings, "{\"cycles\":2}");
    campaigns
        .stop_sender(sender("main"), SenderState::LoggedOut, "logged_out".to_owned(), world.now())
        .await
        .unwrap();
    assert_eq!(campaigns.senders("spring").await.unwrap()[1].state, SenderState::LoggedOut);
    let open = run(&world, "spring", 1, None).await;
    assert!(matches!(campaigns.clear("spring").await, Err(StoreError::Conflict { .. })));
    let over = RunChange { state: CampaignRunState::Stopped, reason: None, canary: None, now: world.now() };
    campaigns.change_run(open.id, over).await.unwrap();
    campaigns.clear("spring").await.unwrap();
    assert_eq!(campaigns.messages("spring").await.unwrap(), []);
    assert_eq!(campaigns.tasks_counted("spring", None).await.unwrap().all, 0);
    assert_eq!(campaigns.senders("spring").await.unwrap().len(), 2);
}

async fn a_restored_store_pauses_runs_and_doubts_what_was_open(world: World) {
    campaign(&world, "spring", &["@client_1"]).await;
    let run = run(&world, "spring", 1, None).await;
    let open = claimed(&world, &run, "main").await;
    assert_eq!(world.store.campaigns().runs_at_work().await.unwrap(), [run.id]);
    world.store.hold_back(world.now()).await.unwrap();
    let campaigns = world.store.campaigns();
    let held = campaigns.open_run("spring").await.unwrap().unwrap();
    assert_eq!((held.state, held.reason.as_deref()), (CampaignRunState::Paused, Some("restored")));
    let attempt = campaigns.attempt(open.id).await.unwrap().unwrap();
    assert_eq!((attempt.state, attempt.code.as_deref()), (AttemptState::Unknown, Some("restored")));
    assert!(campaigns.runs_at_work().await.unwrap().is_empty());
}

async fn other_programs_query_views_by_the_names_they_know(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    let campaigns = world.store.campaigns();
    says_hi(&world).await;
    let run = run(&world, "spring", 1, None).await;
    let first = claimed(&world, &run, "main").await;
    campaigns.ready(first.id, "1".to_owned(), 1, "Hi".to_owned(), ParseMode::None).await.unwrap();
    sent(&world, &first).await;
    let gone = NextTurn::Never("chat_not_found".to_owned());
    let second = claimed(&world, &run, "main").await;
    campaigns.end(ended(&second, AttemptState::Failed, gone, world.now())).await.unwrap();
    profile(&world, Some("p1")).await;
    campaigns.add_proxies(vec![("p1".into(), "socks5://10.0.0.1:1".into())], world.now()).await.unwrap();
    campaigns.proxy_is("p1", ProxyHealth::Sick, None, world.now()).await.unwrap();
    campaigns.add_picture(picture("1_shop.png", Some(second.id), world.now())).await.unwrap();
    let pictures = campaigns.pictures_of_attempts(first.id, second.id).await.unwrap();
    assert_eq!(pictures.into_iter().collect::<Vec<_>>(), [(second.id, "1_shop.png".to_owned())]);
    let one = |sql: &str| world.texts(sql);
    for (sql, expected) in [
        (
            "SELECT profile_id || ' ' || is_active || is_blocked || is_logged_out FROM profiles ORDER BY 1",
            "account:fifth 100",
        ),
        (
            "SELECT group_id || ' ' || chat_username || ' ' || status || ' ' || cycles FROM tasks ORDER BY 1",
            "spring @client_1 pending 1",
        ),
        (
            "SELECT task_id || ' ' || profile_id || ' ' || status FROM task_attempts ORDER BY 1",
            "@client_1 account:main sent",
        ),
        ("SELECT group_id || ' ' || text || ' ' || usage_count FROM messages", "spring Hi 1"),
        (
            "SELECT profile_id || ' ' || chat_username || ' ' || status FROM send_log ORDER BY 1 DESC",
            "account:main @client_2 failed",
        ),
        ("SELECT status || ' ' || tasks FROM task_progress ORDER BY 1", "blocked 1"),
        ("SELECT group_id || ' ' || sent || ' ' || failed FROM group_stats", "spring 1 1"),
        ("SELECT profile_id || ' ' || sent || ' ' || failed FROM profile_stats", "account:main 1 1"),
        ("SELECT profile_id || ' ' || sent FROM profile_daily_stats", "account:main 1"),
        (
            "SELECT profile_id || ' ' || chat_username || ' ' || file FROM screenshots",
            "profile:shop @client_2 1_shop.png",
        ),
        ("SELECT profile_id || ' ' || proxy || ' ' || health FROM proxy_assignments", "profile:shop p1 sick"),
    ] {
        assert_eq!(one(sql)[0], expected, "{sql}");
    }
}

async fn history_of_another_program_is_imported_once(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2"]).await;
    let campaigns = world.store.campaigns();
    says_hi(&world).await;
    let later = world.now().plus(Duration::from_hours(2));
    let past_task = |chat: &str, blocked: Option<&str>, is_written| PastTask {
        chat: chat.parse().unwrap(),
        cycles: 2,
        blocked: blocked.map(str::to_owned),
        next_at: (chat == "@client_3").then_some(later),
        is_written,
    };
    let past = PastCampaign {
        cycle: 3,
        tasks: vec![
            past_task("@client_1", None, true),
            past_task("@client_3", None, false),
            past_task("@client_4", Some("chat_not_found"), false),
        ],
        attempts: vec![PastAttempt {
            key: "17".to_owned(),
            chat: "@client_1".parse().unwrap(),
            sender: sender("main"),
            state: AttemptState::Sent,
            code: None,
            at: world.now(),
            cycle: 3,
        }],
        uses: vec![("Hi".to_owned(), 7)],
        stopped: vec![(sender("fifth"), SenderState::Blocked, "imported".to_owned())],
    };
    let run_id = || CampaignRunId::from_uuid(*world.id().as_uuid());
    let taken = campaigns.take_over("spring", past.clone(), run_id(), world.now()).await.unwrap();
    assert_eq!((taken.tasks, taken.attempts), (2, 1));
    let taken = campaigns.take_over("spring", past.clone(), run_id(), world.now()).await.unwrap();
    assert_eq!((taken.tasks, taken.attempts), (0, 0));
    let run = campaigns.open_run("spring").await.unwrap().unwrap();
    assert_eq!((run.state, run.cycle, run.cycles), (CampaignRunState::Paused, 3, 3));
    let counted = campaigns.tasks_counted("spring", Some(&run)).await.unwrap();
    assert_eq!((counted.all, counted.blocked, counted.pending), (4, 1, 2));
    assert_eq!(campaigns.messages("spring").await.unwrap()[0].uses, 7);
    assert_eq!(campaigns.senders("spring").await.unwrap()[0].state, SenderState::Blocked);
    let wish = RunChange { state: CampaignRunState::Running, reason: None, canary: None, now: world.now() };
    campaigns.change_run(run.id, wish).await.unwrap();
    let refused = campaigns.take_over("spring", past.clone(), run_id(), world.now()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
    // The hour of its sender counts what the other program sent.
    let caps = SenderCaps { hour: 1, day: 100 };
    assert!(matches!(claim_with(&world, &run, "main", caps).await, Claim::Limited(_)));
    let attempt = claimed(&world, &run, "main").await;
    assert_eq!(attempt.chat.to_string(), "@client_2");
    sent(&world, &attempt).await;
    // The other program wanted to wait with this one.
    assert_eq!(claim(&world, &run, "main").await, Claim::Later(later));
    world.clock.advance(Duration::from_hours(2));
    let attempt = claimed(&world, &run, "main").await;
    assert_eq!(attempt.chat.to_string(), "@client_3");
    sent(&world, &attempt).await;
    assert_eq!(claim(&world, &run, "main").await, Claim::Over);
    let refused = campaigns.take_over("spring", past, run_id(), world.now()).await;
    assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{refused:?}");
}

async fn a_clock_set_back_makes_no_room_in_an_hour(world: World) {
    campaign(&world, "spring", &["@client_1", "@client_2", "@client_3"]).await;
    let run = run(&world, "spring", 1, None).await;
    let caps = SenderCaps { hour: 1, day: 100 };
    let attempt = claimed(&world, &run, "main").await;
    sent(&world, &attempt).await;
    let before = world.store.campaigns().attempt(attempt.id).await.unwrap().unwrap().ended_at.unwrap();
    for back in [Duration::from_mins(5), Duration::from_hours(1)] {
        let claiming = Claiming {
            run: run.id,
            sender: sender("main"),
            id: CampaignAttemptId::from_uuid(*world.id().as_uuid()),
            caps,
            person: None,
            counted_with: Vec::new(),
            between_cycles: Duration::ZERO,
            now: before.minus(back),
        };
        let claim = world.store.campaigns().claim(claiming).await.unwrap();
        assert_eq!(claim, Claim::Limited(before.plus(Duration::from_hours(1))));
    }
    world.clock.advance(Duration::from_hours(1));
    let Claim::Task(attempt) = claim_with(&world, &run, "main", caps).await else { panic!("a task") };
    // It is set back while a message is on its way: that one counts in the hour in which it left.
    let back = attempt.claimed_at.minus(Duration::from_hours(2));
    let end = ended(&attempt, AttemptState::Sent, NextTurn::NextCycle, back);
    world.store.campaigns().end(end).await.unwrap();
    let claim = claim_with(&world, &run, "main", caps).await;
    assert_eq!(claim, Claim::Limited(attempt.claimed_at.plus(Duration::from_hours(1))));
}

async fn times_of_a_clock_that_ran_ahead_hold_no_run(world: World) {
    campaign(&world, "spring", &["@client_1"]).await;
    let campaigns = world.store.campaigns();
    let (run, now) = (run(&world, "spring", 2, None).await, world.now());
    let ahead = now.plus(Duration::from_hours(24 * 30));
    let claim_at = async |now: Timestamp| {
        let claiming = Claiming {
            run: run.id,
            sender: sender("main"),
            id: CampaignAttemptId::from_uuid(*world.id().as_uuid()),
            caps: CAPS,
            person: None,
            counted_with: Vec::new(),
            between_cycles: Duration::from_mins(5),
            now,
        };
        campaigns.claim(claiming).await.unwrap()
    };
    let Claim::Task(first) = claim_at(now).await else { panic!("a task") };
    let again = NextTurn::Again(ahead);
    campaigns.end(ended(&first, AttemptState::Failed, again, now)).await.unwrap();
    let Claim::Later(at) = claim_at(now).await else { panic!("a wait") };
    assert_eq!(at, now.plus(Duration::from_mins(10)));
    let Claim::Task(second) = claim_at(at).await else { panic!("a task") };
    campaigns.end(ended(&second, AttemptState::Sent, NextTurn::NextCycle, at)).await.unwrap();
    // The cycle ends by the clock that runs ahead, which is then set back.
    assert_eq!(claim_at(ahead).await, Claim::Later(ahead.plus(Duration::from_mins(5))));
    let begins = at.plus(Duration::from_mins(5));
    assert_eq!([claim_at(at).await, claim_at(at).await], [Claim::Later(begins), Claim::Later(begins)]);
    assert!(matches!(claim_at(begins).await, Claim::Task(_)));
}
