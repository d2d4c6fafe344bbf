//! Data centres: where they are, and what connections to one learned for the next.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError, RwLock};

use domain::Secret;
use grammers_session::SessionData;

use crate::wire::Learned;

/// An authorization key. Any holder of it acts as the account.
pub type AuthKey = Secret<[u8; 256]>;

/// The data centre that clients begin with.
const USUAL: i32 = 2;

/// Where the data centres are: Telegram's own addresses, or those of the settings and no others.
#[derive(Debug, Clone, Default)]
pub struct Addresses {
    configured: Vec<(i32, SocketAddr)>,
}

impl Addresses {
    pub fn new(configured: Vec<(i32, SocketAddr)>) -> Self {
        Self { configured }
    }

    /// Whether the settings name addresses, which then are the only ones.
    fn are_fixed(&self) -> bool {
        !self.configured.is_empty()
    }

    /// The data centre to begin with when it is unknown which one knows a person.
    pub fn first(&self) -> i32 {
        let known = |dc_id: &i32| self.configured.iter().any(|(id, _)| id == dc_id);
        let first = self.configured.first().map_or(USUAL, |(id, _)| *id);
        if known(&USUAL) { USUAL } else { first }
    }

    pub fn of(&self, dc_id: i32) -> Option<SocketAddr> {
        if self.are_fixed() {
            return self.configured.iter().find(|(id, _)| *id == dc_id).map(|(_, address)| *address);
        }
        SessionData::default().dc_options.get(&dc_id).map(|option| option.ipv4.into())
    }
}

/// The data centre of one key, shared by its connections one after another.
pub struct DataCentre {
    pub(crate) id: i32,
    address: RwLock<SocketAddr>,
    /// Set by the settings, so that Telegram does not change it.
    fixed: bool,
    learned: Mutex<Option<Learned>>,
}

impl DataCentre {
    /// `None` when no address of this data centre is known.
    pub fn of(id: i32, addresses: &Addresses) -> Option<Self> {
        let address = RwLock::new(addresses.of(id)?);
        Some(Self { id, address, fixed: addresses.are_fixed(), learned: Mutex::default() })
    }

    /// Takes over what the connections before it learned.
    #[must_use]
    pub fn continuing(self, before: &Self) -> Self {
        Self { learned: Mutex::new(before.learned()), ..self }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        *self.address.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the connections before learned of it, if there were any.
    pub(crate) fn learned(&self) -> Option<Learned> {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn learn(&self, learned: Learned) {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = Some(learned);
    }

    /// Takes the address that Telegram names, unless the settings fix it.
    pub(crate) fn moved_to(&self, address: SocketAddr) {
        if !self.fixed {
            *self.address.write().unwrap_or_else(PoisonError::into_inner) = address;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixed() -> Addresses {
        Addresses::new(vec![(2, "127.0.0.1:5097".parse().expect("an address"))])
    }

    #[test]
    fn configured_addresses_stay() {
        let centre = DataCentre::of(2, &fixed()).expect("an address");
        centre.moved_to("203.0.113.7:443".parse().expect("an address"));
        assert_eq!(centre.address(), "127.0.0.1:5097".parse().expect("an address"));
    }

    #[test]
    fn telegram_may_move_its_own_centres() {
        let centre = DataCentre::of(2, &Addresses::default()).expect("an address");
        assert_eq!(centre.address().port(), 443);
        let elsewhere = "203.0.113.7:443".parse().expect("an address");
        centre.moved_to(elsewhere);
        assert_eq!(centre.address(), elsewhere);
    }

    #[test]
    fn a_centre_without_an_address_is_unknown() {
        assert!(DataCentre::of(4, &fixed()).is_none());
        assert!(DataCentre::of(9, &Addresses::default()).is_none());
    }
}
