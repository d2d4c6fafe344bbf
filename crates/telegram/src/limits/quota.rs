//! How many messages an account has sent within the last hour and the last day, and when its owner's limits let it send again.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use domain::account::SendingLimits;

use crate::lock::Mutex;

/// The spans that limits are for, in minutes.
const HOUR: i64 = 60;
const DAY: i64 = 24 * 60;

/// The span that has to be counted when a limit is set.
pub(crate) const COUNTED: Duration = Duration::from_hours(24);

/// An account's count, and when it may send again.
#[derive(Debug)]
pub(crate) struct Quota {
    /// In microseconds; in the past while it may. Anyone who chooses among a thousand accounts reads this alone.
    free_at: AtomicI64,
    meter: Mutex<Meter>,
}

/// How much an account has sent, and how much it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Sent {
    pub(crate) limits: SendingLimits,
    pub(crate) last_hour: u32,
    pub(crate) last_day: u32,
    /// When it may send again, if it may not now.
    pub(crate) free_at: Option<Timestamp>,
}

impl Default for Quota {
    fn default() -> Self {
        Self { free_at: AtomicI64::new(i64::MIN), meter: Mutex::default() }
    }
}

impl Quota {
    pub(crate) fn held_until(&self, now: Timestamp) -> Option<Timestamp> {
        let free_at = self.free_at.load(Ordering::Acquire);
        (free_at > now.as_micros()).then(|| Timestamp::from_micros(free_at))
    }

    /// A place for one message; `None` where nothing is counted because nothing is limited.
    ///
    /// # Errors
    /// There is none before this instant.
    pub(crate) fn take(&self, now: Timestamp) -> Result<Option<Slot>, Timestamp> {
        let mut meter = self.meter.lock();
        if meter.limits.is_none() {
            return Ok(None);
        }
        let taken = meter.take(now);
        self.publish(&mut meter, now);
        taken.map(Some)
    }

    pub(crate) fn give_back(&self, place: Slot, now: Timestamp) {
        let mut meter = self.meter.lock();
        meter.give_back(place);
        self.publish(&mut meter, now);
    }

    /// Whether something is counted, so that other limits can be kept to at once.
    pub(crate) fn is_counting(&self) -> bool {
        !self.meter.lock().limits.is_none()
    }

    /// Other limits. `sent` is what was sent within the last day, by the minute; it is of no use where it was counted here.
    pub(crate) fn limit(&self, limits: SendingLimits, sent: &[(Timestamp, u32)], now: Timestamp) {
        let mut meter = self.meter.lock();
        if limits.is_none() || meter.limits.is_none() {
            meter.minutes.clear();
            for (at, messages) in sent {
                meter.count(minute(*at), *messages);
            }
        }
        meter.limits = limits;
        self.publish(&mut meter, now);
    }

    pub(crate) fn sent(&self, now: Timestamp) -> Sent {
        let mut meter = self.meter.lock();
        meter.forget(minute(now));
        Sent {
            limits: meter.limits,
            last_hour: meter.within(HOUR, minute(now)),
            last_day: meter.within(DAY, minute(now)),
            free_at: meter.free_at(now),
        }
    }

    fn publish(&self, meter: &mut Meter, now: Timestamp) {
        let free_at = meter.free_at(now).map_or(i64::MIN, Timestamp::as_micros);
        self.free_at.store(free_at, Ordering::Release);
    }
}

/// A message that was counted, by its minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot(i64);

/// Messages by the minute since 1970, oldest first. Pure.
#[derive(Debug, Default)]
struct Meter {
    limits: SendingLimits,
    minutes: VecDeque<(i64, u32)>,
}

const fn minute(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(60)
}

impl Meter {
    fn take(&mut self, now: Timestamp) -> Result<Slot, Timestamp> {
        if let Some(until) = self.free_at(now) {
            return Err(until);
        }
        self.count(minute(now), 1);
        Ok(Slot(minute(now)))
    }

    fn count(&mut self, minute: i64, messages: u32) {
        match self.minutes.binary_search_by_key(&minute, |(minute, _)| *minute) {
            Ok(place) => {
                if let Some((_, count)) = self.minutes.get_mut(place) {
                    *count = count.saturating_add(messages);
                }
            }
            Err(place) => self.minutes.insert(place, (minute, messages)),
        }
    }

