//! Who has how many of a port's connections: one address must not keep everybody else away.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use access::network_prefix;
use ipnet::IpNet;

use crate::auth::is_in;

/// One caller gets this part of a port's connections at most.
const SHARE: usize = 4;

/// The connections of a port by the household they come from.
#[derive(Debug)]
pub(super) struct Crowd {
    /// The most of one household.
    share: usize,
    /// Behind these are many callers.
    trusted: Vec<IpNet>,
    here: Mutex<HashMap<IpAddr, usize>>,
}

/// One connection of a household; it is gone when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    crowd: Arc<Crowd>,
    household: Option<IpAddr>,
}

/// Why a connection gets no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TooMany {
    /// Whether this is the first one since there was room.
    pub(super) is_news: bool,
}

impl Crowd {
    /// For a port with so many connections.
    pub(super) fn new(connections: usize, trusted: Vec<IpNet>) -> Arc<Self> {
        Arc::new(Self { share: (connections / SHARE).max(1), trusted, here: Mutex::default() })
    }

    /// Gives a connection of this address a seat. This machine and trusted proxies have as many as there are.
    ///
    /// # Errors
    /// Its household has its share.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Seat, TooMany> {
        let address = address.to_canonical();
        if address.is_loopback() || is_in(address, &self.trusted) {
            return Ok(Seat { crowd: Arc::clone(self), household: None });
        }
        let household = network_prefix(address);
        let mut here = self.here();
        let count = here.entry(household).or_default();
        // One above the share is kept as a mark that it was told.
        if *count >= self.share {
            let is_news = *count == self.share;
            *count = self.share + 1;
            return Err(TooMany { is_news });
        }
        *count += 1;
        drop(here);
        Ok(Seat { crowd: Arc::clone(self), household: Some(household) })
    }

    fn leave(&self, household: IpAddr) {
        let mut here = self.here();
        if let Some(count) = here.get_mut(&household) {
            *count = (*count).min(self.share).saturating_sub(1);
            if *count == 0 {
                here.remove(&household);
            }
        }
    }

    fn here(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.here.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some(household) = self.household {
            self.crowd.leave(household);
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
        let crowd = Crowd::new(8, vec!["192.0.2.128/25".parse().expect("a network")]);
        let mut seats: Vec<Seat> =
            (0..2).map(|_| crowd.enter(address("192.0.2.1")).expect("a seat")).collect();
        assert_eq!(crowd.enter(address("::ffff:192.0.2.1")).expect_err("no seat"), TooMany { is_news: true });
        assert_eq!(crowd.enter(address("192.0.2.1")).expect_err("no seat"), TooMany { is_news: false });
        for other in ["192.0.2.2", "2001:db8::1"] {
            seats.push(crowd.enter(address(other)).expect("a seat"));
        }
        // Whoever has one IPv6 address has many.
        seats.push(crowd.enter(address("2001:db8::2")).expect("a seat"));
        assert!(crowd.enter(address("2001:db8::3")).is_err());
        for many in ["127.0.0.1", "::1", "192.0.2.200"] {
            seats.extend((0..8).map(|_| crowd.enter(address(many)).expect("a seat")));
        }
        seats.remove(0);
        seats.push(crowd.enter(address("192.0.2.1")).expect("a seat again"));
        assert!(crowd.enter(address("192.0.2.1")).is_err());
        drop(seats);
        assert!(crowd.here().is_empty());
    }

    proptest! {
        /// Whoever comes and goes: nobody has more than the share, whoever has less gets a seat, and nothing is left.
        #[test]
        fn nobody_has_more_than_a_share(steps in prop::collection::vec((0..3_u8, any::<bool>()), 0..60)) {
            let crowd = Crowd::new(12, Vec::new());
            let mut seats: [Vec<Seat>; 3] = Default::default();
            for (who, comes) in steps {
                let had = seats[usize::from(who)].len();
                if !comes {
                    seats[usize::from(who)].pop();
                } else if let Ok(seat) = crowd.enter(IpAddr::from([192, 0, 2, who])) {
                    seats[usize::from(who)].push(seat);
                } else {
                    prop_assert_eq!(had, 3);
                }
                prop_assert!(seats[usize::from(who)].len() <= 3);
            }
            drop(seats);
            prop_assert!(crowd.here().is_empty());
        }
    }
}
