//! Each kind of card turns red for the right reason, and none without one.

use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::{Advice, CardFilter, CardId, CardKind, Lamp, Port, PortLoad, PortState, ProbeOutcome};
use delivery::Submission;
use domain::Service;
use domain::account::Operation;
use domain::message::{Content, OnFlood};
use domain::text::{FormattedText, ParseMode};
use sandbox::telegram::FaultName;
use store::{Hold, Origin};
use telegram::{Action, ServiceAction};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use crate::it::world::{BEGINS, World, account, failed, of_kind};

const SOON: Duration = Duration::from_mins(1);

pub(crate) fn text(chat: &str) -> Submission {
    let content = Content {
        text: FormattedText::plain("hello"),
        parse_mode: ParseMode::None,
        reply_to: None,
        mention: None,
        mention_optional: false,
        written_by: domain::message::Writer::Program,
        silent: false,
        preview: false,
        media: Vec::new(),
        provider_options: None,
    };
    Submission {
        chat: chat.parse().expect("a chat"),
        content,
        pin: None,
        on_flood: OnFlood::Wait,
        send_at: None,
        needs_approval: false,
        origin: Origin { listener: "v1".to_owned(), api_key: None, address: None },
        idempotency: None,
        join: None,
    }
}

fn port(name: &str, address: &str, state: PortState) -> Port {
    Port {
        name: name.to_owned(),
        address: address.to_owned(),
        state,
        holder: (state == PortState::Taken).then(|| "gunicorn (process 7)".to_owned()),
        detail: None,
        since: domain::Timestamp::default(),
        load: PortLoad::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_start_stop_and_pause_are_never_red() {
    let world = World::of(&["main", "backup_1"]).await;
    let mut run = world.start().await;
    for _ in 0..6 {
        let beats = run.round().await;
        assert_eq!(failed(&beats), []);
        let lines = of_kind(&beats, CardKind::Line);
        assert!(
            !lines.is_empty() && lines.iter().all(|(_, beat)| beat.answer == ProbeOutcome::Answered),
            "{lines:?}"
        );
        let services = of_kind(&beats, CardKind::Service);
        assert!(
            services.len() == 4 && services.iter().all(|(_, beat)| beat.answer == ProbeOutcome::Answered)
        );
        assert!(
            beats[&CardId::store()].latency.is_some()
                && beats[&CardId::queue()].answer == ProbeOutcome::Answered
        );
    }
    let overview = run.health.overview(&CardFilter::default());
    assert!(overview.cards.iter().all(|card| card.lamp == Lamp::Good), "{:?}", overview.cards);
    assert!(overview.process.memory > Some(1 << 20) && overview.process.cpu.is_some());
    assert!(overview.facts.answer_p50.is_some() && overview.facts.beats_kept);

    run.health.switch_service(Service::SendText, ServiceAction::Stop).await.expect("stops");
    run.health.switch_account(&"main".parse().expect("a name"), Action::Pause).await.expect("pauses");
    run.health.switch_account(&"backup_1".parse().expect("a name"), Action::Stop).await.expect("stops");
    for _ in 0..4 {
        let beats = run.round().await;
        assert_eq!(failed(&beats), []);
        assert_eq!(beats[&account("backup_1")].reason.as_deref(), Some("stopped"));
        assert_eq!(beats[&account("main")].reason.as_deref(), Some("paused"));
        assert_eq!(beats[&CardId::service(Service::SendText)].reason.as_deref(), Some("stopped"));
        assert_eq!(beats[&CardId::service(Service::LeaveChat)].reason.as_deref(), Some("paused"));
    }
    assert_eq!(run.card(&account("main")).lamp, Lamp::Off);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_is_shown_at_once() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    let leave = CardId::service(Service::LeaveChat);
    run.health.switch_service(Service::LeaveChat, ServiceAction::Stop).await.expect("stops");
    let beats = run.round().await;
    assert_eq!(beats[&leave].reason.as_deref(), Some("stopped"));
    assert_eq!(run.card(&leave).state, "stopped");
    let mut changes = run.health.changes();
    for (action, state) in [(ServiceAction::Start, "starting"), (ServiceAction::Stop, "stopped")] {
        changes.mark_unchanged();
        run.health.switch_service(Service::LeaveChat, action).await.expect("switches");
        assert!(changes.has_changed().expect("it runs"), "before anything else is waited for");
        assert_eq!(run.card(&leave).state, state);
    }
    run.health.switch_service(Service::LeaveChat, ServiceAction::Start).await.expect("starts");
    run.round().await;
    assert_eq!(run.card(&leave).state, "active");
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deaf_connection_is_red_with_services_left_alone() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    world.fault("main", FaultName::Deaf);
    let text = CardId::service(Service::SendText);
    let passed = run.until_beat(&account("main"), |beat| beat.reason.as_deref() == Some("no_answer")).await;
    assert!(passed <= SOON, "{passed:?}");
    let beats = run.round().await;
    assert_eq!(beats[&text].answer, ProbeOutcome::Failed, "{beats:?}");
    let card = run.card(&account("main"));
    // By now the session may have given up its deaf connection, and be making another.
    let reasons = [Some("no_answer"), Some("unreachable")];
    assert!(card.lamp == Lamp::Trouble && reasons.contains(&card.reason.as_deref()), "{card:?}");
    let first = &run.health.overview(&CardFilter::default()).cards[0];
    assert_eq!((first.lamp, first.kind), (Lamp::Trouble, CardKind::Service));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lost_key_ban_and_flood_differ_and_services_go_on() {
    for (fault, reason) in [
        (FaultName::SessionRevoked, "session_revoked"),
        (FaultName::AuthKeyDuplicated, "auth_key_duplicated"),
        (FaultName::Banned, "banned"),
    ] {
        let world = World::of(&["main", "backup_1"]).await;
        let mut run = world.start().await;
        world.fault("main", fault);
        let passed = run.until_beat(&account("main"), |beat| beat.answer == ProbeOutcome::Failed).await;
        assert!(passed <= SOON, "{reason}: {passed:?}");
        let beats = run.round().await;
        assert_eq!(beats[&account("main")].reason.as_deref(), Some(reason));
        let elsewhere = failed(&beats).into_iter().filter(|(id, _)| !id.contains("main")).collect::<Vec<_>>();
        assert_eq!(elsewhere, []);
        let card = run.card(&account("main"));
        assert!(card.lamp == Lamp::Trouble && matches!(card.advice, Some(Advice::Account(_))), "{card:?}");
        run.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_wait_waits_with_its_deadline() {
    let world = World::of(&["main"]).await;
    let store = world.store().await;
    let until = world.clock.now().plus(Duration::from_mins(10));
    let hold =
        Hold::Flood { account: "main".parse().expect("a name"), operation: Operation::SendMessage, until };
    store.accounts().save_hold(hold).await.expect("written");
    store.close().await;
    let mut run = world.start().await;
    let beats = run.round().await;
    assert_eq!(beats[&account("main")].reason.as_deref(), Some("flood_wait"));
    assert_eq!(beats[&CardId::service(Service::SendText)].reason.as_deref(), Some("flood_wait"));
    assert_eq!(
        beats[&CardId::service(Service::LeaveChat)].answer,
        ProbeOutcome::Answered,
        "another kind of call"
    );
    let card = run.card(&account("main"));
    assert_eq!(
        (card.lamp, card.until, card.advice),
        (Lamp::Waiting, Some(until), Some(Advice::WaitForDeadline))
    );
    // No one else is there to do its work: that is stalled, and is no small matter.
    let card = run.card(&CardId::service(Service::SendText));
    assert_eq!(
        (card.lamp, card.until, card.advice),
        (Lamp::Trouble, Some(until), Some(Advice::WaitOrAddAnAccount))
    );
    run.clock.advance(Duration::from_mins(10));
    run.next().await;
    let beats = run.round().await;
    assert_eq!(failed(&beats), []);
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_and_a_dead_database_have_different_reasons() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    world.free.store(1 << 20, Ordering::Relaxed);
    let passed = run.until_beat(&CardId::store(), |beat| beat.answer == ProbeOutcome::Failed).await;
    assert!(passed <= SOON, "{passed:?}");
    let card = run.card(&CardId::store());
    assert_eq!((card.state, card.advice), ("disk_full", Some(Advice::FreeDisk)));
    run.round().await;
    assert!(
        !run.health.overview(&CardFilter::default()).facts.beats_kept,
        "what is worth less is not written"
    );
    world.free.store(1 << 40, Ordering::Relaxed);
    run.until_beat(&CardId::store(), |beat| beat.answer == ProbeOutcome::Answered).await;
    assert!(run.card(&CardId::store()).lamp == Lamp::Good);
    run.store.clone().close().await;
    let passed = run.until_beat(&CardId::store(), |beat| beat.answer == ProbeOutcome::Failed).await;
    assert!(passed <= SOON, "{passed:?}");
    let beats = run.round().await;
    assert_eq!(failed(&beats), [("store".to_owned(), "store_unavailable".to_owned())]);
    assert_eq!(run.card(&CardId::store()).advice, Some(Advice::MendTheStore));
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_row_turns_the_store_red_until_it_is_repaired() {
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    run.health.switch_service(Service::SendText, ServiceAction::Stop).await.expect("stops");
    let id = run.delivery.submit(text("@client_1")).await.expect("accepted").id;
    let edit = |sql: &str| {
        let database = rusqlite::Connection::open(world.folder.path().join("data/switchboard.db"));
        database.expect("opens").execute_batch(sql).expect("edits");
    };
    edit("UPDATE outbox SET state = 99");
    run.store.outbox().get(id).await.expect_err("it cannot be read");
    run.until_beat(&CardId::store(), |beat| beat.answer == ProbeOutcome::Failed).await;
    let card = run.card(&CardId::store());
    assert_eq!((card.lamp, card.reason.as_deref()), (Lamp::Trouble, Some("row_unreadable")));
    assert_eq!(card.advice, Some(Advice::RepairTheRow));
    let detail = card.detail.expect("names the row");
    assert!(detail.contains("outbox") && detail.contains(&id.to_string()), "{detail}");
    edit("UPDATE outbox SET state = 0");
    run.clock.advance(Duration::from_mins(5));
    run.until_beat(&CardId::store(), |beat| beat.answer == ProbeOutcome::Answered).await;
    run.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_or_silent_port_is_red() {
    let world = World::of(&["main"]).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = |listener: &TcpListener| listener.local_addr().expect("an address").to_string();
    *world.ports.lock().expect("a list") = vec![
        Port {
            load: PortLoad { answered: 30, failed: 3, open: 2 },
            ..port("main", &address(&listener), PortState::Listening)
        },
        port("5022", "127.0.0.1:5022", PortState::Taken),
        port("5023", &address(&silent), PortState::Listening),
        port("5024", "127.0.0.1:5024", PortState::Starting),
    ];
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.expect("written");
        }
    });
    let hanging_up = tokio::spawn(async move { while silent.accept().await.is_ok() {} });
    let mut run = world.start().await;
    let beats = run.round().await;
    assert_eq!(
        failed(&beats),
        [("port:5022".to_owned(), "port_taken".to_owned()), ("port:5023".to_owned(), "no_answer".to_owned())]
    );
    assert_eq!(beats[&CardId::port("main")].answer, ProbeOutcome::Answered);
    assert_eq!(beats[&CardId::port("5024")].answer, ProbeOutcome::NotAsked);
    let main = run.card(&CardId::port("main"));
    assert_eq!((main.operations, main.errors, main.queue), (Some(30), Some(3), Some(2)));
    assert_eq!((main.share, main.sends.map(|sends| sends[23])), (Some(1.0), Some(27)));
    let taken = run.card(&CardId::port("5022"));
    assert_eq!((taken.lamp, taken.state), (Lamp::Trouble, "taken"));
    // What did nothing has no part of the process.
    assert!(main.memory.is_some());
    assert_eq!((taken.cpu, taken.memory), (None, None));
    assert_eq!(taken.proof.as_deref(), Some("127.0.0.1:5022 held by gunicorn (process 7)"));
    run.stop().await;
    serving.abort();
    hanging_up.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stands_still_is_red_and_one_that_waits_is_not() {
    let _turn = BEGINS.lock().await;
    let world = World::of(&["main"]).await;
    let mut run = world.start().await;
    // What waits for a service that is stopped is no fault.
    run.health.switch_service(Service::SendText, ServiceAction::Stop).await.expect("stops");
    run.delivery.submit(text("@client_1")).await.expect("accepted");
    for _ in 0..3 {
        assert_eq!(failed(&run.round().await), []);
    }
    assert_eq!((run.delivery.queued(), run.card(&CardId::queue()).queue), (1, Some(1)));
    failpoint::testing::arm("store.begin.before", 0);
    run.health.switch_service(Service::SendText, ServiceAction::Start).await.expect("starts");
    let text = CardId::service(Service::SendText);
    let passed = run.until_beat(&text, |beat| beat.reason.as_deref() == Some("stalled")).await;
    assert!(passed <= SOON, "{passed:?}");
    let beats = run.round().await;
    assert_eq!(
        failed(&beats),
        [("service:send_text".to_owned(), "stalled".to_owned()), ("queue".to_owned(), "stalled".to_owned())]
    );
    assert_eq!(run.card(&text).advice, Some(Advice::RestartTheProgram));
    failpoint::testing::release("store.begin.before");
}
