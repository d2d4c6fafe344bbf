//! Accounts that were added while the program ran, as their owner described them.

use std::fmt::Display;
use std::num::NonZeroU32;

use domain::account::SendingLimits;
use domain::secret::ExposeSecret;
use domain::{AccountName, KeepRule, SecretText};

use super::statements as sql;
use crate::StoreError;
use crate::column::{Columns, to_json};
use crate::database::{Connection, Row, params};
use crate::vault::{self, Vault};
use crate::write::Transaction;

const TABLE: &str = "telegram_accounts";

/// An account that is not in the settings.
#[derive(Debug, Clone)]
pub struct StoredAccount {
    /// The owner's name for it.
    pub name: AccountName,
    /// Lower numbers are used first.
    pub priority: u16,
    /// Whether it does work that does not name it.
    pub in_pool: bool,
    /// The application's number.
    pub api_id: i32,
    /// The application's secret.
    pub api_hash: SecretText,
    /// The phone number, with the `+`.
    pub phone: Option<SecretText>,
    /// The proxy to connect through, such as `socks5://HOST:PORT`.
    pub proxy: Option<SecretText>,
    /// How many messages it may send.
    pub limits: SendingLimits,
    /// Which messages that come in are kept.
    pub keep: KeepRule,
}

/// The secrets of an account, sealed.
struct Sealed {
    api_hash: vault::Sealed,
    phone: Option<vault::Sealed>,
    proxy: Option<vault::Sealed>,
}

/// What a sealed field belongs to: two fields of one row cannot stand for each other.
fn field(name: &AccountName, field: &str) -> String {
    format!("{name}/{field}")
}

fn seal(
    vault: &Vault,
    name: &AccountName,
    column: &str,
    plain: &SecretText,
) -> Result<vault::Sealed, StoreError> {
    vault
        .seal(TABLE, &field(name, column), plain.expose_secret().as_bytes())
        .map_err(|error| StoreError::Unavailable(error.to_string()))
}

fn open(vault: &Vault, name: &AccountName, column: &str, sealed: &[u8]) -> Result<SecretText, StoreError> {
    let row = field(name, column);
    let corrupt = |what: &dyn Display| StoreError::corrupt(TABLE, column, name, what);
    let plain = vault.open(TABLE, &row, sealed).map_err(|error| corrupt(&error))?;
    let text = String::from_utf8(plain).map_err(|_| corrupt(&"it is no text"))?;
    Ok(SecretText::from(text))
}

/// An account as stored in its table.
pub(super) struct SealedAccount {
    name: AccountName,
    priority: u16,
    in_pool: bool,
    api_id: i32,
    limits: SendingLimits,
    keep: KeepRule,
    sealed: Sealed,
}

impl SealedAccount {
    pub(super) fn new(account: &StoredAccount, vault: &Vault) -> Result<Self, StoreError> {
        let name = &account.name;
        let maybe = |column, plain: &Option<SecretText>| {
            plain.as_ref().map(|plain| seal(vault, name, column, plain)).transpose()
        };
        let sealed = Sealed {
            api_hash: seal(vault, name, "api_hash", &account.api_hash)?,
            phone: maybe("phone", &account.phone)?,
            proxy: maybe("proxy", &account.proxy)?,
        };
        let StoredAccount { priority, in_pool, api_id, limits, .. } = *account;
        let keep = account.keep.clone();
        Ok(Self { name: name.clone(), priority, in_pool, api_id, limits, keep, sealed })
    }

    pub(super) fn open(self, vault: &Vault) -> Result<StoredAccount, StoreError> {
        let Self { name, priority, in_pool, api_id, limits, keep, sealed } = self;
        let maybe = |column, sealed: Option<vault::Sealed>| {
            sealed.map(|sealed| open(vault, &name, column, &sealed)).transpose()
        };
        let (phone, proxy) = (maybe("phone", sealed.phone)?, maybe("proxy", sealed.proxy)?);
        let api_hash = open(vault, &name, "api_hash", &sealed.api_hash)?;
        Ok(StoredAccount { name, priority, in_pool, api_id, api_hash, phone, proxy, limits, keep })
    }
}

impl SealedAccount {
    /// Adds it. False when its name is taken.
    pub(super) fn add(&self, transaction: &Transaction<'_>, at: i64) -> Result<bool, StoreError> {
        let Self { name, priority, in_pool, api_id, limits, keep, sealed } = self;
        let row = params![
            name.as_str(),
            priority,
            in_pool,
            api_id,
            sealed.api_hash,
            sealed.phone,
            sealed.proxy,
            limits.per_hour.map(NonZeroU32::get),
            limits.per_day.map(NonZeroU32::get),
            to_json(TABLE, keep)?,
            at,
        ];
        Ok(transaction.execute(sql::ADD_ACCOUNT, row)? > 0)
    }

    /// Describes it again. False when there is none of this name.
    pub(super) fn change(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let Self { name, priority, in_pool, api_id, limits, keep, sealed } = self;
        let row = params![
            name.as_str(),
            priority,
            in_pool,
            api_id,
            sealed.api_hash,
            sealed.phone,
            sealed.proxy,
            limits.per_hour.map(NonZeroU32::get),
            limits.per_day.map(NonZeroU32::get),
            to_json(TABLE, keep)?,
        ];
        Ok(transaction.execute(sql::CHANGE_ACCOUNT, row)? > 0)
    }
}

pub(super) fn read(row: &Row<'_>) -> Result<SealedAccount, StoreError> {
    let columns = Columns::new(row, TABLE);
    let limit = |index| columns.get::<Option<u32>>(index).map(|limit| limit.and_then(NonZeroU32::new));
    Ok(SealedAccount {
        name: columns.account(0)?,
        priority: columns.get(1)?,
        in_pool: columns.get(2)?,
        api_id: columns.get(3)?,
        limits: SendingLimits { per_hour: limit(7)?, per_day: limit(8)? },
        keep: columns.maybe_json(9)?.unwrap_or_default(),
        sealed: Sealed { api_hash: columns.get(4)?, phone: columns.get(5)?, proxy: columns.get(6)? },
    })
}

/// Messages and operations that are bound to an account and are not over.
pub(super) fn open_work(connection: &Connection, name: &AccountName) -> Result<u64, StoreError> {
    let count = |sql| connection.first(sql, [name.as_str()], |row| Columns::new(row, TABLE).count(0));
    Ok(count(sql::OPEN_MESSAGES)?.unwrap_or(0) + count(sql::OPEN_OPERATIONS)?.unwrap_or(0))
}
