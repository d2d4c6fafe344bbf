//! Switching accounts by hand.

use std::time::Duration;

use delivery::RefusalKind;
use domain::account::AccountState;
use telegram::{ActError, Action};

use crate::it::world::{World, able, candidates, name, one_account, send, state, until, view};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_account_gets_no_work_and_stays_connected() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let paused = pool.act(&name("backup_1"), Action::Pause).await.expect("paused");
    assert_eq!(paused.state, AccountState::Paused);
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_2"]);
    let pinned = candidates(&pool, "@client_1", Some("backup_1")).await;
    assert_eq!((pinned.refused[0].0.why.as_str(), pinned.refused[0].1), ("paused", RefusalKind::Unusable));
    assert!(view(&pool, "backup_1").lines.iter().all(|line| line.state == AccountState::Ready));
    pool.stop(Duration::from_secs(5)).await;
    // It is kept over a restart.
    let pool = world.pool().await;
    until("connected", || state(&pool, "backup_1").0 == AccountState::Paused).await;
    pool.act(&name("backup_1"), Action::Resume).await.expect("resumed");
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), ["backup_1"]);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_account_is_offline_until_it_is_started() {
    let (world, pool) = one_account().await;
    pool.act(&name("backup_1"), Action::Stop).await.expect("stopped");
    until("offline", || state(&pool, "backup_1").0 == AccountState::Offline).await;
    assert_eq!(able(&candidates(&pool, "@client_1", None).await), Vec::<&str>::new());
    pool.stop(Duration::from_secs(5)).await;
    world.telegram().clear_calls();
    let pool = world.pool().await;
    assert_eq!(state(&pool, "backup_1").0, AccountState::Offline);
    assert!(pool.settled());
    assert_eq!(world.telegram().calls(Some("backup_1"), None), []);
    pool.act(&name("backup_1"), Action::Start).await.expect("started");
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_reconnects_and_unknown_names_are_reported() {
    let (_world, pool) = one_account().await;
    let mut changes = pool.changes();
    changes.mark_unchanged();
    pool.act(&name("backup_1"), Action::Restart).await.expect("restarted");
    changes.changed().await.expect("changed");
    until("ready", || state(&pool, "backup_1").0 == AccountState::Ready).await;
    assert_eq!(send(&pool, "backup_1", "@client_1", "hello", 1).await.word(), "sent");
    let refused = pool.act(&name("nobody"), Action::Stop).await;
    assert!(matches!(refused, Err(ActError::NoSuchAccount(_))));
    pool.stop(Duration::from_secs(5)).await;
}
