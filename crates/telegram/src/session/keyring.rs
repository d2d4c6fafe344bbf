//! Getting hold of a key, and making sure that no two lines have the same one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use ambient::Clock;
use domain::account::Reason;
use domain::secret::ExposeSecret;
use domain::{AccountName, Secret, UserId};
use grammers_session::updates::UpdatesLike;
use mtproto::{Addresses, Application, AuthKey, Connection, DataCentre};
use session_files::Reader;
use store::KeyFingerprint;

use super::{SignedIn, Source, source};

use ambient::lock::Mutex;

/// A key in the form that is connected with.
pub(crate) struct Key {
    centre: Arc<DataCentre>,
    signed_in: SignedIn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyTrouble {
    pub(crate) reason: Reason,
    pub(crate) detail: String,
}

impl Key {
    /// A key that no line has; `None` when there is no address for its data centre.
    pub(crate) fn apart(signed_in: SignedIn, addresses: &Addresses) -> Option<Self> {
        let centre = Arc::new(DataCentre::of(signed_in.dc_id, addresses)?);
        Some(Self { centre, signed_in })
    }

    /// Prepares a connection with it; see [`Connection::open`].
    pub(crate) fn connect(
        &self,
        application: &Application,
        clock: &Clock,
        observer: impl FnMut(&UpdatesLike, &mut dyn FnMut()) + Send + 'static,
        arrived: impl FnMut(UpdatesLike) + Send + 'static,
    ) -> Connection {
        Connection::open(Arc::clone(&self.centre), &self.signed_in.key, application, clock, observer, arrived)
    }

    pub(crate) fn dc_id(&self) -> i32 {
        self.signed_in.dc_id
    }

    pub(crate) fn fingerprint(&self) -> KeyFingerprint {
        self.signed_in.fingerprint()
    }

    /// A copy for the store, which seals it.
    pub(crate) fn copy(&self) -> AuthKey {
        Secret::new(Box::new(*self.signed_in.key.expose_secret()))
    }

    pub(crate) fn user_id(&self) -> Option<UserId> {
        self.signed_in.user_id
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holder {
    Line(AccountName, usize),
    /// An import, which asks whose it is.
    Import,
}

/// Who has which key. One key on two connections ends the session, so each is given out once.
#[derive(Debug, Clone, Default)]
pub(crate) struct Claims(Arc<Mutex<HashMap<KeyFingerprint, Holder>>>);

/// A key that an import has, until this is dropped.
#[derive(Debug)]
pub(crate) struct ImportClaim {
    claims: Claims,
    key: KeyFingerprint,
}

impl Drop for ImportClaim {
    fn drop(&mut self) {
        self.claims.0.lock().remove(&self.key);
    }
}

impl Claims {
    pub(crate) fn owner(&self, key: KeyFingerprint) -> Option<Holder> {
        self.0.lock().get(&key).cloned()
    }

    pub(crate) fn release(&self, account: &AccountName, line: usize) {
        let mut claims = self.0.lock();
        let own = Holder::Line(account.clone(), line);
        claims.retain(|_, owner| *owner != own);
    }

    /// Claims a key for as long as it is asked whose it is; nothing when someone has it.
    pub(crate) fn ask(&self, key: KeyFingerprint) -> Option<ImportClaim> {
        match self.0.lock().entry(key) {
            Entry::Vacant(free) => {
                free.insert(Holder::Import);
                Some(ImportClaim { claims: self.clone(), key })
            }
            Entry::Occupied(_) => None,
        }
    }

    fn claim(&self, key: KeyFingerprint, account: &AccountName, line: usize) -> Result<(), Holder> {
        let mut claims = self.0.lock();
        let own = Holder::Line(account.clone(), line);
        // A line has one key: a new one sets the old one free.
        claims.retain(|fingerprint, owner| *fingerprint == key || *owner != own);
        match claims.entry(key) {
            Entry::Vacant(free) => {
                free.insert(own);
                Ok(())
            }
            Entry::Occupied(taken) if *taken.get() == own => Ok(()),
            Entry::Occupied(taken) => Err(taken.get().clone()),
        }
    }
}

/// Where a line gets its key from, now and when it is started over.
pub(crate) struct Keyring {
    pub(crate) account: AccountName,
    pub(crate) line: usize,
    pub(crate) source: Source,
    pub(crate) reader: Reader,
    pub(crate) addresses: Arc<Addresses>,
    pub(crate) claims: Claims,
    /// What is known of the data centre of the key that was read last.
    pub(crate) cached_centre: Mutex<Option<(KeyFingerprint, Arc<DataCentre>)>>,
}

impl Keyring {
    pub(crate) async fn read(&self) -> Result<Arc<Key>, KeyTrouble> {
        let (source, reader) = (self.source.clone(), self.reader.clone());
        let loaded = tokio::task::spawn_blocking(move || source::load(&source, &reader)).await;
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
        if let Err(holder) = self.claims.claim(signed_in.fingerprint(), &self.account, self.line) {
            return Err(other(match holder {
                Holder::Line(account, _) if account == self.account => {
                    "this session is named twice in this account; name both purposes in one place".to_owned()
                }
                Holder::Line(account, _) => format!("this session is used by account {account} already"),
                Holder::Import => {
                    "an import asks whose this session is; restart the account when it has ended".to_owned()
                }
            }));
        }
        let (dc_id, fingerprint) = (signed_in.dc_id, signed_in.fingerprint());
        let mut cached = self.cached_centre.lock();
        let centre = DataCentre::of(dc_id, &self.addresses)
            .ok_or_else(|| other(format!("the settings name no address for data centre {dc_id}")))?;
        let centre = match cached.as_ref() {
            Some((key, before)) if *key == fingerprint => Arc::new(centre.continuing(before)),
            _ => Arc::new(centre),
        };
        *cached = Some((fingerprint, Arc::clone(&centre)));
        Ok(Arc::new(Key { centre, signed_in }))
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
            reader: Reader::default(),
            addresses: Arc::default(),
            claims: claims.clone(),
            cached_centre: Mutex::default(),
        };
        keyring.take(SignedIn { dc_id: 2, key: Secret::new(Box::new([key; 256])), user_id: None })
    }

    #[test]
    fn a_key_under_import_is_claimed_exclusively() {
        let claims = Claims::default();
        let key = SignedIn { dc_id: 2, key: Secret::new(Box::new([1; 256])), user_id: None }.fingerprint();
        let asking = claims.ask(key).expect("free");
        assert!(claims.ask(key).is_none());
        let trouble = keyring("main", &claims, 1).err().expect("taken");
        assert!(trouble.detail.contains("import"), "{}", trouble.detail);
        drop(asking);
        assert!(keyring("main", &claims, 1).is_ok());
        assert!(claims.ask(key).is_none());
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
