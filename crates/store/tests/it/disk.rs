//! A disk that fills up: new messages are refused in time, outcomes are still written.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::timeline::Step;
use store::{Accepted, Disk, StoreError};

use crate::support::{World, accept, accept_saga, change, make_chat, with_key};

const MB: u64 = 1 << 20;

#[tokio::test]
async fn intake_stops_while_little_is_free() {
    let free = Arc::new(AtomicU64::new(1000 * MB));
    let disk = Disk::default().with_free_space({
        let free = Arc::clone(&free);
        move |_| Ok(free.load(Ordering::Relaxed))
    });
    let world = World::on(disk).await;
    let outbox = world.store.outbox();
    let known = world.message(1);
    assert_eq!(outbox.accept(with_key(known.clone(), 1, 1)).await, Ok(Accepted::New));

    let saga = world.making().await;

    free.store(63 * MB, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(outbox.accept(accept(world.message(1))).await, Err(StoreError::StorageFull));
    // What is known is still answered, and what was taken in goes on.
    assert_eq!(outbox.accept(with_key(world.message(1), 1, 1)).await, Ok(Accepted::Repeated(known.id)));
    outbox.begin(world.begin(known.id, 0)).await.unwrap();
    outbox.part_sent(world.sent(known.id, 0)).await.unwrap();
    // Sagas are work, too: those that are there go on, and no others come in.
    let refused = world.store.sagas().accept(accept_saga(world.saga(make_chat("Demo")))).await;
    assert_eq!(refused, Err(StoreError::StorageFull));
    world.store.sagas().begin(change(world.begin_create(saga))).await.unwrap();

    free.store(64 * MB, Ordering::Relaxed);
    assert_eq!(outbox.accept(accept(world.message(1))).await, Err(StoreError::StorageFull));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(outbox.accept(accept(world.message(1))).await, Ok(Accepted::New));
}

#[tokio::test]
async fn a_full_database_refuses_messages_and_takes_outcomes_from_the_reserve() {
    let free = Arc::new(AtomicU64::new(70 * MB));
    let disk = Disk::default().with_max_pages(240).with_free_space({
        let free = Arc::clone(&free);
        move |_| Ok(free.load(Ordering::Relaxed))
    });
    let world = World::on(disk).await;
    let outbox = world.store.outbox();
    let reserve = world.dir.path().join("data/reserve");
    let mut taken = Vec::new();
    let refused = loop {
        let message = crate::support::begun(world.message(1));
        let id = message.id;
        match outbox.accept(accept(message)).await {
            Ok(_) => taken.push(id),
            Err(error) => break error,
        }
    };
    assert_eq!(refused, StoreError::StorageFull);
    assert!(reserve.exists() && taken.len() > 50, "{}", taken.len());

    for id in &taken {
        let mut note = world.entry(Step::Waiting, None);
        note.detail = Some("x".repeat(1000));
        outbox.note(*id, note).await.unwrap();
        outbox.part_sent(world.sent(*id, 0)).await.unwrap();
    }
    assert!(!reserve.exists());
    assert!(outbox.unfinished(None, 1).await.unwrap().readable.is_empty());
    assert_eq!(outbox.accept(accept(world.message(1))).await, Err(StoreError::StorageFull));

    // The reserve comes back before messages are taken in again.
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(outbox.accept(accept(world.message(1))).await, Err(StoreError::StorageFull));
    assert!(!reserve.exists());
    free.store(80 * MB, Ordering::Relaxed);
    world.clock.advance(Duration::from_secs(1));
    let _ = outbox.accept(accept(world.message(1))).await;
    assert!(reserve.exists());
}
