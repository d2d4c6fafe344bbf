//! How a line is, by what it answered and when. Pure.

use std::time::Duration;

use domain::Timestamp;
use domain::account::{AccountState, Reason};

pub(crate) const PROBE_ANSWER: Duration = Duration::from_secs(10);

/// How long a line that cannot be reached counts as connecting before it counts as an error.
const GRACE: Duration = Duration::from_secs(3);

/// In how long the next probe is due: a probe is any answered call, so it is counted from the last answer. Both instants are
/// readings of the monotonic clock: a machine whose time is set back goes on probing.
pub(crate) fn probe_wait(last_answer: Duration, now: Duration, probe_every: Duration) -> Duration {
    probe_every.saturating_sub(now.saturating_sub(last_answer))
}

/// What a failed attempt to connect makes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failed {
    /// Nothing was answered in time.
    NoAnswer,
    /// It could not be reached.
    Unreachable,
    /// The data centre answered with an error that may pass.
    Refused,
}

/// The state of a line that is not connected, by why and for how long.
pub(crate) fn while_down(
    failed: Option<Failed>,
    down_since: Timestamp,
    now: Timestamp,
) -> (AccountState, Option<Reason>) {
    match failed {
        None => (AccountState::Connecting, None),
        Some(Failed::NoAnswer) => (AccountState::Error, Some(Reason::NoAnswer)),
        Some(Failed::Refused) => (AccountState::Error, Some(Reason::Other)),
        Some(Failed::Unreachable) if now.since(down_since) >= GRACE => {
            (AccountState::Error, Some(Reason::Unreachable))
        }
        // A restart of the other side takes a moment; no one is turned away for that.
        Some(Failed::Unreachable) => (AccountState::Connecting, Some(Reason::Unreachable)),
    }
}

/// How long to wait before attempt number `failures + 1`: 0.5 s, doubled, at most a minute. Jitter comes on top.
pub(crate) fn back_off(failures: u32) -> Duration {
    Duration::from_millis(500)
        .saturating_mul(1_u32.checked_shl(failures.min(16)).unwrap_or(u32::MAX))
        .min(Duration::from_mins(1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_micros(0);

    #[test]
    fn silence_is_an_error_at_once_and_a_refusal_after_a_moment() {
        let later = START.plus(GRACE);
        assert_eq!(while_down(None, START, later), (AccountState::Connecting, None));
        assert_eq!(
            while_down(Some(Failed::NoAnswer), START, START),
            (AccountState::Error, Some(Reason::NoAnswer))
        );
        assert_eq!(
            while_down(Some(Failed::Unreachable), START, START),
            (AccountState::Connecting, Some(Reason::Unreachable))
        );
        assert_eq!(
            while_down(Some(Failed::Unreachable), START, later),
            (AccountState::Error, Some(Reason::Unreachable))
        );
    }

    proptest! {
        #[test]
        fn a_deaf_line_is_noticed_within_a_minute(last in 0_u64..1_000_000, now in 0_u64..1_000_000) {
            let (last, now) = (Duration::from_millis(last), Duration::from_millis(now));
            let every = Duration::from_secs(20);
            let wait = probe_wait(last, now, every);
            prop_assert!(wait + PROBE_ANSWER <= Duration::from_mins(1));
            prop_assert_eq!(wait.is_zero(), now >= last + every);
        }

        #[test]
        fn waits_grow_to_a_minute(failures: u32) {
            let wait = back_off(failures);
            prop_assert!(wait >= Duration::from_millis(500) && wait <= Duration::from_mins(1));
            prop_assert!(back_off(failures.saturating_add(1)) >= wait);
        }
    }
}
