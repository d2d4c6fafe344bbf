//! Sessions: the keys that Telegram knows an account by, sealed at rest.

use std::fmt;
use std::str::FromStr;

use domain::secret::{ExposeSecret, Zeroize};
use domain::{AccountName, Secret, Timestamp, UserId};
use sha2::{Digest, Sha256};

use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::files::statements as files;
use crate::point::{self, Point};
use crate::vault::{Sealed, Vault};
use crate::write::{Transaction, Write};

const TABLE: &str = "telegram_sessions";

/// Which key a session has, without the key: the first 8 bytes of its SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyFingerprint(pub [u8; 8]);

impl KeyFingerprint {
    /// The fingerprint of an authorisation key.
    pub fn of(auth_key: &[u8; 256]) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&Sha256::digest(auth_key)[..8]);
        Self(first)
    }
}

/// A text that is no fingerprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be 16 hexadecimal digits")]
pub struct InvalidFingerprint;

impl FromStr for KeyFingerprint {
    type Err = InvalidFingerprint;

    fn from_str(text: &str) -> Result<Self, InvalidFingerprint> {
        let mut bytes = [0; 8];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| InvalidFingerprint)?;
        Ok(Self(bytes))
    }
}

impl fmt::Display for KeyFingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// The user that a session is signed in as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelfUser {
    /// Telegram's id.
    pub user_id: UserId,
    /// The public name, if any.
    pub username: Option<String>,
    /// The name shown.
    pub display_name: String,
}

/// A session of an account.
#[derive(Debug)]
pub struct StoredSession {
    /// The account.
    pub account: AccountName,
    /// Which key it is.
    pub fingerprint: KeyFingerprint,
    /// The data centre that knows the key.
    pub dc_id: i32,
    /// The key.
    pub auth_key: Secret<[u8; 256]>,
    /// Who is signed in, once known.
    pub user: Option<SelfUser>,
}

impl Clone for StoredSession {
    fn clone(&self) -> Self {
        Self {
            account: self.account.clone(),
            fingerprint: self.fingerprint,
            dc_id: self.dc_id,
            auth_key: Secret::new(Box::new(*self.auth_key.expose_secret())),
            user: self.user.clone(),
        }
    }
}

/// What the sealed key belongs to.
fn row_id(account: &AccountName, fingerprint: KeyFingerprint) -> String {
    format!("{account}/{fingerprint}")
}

pub(super) struct SaveSession {
    account: AccountName,
    fingerprint: KeyFingerprint,
    dc_id: i32,
    sealed: Sealed,
    user: Option<SelfUser>,
    at: Timestamp,
}

impl SaveSession {
    pub(super) fn new(session: &StoredSession, vault: &Vault, at: Timestamp) -> Result<Self, StoreError> {
        let row = row_id(&session.account, session.fingerprint);
        let sealed = vault
            .seal(TABLE, &row, session.auth_key.expose_secret())
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            account: session.account.clone(),
            fingerprint: session.fingerprint,
            dc_id: session.dc_id,
            sealed,
            user: session.user.clone(),
            at,
        })
    }
}

impl Write for SaveSession {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_SESSION);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let user = self.user.as_ref();
        for forget in [files::FORGET_REFERENCES_OF_OTHERS, files::FORGET_UPLOADS_OF_OTHERS] {
            transaction.run(forget, params![self.account.as_str(), self.fingerprint.0])?;
        }
        transaction.run(
            sql::SAVE_SESSION,
            params![
                self.account.as_str(),
                self.fingerprint.0,
                self.dc_id,
                self.sealed,
                user.map(|user| user.user_id.get()),
                user.and_then(|user| user.username.as_deref()),
                user.map(|user| user.display_name.as_str()),
                self.at.as_micros(),
            ],
        )?;
        Ok(())
    }
}

/// A session as stored in its table.
pub(super) struct SealedSession {
    account: AccountName,
    fingerprint: KeyFingerprint,
    dc_id: i32,
    sealed: Sealed,
    user: Option<SelfUser>,
}

impl SealedSession {
    pub(super) fn open(self, vault: &Vault) -> Result<StoredSession, StoreError> {
        let Self { account, fingerprint, dc_id, sealed, user } = self;
        let auth_key = open_key(vault, TABLE, &row_id(&account, fingerprint), &sealed)?;
        Ok(StoredSession { account, fingerprint, dc_id, auth_key, user })
    }
}

/// Opens a key that was sealed in this row.
pub(super) fn open_key(
    vault: &Vault,
    table: &'static str,
    row: &str,
    sealed: &[u8],
) -> Result<Secret<[u8; 256]>, StoreError> {
    let unusable = |what: &dyn fmt::Display| StoreError::corrupt(table, "auth_key", row, what);
    let mut opened = vault.open(table, row, sealed).map_err(|error| unusable(&error))?;
    let mut key = Box::new([0; 256]);
    let right = opened.len() == key.len();
    if right {
        key.copy_from_slice(&opened);
    }
    opened.zeroize();
    if !right {
        return Err(unusable(&"the key has a wrong length"));
    }
    Ok(Secret::new(key))
}

pub(super) fn read(row: &Row<'_>) -> Result<SealedSession, StoreError> {
    let columns = Columns::new(row, TABLE);
    let user = match columns.maybe_user_id(4)? {
        None => None,
        Some(user_id) => Some(SelfUser {
            user_id,
            username: columns.get(5)?,
            display_name: columns.get::<Option<String>>(6)?.unwrap_or_default(),
        }),
    };
    Ok(SealedSession {
        account: columns.account(0)?,
        fingerprint: KeyFingerprint(columns.get(1)?),
        dc_id: columns.get(2)?,
        sealed: columns.get(3)?,
        user,
    })
}
