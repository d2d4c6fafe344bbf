//! What an account with limits has sent, over restarts and restores.

use std::time::Duration;

use domain::Timestamp;
use store::{Doubt, PartSent, Swept};

use crate::support::{World, account, conformance};

conformance! {
    sent_parts_are_counted_by_the_minute,
    the_first_count_reads_stored_messages,
    begun_parts_are_counted_by_account,
    a_restore_counts_parts_in_progress,
}

const MINUTE: Duration = Duration::from_mins(1);

/// The start of the minute.
fn minute(at: Timestamp) -> Timestamp {
    Timestamp::from_micros(at.as_micros().div_euclid(60_000_000) * 60_000_000)
}

async fn sent_parts_are_counted_by_the_minute(world: World) {
    let (outbox, counts, main) = (world.store.outbox(), world.store.sent_counts(), account("main"));
    counts.begin(&main, vec![(world.now().minus(MINUTE), 7)], world.now()).await.unwrap();
    let (first, second) = (world.sending(1).await, world.sending(1).await);
    let sent = PartSent { counted: true, ..world.sent(first, 0) };
    outbox.part_sent(sent.clone()).await.unwrap();
    // The same again changes nothing.
    outbox.part_sent(sent).await.unwrap();
    let doubt = Doubt { counted: true, ..world.doubt(second) };
    outbox.doubt(doubt.clone()).await.unwrap();
    outbox.doubt(doubt).await.unwrap();
    let uncounted = world.sending(1).await;
    outbox.part_sent(world.sent(uncounted, 0)).await.unwrap();
    let now = minute(world.now());
    let expected = vec![(now.minus(MINUTE), 7), (now, 2)];
    assert_eq!(counts.kept(&main).await, Ok(Some(expected)));
    assert_eq!(counts.kept(&account("backup_1")).await, Ok(None));
    counts.end(&main).await.unwrap();
    assert_eq!(counts.kept(&main).await, Ok(None));
    world.clock.advance(Duration::from_hours(25));
    assert_eq!(world.store.sweep().await, Ok(Swept { sent_counts: 2, ..Swept::default() }));
}

async fn the_first_count_reads_stored_messages(world: World) {
    let (outbox, counts, main) = (world.store.outbox(), world.store.sent_counts(), account("main"));
    let (sent, doubtful, old) = (world.sending(1).await, world.sending(1).await, world.sending(1).await);
    outbox.part_sent(world.sent(old, 0)).await.unwrap();
    world.clock.advance(Duration::from_hours(25));
    outbox.part_sent(world.sent(sent, 0)).await.unwrap();
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    let until = world.now();
    world.clock.advance(MINUTE);
    let later = world.sending(1).await;
    outbox.part_sent(world.sent(later, 0)).await.unwrap();
    let found = counts.look_through(&main, until).await.unwrap();
    assert_eq!(found, [(minute(until), 1), (minute(until), 1)]);
    assert_eq!(counts.look_through(&account("backup_1"), until).await, Ok(Vec::new()));
    // What was left by a count that was not finished makes place.
    counts.begin(&main, vec![(until.minus(MINUTE), 5)], until.minus(MINUTE)).await.unwrap();
    counts.begin(&main, found, until).await.unwrap();
    assert_eq!(counts.kept(&main).await, Ok(Some(vec![(minute(until), 2)])));
}

async fn begun_parts_are_counted_by_account(world: World) {
    let (outbox, counts) = (world.store.outbox(), world.store.sent_counts());
    assert_eq!(counts.begun().await, Ok(Vec::new()));
    let (first, _second, doubtful) = (world.sending(1).await, world.sending(1).await, world.sending(1).await);
    world.queued(1).await;
    outbox.doubt(world.doubt(doubtful)).await.unwrap();
    assert_eq!(counts.begun().await, Ok(vec![(account("main"), 2)]));
    outbox.part_sent(world.sent(first, 0)).await.unwrap();
    assert_eq!(counts.begun().await, Ok(vec![(account("main"), 1)]));
}

async fn a_restore_counts_parts_in_progress(world: World) {
    let main = account("main");
    world.store.sent_counts().begin(&main, Vec::new(), world.now()).await.unwrap();
    world.sending(1).await;
    world.store.hold_back(world.now()).await.unwrap();
    let counts = world.store.sent_counts();
    assert_eq!(counts.begun().await, Ok(Vec::new()));
    assert_eq!(counts.kept(&main).await, Ok(Some(vec![(minute(world.now()), 1)])));
}
