//! A log store with a budget that is smaller than what is logged: what its files have at most, as the disk says it.

use std::fs;
use std::path::Path;
use std::time::Duration;

use ::logs::{Filter, LogStore, Query, Retention};
use ambient::Clock;
use anyhow::{Result, bail};
use serde::Serialize;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

use super::{TOGETHER, message};

/// The least budget that the settings allow, in bytes.
const LEAST: u64 = 1_000_000;

/// The line that must go.
const OLDEST: &str = "the oldest line of all";

/// What was measured.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Rotation {
    pub(crate) budget: u64,
    /// The most that the files had together, in bytes.
    pub(crate) most: u64,
    pub(crate) lines: u64,
    /// Whether the oldest line is gone.
    pub(crate) went: bool,
}

/// Logs so many messages with room for a part of them, and measures the folder all the while. `all` is what twice as many
/// have in a store, in bytes.
pub(super) async fn run(folder: &Path, messages: u64, all: u64) -> Result<Rotation> {
    let budget = (all / 10).max(LEAST);
    let (layer, gathered) = ::logs::layer(Clock::system());
    let store = LogStore::open(folder, Retention::new(budget, Duration::from_hours(24)), gathered)?;
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let mut found = Rotation { budget, ..Rotation::default() };
    tracing::dispatcher::with_default(&dispatch, || tracing::info!("{OLDEST}"));
    let mut number = 0;
    while number < messages {
        let end = (number + TOGETHER).min(messages);
        tracing::dispatcher::with_default(&dispatch, || (number..end).for_each(message));
        number = end;
        store.search(Query { limit: 1, ..Query::default() }).await?;
        found.most = found.most.max(size(folder)?);
    }
    let filter = Filter { text: Some(OLDEST.to_owned()), match_case: true, ..Filter::default() };
    let page = store.search(Query { filter, limit: 1, ..Query::default() }).await?;
    found.went = page.lines.is_empty() && page.next.is_none();
    found.lines = store.counts().written;
    store.close().await;
    if found.lines != 5 * messages + 1 {
        bail!("{} lines were written of {}", found.lines, 5 * messages + 1);
    }
    Ok(found)
}

/// What the files of a folder have together, in bytes. One may go while it is looked at.
fn size(folder: &Path) -> Result<u64> {
    let mut size = 0;
    for entry in fs::read_dir(folder)? {
        size += entry?.metadata().map_or(0, |file| file.len());
    }
    Ok(size)
}
