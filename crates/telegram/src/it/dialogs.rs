//! Reading dialogs: once, on request, and only what is new.

use std::sync::Arc;
use std::time::Duration;

use delivery::{Readiness, Sender};
use domain::Service;
use domain::account::AccountState;
use sandbox::telegram::{FaultName, NewChat};
use telegram::{Pool, ServiceAction};

use crate::it::world::{World, able, candidates, one_account, query, state, until, view};

fn pages(world: &World) -> u64 {
    world.calls("backup_1", "messages.getDialogs")
}

fn quiet_chat(world: &World, title: &str) -> String {
    let order = NewChat {
        kind: sandbox::telegram::ChatKind::Supergroup,
        title: title.to_owned(),
        creator: "@client_1".to_owned(),
        members: vec!["backup_1".to_owned()],
    };
    world.telegram().quietly().make_chat(&order).expect("made").chat_id
}

async fn started(world: &World) -> Arc<Pool> {
    let pool = world.pool().await;
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    pool
}

fn finds(pool: &Pool, chat: &str) -> bool {
    pool.candidates_now(&query(chat, None)).is_some_and(|found| able(&found) == ["backup_1"])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reads_no_dialogs_for_half_an_hour() {
    let world = World::with_dialogs(250).await.only(&["backup_1"]);
    let pool = world.ready().await;
    let first = view(&pool, "backup_1");
    let total = first.dialogs_total.expect("Telegram says how many there are");
    assert!(first.dialogs_read >= usize::try_from(total).expect("few") && total > 0, "{first:?}");
    pool.stop(Duration::from_secs(5)).await;
    world.telegram().clear_calls();
    let pool = started(&world).await;
    let again = view(&pool, "backup_1");
    assert_eq!((again.dialogs_read, again.dialogs_total), (first.dialogs_read, None), "no one asked again");
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    // Nothing that reaches us mentions it.
    world.fault("backup_1", FaultName::RpcError).method("updates.getDifference").error(500, "INTERNAL").on();
    let made = quiet_chat(&world, "Made elsewhere");
    assert!(!finds(&pool, &made));
    assert_eq!(pages(&world), 0);
    world.clock.advance(Duration::from_mins(31));
    until("it appears", || finds(&pool, &made)).await;
    assert!(pages(&world) <= 2, "{} pages", pages(&world));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_reading_of_new_dialogs_skips_none() {
    let (world, pool) = one_account().await;
    pool.stop(Duration::from_secs(5)).await;
    let made: Vec<String> = (0..150).map(|number| quiet_chat(&world, &format!("New {number}"))).collect();
    // Nothing but the dialogs mentions them.
    world.fault("backup_1", FaultName::RpcError).method("updates.getDifference").error(500, "INTERNAL").on();
    world.clock.advance(Duration::from_mins(31));
    world.telegram().clear_calls();
    // The second page cannot be read at first.
    let pool = started(&world).await;
    until("the first page is taken", || made.iter().any(|chat| finds(&pool, chat))).await;
    let fault = world.fault("backup_1", FaultName::RpcError).method("messages.getDialogs");
    let fault = fault.error(500, "INTERNAL").on();
    let before = pages(&world);
    until("a page fails", || {
        world.clock.advance(Duration::from_millis(250));
        pages(&world) > before
    })
    .await;
    world.telegram().remove_fault(fault);
    until("all are known", || {
        world.clock.advance(Duration::from_millis(250));
        made.iter().all(|chat| finds(&pool, chat))
    })
    .await;
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn full_reload_keeps_known_chats_and_drops_gone_ones() {
    let world = World::with_dialogs(250).await.only(&["backup_1"]);
    let pool = world.ready().await;
    let first = pages(&world);
    let dialogs = u64::try_from(pool.cached_peers()).expect("small") / 100 + 1;
    assert!(first <= dialogs + 1, "{first} pages");
    let known = pool.cached_peers();
    let unknown = "-1009999999999";
    candidates(&pool, unknown, None).await;
    assert!(pool.candidates_now(&query(unknown, None)).is_some());
    world.telegram().clear_calls();
    assert_eq!(pool.reload_dialogs().await, known);
    assert!(pool.candidates_now(&query(unknown, None)).is_none());
    until("all is read again", || {
        assert!(pool.cached_peers() >= known && view(&pool, "backup_1").dialogs_complete);
        world.clock.advance(Duration::from_millis(250));
        pages(&world) >= first.min(2)
    })
    .await;
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_first_reading_is_resumed() {
    let world = World::with_dialogs(3_000).await.only(&["backup_1"]);
    let pool = world.pool().await;
    until("two pages are read", || pages(&world) >= 2 && pool.cached_peers() > 150).await;
    pool.stop(Duration::from_secs(5)).await;
    assert!(!world.store.peers().fill(&crate::it::world::name("backup_1")).await.expect("read").complete);
    let before = pages(&world);
    let pool = world.pool().await;
    assert!(pool.cached_peers() > 100);
    until("all is read", || {
        world.clock.advance(Duration::from_millis(250));
        view(&pool, "backup_1").dialogs_complete
    })
    .await;
    let all = u64::try_from(pool.cached_peers()).expect("small");
    // One page may have been read and not been stored yet.
    assert!(pages(&world) <= all / 100 + 3, "{before} and {} pages for {all}", pages(&world));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_service_makes_no_calls_and_stays_stopped() {
    let (world, pool) = one_account().await;
    let stopped = pool.set_service(Service::SendText, ServiceAction::Stop).await.expect("stopped");
    assert!(!stopped.running && pool.service(Service::CreateChat).running);
    let readiness = |found: delivery::Candidates| found.able.first().map(|able| able.readiness);
    assert_eq!(readiness(candidates(&pool, "@client_1", None).await), Some(Readiness::Connecting));
    assert_eq!(readiness(delivery::Steps::creators(&*pool, None)), Some(Readiness::Ready));
    pool.stop(Duration::from_secs(5)).await;
    let pool = started(&world).await;
    assert_eq!(readiness(candidates(&pool, "@client_1", None).await), Some(Readiness::Connecting));
    let mut changes = delivery::Sender::changes(&*pool);
    changes.mark_unchanged();
    let running = pool.set_service(Service::SendText, ServiceAction::Start).await.expect("started");
    assert!(running.running && running.since > stopped.since);
    changes.changed().await.expect("changed");
    assert_eq!(readiness(candidates(&pool, "@client_1", None).await), Some(Readiness::Ready));
    assert_eq!(crate::it::world::send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "sent");
    let text = pool.service(Service::SendText);
    assert_eq!((text.operations, text.errors), (1, 0));
    assert_eq!(pool.services().len(), 4);
    pool.stop(Duration::from_secs(5)).await;
}
