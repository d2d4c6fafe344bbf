//! A disk that fills up: new messages are refused in time, outcomes are still written. One that is slow, and one that fails.

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use domain::MessageState;
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
    let disk = Disk::default().with_max_pages(120).with_free_space({
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

/// A disk that takes what was committed only when it is let, and then perhaps does not.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<Syncs>, Condvar)>);

#[derive(Default)]
struct Syncs {
    let_through: usize,
    asked: usize,
    fails: bool,
}

impl Gate {
    fn disk(&self) -> Disk {
        let gate = self.clone();
        Disk::default().with_sync(move |log: &File| gate.pass(log))
    }

    fn pass(&self, log: &File) -> io::Result<()> {
        let mut syncs = self.0.0.lock().unwrap();
        syncs.asked += 1;
        syncs = self.0.1.wait_while(syncs, |syncs| syncs.let_through == 0).unwrap();
        syncs.let_through -= 1;
        if syncs.fails { Err(io::Error::other("it broke")) } else { log.sync_data() }
    }

    fn change(&self, change: impl FnOnce(&mut Syncs)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    async fn asked(&self, times: usize) {
        while self.0.0.lock().unwrap().asked < times {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_does_not_wait_for_the_disk_with_its_group() {
    let gate = Gate::default();
    let world = World::on(gate.disk()).await;
    gate.change(|syncs| syncs.let_through = 1);
    let sending = world.sending(1).await;
    let accepting = |message| {
        let store = world.store.clone();
        tokio::spawn(async move { store.outbox().accept(accept(message)).await })
    };
    let first = accepting(world.message(1));
    gate.asked(2).await;
    // Behind it an outcome and another message gather; they are one group.
    let second = accepting(world.message(1));
    let (store, sent) = (world.store.clone(), world.sent(sending, 0));
    let outcome = tokio::spawn(async move { store.outbox().part_sent(sent).await });
    tokio::time::sleep(Duration::from_millis(20)).await;
    gate.change(|syncs| syncs.let_through += 1);
    assert_eq!(first.await.unwrap(), Ok(Accepted::New));
    assert_eq!(outcome.await.unwrap(), Ok(()));
    assert_eq!(world.state(sending).await, MessageState::Sent);
    gate.asked(3).await;
    assert!(!second.is_finished(), "on the disk before it is said");
    gate.change(|syncs| syncs.let_through = usize::MAX);
    assert_eq!(second.await.unwrap(), Ok(Accepted::New));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_whose_log_is_not_synced_is_lost_until_it_is_opened_again() {
    let gate = Gate::default();
    let world = World::on(gate.disk()).await;
    gate.change(|syncs| syncs.let_through = 2);
    let known = world.queued(1).await;
    gate.change(|syncs| syncs.fails = true);
    let unknown = world.store.outbox().accept(accept(world.message(1))).await;
    assert!(matches!(unknown, Err(StoreError::Unavailable(_))), "{unknown:?}");
    world.store.lost().await;
    // The next sync might succeed without what this one lost.
    let later = world.store.outbox().cancel(known, world.now(), None).await;
    assert!(matches!(later, Err(StoreError::Unavailable(_))), "{later:?}");
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    let found = store.outbox().get(known).await.unwrap();
    assert_eq!(found.map(|message| message.state), Some(MessageState::Queued));
}
