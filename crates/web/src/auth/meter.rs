//! Meters: how often each of many may do something, with a burst at first and then one at a time.
//!
//! The time that is handed in is that of [`ambient::Clock::running`]: a time of day that is set back would turn everyone
//! away for as long.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use domain::{ApiKeyId, RequestRate};

/// The most callers that are remembered; beyond it those with no debt go first, then those with the least.
const BOUND: usize = 4096;

/// How many events at once, and after what time one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pace {
    burst: NonZeroU32,
    /// After each of these, one event is forgotten.
    interval: Duration,
}

/// How much is left after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Left {
    /// So many events are allowed at once now.
    pub(crate) events: u32,
    /// After this all are forgotten.
    pub(crate) whole_in: Duration,
}

impl Pace {
    /// So many events as a rate says; at once those of one period, unless it is said how many.
    pub(crate) fn new(rate: RequestRate, burst: Option<NonZeroU32>) -> Self {
        Self { burst: burst.unwrap_or(rate.requests()), interval: rate.interval() }
    }

    /// How many at once.
    pub(crate) const fn burst(self) -> u32 {
        self.burst.get()
    }

    /// After this as many again are allowed.
    pub(crate) fn window(self) -> Duration {
        self.interval.saturating_mul(self.burst.get())
    }

    /// Counts an event if it is allowed; else says how long to wait. A debt is the instant at which all events before are
    /// forgotten.
    pub(crate) fn take(self, debt: Duration, now: Duration) -> Result<(Duration, Left), Duration> {
        let owed = debt.saturating_sub(now);
        let free = self.window().saturating_sub(self.interval);
        if let Some(wait) = owed.checked_sub(free).filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        let whole_in = owed.saturating_add(self.interval);
        Ok((now.saturating_add(whole_in), Left { events: self.left(whole_in), whole_in }))
    }

    /// How many events are allowed at once while so much is owed.
    fn left(self, owed: Duration) -> u32 {
        let free = self.window().saturating_sub(owed).as_nanos();
        let events = free.checked_div(self.interval.as_nanos()).unwrap_or(0);
        u32::try_from(events).unwrap_or(u32::MAX).min(self.burst())
    }
}

/// Counts events by whose they are.
pub(crate) struct Meter<K> {
    debts: Mutex<HashMap<K, Duration>>,
}

impl<K> Default for Meter<K> {
    fn default() -> Self {
        Self { debts: Mutex::default() }
    }
}

impl<K: Hash + Eq + Copy> Meter<K> {
    /// Counts an event if it is allowed; else returns how long to wait.
    pub(crate) fn take(&self, who: K, pace: Pace, now: Duration) -> Result<Left, Duration> {
        let mut debts = self.debts();
        let debt = debts.get(&who).copied().unwrap_or_default();
        let (debt, left) = pace.take(debt, now)?;
        if debts.len() >= BOUND && !debts.contains_key(&who) {
            debts.retain(|_, until| *until > now);
            if debts.len() >= BOUND {
                let least = debts.iter().min_by_key(|(_, until)| **until).map(|(who, _)| *who);
                least.map(|least| debts.remove(&least));
            }
        }
        debts.insert(who, debt);
        Ok(left)
    }

    fn debts(&self) -> std::sync::MutexGuard<'_, HashMap<K, Duration>> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Meters {
    pub(crate) failures: Arc<Meter<IpAddr>>,
    /// Forms that pages send, by address.
    pub(crate) forms: Arc<Meter<IpAddr>>,
    /// Forms beyond that, which are kept for a person.
    pub(crate) surplus_forms: Arc<Meter<IpAddr>>,
    /// Requests, by key.
    pub(crate) keys: Arc<Meter<ApiKeyId>>,
    /// Requests, by address.
    pub(crate) addresses: Arc<Meter<IpAddr>>,
    /// That of a key without one of its own, if the settings say so.
    pub(crate) per_key: Option<Pace>,
    /// That of an address, if the settings say so.
    pub(crate) per_address: Option<Pace>,
}

impl Meters {
    pub(crate) fn new(per_key: Option<NonZeroU32>, per_address: Option<NonZeroU32>) -> Self {
        let pace = |limit| Pace::new(RequestRate::per_minute(limit), None);
        Self {
            failures: Arc::default(),
            forms: Arc::default(),
            surplus_forms: Arc::default(),
            keys: Arc::default(),
            addresses: Arc::default(),
            per_key: per_key.map(pace),
            per_address: per_address.map(pace),
        }
    }

