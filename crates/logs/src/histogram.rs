//! How many lines and errors there were when, in equal stretches of time.

use std::ops::ControlFlow;
use std::time::Duration;

use domain::Timestamp;

use crate::error::ReadError;
use crate::filter::Filter;
use crate::level::Level;
use crate::reader::{Reader, Source, TIMEOUT, WAVE};
use crate::row::Head;
use crate::scan::{Matcher, ScanBuffers, Take};

/// The most buckets of one histogram.
pub const MOST_BUCKETS: usize = 2_000;

/// The lines of a stretch of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Where it begins; it ends where the next one begins.
    pub start: Timestamp,
    /// Lines written in it.
    pub lines: u64,
    /// Those of them at the level `error`.
    pub errors: u64,
}

/// How many lines there were when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// All stretches, in the order of time.
    pub buckets: Vec<Bucket>,
    /// Where the counting was broken off, since it took long: from here on all lines are counted, of those before only some
    /// or none. Nothing when all were looked at. Of lines whose clock was set back this is not exact.
    pub counted_from: Option<Timestamp>,
    /// Blocks that could not be read, each of some thousand lines: those are not counted.
    pub damaged: u32,
}

impl Reader {
    /// Counts lines that match in equal stretches of time, from `from` to `to`, the latest first: for ten seconds at most, then
    /// it gives what it has and says how far it came.
    ///
    /// A stretch is made longer where there would be more than [`MOST_BUCKETS`] of them.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn histogram(
        &self,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
        bucket: Duration,
    ) -> Result<Histogram, ReadError> {
        self.histogram_within(TIMEOUT, filter, from, to, bucket)
    }

    fn histogram_within(
        &self,
        timeout: Duration,
        filter: &Filter,
        from: Timestamp,
        to: Timestamp,
        bucket: Duration,
    ) -> Result<Histogram, ReadError> {
        let filter = Filter { since: Some(from), until: Some(to), ..filter.clone() };
        let length = u64::try_from(to.since(from).as_micros()).unwrap_or(u64::MAX);
        let least = length.div_ceil(MOST_BUCKETS as u64).max(1);
        let width = u64::try_from(bucket.as_micros()).unwrap_or(u64::MAX).max(least);
        let count = usize::try_from(length.div_ceil(width)).unwrap_or(MOST_BUCKETS);
        let matcher = Matcher::new(&filter, 0..u64::MAX);
        let index = |at: i64| {
            let behind = u64::try_from(at.saturating_sub(from.as_micros())).unwrap_or(0);
            usize::try_from(behind / width).unwrap_or(usize::MAX)
        };
        let look = |buffers: &mut ScanBuffers, source: Source<'_>| {
            let mut counts = vec![(0_u32, 0_u32); count];
            let mut note = |_: u64, head: &Head| {
                if let Some((lines, errors)) = counts.get_mut(index(head.at)) {
                    *lines += 1;
                    *errors += u32::from(head.level == Level::Error);
                }
            };
            source.through(&matcher, buffers, Take::Heads(&mut note)).map(|()| counts)
        };
        let mut totals = vec![(0_u64, 0_u64); count];
        let merge = |counts: Vec<(u32, u32)>| {
            for (total, (lines, errors)) in totals.iter_mut().zip(counts) {
                total.0 += u64::from(lines);
                total.1 += u64::from(errors);
            }
            ControlFlow::Continue(WAVE)
        };
        let end = self.scan(true, &matcher, timeout, look, merge)?;
        let start = |index: usize| {
            let behind = width.saturating_mul(u64::try_from(index).unwrap_or(u64::MAX));
            from.plus(Duration::from_micros(behind))
        };
        let buckets = totals
            .into_iter()
            .enumerate()
            .map(|(index, (lines, errors))| Bucket { start: start(index), lines, errors })
            .collect();
        let counted_from = end.stopped_at.map(|stop| stop.at.max(from).min(to));
        Ok(Histogram { buckets, counted_from, damaged: end.damaged })
    }
}

#[cfg(test)]
mod tests {
    use tracing::Dispatch;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;
    use crate::{LogStore, Query, Retention};

    /// Lines of a second each, enough for some blocks.
    const LINES: u64 = 20_000;

    #[tokio::test]
    async fn a_long_count_reports_its_progress() {
        let folder = tempfile::tempdir().expect("a folder");
        let clock = ambient::Clock::system();
        let (layer, gathered) = crate::layer(clock.clone());
        let retention = Retention::new(1 << 24, Duration::from_hours(24)).with_free_space(|_| Ok(1 << 40));
        let retention = retention.with_timeout(Duration::from_mins(1));
        let store = LogStore::open(folder.path(), retention, gathered).expect("opens");
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        let from = clock.now();
        for _ in 0..LINES / 2_000 {
            tracing::dispatcher::with_default(&dispatch, || {
                for number in 0..2_000_u64 {
                    tracing::info!(number, noise = number.wrapping_mul(0x9e37_79b9_7f4a_7c15), "a line");
                    clock.advance(Duration::from_secs(1));
                }
            });
            store.search(Query { limit: 1, ..Query::default() }).await.expect("what was logged is written");
        }
        let to = clock.now();
        store.close().await;
        let reader = Reader::new(folder.path());
        let count = |timeout| {
            let counted =
                reader.histogram_within(timeout, &Filter::default(), from, to, Duration::from_mins(10));
            let counted = counted.expect("counts");
            let lines: u64 = counted.buckets.iter().map(|bucket| bucket.lines).sum();
            (counted, lines)
        };
        let (whole, lines) = count(TIMEOUT);
        assert_eq!((whole.counted_from, whole.damaged, lines), (None, 0, LINES));
        let (cut, lines) = count(Duration::ZERO);
        let reached = cut.counted_from.expect("says how far it came");
        assert!(from < reached && reached < to && 0 < lines && lines < LINES, "{reached} {lines}");
        // What it says is whole is whole.
        let behind = |counted: &Histogram| -> Vec<Bucket> {
            counted.buckets.iter().filter(|bucket| bucket.start >= reached).copied().collect()
        };
        assert_eq!(behind(&cut), behind(&whole));
        assert!(!behind(&cut).is_empty());
    }
}
