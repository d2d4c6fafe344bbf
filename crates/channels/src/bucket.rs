//! A token bucket: so many at once, then one each interval. Pure.

use std::time::Duration;

use domain::Timestamp;

/// When the bucket of an account or a chat is full again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    full_at: Timestamp,
}

impl Bucket {
    /// The earliest instant of the next one; none where that is now.
    pub(crate) fn next(self, now: Timestamp, interval: Duration, burst: u32) -> Option<Timestamp> {
        let room = interval.saturating_mul(burst.max(1) - 1);
        let earliest = self.full_at.minus(room);
        (earliest > now).then_some(earliest)
    }

    /// Takes one.
    pub(crate) fn take(&mut self, now: Timestamp, interval: Duration) {
        self.full_at = self.full_at.max(now).plus(interval);
    }

    /// Whether nothing of it is taken.
    pub(crate) fn is_full(self, now: Timestamp) -> bool {
        self.full_at <= now
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_window_has_more_than_its_share(
            steps in proptest::collection::vec(0_u64..2_000, 1..200), interval in 1_u64..500, burst in 1_u32..6,
        ) {
            let interval = Duration::from_micros(interval);
            let (mut bucket, mut now, mut taken) = (Bucket::default(), Timestamp::from_micros(1_000_000), Vec::new());
            for step in steps {
                now = now.plus(Duration::from_micros(step));
                if bucket.next(now, interval, burst).is_none() {
                    bucket.take(now, interval);
                    taken.push(now.as_micros());
                }
            }
            let span = i64::try_from(interval.as_micros()).unwrap();
            for (place, first) in taken.iter().enumerate() {
                for windows in 1..5 {
                    let within = taken[place..].iter().filter(|at| **at < first + span * windows).count();
                    prop_assert!(within <= burst as usize + usize::try_from(windows).unwrap());
                }
            }
        }

        #[test]
        fn the_next_possible_time_has_a_free_token(taken in 0_u32..20, interval in 1_u64..500, burst in 1_u32..6) {
            let interval = Duration::from_micros(interval);
            let (mut bucket, now) = (Bucket::default(), Timestamp::from_micros(5));
            for _ in 0..taken {
                bucket.take(now, interval);
            }
            let at = bucket.next(now, interval, burst).unwrap_or(now);
            prop_assert_eq!(bucket.next(at, interval, burst), None);
        }
    }
}
