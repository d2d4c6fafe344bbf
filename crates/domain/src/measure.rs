//! How numbers are spread: a histogram that many may add to at the same time, each at the price of two additions.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Bounds for short times, in microseconds: from a tenth of a millisecond to ten seconds.
pub const SHORT_TIMES: &[u64] = &[
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    2_500_000, 5_000_000, 10_000_000,
];

/// Bounds for times that may hold a wait, in microseconds: from five milliseconds to an hour.
pub const LONG_TIMES: &[u64] = &[
    5_000,
    10_000,
    25_000,
    50_000,
    100_000,
    250_000,
    500_000,
    1_000_000,
    2_500_000,
    5_000_000,
    10_000_000,
    30_000_000,
    60_000_000,
    300_000_000,
    900_000_000,
    3_600_000_000,
];

/// Counts numbers by how large they are. What a number is, a count or a time in microseconds, its owner knows.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One for each bound, and one for what is larger than all of them.
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

/// A histogram at one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spread {
    /// The upper bounds, each of which belongs to its own bucket; ascending.
    pub bounds: &'static [u64],
    /// How many numbers fell into each bucket alone; the last one is for what is larger than all bounds.
    pub counts: Vec<u64>,
    /// All numbers together.
    pub sum: u64,
}

impl Histogram {
    /// An empty one with these upper bounds, which must ascend.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Counts a number.
    pub fn add(&self, number: u64) {
        let bucket = self.bounds.partition_point(|bound| *bound < number);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(number, Ordering::Relaxed);
        }
    }

    /// Counts a time, in microseconds.
    pub fn add_time(&self, time: Duration) {
        self.add(u64::try_from(time.as_micros()).unwrap_or(u64::MAX >> 16));
    }

    /// How it is now.
    pub fn spread(&self) -> Spread {
        Spread {
            bounds: self.bounds,
            counts: self.counts.iter().map(|count| count.load(Ordering::Relaxed)).collect(),
            sum: self.sum.load(Ordering::Relaxed),
        }
    }
}

impl Spread {
    /// How many numbers there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_number_that_equals_a_bound_belongs_to_it() {
        let histogram = Histogram::new(&[10, 20]);
        for number in [0, 10, 11, 20, 21] {
            histogram.add(number);
        }
        histogram.add_time(Duration::from_micros(15));
        let spread = histogram.spread();
        assert_eq!((spread.counts.as_slice(), spread.sum, spread.count()), (&[2, 3, 1][..], 77, 6));
    }

    #[test]
    fn the_bounds_ascend() {
        for bounds in [SHORT_TIMES, LONG_TIMES] {
            assert!(bounds.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    proptest! {
        #[test]
        fn every_number_is_counted_under_its_bound(
            numbers in prop::collection::vec(0_u64..1_000_000_000, 0..50),
        ) {
            let histogram = Histogram::new(SHORT_TIMES);
            for number in &numbers {
                histogram.add(*number);
            }
            let spread = histogram.spread();
            prop_assert_eq!(spread.count(), numbers.len() as u64);
            prop_assert_eq!(spread.sum, numbers.iter().sum::<u64>());
            let mut under = 0;
            for (bound, count) in spread.bounds.iter().zip(&spread.counts) {
                under += count;
                prop_assert_eq!(under, numbers.iter().filter(|number| *number <= bound).count() as u64);
            }
        }
    }
}
