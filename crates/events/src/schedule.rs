//! The kinds of posts: how long one may take, when it is tried again, whether redirects are followed.

use std::time::Duration;

use domain::Timestamp;

/// What a post is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An event, to a webhook.
    Event,
    /// A client's invite link, to the program that asked for the chat.
    InviteCallback,
    /// A notice about alerts.
    Alert,
}

const fn seconds<const N: usize>(waits: [u64; N]) -> [Duration; N] {
    let mut list = [Duration::ZERO; N];
    let mut place = 0;
    while place < N {
        list[place] = Duration::from_secs(waits[place]);
        place += 1;
    }
    list
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// As Standard Webhooks advises.
const OF_EVENTS: [Duration; 7] =
    seconds([5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 10 * HOUR]);
const OF_CALLBACKS: [Duration; 5] = seconds([30, 2 * MINUTE, 10 * MINUTE, HOUR, 6 * HOUR]);
const OF_ALERTS: [Duration; 6] = seconds([10, 30, MINUTE, 2 * MINUTE, 5 * MINUTE, 10 * MINUTE]);

impl Kind {
    /// The longest call.
    pub const fn limit(self) -> Duration {
        match self {
            Self::Event | Self::InviteCallback => Duration::from_secs(15),
            Self::Alert => Duration::from_secs(20),
        }
    }

    /// How long to wait after a failure that follows this number of others; `None` when it is given up. A notice is given up by
    /// its age alone.
    pub fn wait(self, failed_before: u32) -> Option<Duration> {
        let place = usize::try_from(failed_before).unwrap_or(usize::MAX);
        match self {
            Self::Event => OF_EVENTS.get(place).copied(),
            Self::InviteCallback => OF_CALLBACKS.get(place).copied(),
            Self::Alert => Some(OF_ALERTS[place.min(OF_ALERTS.len() - 1)]),
        }
    }

    /// Whether the time of a next attempt has come. One that is further ahead than any wait was written before the
    /// clock was set back.
    pub fn is_due(self, next_at: Timestamp, now: Timestamp) -> bool {
        next_at <= now || next_at.since(now) > self.longest()
    }

    fn longest(self) -> Duration {
        let waits: &[Duration] = match self {
            Self::Event => &OF_EVENTS,
            Self::InviteCallback => &OF_CALLBACKS,
            Self::Alert => &OF_ALERTS,
        };
        waits.last().copied().unwrap_or_default()
    }

    /// Whether a post may be sent on to another address of the same server.
    pub(crate) const fn follows(self) -> bool {
        matches!(self, Self::InviteCallback)
    }

    /// How many connections to the receiver are kept for later posts.
    pub(crate) const fn idle_connections(self) -> usize {
        match self {
            Self::Event => 64,
            Self::InviteCallback => 4,
            // Few and far between: each resolves the name again.
            Self::Alert => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KINDS: [Kind; 3] = [Kind::Event, Kind::InviteCallback, Kind::Alert];

    #[test]
    fn waits_grow_and_only_alerts_go_on_without_end() {
        for kind in KINDS {
            let waits: Vec<_> = (0..20).map_while(|failed| kind.wait(failed)).collect();
            assert!(waits.is_sorted(), "{kind:?}");
            assert_eq!(waits.len(), [7, 5, 20][kind as usize]);
        }
        let total: Duration = OF_EVENTS.iter().sum();
        assert_eq!(total.as_secs(), 5 + 35 * 60 + 27 * 3600);
        assert_eq!(Kind::Alert.wait(u32::MAX), Some(Duration::from_mins(10)));
    }

    #[test]
    fn alerts_and_callbacks_keep_to_their_schedules() {
        let of = |kind: Kind| -> Vec<u64> {
            (0..7).map_while(|failed| kind.wait(failed)).map(|wait| wait.as_secs()).collect()
        };
        assert_eq!(of(Kind::Alert), [10, 30, 60, 120, 300, 600, 600]);
        assert_eq!(of(Kind::InviteCallback), [30, 120, 600, 3600, 21_600]);
    }

    proptest! {
        /// Wherever the clock is set to, nothing waits longer than the longest wait.
        #[test]
        fn a_clock_that_is_set_back_delays_nothing_for_long(
            kind in 0..3_usize, at in 0..4_000_000_000_i64, back in 0..200_000_i64, failed in 0..7_u32,
        ) {
            let (kind, second) = (KINDS[kind], 1_000_000);
            let now = Timestamp::from_micros(at * second);
            let next_at = now.plus(kind.wait(failed).unwrap_or_default());
            let set_to = Timestamp::from_micros((at - back) * second);
            prop_assert!(kind.is_due(next_at, set_to) || kind.is_due(next_at, set_to.plus(kind.longest())));
            prop_assert!(kind.is_due(next_at, next_at));
        }
    }
}
