//! Signing in that is under way: one sealed record for each account, which only the one who signs in can read.

use std::fmt::Display;

use domain::secret::ExposeSecret;
use domain::{AccountName, SecretText};

use crate::StoreError;
use crate::column::Columns;
use crate::database::Row;
use crate::vault::{Sealed, Vault};

const TABLE: &str = "telegram_logins";

/// A login under way.
#[derive(Debug, Clone)]
pub struct StoredLogin {
    /// The account.
    pub account: AccountName,
    /// Everything about it: holds a key and what Telegram gave for it, so it is sealed.
    pub record: SecretText,
}

/// The record of a login, sealed.
pub(super) fn seal(login: &StoredLogin, vault: &Vault) -> Result<Sealed, StoreError> {
    vault
        .seal(TABLE, login.account.as_str(), login.record.expose_secret().as_bytes())
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

/// A login as stored in its table.
pub(super) struct SealedLogin(AccountName, Vec<u8>);

impl SealedLogin {
    pub(super) fn open(self, vault: &Vault) -> Result<StoredLogin, StoreError> {
        let Self(account, sealed) = self;
        let corrupt = |what: &dyn Display| StoreError::corrupt(TABLE, "record", &account, what);
        let plain = vault.open(TABLE, account.as_str(), &sealed).map_err(|error| corrupt(&error))?;
        let record = String::from_utf8(plain).map_err(|_| corrupt(&"it is no text"))?;
        Ok(StoredLogin { record: SecretText::from(record), account })
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<SealedLogin, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(SealedLogin(columns.account(0)?, columns.get(1)?))
}
