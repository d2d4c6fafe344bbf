//! Who knows which chat, and asking for what no one knows.

use std::sync::Arc;
use std::time::Duration;

use delivery::{RefusalKind, Sender};
use sandbox::telegram::FaultName;

use crate::it::world::{World, able, candidates, one_account, query};

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_looked_up_once_however_many_ask() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    world.telegram().clear_calls();
    let asking: Vec<_> = (0..16)
        .map(|_| {
            let pool = Arc::clone(&pool);
            tokio::spawn(async move { candidates(&pool, "@demo_fifth", None).await })
        })
        .collect();
    for answer in asking {
        assert_eq!(able(&answer.await.expect("an answer")), ["backup_1"]);
    }
    assert_eq!(world.calls("backup_1", "contacts.resolveUsername"), 1);
    assert_eq!(world.calls("backup_2", "contacts.resolveUsername"), 0);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_name_is_not_looked_up_again_for_a_while() {
    let (world, pool) = one_account().await;
    for _ in 0..3 {
        let found = candidates(&pool, "@nobody_has_this", None).await;
        assert_eq!(
            (found.address.clone(), able(&found).len(), found.refused[0].1),
            (None, 0, RefusalKind::NotFound)
        );
    }
    assert_eq!(world.calls("backup_1", "contacts.resolveUsername"), 1);
    world.clock.advance(Duration::from_mins(6));
    assert!(pool.candidates_now(&query("@nobody_has_this", None)).is_none());
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_id_is_not_found() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    for unknown in ["-1009999999999", "-987654", "4242424242"] {
        let found = candidates(&pool, unknown, None).await;
        assert_eq!(able(&found), Vec::<&str>::new());
        assert_eq!(found.refused.len(), 2, "{unknown}: {found:?}");
        assert!(found.refused.iter().all(|(_, why)| *why == RefusalKind::NotFound), "{found:?}");
        assert!(pool.candidates_now(&query(unknown, None)).is_some());
    }
    world.end(&pool).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_asks_when_one_may_not() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    world.fault("backup_1", FaultName::FloodWait).method("contacts.resolveUsername").seconds(60.0).on();
    assert_eq!(able(&candidates(&pool, "@demo_fifth", None).await), ["backup_2"]);
    let pinned = candidates(&pool, "@demo_fifth", Some("backup_1")).await;
    assert_eq!(able(&pinned), Vec::<&str>::new());
    assert_eq!(pinned.refused[0].1, RefusalKind::Unusable);
    assert!(pinned.refused[0].0.why.contains("flood wait"), "{pinned:?}");
    // The wait is remembered by the next start.
    let pool = world.restarted(&pool).await;
    assert_eq!(crate::it::world::view(&pool, "backup_1").floods.len(), 1);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn message_waits_for_starting_accounts() {
    let world = World::new().await.only(&["backup_1"]);
    world.fault("backup_1", FaultName::Delay).seconds(0.3).on();
    let pool = world.pool().await;
    let query = query("@client_1", None);
    let found = pool.candidates(&query).await;
    assert_eq!(able(&found), ["backup_1"], "{found:?}");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pinned_account_resolves_names_others_know() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let first = candidates(&pool, "@demo_fifth", None).await;
    assert_eq!(able(&first), ["backup_1"]);
    // What waits in a lane asks by the id that was found, not by the name.
    let id = first.address.clone().expect("found").to_string();
    assert_eq!(able(&candidates(&pool, &id, Some("backup_2")).await), ["backup_2"]);
    assert_eq!(world.calls("backup_2", "contacts.resolveUsername"), 1);
    world.end(&pool).await;
}
