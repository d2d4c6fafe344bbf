//! Groups that become supergroups, and names that change hands.

use std::time::Duration;

use delivery::{Attempt, Sender};
use domain::{ChatId, Outcome};
use sandbox::telegram::{FaultName, NewUsername};
use telegram::Pool;

use crate::it::world::{
    World, able, candidates, chat, content, name, one_account, part, query, send_to, until,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_group_that_becomes_a_supergroup_is_reached_under_both_ids() {
    let world = World::new().await.only(&["backup_1", "backup_2"]);
    let pool = world.ready().await;
    let group = world.demo("Demo group");
    let (old, today) = (chat(&group), world.telegram().migrate(&group).expect("migrated").chat_id);
    let today_id: ChatId = today.parse().expect("an id");
    until("noticed", || pool.locate(&old) == Some(today_id.into())).await;
    until("by both", || pool.accounts_in(today_id).len() == 2).await;
    let found = candidates(&pool, &group, None).await;
    assert_eq!((able(&found), found.address.clone()), (vec!["backup_1", "backup_2"], Some(today_id.into())));
    assert_eq!(send_to(&pool, "backup_1", today_id, "hello", 1).await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
    // It is kept over a restart.
    let pool = world.pool().await;
    assert_eq!(pool.locate(&old), Some(today_id.into()));
    world.end(&pool).await;
}

/// What updates reported is written a moment later; a stop that comes while it is being written loses none of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_in_progress_at_the_stop_completes() {
    let (world, pool) = one_account().await;
    let group = world.demo("Demo group");
    let database = rusqlite::Connection::open(world.database()).expect("the database");
    database.execute_batch("BEGIN IMMEDIATE").expect("no one else writes");
    let (old, today) = (chat(&group), world.telegram().migrate(&group).expect("migrated").chat_id);
    let today: ChatId = today.parse().expect("an id");
    until("noticed", || pool.locate(&old) == Some(today.into())).await;
    // Time enough for the write to begin; it waits for the database.
    world.clock.advance(Duration::from_secs(1));
    tokio::time::sleep(Duration::from_millis(100)).await;
    let stopping = tokio::spawn({
        let pool = std::sync::Arc::clone(&pool);
        async move { pool.stop(Duration::from_mins(1)).await }
    });
    tokio::time::sleep(Duration::from_millis(100)).await;
    database.execute_batch("ROLLBACK").expect("goes on");
    stopping.await.expect("no panic");
    let pool = world.pool().await;
    assert_eq!(pool.locate(&old), Some(today.into()));
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_send_into_a_group_that_moved_unnoticed_finds_where_to() {
    let (world, pool) = one_account().await;
    let group = world.demo("Demo group");
    let old: ChatId = group.parse().expect("an id");
    let today = world.telegram().quietly().migrate(&group).expect("migrated").chat_id;
    let today: ChatId = today.parse().expect("an id");
    let outcome = send_to(&pool, "backup_1", old, "hello", 1).await;
    assert!(matches!(outcome, Outcome::ChatMoved), "{outcome:?}");
    let found = candidates(&pool, &group, None).await;
    assert_eq!((able(&found), found.address.clone()), (vec!["backup_1"], Some(today.into())));
    assert_eq!(send_to(&pool, "backup_1", today, "hello", 1).await.word(), "sent");
    assert_eq!((world.texts(), world.calls("backup_1", "messages.getChats")), (vec!["hello".to_owned()], 1));
    world.end(&pool).await;
}

async fn attempt(pool: &Pool, chat_id: ChatId, text: &str) -> Outcome {
    let (account, content) = (name("backup_1"), content(text));
    let part = part(content.text.clone(), 77);
    let attempt = Attempt {
        account: &account,
        address: &chat_id.into(),
        part: &part,
        content: &content,
        binding: store::Binding::Unchanged,
    };
    pool.send(attempt).await
}

fn rename(world: &World, who: &str, to: Option<&str>) {
    let order = NewUsername { username: to.map(str::to_owned) };
    world.telegram().quietly().rename(who, &order).expect("renamed");
}

/// The chat that a name leads to, as soon as the account is well: a day that passes at once may cost it its connection.
async fn once_able(pool: &Pool, chat: &str) -> ChatId {
    let asking = async {
        loop {
            let found = candidates(pool, chat, None).await;
            if able(&found) == ["backup_1"] {
                return found.address.and_then(|found| found.chat_id()).expect("found");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), asking).await.expect("well again")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_changed_hands_leads_to_its_new_owner() {
    let (world, pool) = one_account().await;
    let first =
        candidates(&pool, "@client_40", None).await.address.and_then(|found| found.chat_id()).expect("found");
    rename(&world, "@client_40", None);
    rename(&world, "@client_41", Some("client_40"));
    // For a day the name is believed, as nothing shows otherwise.
    for method in ["messages.getDialogs", "updates.getDifference"] {
        world.fault("backup_1", FaultName::RpcError).method(method).error(500, "INTERNAL").on();
    }
    assert_eq!(pool.locate(&chat("@client_40")), Some(first.into()));
    world.clock.advance(Duration::from_hours(25));
    assert_eq!(pool.locate(&chat("@client_40")), None);
    let second = once_able(&pool, "@client_40").await;
    assert_ne!(first, second);
    assert_eq!(pool.locate(&chat("@client_40")), Some(second.into()));
    assert_eq!(attempt(&pool, second, "hello").await.word(), "sent");
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_makes_no_name_younger() {
    let (world, pool) = one_account().await;
    let first =
        candidates(&pool, "@client_40", None).await.address.and_then(|found| found.chat_id()).expect("found");
    pool.stop(Duration::from_secs(5)).await;
    rename(&world, "@client_40", None);
    rename(&world, "@client_41", Some("client_40"));
    for method in ["messages.getDialogs", "updates.getDifference"] {
        world.fault("backup_1", FaultName::RpcError).method(method).error(500, "INTERNAL").on();
    }
    world.clock.advance(Duration::from_hours(13));
    let pool = world.pool().await;
    assert_eq!(pool.locate(&chat("@client_40")), Some(first.into()));
    pool.stop(Duration::from_secs(5)).await;
    // Half a day before this start and half a day after it are a day.
    world.clock.advance(Duration::from_hours(12));
    let pool = world.pool().await;
    assert_ne!(once_able(&pool, "@client_40").await, first);
    pool.stop(Duration::from_secs(5)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unverifiable_old_name_is_trusted_a_while_longer() {
    let (world, pool) = one_account().await;
    let known =
        candidates(&pool, "@client_1", None).await.address.and_then(|found| found.chat_id()).expect("known");
    world.fault("backup_1", FaultName::FloodWait).method("contacts.resolveUsername").seconds(600.0).on();
    world.clock.advance(Duration::from_hours(25));
    assert_eq!(once_able(&pool, "@client_1").await, known);
    assert!(pool.candidates_now(&query("@client_1", None)).is_some());
    // Not at all where the connection was just being made again.
    assert!(world.calls("backup_1", "contacts.resolveUsername") <= 1);
    pool.stop(Duration::from_secs(5)).await;
}
