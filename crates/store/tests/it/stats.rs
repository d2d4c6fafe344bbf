//! What is in the store, in numbers.

use std::time::Duration;

use domain::saga::{SagaState, TaskKind};
use domain::{CallbackId, MessageState};
use store::{CallbacksCounted, Disk, NewCallback, SagaChange};

use crate::support::{World, change};

const FREE: u64 = 1 << 40;

#[tokio::test]
async fn the_stock_is_what_is_open_and_what_it_takes() {
    let world = World::on(Disk::default().with_free_space(|_| Ok(FREE))).await;
    let empty = world.store.stats().await.unwrap();
    assert_eq!((empty.messages, empty.sagas), (Vec::new(), Vec::new()));
    assert_eq!((empty.callbacks_waiting, empty.callbacks_due, empty.failed_requests), (0, 0, 0));

    let outbox = world.store.outbox();
    for _ in 0..3 {
        world.queued(1).await;
    }
    let (sent, doubtful, cancelled) = (world.sending(1).await, world.sending(1).await, world.queued(1).await);
    world.sending(1).await;
    outbox.part_sent(world.sent(sent, 0)).await.unwrap();
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    assert_eq!(outbox.cancel(cancelled, world.now(), None).await, Ok(true));

    world.making().await;
    let ended = world.ended(world.begun_making().await, SagaState::Done);
    let id = CallbackId::from_uuid(world.ids.next());
    let callback = NewCallback { id, client_tg_id: "77".into(), invite_link: "https://t.me/+demo".into() };
    world.store.sagas().save(SagaChange { callback: Some(callback), ..change(ended) }).await.unwrap();

    let stats = world.store.stats().await.unwrap();
    assert_eq!(
        stats.messages,
        [(MessageState::Queued, 3), (MessageState::Sending, 1), (MessageState::InDoubt, 1)]
    );
    assert_eq!(stats.sagas, [(TaskKind::CreateChat, SagaState::Queued, 1)]);
    assert_eq!((stats.callbacks_waiting, stats.callbacks_due, stats.failed_requests), (1, 1, 0));
    assert!(stats.database_bytes > 0 && stats.log_bytes > 0);
    assert_eq!(stats.free_bytes, Some(FREE));

    let (callbacks, later) = (world.store.callbacks(), world.now().plus(Duration::from_secs(30)));
    callbacks.failed(id, "refused".into(), world.now(), Some(later)).await.unwrap();
    let put_off = world.store.stats().await.unwrap();
    assert_eq!((put_off.callbacks_waiting, put_off.callbacks_due), (1, 0));
    callbacks.failed(id, "refused".into(), world.now(), None).await.unwrap();
    let given_up = world.store.stats().await.unwrap();
    assert_eq!((given_up.callbacks_waiting, given_up.failed_requests), (0, 1));
    assert_eq!(callbacks.requeue(id, world.now()).await, Ok(true));
    callbacks.delivered(id, world.now()).await.unwrap();
    assert_eq!(callbacks.counted(), CallbacksCounted { delivered: 1, put_off: 1, given_up: 1 });
}

#[tokio::test]
async fn every_write_and_every_group_has_its_time() {
    let world = World::fresh().await;
    let before = world.store.write_times();
    for _ in 0..5 {
        world.queued(1).await;
    }
    let after = world.store.write_times();
    assert_eq!(after.writes.count() - before.writes.count(), 5);
    assert!(after.writes.sum > before.writes.sum);
    assert_eq!(after.groups.count() - before.groups.count(), 5, "counted before it is answered");
    assert_eq!(after.groups.sum, after.groups.count(), "who writes alone is committed alone");
    assert!(after.commits.count() >= after.groups.count());
}
