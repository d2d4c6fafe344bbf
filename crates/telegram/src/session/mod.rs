//! A session as it is connected with: one key, its data centre, and where that is.

mod keyring;
mod source;

pub(crate) use keyring::{Claims, Holder, Key, KeyTrouble, Keyring};
pub(crate) use source::Source;

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError, RwLock};

use domain::Secret;
use domain::secret::ExposeSecret;
use grammers_session::SessionData;
use store::KeyFingerprint;

use crate::wire::Learned;

/// An auth key: whoever has it is the account.
pub(crate) type AuthKey = Secret<[u8; 256]>;

/// A key that is signed in, and the data centre that knows it.
pub(crate) struct SignedIn {
    pub(crate) dc_id: i32,
    pub(crate) key: AuthKey,
    /// Whose it is, if the file tells.
    pub(crate) user_id: Option<i64>,
}

impl SignedIn {
    /// The same once more.
    pub(crate) fn copy(&self) -> Self {
        let key = Secret::new(Box::new(*self.key.expose_secret()));
        Self { dc_id: self.dc_id, key, user_id: self.user_id }
    }

    /// What tells this key from others without showing it.
    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        KeyFingerprint::of(self.key.expose_secret())
    }
}

/// The data centre that clients begin with.
const USUAL: i32 = 2;

/// Where the data centres are: Telegram's own addresses, or those of the settings and no others.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    configured: Vec<(i32, SocketAddr)>,
}

impl Addresses {
    pub(crate) fn new(configured: Vec<(i32, SocketAddr)>) -> Self {
        Self { configured }
    }

    /// Whether the settings name addresses, so that nobody else may.
    fn are_fixed(&self) -> bool {
        !self.configured.is_empty()
    }

    /// The data centre to begin with when nothing tells which one knows a person.
    pub(crate) fn first(&self) -> i32 {
        let known = |dc_id: &i32| self.configured.iter().any(|(id, _)| id == dc_id);
        let first = self.configured.first().map_or(USUAL, |(id, _)| *id);
        if known(&USUAL) { USUAL } else { first }
    }

    /// Where a data centre is.
    pub(crate) fn of(&self, dc_id: i32) -> Option<SocketAddr> {
        if self.are_fixed() {
            return self.configured.iter().find(|(id, _)| *id == dc_id).map(|(_, address)| *address);
        }
        SessionData::default().dc_options.get(&dc_id).map(|option| option.ipv4.into())
    }
}

/// The data centre of a key: where it is, and what connections to it learned.
pub(crate) struct Place {
    address: RwLock<SocketAddr>,
    /// The settings say so, and nobody else may.
    fixed: bool,
    learned: Mutex<Option<Learned>>,
}

impl Place {
    /// `None` when no address of this data centre is known.
    pub(crate) fn of(dc_id: i32, addresses: &Addresses) -> Option<Self> {
        let address = RwLock::new(addresses.of(dc_id)?);
        Some(Self { address, fixed: addresses.are_fixed(), learned: Mutex::default() })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        *self.address.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the connections before learned of it, if there were any.
    pub(crate) fn learned(&self) -> Option<Learned> {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next connection need not learn it again.
    pub(crate) fn learn(&self, learned: Learned) {
        *self.learned.lock().unwrap_or_else(PoisonError::into_inner) = Some(learned);
    }

    /// Telegram says that it is elsewhere from now on.
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
        let place = Place::of(2, &fixed()).expect("an address");
        place.moved_to("203.0.113.7:443".parse().expect("an address"));
        assert_eq!(place.address(), "127.0.0.1:5097".parse().expect("an address"));
    }

    #[test]
    fn telegram_may_move_its_own_centres() {
        let place = Place::of(2, &Addresses::default()).expect("an address");
        assert_eq!(place.address().port(), 443);
        let elsewhere = "203.0.113.7:443".parse().expect("an address");
        place.moved_to(elsewhere);
        assert_eq!(place.address(), elsewhere);
    }

    #[test]
    fn a_centre_without_an_address_has_no_place() {
        assert!(Place::of(4, &fixed()).is_none());
        assert!(Place::of(9, &Addresses::default()).is_none());
    }
}
