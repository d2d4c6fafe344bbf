//! Signing in that is under way: one sealed record for each account, which only whoever signs in can read.

use std::fmt::Display;

use domain::secret::ExposeSecret;
use domain::{AccountName, SecretText, Timestamp};
use rusqlite::{Row, params};

use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::point::{self, Point};
use crate::vault::Vault;
use crate::write::{Transaction, Write};

const TABLE: &str = "telegram_logins";

/// A login under way.
#[derive(Debug, Clone)]
pub struct StoredLogin {
    /// The account.
    pub account: AccountName,
    /// Everything about it: holds a key and what Telegram gave for it, so it is sealed.
    pub record: SecretText,
}

pub(super) struct SaveLogin {
    account: AccountName,
    sealed: Vec<u8>,
    at: Timestamp,
}

impl SaveLogin {
    pub(super) fn new(login: &StoredLogin, vault: &Vault, at: Timestamp) -> Result<Self, StoreError> {
        let sealed = vault
            .seal(TABLE, login.account.as_str(), login.record.expose_secret().as_bytes())
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        Ok(Self { account: login.account.clone(), sealed, at })
    }
}

impl Write for SaveLogin {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_LOGIN);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let row = params![self.account.as_str(), self.sealed, self.at.as_micros()];
        transaction.execute(sql::SAVE_LOGIN, row)?;
        Ok(())
    }
}

pub(super) struct ForgetLogin(pub(super) AccountName);

impl Write for ForgetLogin {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::FORGET_LOGIN);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        Ok(transaction.execute(sql::FORGET_LOGIN, [self.0.as_str()])? > 0)
    }
}

/// A login as it lies in its table.
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
