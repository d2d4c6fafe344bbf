//! A token bucket: a burst at once, then one each interval. Pure.

use std::time::Duration;

use domain::Timestamp;

/// When the bucket of an account or a chat is full again.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    full_at: Timestamp,
    /// The time by the clock as it was looked at last.
    seen_at: Timestamp,
}

impl Bucket {
    /// The earliest instant of the next one; none where that is now.
    pub(crate) fn next(&mut self, now: Timestamp, interval: Duration, burst: u32) -> Option<Timestamp> {
        self.follow(now);
        let room = interval.saturating_mul(burst.max(1) - 1);
        let earliest = self.full_at.minus(room);
        (earliest > now).then_some(earliest)
    }

    /// Takes one.
    pub(crate) fn take(&mut self, now: Timestamp, interval: Duration) {
        self.follow(now);
        self.full_at = self.full_at.max(now).plus(interval);
    }

    /// A clock that was set back changes no wait.
    fn follow(&mut self, now: Timestamp) {
        self.full_at = self.full_at.minus(self.seen_at.since(now));
        self.seen_at = now;
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
        fn a_clock_that_is_set_back_makes_no_wait_longer(
            steps in proptest::collection::vec(-1_000_000_i64..2_000, 1..100), interval in 1_u64..500, burst in 1_u32..6,
        ) {
            let interval = Duration::from_micros(interval);
            let (mut bucket, mut now) = (Bucket::default(), 1_000_000_000_000_i64);
            for step in steps {
                now += step;
                let at = Timestamp::from_micros(now);
                match bucket.next(at, interval, burst) {
                    None => bucket.take(at, interval),
                    Some(next) => prop_assert!(next.since(at) <= interval, "{next} at {at}"),
                }
                let over = at.plus(interval);
                prop_assert_eq!(bucket.next(over, interval, burst), None);
                now = over.as_micros();
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