    fn give_back(&mut self, Slot(minute): Slot) {
        // It may have been moved by a clock that was set back: then the newest is as good.
        let place = self.minutes.binary_search_by_key(&minute, |(minute, _)| *minute);
        let place = place.unwrap_or_else(|_| self.minutes.len().saturating_sub(1));
        if let Some((_, count)) = self.minutes.get_mut(place) {
            *count = count.saturating_sub(1);
        }
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
            self.count(now, early);
        }
    }

    /// Whether a message of this minute may be within the span that ends now: no one knows at which second it was sent.
    const fn counts(minute: i64, span: i64, now: i64) -> bool {
        now - minute <= span
    }

    fn within(&self, span: i64, now: i64) -> u32 {
        let counted = self.minutes.iter().rev().take_while(|(minute, _)| Self::counts(*minute, span, now));
        counted.fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// When the next message may be sent, if not now.
    fn free_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.forget(minute(now));
        let SendingLimits { per_hour, per_day } = self.limits;
        let free = |limit: Option<std::num::NonZeroU32>, span| self.free_of(limit?.get(), span, minute(now));
        free(per_hour, HOUR).max(free(per_day, DAY))
    }

    fn free_of(&self, limit: u32, span: i64, now: i64) -> Option<Timestamp> {
        let mut over = self.within(span, now).checked_sub(limit)?;
        let counted = self.minutes.iter().filter(|(minute, _)| Self::counts(*minute, span, now));
        for (minute, count) in counted {
            // When this minute is over and done with, so many places are free.
            match over.checked_sub(*count) {
                Some(rest) => over = rest,
                None => return Some(Timestamp::from_micros((minute + span + 1) * 60_000_000)),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + seconds * 1_000_000)
    }

    fn limits(per_hour: u32, per_day: u32) -> SendingLimits {
        SendingLimits { per_hour: NonZeroU32::new(per_hour), per_day: NonZeroU32::new(per_day) }
    }

    proptest! {
        /// Whenever someone tries: in no hour and in no day are there more than the limits say, and anyone who waits until the
        /// instant that was named gets a place.
        #[test]
        fn no_span_has_more_than_its_limit(
            pauses in prop::collection::vec(0_i64..2_000, 1..200), per_hour in 0_u32..6, per_day in 0_u32..20,
        ) {
            let quota = Quota::default();
            quota.limit(limits(per_hour, per_day), &[], at(0));
            let (mut now, mut sent) = (0, Vec::new());
            for pause in pauses {
                now += pause;
                let held = quota.held_until(at(now));
                match quota.take(at(now)) {
                    Ok(_) => {
                        prop_assert_eq!(held, None);
                        sent.push(now);
                    }
                    Err(until) => {
                        prop_assert_eq!(held, Some(until));
                        prop_assert!(until > at(now), "{:?}", until);
                        let wait = until.since(at(now)).as_secs();
                        prop_assert!(wait <= 24 * 3600 + 60, "{}", wait);
                        // A moment before there is none.
                        let before = Timestamp::from_micros(until.as_micros() - 1);
                        prop_assert_eq!(quota.take(before), Err(until));
                        now += i64::try_from(wait).expect("small") + 1;
                        prop_assert!(quota.take(at(now)).is_ok());
                        sent.push(now);
                    }
                }
            }
            for (span, limit) in [(3600, per_hour), (24 * 3600, per_day)] {
                for (place, last) in sent.iter().enumerate() {
                    let within = sent[..=place].iter().filter(|one| last - **one < span).count();
                    prop_assert!(limit == 0 || within <= limit as usize, "{} in {} s", within, span);
                }
            }
        }

        /// A clock that jumps about makes no one wait longer than the span.
        #[test]
        fn a_clock_that_is_set_back_holds_nobody_for_long(steps in prop::collection::vec(-90_000_i64..90_000, 1..60)) {
            let quota = Quota::default();
            quota.limit(limits(2, 5), &[], at(0));
            let mut now = 0;
            for step in steps {
                now += step;
                if let Err(until) = quota.take(at(now)) {
                    prop_assert!(until.since(at(now)) <= COUNTED + Duration::from_mins(1), "{:?}", until);
                }
            }
        }
    }

    #[test]
    fn without_limits_nothing_is_counted_and_nobody_waits() {
        let quota = Quota::default();
        for _ in 0..1_000 {
            assert_eq!(quota.take(at(0)), Ok(None));
        }
        assert_eq!(quota.sent(at(0)), Sent::default());
    }

    #[test]
    fn what_was_not_sent_after_all_gives_its_place_back() {
        let quota = Quota::default();
        quota.limit(limits(2, 0), &[(at(-3_000), 1)], at(0));
        let taken = quota.take(at(0)).expect("a place").expect("counted");
        let until = quota.take(at(1)).expect_err("none is left");
        assert_eq!(quota.held_until(at(1)), Some(until));
        // The earlier one of the two leaves first.
        assert!(until.since(at(1)) <= Duration::from_mins(11), "{until:?}");
        quota.give_back(taken, at(2));
        assert_eq!((quota.held_until(at(2)), quota.sent(at(2)).last_hour), (None, 1));
        assert!(quota.take(at(3)).is_ok());
    }

    #[test]
    fn other_limits_hold_at_once() {
        let quota = Quota::default();
        let sent = [(at(-7_200), 3), (at(-60), 2)];
        quota.limit(limits(5, 5), &sent, at(0));
        assert_eq!(
            (quota.sent(at(0)).last_hour, quota.sent(at(0)).last_day, quota.held_until(at(0)).is_some()),
            (2, 5, true)
        );
        assert!(quota.is_counting());
        quota.limit(limits(5, 0), &[], at(0));
        assert_eq!((quota.held_until(at(0)), quota.sent(at(0)).last_day), (None, 5));
        quota.limit(SendingLimits::default(), &[], at(0));
        assert_eq!(quota.take(at(0)), Ok(None));
    }
}
