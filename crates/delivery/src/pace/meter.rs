//! How many parts an account has sent within the last hour and the last day, and when its limits let it send again. Pure.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use domain::Timestamp;
use domain::account::SendingLimits;

/// The spans that limits are for, in minutes.
const HOUR: i64 = 60;
const DAY: i64 = 24 * 60;

/// What an account has sent, and what it is sending.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    pub(crate) limits: SendingLimits,
    /// Whether what is sent is counted. From the first limit on it is, until the program ends.
    pub(crate) is_counting: bool,
    /// Parts that the account has or is about to have: as long as there is no outcome they count as sent now.
    open: u32,
    /// Those among them that an earlier run had begun and that no one has in hand yet.
    left: u32,
    /// Parts that were sent, or may have been, by the minute since 1970, oldest first.
    minutes: VecDeque<(i64, u32)>,
}

const fn minute(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(60)
}

impl Meter {
    /// Counts a part that is about to be begun.
    ///
    /// # Errors
    /// It may not be before this instant.
    pub(crate) fn take(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        if let Some(until) = self.free_at(now) {
            return Err(until);
        }
        self.open = self.open.saturating_add(1);
        Ok(())
    }

    /// Counts parts that an earlier run had begun.
    pub(crate) const fn resume(&mut self, parts: u32) {
        self.open = self.open.saturating_add(parts);
        self.left = self.left.saturating_add(parts);
    }

    /// A part that was begun before comes in hand.
    pub(crate) const fn adopt(&mut self) {
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.open = self.open.saturating_add(1),
        }
    }

    /// It was sent, or may have been, at this instant at the latest.
    pub(crate) fn sent(&mut self, at: Timestamp) {
        self.open = self.open.saturating_sub(1);
        if self.is_counting {
            self.count(at, 1);
        }
    }

    /// It was not sent.
    pub(crate) const fn give_back(&mut self) {
        self.open = self.open.saturating_sub(1);
    }

    pub(crate) fn count(&mut self, at: Timestamp, parts: u32) {
        self.count_minute(minute(at), parts);
    }

    fn count_minute(&mut self, minute: i64, parts: u32) {
        match self.minutes.binary_search_by_key(&minute, |(minute, _)| *minute) {
            Ok(place) => {
                if let Some((_, count)) = self.minutes.get_mut(place) {
                    *count = count.saturating_add(parts);
                }
            }
            Err(place) => self.minutes.insert(place, (minute, parts)),
        }
    }

    /// Counts no longer what was sent so far.
    pub(crate) fn clear(&mut self) {
        self.is_counting = false;
        self.minutes.clear();
    }

    /// Forgets what no limit is about any more. A minute that is still to come was counted before the clock was set back: it
    /// counts as this one, so that no one waits for the clock to come round again.
    fn forget(&mut self, now: i64) {
        while self.minutes.front().is_some_and(|(minute, _)| now - minute > DAY) {
            self.minutes.pop_front();
        }
        let mut early = 0_u32;
        while let Some((_, count)) = self.minutes.back().copied().filter(|(minute, _)| *minute > now) {
            early = early.saturating_add(count);
            self.minutes.pop_back();
        }
        if early > 0 {
            self.count_minute(now, early);
        }
    }

    /// Whether a part of this minute may be within the span that ends now: no one knows at which second it was sent.
    const fn counts(minute: i64, span: i64, now: i64) -> bool {
        now - minute <= span
    }

    fn within(&self, span: i64, now: i64) -> u32 {
        let counted = self.minutes.iter().rev().take_while(|(minute, _)| Self::counts(*minute, span, now));
        counted.fold(self.open, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// Parts within the last hour and the last day.
    pub(crate) fn sent_lately(&mut self, now: Timestamp) -> (u32, u32) {
        let now = minute(now);
        self.forget(now);
        (self.within(HOUR, now), self.within(DAY, now))
    }

    /// When the next part may be sent, if not now.
    pub(crate) fn free_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        let now = minute(now);
        self.forget(now);
        let SendingLimits { per_hour, per_day } = self.limits;
        let free = |limit: Option<NonZeroU32>, span| self.free_of(limit?.get(), span, now);
        free(per_hour, HOUR).max(free(per_day, DAY))
    }

    fn free_of(&self, limit: u32, span: i64, now: i64) -> Option<Timestamp> {
        let mut over = self.within(span, now).checked_sub(limit)?;
        let counted = self.minutes.iter().filter(|(minute, _)| Self::counts(*minute, span, now));
        for (minute, count) in counted {
            // When this minute is over and done with, so many places are free.
            match over.checked_sub(*count) {
                Some(rest) => over = rest,
                None => return Some(after(*minute, span)),
            }
        }
        Some(after(now, span))
    }
}

