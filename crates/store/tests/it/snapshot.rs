//! A copy of the database made while it is worked on: one moment of it, whole, proven, for its owner alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use store::{MasterKey, OpenError, SnapshotError, prove_copy};

use crate::support::{World, conformance};

conformance! {
    a_copy_is_one_moment_of_a_store_that_is_worked_on,
    an_existing_file_is_not_overwritten,
    a_waiter_that_gives_up_ends_it_and_the_store_goes_on,
    a_damaged_copy_and_one_of_another_key_are_refused,
}

/// How many messages a copy has, and whether each has all its parts and steps: they were written in one transaction.
fn whole_messages(file: &std::path::Path) -> (i64, i64) {
    let copy = Connection::open(file).expect("a database");
    let one = |sql: &str| copy.query_row(sql, [], |row| row.get(0)).expect("a number");
    let torn = "SELECT count(*) FROM outbox AS o WHERE
        (SELECT count(*) FROM outbox_parts WHERE message_id = o.id) <> 2
        OR NOT EXISTS (SELECT 1 FROM outbox_timeline WHERE message_id = o.id)";
    (one("SELECT count(*) FROM outbox"), one(torn))
}

async fn a_copy_is_one_moment_of_a_store_that_is_worked_on(world: World) {
    let ended = AtomicBool::new(false);
    let writing = async {
        let mut count = 0_i64;
        while !ended.load(Ordering::Relaxed) {
            world.queued(2).await;
            count += 1;
        }
        count
    };
    let copying = async {
        let mut last = 0;
        for number in 0..5 {
            let copy = world.dir.path().join(format!("copy-{number}"));
            let bytes = world.store.snapshot(&copy).await.unwrap();
            assert_eq!(bytes, fs::metadata(&copy).unwrap().len());
            assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(world.store.prove(&copy).await.unwrap().bytes, bytes);
            let (messages, torn) = whole_messages(&copy);
            assert!(messages >= last && torn == 0, "{messages} after {last}, {torn} torn");
            last = messages;
        }
        ended.store(true, Ordering::Relaxed);
        last
    };
    let (written, copied) = tokio::join!(writing, copying);
    assert!(copied <= written && written > 0);
    // All that was written before is in a copy made after.
    let last = world.dir.path().join("last");
    world.store.snapshot(&last).await.unwrap();
    assert_eq!(whole_messages(&last), (written, 0));
}

async fn an_existing_file_is_not_overwritten(world: World) {
    let there = world.dir.path().join("there");
    fs::write(&there, "somebody's").unwrap();
    assert!(matches!(world.store.snapshot(&there).await, Err(SnapshotError::File { .. })));
    assert_eq!(fs::read_to_string(&there).unwrap(), "somebody's");
    let nowhere = world.dir.path().join("none/copy");
    assert!(matches!(world.store.snapshot(&nowhere).await, Err(SnapshotError::File { .. })));
}

async fn a_waiter_that_gives_up_ends_it_and_the_store_goes_on(world: World) {
    let copy = world.dir.path().join("copy");
    let _ = tokio::time::timeout(Duration::from_micros(300), world.store.snapshot(&copy)).await;
    world.queued(1).await;
    world.store.snapshot(&world.dir.path().join("another")).await.unwrap();
    world.store.clone().close().await;
    world.open_again().await.unwrap();
}

async fn a_damaged_copy_and_one_of_another_key_are_refused(world: World) {
    world.queued(1).await;
    let copy = world.dir.path().join("copy");
    world.store.snapshot(&copy).await.unwrap();
    let data = world.dir.path().join("data");
    assert!(prove_copy(&copy, &data, &MasterKey::File("master.key".into())).is_ok());
    let other = prove_copy(&copy, &data, &MasterKey::Given("07".repeat(32).into()));
    assert!(matches!(other, Err(OpenError::MasterKey(_))), "{other:?}");

    let mut bytes = fs::read(&copy).unwrap();
    let third = bytes.len() / 3;
    bytes[third..third + 4096].fill(0x5a);
    fs::write(&copy, &bytes).unwrap();
    let damaged = world.store.prove(&copy).await;
    assert!(matches!(damaged, Err(OpenError::Corrupt { .. })), "{damaged:?}");
    fs::write(&copy, "no database").unwrap();
    assert!(world.store.prove(&copy).await.is_err());
    assert!(world.store.prove(&world.dir.path().join("none")).await.is_err());
}
