//! Beats in a file of their own, and the clearing of flood waits that runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Service;
use store::{BeatsBatch, BeatsPast, Disk, StoreError, StoredClearing, StoredMinute, StoredTally};

use crate::support::{World, conformance};

conformance! {
    beats_are_stored_as_last_written_and_removed_in_time,
    beats_of_many_days_are_forgotten_round_by_round,
    a_clearing_is_kept_until_it_is_over,
    a_round_trip_is_really_written,
}

fn minute(card: &str, minute: i64, answer: u8) -> StoredMinute {
    let reason = (answer == 3).then(|| "no_answer".into());
    StoredMinute { card: card.into(), minute, answer, latency_ms: Some(7), reason }
}

fn tally(span: u32, number: i64, sent: u32) -> StoredTally {
    StoredTally { card: "queue".into(), span, number, sent, failed: 1 }
}

async fn beats_are_stored_as_last_written_and_removed_in_time(world: World) {
    let beats = world.store.beats();
    assert_eq!(beats.past(120).await, Ok(BeatsPast::default()));
    let at = world.now();
    let first = BeatsBatch {
        minute: 100,
        at,
        minutes: vec![minute("store", 100, 1), minute("queue", 100, 1)],
        tallies: vec![tally(1, 100, 2), tally(60, 1, 2)],
        forget_before: 0,
    };
    beats.save(first).await.unwrap();
    let later = at.plus(Duration::from_secs(20));
    let second = BeatsBatch {
        minute: 200,
        at: later,
        minutes: vec![minute("store", 100, 3), minute("store", 200, 1)],
        tallies: vec![tally(1, 200, 5), tally(60, 1, 9)],
        forget_before: 0,
    };
    beats.save(second).await.unwrap();
    beats.close().await;
    let past = world.store.beats().past(120).await.unwrap();
    assert_eq!(past.last, Some((200, later)));
    assert_eq!(past.minutes, [minute("store", 100, 3), minute("queue", 100, 1), minute("store", 200, 1)]);
    assert_eq!(past.tallies, [tally(1, 100, 2), tally(1, 200, 5), tally(60, 1, 9)]);
    assert_eq!(beats.past(50).await.unwrap().minutes, [minute("store", 200, 1)]);
    let last = BeatsBatch {
        minute: 201,
        at: later,
        minutes: Vec::new(),
        tallies: vec![tally(1, 201, 1)],
        forget_before: 150,
    };
    beats.save(last).await.unwrap();
    let past = beats.past(1_000).await.unwrap();
    assert_eq!(past.minutes, [minute("store", 200, 1)]);
    assert_eq!(past.tallies, [tally(1, 200, 5), tally(1, 201, 1), tally(60, 1, 9)]);
}

async fn beats_of_many_days_are_forgotten_round_by_round(world: World) {
    let beats = world.store.beats();
    let at = world.now();
    let old = (0..10).map(|hour| minute("store", 1_000 + 60 * hour, 1)).collect();
    let first = BeatsBatch { minute: 1_000, at, minutes: old, tallies: Vec::new(), forget_before: 0 };
    beats.save(first).await.unwrap();
    let mut left = Vec::new();
    for round in 0..6 {
        let minute = 9_000 + round;
        let batch = BeatsBatch { minute, at, forget_before: 9_000 - 2_880, ..BeatsBatch::default() };
        beats.save(batch).await.unwrap();
        left.push(beats.past(100_000).await.unwrap().minutes.len());
    }
    assert_eq!(left, [8, 6, 4, 2, 0, 0], "two hours a round, until nothing old is left");
}

async fn a_clearing_is_kept_until_it_is_over(world: World) {
    let clearing = world.store.clearing();
    assert_eq!((clearing.get().await, clearing.silent().await), (Ok(None), Ok(Vec::new())));
    let now = world.now();
    let run = StoredClearing {
        how: "stop_all".into(),
        phase: "silent".into(),
        by: "anna".into(),
        started_at: now,
        until: Some(now.plus(Duration::from_mins(5))),
        hurry: false,
        waiting: vec![Service::SendText, Service::CreateChat],
        done: Vec::new(),
        silent: Service::ALL.to_vec(),
        pauses: vec![("main".parse().unwrap(), now)],
    };
    clearing.save(Some(run.clone())).await.unwrap();
    let next = StoredClearing { hurry: true, pauses: Vec::new(), until: None, ..run.clone() };
    assert_eq!(clearing.get().await, Ok(Some(run)));
    clearing.save(Some(next.clone())).await.unwrap();
    world.store.clone().close().await;
    let store = world.open_again().await.unwrap();
    assert_eq!(store.clearing().get().await, Ok(Some(next)));
    assert_eq!(store.clearing().silent().await, Ok(Service::ALL.to_vec()));
    store.clearing().save(None).await.unwrap();
    assert_eq!(store.clearing().get().await, Ok(None));
}

async fn a_round_trip_is_really_written(world: World) {
    let before = world.store.written().commits;
    assert!(world.store.round_trip().await.is_ok());
    assert_eq!(world.store.written().commits, before + 1);
    // Callers that ask at the same time each get an answer of their own.
    let mut together = tokio::task::JoinSet::new();
    for _ in 0..64 {
        let store = world.store.clone();
        together.spawn(async move { store.round_trip().await.map(drop) });
    }
    let together = together.join_all().await;
    assert!(together.iter().all(Result::is_ok), "{together:?}");
    world.store.clone().close().await;
    assert!(matches!(world.store.round_trip().await, Err(StoreError::Unavailable(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_nearly_full_disk_refuses_beats_and_the_round_trip() {
    let free = Arc::new(AtomicU64::new(1 << 40));
    let reported = Arc::clone(&free);
    let world =
        World::on(Disk::default().with_free_space(move |_| Ok(reported.load(Ordering::Relaxed)))).await;
    let beats = world.store.beats();
    assert_eq!(beats.save(BeatsBatch::default()).await, Ok(()));
    free.store(1 << 20, Ordering::Relaxed);
    assert_eq!(beats.save(BeatsBatch::default()).await, Err(StoreError::StorageFull));
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.store.round_trip().await, Err(StoreError::StorageFull));
}