    /// The same with other limits of requests: what was counted stays.
    pub(crate) fn limited(&self, per_key: Option<NonZeroU32>, per_address: Option<NonZeroU32>) -> Self {
        Self {
            failures: Arc::clone(&self.failures),
            forms: Arc::clone(&self.forms),
            surplus_forms: Arc::clone(&self.surplus_forms),
            keys: Arc::clone(&self.keys),
            addresses: Arc::clone(&self.addresses),
            ..Self::new(per_key, per_address)
        }
    }

    /// Wrong keys that an address may present.
    pub(crate) fn of_failures() -> Pace {
        const IN_A_MINUTE: NonZeroU32 = NonZeroU32::new(20).unwrap();
        Pace::new(RequestRate::per_minute(IN_A_MINUTE), None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pace(limit: u32) -> Pace {
        Pace::new(RequestRate::per_minute(NonZeroU32::new(limit).expect("not zero")), None)
    }

    #[test]
    fn a_burst_is_allowed_then_one_at_a_time() {
        let (meter, pace) = (Meter::default(), pace(20));
        let mut now = Duration::ZERO;
        for left in (0..20).rev() {
            assert_eq!(meter.take(1, pace, now).map(|left| left.events), Ok(left));
        }
        assert_eq!(meter.take(1, pace, now), Err(Duration::from_secs(3)));
        assert!(meter.take(2, pace, now).is_ok());
        now += Duration::from_secs(3);
        let whole_in = Duration::from_mins(1);
        assert_eq!(meter.take(1, pace, now), Ok(Left { events: 0, whole_in }));
        assert!(meter.take(1, pace, now).is_err());
    }

    #[test]
    fn a_burst_of_its_own_is_made_up_for_at_the_rate() {
        let pace = Pace::new("2/s".parse().expect("a rate"), NonZeroU32::new(6));
        assert_eq!((pace.burst(), pace.window()), (6, Duration::from_secs(3)));
        let (meter, now) = (Meter::default(), Duration::from_secs(7));
        assert_eq!((0..9).filter(|_| meter.take(1, pace, now).is_ok()).count(), 6);
        let later = now + Duration::from_secs(1);
        assert_eq!((0..9).filter(|_| meter.take(1, pace, later).is_ok()).count(), 2);
    }

    #[test]
    fn memory_has_a_bound() {
        let (meter, pace) = (Meter::default(), pace(1));
        for who in 0..5_000 {
            assert!(meter.take(who, pace, Duration::ZERO).is_ok());
        }
        assert!(meter.debts().len() <= BOUND);
    }

    proptest! {
        #[test]
        fn never_more_than_twice_the_limit_in_a_minute(limit in 1_u32..50, gaps in prop::collection::vec(0_u64..3_000, 1..300)) {
            let (meter, pace) = (Meter::default(), pace(limit));
            let mut now = Duration::ZERO;
            let mut allowed = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if meter.take(0, pace, now).is_ok() {
                    allowed.push(now);
                }
            }
            for at in &allowed {
                let minute = allowed.iter().filter(|other| **other <= *at && at.saturating_sub(**other) < Duration::from_mins(1));
                prop_assert!(minute.count() <= 2 * limit as usize);
            }
        }

        #[test]
        fn the_reported_quota_is_available(
            requests in 1_u32..200, period in "[smh]", burst in 1_u32..200, gaps in prop::collection::vec(0_u64..5_000, 1..60),
        ) {
            let rate: RequestRate = format!("{requests}/{period}").parse().expect("a rate");
            let pace = Pace::new(rate, NonZeroU32::new(burst));
            let (mut now, mut debt) = (Duration::ZERO, Duration::ZERO);
            for gap in gaps {
                now += Duration::from_millis(gap);
                let Ok((after, left)) = pace.take(debt, now) else {
                    // After the wait that was named, and not before, one more is allowed.
                    let wait = pace.take(debt, now).expect_err("the same");
                    prop_assert!(pace.take(debt, now + wait).is_ok());
                    prop_assert!(pace.take(debt, now + wait.saturating_sub(Duration::from_nanos(1))).is_err());
                    continue;
                };
                prop_assert!(left.events < burst && left.whole_in <= pace.window());
                let (mut taken, mut owed) = (0, after);
                while let Ok((next, _)) = pace.take(owed, now) {
                    (taken, owed) = (taken + 1, next);
                }
                prop_assert_eq!(taken, left.events);
                let (_, whole) = pace.take(after, now + left.whole_in).expect("all are forgotten");
                prop_assert_eq!(whole.events, burst - 1);
                debt = after;
            }
        }
    }
}