/// The first instant at which a minute is no longer within a span.
const fn after(minute: i64, span: i64) -> Timestamp {
    Timestamp::from_micros((minute + span + 1) * 60_000_000)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    fn limits(per_hour: u32, per_day: u32) -> SendingLimits {
        SendingLimits { per_hour: NonZeroU32::new(per_hour), per_day: NonZeroU32::new(per_day) }
    }

    fn limited(limits: SendingLimits) -> Meter {
        Meter { limits, is_counting: true, ..Meter::default() }
    }

    #[derive(Debug, Clone, Copy)]
    enum Step {
        Take,
        /// The oldest open part has an outcome: it was sent so long after it was begun, at most.
        Ends {
            sent: bool,
        },
        /// What is on the disk is all that is left.
        Killed,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Take),
            3 => any::<bool>().prop_map(|sent| Step::Ends { sent }),
            1 => Just(Step::Killed),
        ]
    }

    proptest! {
        /// Whenever a part is begun, sent, given back, and whenever the program dies: no hour and no day has more than the
        /// limits say, however late a part that was begun arrives.
        #[test]
        fn no_span_has_more_than_its_limit(
            steps in prop::collection::vec((0_i64..2_000, step()), 1..200),
            per_hour in 0_u32..6, per_day in 0_u32..20, late in any::<bool>(),
        ) {
            let limits = limits(per_hour, per_day);
            let mut meter = limited(limits);
            // What the store has: ended parts, and those that were begun, with when.
            let (mut kept, mut begun) = (Vec::new(), Vec::new());
            let (mut now, mut arrived) = (0, Vec::new());
            for (pause, step) in steps {
                now += pause;
                match step {
                    Step::Take => match meter.take(at(now)) {
                        Ok(()) => begun.push(now),
                        Err(until) => {
                            prop_assert!(until > at(now), "{:?}", until);
                            let wait = until.since(at(now)).as_secs();
                            prop_assert!(wait <= 24 * 3600 + 60, "{}", wait);
                            let before = Timestamp::from_micros(until.as_micros() - 1);
                            prop_assert!(meter.take(before).is_err(), "free earlier than that");
                        }
                    },
                    Step::Ends { sent } if !begun.is_empty() => {
                        let since = begun.remove(0);
                        if sent {
                            meter.sent(at(now));
                            kept.push(now);
                            arrived.push(if late { now } else { since });
                        } else {
                            meter.give_back();
                        }
                    }
                    Step::Ends { .. } => {}
                    Step::Killed => {
                        meter = limited(limits);
                        for sent in &kept {
                            meter.count(at(*sent), 1);
                        }
                        meter.resume(u32::try_from(begun.len()).expect("few"));
                        for _ in &begun {
                            meter.adopt();
                        }
                    }
                }
            }
            arrived.sort_unstable();
            for (span, limit) in [(3600, per_hour), (24 * 3600, per_day)] {
                for (place, last) in arrived.iter().enumerate() {
                    let within = arrived[..=place].iter().filter(|one| last - **one < span).count();
                    prop_assert!(limit == 0 || within <= limit as usize, "{} in {} s", within, span);
                }
            }
        }

        /// Anyone who waits until the instant that was named gets a place, once what is open has ended.
        #[test]
        fn a_named_instant_is_kept(pauses in prop::collection::vec(0_i64..2_000, 1..100), per_hour in 1_u32..6) {
            let mut meter = limited(limits(per_hour, 0));
            let mut now = 0;
            for pause in pauses {
                now += pause;
                if let Err(until) = meter.take(at(now)) {
                    now += i64::try_from(until.since(at(now)).as_secs()).expect("small") + 1;
                    prop_assert_eq!(meter.take(at(now)), Ok(()));
                }
                meter.sent(at(now));
            }
        }

        /// A clock that jumps about makes no one wait longer than the span.
        #[test]
        fn a_clock_set_back_holds_no_account_for_long(steps in prop::collection::vec(-90_000_i64..90_000, 1..60)) {
            let mut meter = limited(limits(2, 5));
            let mut now = 0;
            for step in steps {
                now += step;
                match meter.take(at(now)) {
                    Ok(()) => meter.sent(at(now)),
                    Err(until) => {
                        let longest = Duration::from_hours(24) + Duration::from_mins(1);
                        prop_assert!(until.since(at(now)) <= longest, "{:?}", until);
                    }
                }
            }
        }
    }

    #[test]
    fn without_limits_no_account_waits() {
        let mut meter = Meter::default();
        for _ in 0..1_000 {
            assert_eq!(meter.take(at(0)), Ok(()));
            meter.sent(at(0));
        }
        assert_eq!(meter.sent_lately(at(0)), (0, 0));
    }

    #[test]
    fn an_open_part_counts_as_sent_now() {
        let mut meter = limited(limits(1, 0));
        assert_eq!(meter.take(at(0)), Ok(()));
        assert!(meter.take(at(9_000)).is_err(), "it may arrive this very moment");
        meter.sent(at(9_000));
        assert!(meter.take(at(9_000 + 3_500)).is_err());
        assert_eq!(meter.take(at(9_000 + 3_700)), Ok(()));
        meter.give_back();
        assert_eq!(meter.take(at(9_000 + 3_700)), Ok(()));
    }
}
