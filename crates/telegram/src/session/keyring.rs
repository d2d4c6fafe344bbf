//! Getting hold of a key, and making sure that no two lines have the same one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};

use domain::account::Reason;
use domain::secret::ExposeSecret;
use domain::{AccountName, Secret};
use store::KeyFingerprint;

use super::{Addresses, AuthKey, KeySession, SignedIn, Source, source};

/// A key in the form that is connected with.
pub(crate) struct Key {
    session: Arc<KeySession>,
    signed_in: SignedIn,
    use_ipv6: bool,
}

/// Why a line has no key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyTrouble {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
}

impl Key {
    pub(crate) fn session(&self) -> Arc<KeySession> {
        Arc::clone(&self.session)
    }

    pub(crate) fn dc_id(&self) -> i32 {
        self.signed_in.dc_id
    }

    pub(crate) fn use_ipv6(&self) -> bool {
        self.use_ipv6
    }

    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        self.signed_in.fingerprint()
    }

    /// A copy for the store, which seals it.
    pub(crate) fn copy(&self) -> AuthKey {
        Secret::new(Box::new(*self.signed_in.key.expose_secret()))
    }

    /// Whose the session file says it is.
    pub(crate) fn user_id(&self) -> Option<i64> {
        self.signed_in.user_id
    }
}

/// Which line has which key. One key on two connections ends the session, so each is given out once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<HashMap<KeyFingerprint, (AccountName, usize)>>>);

impl Claims {
    /// Claims a key for a line, or tells who has it.
    fn claim(
        &self,
        key: KeyFingerprint,
        account: &AccountName,
        line: usize,
    ) -> Result<(), (AccountName, usize)> {
        let mut claims = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A line has one key: a new one sets the old one free.
        claims.retain(|fingerprint, owner| *fingerprint == key || (&owner.0, owner.1) != (account, line));
        match claims.entry(key) {
            Entry::Vacant(free) => {
                free.insert((account.clone(), line));
                Ok(())
            }
            Entry::Occupied(taken) if (&taken.get().0, taken.get().1) == (account, line) => Ok(()),
            Entry::Occupied(taken) => Err(taken.get().clone()),
        }
    }
}

/// Where a line gets its key from, now and when it is started over.
pub(crate) struct Keyring {
    pub(crate) account: AccountName,
    pub(crate) line: usize,
    pub(crate) source: Source,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) claims: Claims,
}

impl Keyring {
    /// Reads the key.
    pub(crate) async fn read(&self) -> Result<Arc<Key>, KeyTrouble> {
        let source = self.source.clone();
        let loaded = tokio::task::spawn_blocking(move || source::load(&source)).await;
        match loaded {
            Ok(Ok(signed_in)) => self.take(signed_in),
            Ok(Err(none)) => Err(KeyTrouble { reason: Reason::NoSession, detail: none.to_string() }),
            Err(_) => Err(KeyTrouble {
                reason: Reason::NoSession,
                detail: "the session could not be read".to_owned(),
            }),
        }
    }

    fn take(&self, signed_in: SignedIn) -> Result<Arc<Key>, KeyTrouble> {
        let other = |detail| KeyTrouble { reason: Reason::Other, detail };
        if let Err((account, _)) = self.claims.claim(signed_in.fingerprint(), &self.account, self.line) {
            let twice = "this session is named twice in this account; name both purposes in one place";
            let used = || format!("this session is used by account {account} already");
            return Err(other(if account == self.account { twice.to_owned() } else { used() }));
        }
        let session = KeySession::new(&signed_in, &self.addresses).ok_or_else(|| {
            other(format!("the settings name no address for data centre {}", signed_in.dc_id))
        })?;
        let use_ipv6 = self.addresses.is_ipv6(signed_in.dc_id);
        Ok(Arc::new(Key { session: Arc::new(session), signed_in, use_ipv6 }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring(account: &str, claims: &Claims, key: u8) -> Result<Arc<Key>, KeyTrouble> {
        let keyring = Keyring {
            account: account.parse().expect("a name"),
            line: 0,
            source: Source::Text("".into()),
            addresses: Arc::default(),
            claims: claims.clone(),
        };
        keyring.take(SignedIn { dc_id: 2, key: Secret::new(Box::new([key; 256])), user_id: None })
    }

    #[test]
    fn a_key_is_given_out_once() {
        let claims = Claims::default();
        assert!(keyring("main", &claims, 1).is_ok());
        assert!(keyring("main", &claims, 1).is_ok());
        let trouble = keyring("backup", &claims, 1).err().expect("taken");
        assert_eq!((trouble.reason, trouble.detail.contains("main")), (Reason::Other, true));
        assert!(keyring("main", &claims, 2).is_ok());
        assert!(keyring("backup", &claims, 1).is_ok());
    }
}
