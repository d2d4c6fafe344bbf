//! The beats of two days, written through the store while nothing runs: the cards are those that a run had before.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ambient::Clock;
use anyhow::{Context, Result, bail};
use store::{BeatsBatch, MasterKey, Store, StoreOptions, StoredMinute};

/// The minutes of all cards that are written together.
const TOGETHER: i64 = 20;

/// What a minute may answer, as the overview writes it.
const ANSWERED: u8 = 1;
const SLOW: u8 = 2;
const FAILED: u8 = 3;

/// What was written.
pub(super) struct Filled {
    pub(super) cards: usize,
    pub(super) beats: u64,
    pub(super) bytes: u64,
    pub(super) took: Duration,
}

/// Writes minutes before those of the last run, oldest first, until there are so many of them.
pub(super) async fn fill(data: &Path, wanted: u64) -> Result<Filled> {
    let store = Store::open(StoreOptions {
        data_dir: data.to_owned(),
        url: "sqlite:switchboard.db".to_owned(),
        clock: Clock::system(),
        master_key: MasterKey::File("master.key".into()),
    })
    .await?;
    let file = store.beats();
    let past = file.past(60).await?;
    let (last, at) = past.last.context("the run before left no beats")?;
    let cards: BTreeSet<Arc<str>> = past.minutes.iter().map(|minute| Arc::clone(&minute.card)).collect();
    let first = past.minutes.iter().map(|minute| minute.minute).min().unwrap_or(last);
    if cards.is_empty() {
        bail!("the run before left no beats");
    }
    let began = Instant::now();
    let minutes = i64::try_from(wanted.div_ceil(cards.len() as u64))?;
    let mut filled = Filled { cards: cards.len(), beats: 0, bytes: 0, took: Duration::ZERO };
    let mut from = first - minutes;
    while from < first {
        let until = (from + TOGETHER).min(first);
        let minutes: Vec<StoredMinute> = (from..until)
            .flat_map(|minute| cards.iter().zip(0..).map(move |(card, number)| beat(card, number, minute)))
            .collect();
        filled.beats += minutes.len() as u64;
        let batch = BeatsBatch { minute: last, at, minutes, tallies: Vec::new(), forget_before: 0 };
        file.save(batch).await?;
        from = until;
    }
    file.close().await;
    filled.took = began.elapsed();
    store.close().await;
    filled.bytes = std::fs::metadata(data.join("health.db"))?.len();
    Ok(filled)
}

/// A minute of a card: one in two hundred was slow and one in a thousand failed, as on a fair day.
fn beat(card: &Arc<str>, number: i64, minute: i64) -> StoredMinute {
    let dice = (minute * 7_919 + number * 104_729).rem_euclid(1_000);
    let answer = match dice {
        0 => FAILED,
        1..=5 => SLOW,
        _ => ANSWERED,
    };
    StoredMinute {
        card: Arc::clone(card),
        minute,
        answer,
        latency_ms: (answer != FAILED).then(|| u32::try_from(20 + dice / 10).unwrap_or(20)),
        reason: (answer == FAILED).then(|| "no_answer".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_beats_are_good_and_some_are_not() {
        let card: Arc<str> = "store".into();
        let answers: Vec<u8> = (0..1_000).map(|minute| beat(&card, 3, minute).answer).collect();
        let count = |wanted| answers.iter().copied().filter(|answer| *answer == wanted).count();
        assert_eq!((count(FAILED), count(SLOW), count(ANSWERED)), (1, 5, 994));
    }
}
