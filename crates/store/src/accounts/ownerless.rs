//! Sessions that belong to no account: found, replaced or left over, and kept so that none that is alive gets lost.

use domain::secret::ExposeSecret;
use domain::{Secret, Timestamp};

use super::sessions::{KeyFingerprint, SelfUser, open_key};
use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::vault::{Sealed, Vault};
use crate::write::Transaction;

const TABLE: &str = "telegram_ownerless_sessions";

/// A session without an account.
#[derive(Debug)]
pub struct OwnerlessSession {
    /// Which key it is.
    pub fingerprint: KeyFingerprint,
    /// The data centre that knows the key.
    pub dc_id: i32,
    /// The key.
    pub auth_key: Secret<[u8; 256]>,
    /// Who is signed in, according to Telegram.
    pub user: Option<SelfUser>,
    /// Where it came from, in words.
    pub origin: String,
}

/// The same as stored in its table.
pub(super) struct SealedOwnerless {
    fingerprint: KeyFingerprint,
    dc_id: i32,
    sealed: Sealed,
    user: Option<SelfUser>,
    origin: String,
}

impl SealedOwnerless {
    pub(super) fn new(session: &OwnerlessSession, vault: &Vault) -> Result<Self, StoreError> {
        let row = session.fingerprint.to_string();
        let sealed = vault
            .seal(TABLE, &row, session.auth_key.expose_secret())
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self {
            fingerprint: session.fingerprint,
            dc_id: session.dc_id,
            sealed,
            user: session.user.clone(),
            origin: session.origin.clone(),
        })
    }

    pub(super) fn open(self, vault: &Vault) -> Result<OwnerlessSession, StoreError> {
        let Self { fingerprint, dc_id, sealed, user, origin } = self;
        let auth_key = open_key(vault, TABLE, &fingerprint.to_string(), &sealed)?;
        Ok(OwnerlessSession { fingerprint, dc_id, auth_key, user, origin })
    }

    pub(super) fn save(&self, transaction: &Transaction<'_>, at: Timestamp) -> Result<(), StoreError> {
        let user = self.user.as_ref();
        transaction.run(
            sql::SAVE_OWNERLESS,
            params![
                self.fingerprint.0,
                self.dc_id,
                self.sealed,
                user.map(|user| user.user_id.get()),
                user.and_then(|user| user.username.as_deref()),
                user.map(|user| user.display_name.as_str()),
                self.origin,
                at.as_micros(),
            ],
        )?;
        Ok(())
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<SealedOwnerless, StoreError> {
    let columns = Columns::new(row, TABLE);
    let user = match columns.maybe_user_id(3)? {
        None => None,
        Some(user_id) => Some(SelfUser {
            user_id,
            username: columns.get(4)?,
            display_name: columns.get::<Option<String>>(5)?.unwrap_or_default(),
        }),
    };
    Ok(SealedOwnerless {
        fingerprint: KeyFingerprint(columns.get(0)?),
        dc_id: columns.get(1)?,
        sealed: columns.get(2)?,
        user,
        origin: columns.get(6)?,
    })
}
