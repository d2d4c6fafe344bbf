//! Meters: how often each of many may do something, with a burst at first and then one at a time.
//!
//! The time that is handed in is that of [`ambient::Clock::running`]: a time of day that is set back would turn everyone
//! away for as long.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::ApiKeyId;

/// So many are remembered; beyond it those that owe nothing go, then those that owe least.
const BOUND: usize = 4096;

/// Counts events by whose they are.
pub(crate) struct Meter<K> {
    burst: u32,
    /// After each of these, one event is forgotten.
    period: Duration,
    /// The instant at which all events of one are forgotten.
    debts: Mutex<HashMap<K, Duration>>,
}

impl<K: Hash + Eq + Copy> Meter<K> {
    /// So many at once, and as many again in a minute.
    pub(crate) fn per_minute(limit: NonZeroU32) -> Self {
        Self { burst: limit.get(), period: Duration::from_mins(1) / limit.get(), debts: Mutex::default() }
    }

    /// How long this one has to wait; `None` when it need not.
    pub(crate) fn wait(&self, who: K, now: Duration) -> Option<Duration> {
        let debt = self.debts().get(&who)?.saturating_sub(now);
        debt.checked_sub(self.period * (self.burst - 1)).filter(|wait| !wait.is_zero())
    }

    pub(crate) fn record(&self, who: K, now: Duration) {
        let mut debts = self.debts();
        if debts.len() >= BOUND && !debts.contains_key(&who) {
            debts.retain(|_, until| *until > now);
            if debts.len() >= BOUND {
                let least = debts.iter().min_by_key(|(_, until)| **until).map(|(who, _)| *who);
                least.map(|least| debts.remove(&least));
            }
        }
        let until = debts.entry(who).or_insert(now);
        *until = (*until).max(now).saturating_add(self.period);
    }

    /// Counts an event if it is allowed; else tells how long to wait.
    pub(crate) fn take(&self, who: K, now: Duration) -> Result<(), Duration> {
        if let Some(wait) = self.wait(who, now) {
            return Err(wait);
        }
        self.record(who, now);
        Ok(())
    }

    fn debts(&self) -> std::sync::MutexGuard<'_, HashMap<K, Duration>> {
        self.debts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Meters {
    pub(crate) failures: Meter<IpAddr>,
    /// Requests, by key; only if the settings say so.
    pub(crate) keys: Option<Meter<ApiKeyId>>,
    /// Requests, by address; only if the settings say so.
    pub(crate) addresses: Option<Meter<IpAddr>>,
}

impl Meters {
    /// Wrong keys that an address may present in a minute.
    const FAILURES: NonZeroU32 = NonZeroU32::new(20).unwrap();

    pub(crate) fn new(per_key: Option<NonZeroU32>, per_address: Option<NonZeroU32>) -> Self {
        Self {
            failures: Meter::per_minute(Self::FAILURES),
            keys: per_key.map(Meter::per_minute),
            addresses: per_address.map(Meter::per_minute),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn meter(limit: u32) -> Meter<u32> {
        Meter::per_minute(NonZeroU32::new(limit).expect("not zero"))
    }

    #[test]
    fn a_burst_is_allowed_then_one_at_a_time() {
        let meter = meter(20);
        let mut now = Duration::ZERO;
        for _ in 0..20 {
            assert_eq!(meter.take(1, now), Ok(()));
        }
        assert_eq!(meter.take(1, now), Err(Duration::from_secs(3)));
        assert_eq!(meter.take(2, now), Ok(()));
        now += Duration::from_secs(3);
        assert_eq!(meter.take(1, now), Ok(()));
        assert!(meter.take(1, now).is_err());
    }

    #[test]
    fn memory_has_a_bound() {
        let meter = meter(1);
        for who in 0..5_000 {
            meter.record(who, Duration::ZERO);
        }
        assert!(meter.debts().len() <= BOUND);
    }

    proptest! {
        #[test]
        fn never_more_than_twice_the_limit_in_a_minute(limit in 1_u32..50, gaps in prop::collection::vec(0_u64..3_000, 1..300)) {
            let meter = meter(limit);
            let mut now = Duration::ZERO;
            let mut allowed = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if meter.take(0, now).is_ok() {
                    allowed.push(now);
                }
            }
            for at in &allowed {
                let minute = allowed.iter().filter(|other| **other <= *at && at.saturating_sub(**other) < Duration::from_mins(1));
                prop_assert!(minute.count() <= 2 * limit as usize);
            }
        }
    }
}
