//! How many people may be written to first, and how often one person may get advertising. Pure.

use std::time::Duration;

use crate::Timestamp;

/// The limits of first contacts and of advertising. No setting removes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactLimits {
    /// People that one account of Telegram writes to first within any 24 hours.
    pub first_contacts_per_day: u32,
    /// The same for one account of a channel.
    pub channel_first_contacts_per_day: u32,
    /// Messages of all campaigns that one person gets within any 24 hours.
    pub advertising_per_day: u32,
    /// The least time between two of them.
    pub advertising_gap: Duration,
}

impl ContactLimits {
    /// The most that [`Self::first_contacts_per_day`] can be set to.
    pub const MOST_FIRST_CONTACTS: u32 = 500;
    /// The most that [`Self::channel_first_contacts_per_day`] can be set to.
    pub const MOST_CHANNEL_FIRST_CONTACTS: u32 = 10_000;
    /// The most that [`Self::advertising_per_day`] can be set to.
    pub const MOST_ADVERTISING: u32 = 10;
    /// The least that [`Self::advertising_gap`] can be set to.
    pub const LEAST_GAP: Duration = Duration::from_mins(5);

    /// Returns the limits within what is built in.
    #[must_use]
    pub fn bounded(self) -> Self {
        Self {
            first_contacts_per_day: self.first_contacts_per_day.min(Self::MOST_FIRST_CONTACTS),
            channel_first_contacts_per_day: self
                .channel_first_contacts_per_day
                .min(Self::MOST_CHANNEL_FIRST_CONTACTS),
            advertising_per_day: self.advertising_per_day.min(Self::MOST_ADVERTISING),
            advertising_gap: self.advertising_gap.max(Self::LEAST_GAP),
        }
    }

    /// Until when a person gets no advertising who got some at these times; nothing where it may be sent now.
    pub fn advertising_at(&self, mut sent: Vec<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        // Times ahead are those of a clock that was set back.
        for at in &mut sent {
            *at = (*at).min(now);
        }
        sent.sort_unstable_by(|one, other| other.cmp(one));
        let rested = sent.first().map(|last| last.plus(self.advertising_gap));
        let most = usize::try_from(self.advertising_per_day).unwrap_or(usize::MAX);
        let of_day = most.checked_sub(1).and_then(|place| sent.get(place)).map(|at| at.plus(DAY));
        rested.max(of_day).filter(|until| *until > now)
    }
}

const DAY: Duration = Duration::from_hours(24);

impl Default for ContactLimits {
    fn default() -> Self {
        Self {
            first_contacts_per_day: 100,
            channel_first_contacts_per_day: 1_000,
            advertising_per_day: 3,
            advertising_gap: Duration::from_hours(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(minutes: u64) -> Timestamp {
        Timestamp::from_micros(1 << 40).plus(Duration::from_mins(minutes))
    }

    #[test]
    fn a_person_gets_three_a_day_an_hour_apart() {
        let limits = ContactLimits::default();
        for (sent, now, until) in [
            (vec![], 0, None),
            (vec![at(0)], 59, Some(at(60))),
            (vec![at(0)], 60, None),
            (vec![at(120), at(0), at(60)], 200, Some(at(24 * 60))),
            (vec![at(0), at(60), at(120)], 24 * 60, None),
            // The clock was set back.
            (vec![at(500)], 100, Some(at(160))),
        ] {
            assert_eq!(limits.advertising_at(sent.clone(), at(now)), until, "{sent:?} {now}");
        }
    }

    proptest! {
        #[test]
        fn no_settings_pass_what_is_built_in(
            first: u32, channel: u32, advertising: u32, seconds in 0_u64..1_000_000,
        ) {
            let limits = ContactLimits {
                first_contacts_per_day: first,
                channel_first_contacts_per_day: channel,
                advertising_per_day: advertising,
                advertising_gap: Duration::from_secs(seconds),
            };
            let bounded = limits.bounded();
            prop_assert!(bounded.first_contacts_per_day <= 500 && bounded.channel_first_contacts_per_day <= 10_000);
            prop_assert!(bounded.advertising_per_day <= 10 && bounded.advertising_gap >= Duration::from_mins(5));
        }
    }
}
