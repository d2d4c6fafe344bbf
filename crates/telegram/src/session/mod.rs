//! The session as the protocol library sees it: one key, its data centre, and where that is.

mod keyring;
mod source;

pub(crate) use keyring::{Claims, Holder, Key, KeyTrouble, Keyring};
pub(crate) use source::Source;

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::{PoisonError, RwLock};

use domain::Secret;
use domain::secret::ExposeSecret;
use grammers_session::types::{DcOption, PeerId, PeerInfo, UpdateState, UpdatesState};
use grammers_session::{BoxFuture, Session, SessionData};
use store::KeyFingerprint;

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

    fn options(&self) -> HashMap<i32, DcOption> {
        if !self.are_fixed() {
            return SessionData::default().dc_options;
        }
        let option = |&(id, address): &(i32, SocketAddr)| {
            let (ipv4, ipv6) = both(address);
            (id, DcOption { id, ipv4, ipv6, auth_key: None })
        };
        self.configured.iter().map(option).collect()
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

    /// Whether this data centre can only be reached over IPv6.
    pub(crate) fn is_ipv6(&self, dc_id: i32) -> bool {
        self.configured.iter().any(|(id, address)| *id == dc_id && address.is_ipv6())
    }
}

/// One address in both forms; the one that is not there is the unspecified one.
fn both(address: SocketAddr) -> (SocketAddrV4, SocketAddrV6) {
    match address {
        SocketAddr::V4(ipv4) => (ipv4, SocketAddrV6::new(ipv4.ip().to_ipv6_mapped(), ipv4.port(), 0, 0)),
        SocketAddr::V6(ipv6) => (SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0), ipv6),
    }
}

/// One signed-in key in the form the library asks for. Never lets its key be replaced.
pub(crate) struct KeySession {
    home: i32,
    fixed: bool,
    options: RwLock<HashMap<i32, DcOption>>,
}

/// What the library may not do with a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The data centre does not know the key, and a new one would sign the account out for good.
    #[error("the key of a signed-in account is not replaced")]
    OtherKey,
    /// The data centre of a session belongs to its key.
    #[error("a session does not move to another data centre")]
    OtherHome,
}

impl KeySession {
    /// `None` when there is no address for its data centre.
    pub(crate) fn new(signed_in: &SignedIn, addresses: &Addresses) -> Option<Self> {
        let mut options = addresses.options();
        options.get_mut(&signed_in.dc_id)?.auth_key = Some(*signed_in.key.expose_secret());
        Some(Self { home: signed_in.dc_id, fixed: addresses.are_fixed(), options: RwLock::new(options) })
    }

    fn set(&self, new: &DcOption) -> Result<(), Refused> {
        let mut options = self.options.write().unwrap_or_else(PoisonError::into_inner);
        match options.get_mut(&new.id) {
            Some(known) => {
                if new.id == self.home && known.auth_key != new.auth_key {
                    return Err(Refused::OtherKey);
                }
                known.auth_key = new.auth_key;
                if !self.fixed && usable(new) {
                    (known.ipv4, known.ipv6) = (new.ipv4, new.ipv6);
                }
            }
            None if self.fixed => {}
            None => {
                options.insert(new.id, new.clone());
            }
        }
        Ok(())
    }
}

/// An address that can be connected to; the other kind would replace a good one.
fn usable(option: &DcOption) -> bool {
    let ipv4 = option.ipv4.port() != 0 && !option.ipv4.ip().is_unspecified();
    let ipv6 = option.ipv6.port() != 0 && *option.ipv6.ip() != Ipv6Addr::UNSPECIFIED;
    ipv4 && ipv6
}

impl Session for KeySession {
    type Error = Refused;

    fn home_dc_id(&self) -> Result<i32, Refused> {
        Ok(self.home)
    }

    fn set_home_dc_id(&self, dc_id: i32) -> BoxFuture<'_, Result<(), Refused>> {
        let answer = if dc_id == self.home { Ok(()) } else { Err(Refused::OtherHome) };
        Box::pin(std::future::ready(answer))
    }

    fn dc_option(&self, dc_id: i32) -> Result<Option<DcOption>, Refused> {
        Ok(self.options.read().unwrap_or_else(PoisonError::into_inner).get(&dc_id).cloned())
    }

    fn set_dc_option(&self, dc_option: &DcOption) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(std::future::ready(self.set(dc_option)))
    }

    // Peers and update state are the account's, not the session's: they live in the dialog cache and the store.

    fn peer(&self, _peer: PeerId) -> BoxFuture<'_, Result<Option<PeerInfo>, Refused>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn cache_peer(&self, _peer: PeerInfo) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn updates_state(&self) -> BoxFuture<'_, Result<UpdatesState, Refused>> {
        Box::pin(std::future::ready(Ok(UpdatesState::default())))
    }

    fn set_update_state(&self, _update: UpdateState) -> BoxFuture<'_, Result<(), Refused>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signed_in(dc_id: i32) -> SignedIn {
        SignedIn { dc_id, key: Secret::new(Box::new([7; 256])), user_id: None }
    }

    fn fixed() -> Addresses {
        Addresses::new(vec![(2, "127.0.0.1:5097".parse().expect("an address"))])
    }

    #[test]
    fn the_key_of_a_signed_in_account_is_never_replaced() {
        for addresses in [fixed(), Addresses::default()] {
            let session = KeySession::new(&signed_in(2), &addresses).expect("an address");
            let mut option = session.dc_option(2).expect("readable").expect("known");
            assert_eq!(session.set(&option), Ok(()));
            option.auth_key = Some([8; 256]);
            assert_eq!(session.set(&option), Err(Refused::OtherKey));
            option.auth_key = None;
            assert_eq!(session.set(&option), Err(Refused::OtherKey));
            assert_eq!(session.dc_option(2).expect("readable").expect("known").auth_key, Some([7; 256]));
        }
    }

    #[test]
    fn configured_addresses_stay() {
        let session = KeySession::new(&signed_in(2), &fixed()).expect("an address");
        let mut option = session.dc_option(2).expect("readable").expect("known");
        option.ipv4 = "203.0.113.7:443".parse().expect("an address");
        assert_eq!(session.set(&option), Ok(()));
        let kept = session.dc_option(2).expect("readable").expect("known");
        assert_eq!(kept.ipv4, "127.0.0.1:5097".parse().expect("an address"));
        option.id = 4;
        assert_eq!(session.set(&option), Ok(()));
        assert_eq!(session.dc_option(4), Ok(None));
    }

    #[test]
    fn telegram_may_move_its_own_centres_but_not_into_nowhere() {
        let session = KeySession::new(&signed_in(2), &Addresses::default()).expect("an address");
        let known = session.dc_option(2).expect("readable").expect("known");
        let mut option = known.clone();
        option.ipv4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);
        assert_eq!(session.set(&option), Ok(()));
        assert_eq!(session.dc_option(2), Ok(Some(known.clone())));
        option.ipv4 = "203.0.113.7:443".parse().expect("an address");
        assert_eq!(session.set(&option), Ok(()));
        assert_eq!(session.dc_option(2).expect("readable").expect("known").ipv4, option.ipv4);
    }

    #[test]
    fn a_centre_without_an_address_has_no_session() {
        assert!(KeySession::new(&signed_in(4), &fixed()).is_none());
        assert!(KeySession::new(&signed_in(9), &Addresses::default()).is_none());
    }
}
