//! A limit on the connections that one address holds at a port, so that it does not keep the others away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::network_prefix;
use ipnet::IpNet;

use crate::auth::is_in;

/// One caller gets this part of a port's connections at most.
const SHARE: usize = 4;

/// The connections of a port, counted by household.
#[derive(Debug)]
pub(super) struct ConnectionLimiter {
    /// The most of one household.
    share: usize,
    connections: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of a household; released on drop.
#[derive(Debug)]
pub(super) struct Permit {
    limiter: Arc<ConnectionLimiter>,
    household: Option<IpAddr>,
}

/// Why a connection gets no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    /// Whether this is the first one since there was room.
    pub(super) is_news: bool,
}

impl ConnectionLimiter {
    /// For a port with this number of connections.
    pub(super) fn new(connections: usize) -> Arc<Self> {
        Arc::new(Self { share: (connections / SHARE).max(1), connections: Mutex::default() })
    }

    /// Takes a permit for a connection from this address. This machine and trusted proxies are not limited.
    ///
    /// # Errors
    /// Its household has its share.
    pub(super) fn acquire(self: &Arc<Self>, address: IpAddr, trusted: &[IpNet]) -> Result<Permit, TooMany> {
        let address = address.to_canonical();
        if address.is_loopback() || is_in(address, trusted) {
            return Ok(Permit { limiter: Arc::clone(self), household: None });
        }
        self.take(address)
    }

    /// Takes a permit for this address, whatever it is.
    ///
    /// # Errors
    /// Its household has its share.
    pub(super) fn take(self: &Arc<Self>, address: IpAddr) -> Result<Permit, TooMany> {
        let household = network_prefix(address);
        let mut connections = self.connections();
        let count = connections.entry(household).or_default();
        // One above the share is kept as a mark that it was reported.
        if *count >= self.share {
            let is_news = *count == self.share;
            *count = self.share + 1;
            return Err(TooMany { is_news });
        }
        *count += 1;
        drop(connections);
        Ok(Permit { limiter: Arc::clone(self), household: Some(household) })
    }

    fn release(&self, household: IpAddr) {
        let mut connections = self.connections();
        if let Some(count) = connections.get_mut(&household) {
            *count = (*count).min(self.share).saturating_sub(1);
            if *count == 0 {
                connections.remove(&household);
            }
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        if let Some(household) = self.household {
            self.limiter.release(household);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn one_address_has_its_share_and_the_others_theirs() {
        let limiter = ConnectionLimiter::new(8);
        let trusted = ["192.0.2.128/25".parse().expect("a network")];
        let mut permits: Vec<Permit> =
            (0..2).map(|_| limiter.acquire(address("192.0.2.1"), &trusted).expect("a permit")).collect();
        assert_eq!(
            limiter.acquire(address("::ffff:192.0.2.1"), &trusted).expect_err("no permit"),
            TooMany { is_news: true }
        );
        assert_eq!(
            limiter.acquire(address("192.0.2.1"), &trusted).expect_err("no permit"),
            TooMany { is_news: false }
        );
        for other in ["192.0.2.2", "2001:db8::1"] {
            permits.push(limiter.acquire(address(other), &trusted).expect("a permit"));
        }
        // A caller with one IPv6 address has many.
        permits.push(limiter.acquire(address("2001:db8::2"), &trusted).expect("a permit"));
        assert!(limiter.acquire(address("2001:db8::3"), &trusted).is_err());
        for many in ["127.0.0.1", "::1", "192.0.2.200"] {
            permits.extend((0..8).map(|_| limiter.acquire(address(many), &trusted).expect("a permit")));
        }
        permits.remove(0);
        permits.push(limiter.acquire(address("192.0.2.1"), &trusted).expect("a permit again"));
        assert!(limiter.acquire(address("192.0.2.1"), &trusted).is_err());
        drop(permits);
        assert!(limiter.connections().is_empty());
    }

    proptest! {
        /// No address has more than the share, one with less gets a permit, and nothing is left.
        #[test]
        fn no_address_exceeds_its_share(steps in prop::collection::vec((0..3_u8, any::<bool>()), 0..60)) {
            let limiter = ConnectionLimiter::new(12);
            let mut permits: [Vec<Permit>; 3] = Default::default();
            for (who, comes) in steps {
                let had = permits[usize::from(who)].len();
                if !comes {
                    permits[usize::from(who)].pop();
                } else if let Ok(permit) = limiter.acquire(IpAddr::from([192, 0, 2, who]), &[]) {
                    permits[usize::from(who)].push(permit);
                } else {
                    prop_assert_eq!(had, 3);
                }
                prop_assert!(permits[usize::from(who)].len() <= 3);
            }
            drop(permits);
            prop_assert!(limiter.connections().is_empty());
        }
    }
}
