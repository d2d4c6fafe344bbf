//! Latencies: many measured times, and the few numbers that describe them.

use std::time::Duration;

use serde::Serialize;

/// Times in microseconds: small, since a run keeps one per request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latencies(Vec<u32>);

/// What a table shows of many times, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    pub(crate) count: usize,
    pub(crate) p50: u32,
    pub(crate) p90: u32,
    pub(crate) p99: u32,
    pub(crate) max: u32,
}

impl Latencies {
    /// Adds one time; over an hour it counts as an hour and some.
    pub(crate) fn add(&mut self, time: Duration) {
        self.0.push(u32::try_from(time.as_micros()).unwrap_or(u32::MAX));
    }

    /// Adds all of another run's times.
    pub(crate) fn extend(&mut self, other: &Self) {
        self.0.extend_from_slice(&other.0);
    }

    /// The numbers for the table; all are nought when there are no times.
    pub(crate) fn summary(&self) -> Summary {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        Summary {
            count: sorted.len(),
            p50: percentile(&sorted, 50),
            p90: percentile(&sorted, 90),
            p99: percentile(&sorted, 99),
            max: percentile(&sorted, 100),
        }
    }
}

/// The smallest time that at least `percent` of all are not above (the nearest rank).
fn percentile(sorted: &[u32], percent: usize) -> u32 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_are_nearest_ranks() {
        let sorted: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&sorted, 50), 100);
        assert_eq!(percentile(&sorted, 99), 198);
        assert_eq!(percentile(&sorted, 100), 200);
        assert_eq!(percentile(&[7], 50), 7);
        assert_eq!(percentile(&[], 99), 0);
    }

    #[test]
    fn runs_are_put_together() {
        let mut one = Latencies::default();
        one.add(Duration::from_millis(3));
        let mut other = Latencies::default();
        other.add(Duration::from_secs(100_000));
        one.extend(&other);
        assert_eq!(
            one.summary(),
            Summary { count: 2, p50: 3_000, p90: u32::MAX, p99: u32::MAX, max: u32::MAX }
        );
    }

    proptest! {
        #[test]
        fn enough_times_are_not_above_a_percentile(mut times in prop::collection::vec(any::<u32>(), 1..300), percent in 1_usize..=100) {
            times.sort_unstable();
            let value = percentile(&times, percent);
            let not_above = times.iter().filter(|time| **time <= value).count();
            prop_assert!(not_above * 100 >= times.len() * percent);
            let below = times.iter().filter(|time| **time < value).count();
            prop_assert!(below * 100 < times.len() * percent);
        }
    }
}
