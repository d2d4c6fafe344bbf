//! How soon a refused client is answered: one that comes back in a loop waits, so that it cannot burn the processor.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One refusal in this time is free of waiting…
const PACE: Duration = Duration::from_millis(50);
/// …and so many at once.
const BURST: u32 = 10;
/// No refusal waits longer.
const LONGEST: Duration = Duration::from_secs(2);
/// Addresses remembered.
const ADDRESSES: usize = 1024;

/// By address, when its refusals so far are paid off.
#[derive(Debug, Default)]
pub(crate) struct Refusals(Mutex<HashMap<IpAddr, Instant>>);

impl Refusals {
    /// Counts a refusal, and returns how long to hold it back.
    pub(crate) fn wait(&self, address: IpAddr, now: Instant) -> Duration {
        let mut paid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if paid.len() >= ADDRESSES {
            paid.retain(|_, until| *until > now);
        }
        let until =
            paid.get(&address).copied().unwrap_or(now).clamp(now, now + PACE * BURST + LONGEST) + PACE;
        if paid.len() < ADDRESSES || paid.contains_key(&address) {
            paid.insert(address, until);
        }
        until.saturating_duration_since(now + PACE * BURST).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn repeated_refusals_are_slowed_down_after_a_few() {
        let (refusals, now) = (Refusals::default(), Instant::now());
        assert!((0..BURST).all(|_| refusals.wait(HOME, now).is_zero()));
        assert_eq!(refusals.wait(HOME, now), PACE);
        assert_eq!(refusals.wait(HOME, now), PACE * 2);
        assert!((0..100).all(|_| refusals.wait(HOME, now) <= LONGEST));
        assert_eq!(refusals.wait(HOME, now), LONGEST);
        assert!(refusals.wait(IpAddr::V4(Ipv4Addr::UNSPECIFIED), now).is_zero());
        assert!(refusals.wait(HOME, now + Duration::from_mins(1)).is_zero());
    }
}
