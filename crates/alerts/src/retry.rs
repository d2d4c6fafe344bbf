//! When a target that did not take something is tried again.

use std::time::Duration;

use domain::Timestamp;

/// The waits after the first failure, the second and so on; the last one again and again.
const WAITS: [Duration; 6] = [
    Duration::from_secs(10),
    Duration::from_secs(30),
    Duration::from_mins(1),
    Duration::from_mins(2),
    Duration::from_mins(5),
    Duration::from_mins(10),
];

/// A notice that no target took for so long is news no more.
pub(crate) const TOO_OLD: Duration = Duration::from_hours(7 * 24);

/// How long to wait after a failure that came after so many others.
pub(crate) fn wait(failed_before: u32) -> Duration {
    let place = usize::try_from(failed_before).unwrap_or(usize::MAX).min(WAITS.len() - 1);
    WAITS[place]
}

/// Whether its time has come. One that lies further ahead than any wait was written before the clock was set back.
pub(crate) fn is_due(next_at: Timestamp, now: Timestamp) -> bool {
    next_at <= now || next_at.since(now) > WAITS[WAITS.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn waits_grow_and_never_end() {
        let waits: Vec<_> = (0..10).map(wait).collect();
        assert!(waits.is_sorted());
        assert_eq!(wait(u32::MAX), WAITS[WAITS.len() - 1]);
    }

    proptest! {
        /// Wherever the clock is set to, nothing waits longer than the longest wait.
        #[test]
        fn a_clock_that_is_set_back_delays_nothing_for_long(at in 0..4_000_000_000_i64, back in 0..200_000_i64, failed: u32) {
            let second = 1_000_000;
            let now = Timestamp::from_micros(at * second);
            let next_at = now.plus(wait(failed));
            let set_to = Timestamp::from_micros((at - back) * second);
            let longest = WAITS[WAITS.len() - 1];
            prop_assert!(is_due(next_at, set_to) || is_due(next_at, set_to.plus(longest)));
            prop_assert!(is_due(next_at, next_at));
        }
    }
}
