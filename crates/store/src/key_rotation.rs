//! Another master key in the place of the one that is used, while the store is worked on.
//!
//! The next key is beside the file of the present one (`master.key.next`) until every field is sealed with it. A program that
//! is killed meanwhile opens with both and goes on: see [`Store::rotate_master_key`].

use std::time::Duration;

use hex::encode as hex;
use uuid::Uuid;

use crate::campaigns::{profiles, proxies};
use crate::channels::values;
use crate::column::Columns;
use crate::database::{Connection, OwnedValue, Row, params};
use crate::opening::{self, KEY_CHECK, NEXT_KEY_CHECK};
use crate::vault::{KeyId, Sealed, Vault, VaultError};
use crate::write::Transaction;
use crate::{MasterKeyError, Store, StoreError, point};

/// Fields that are sealed again in one write.
const PIECE: u32 = 100;
/// How often is looked whether what was sealed before is written.
const LOOK: Duration = Duration::from_millis(5);
/// No write takes longer to begin.
const OUTSTANDING: Duration = Duration::from_secs(30);

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct KeyRotation {
    /// Fields that were sealed again.
    pub fields: u64,
}

/// Why the master key is the same as before, or still on its way: then both keys are kept, and the next attempt goes on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRotationError {
    /// It is not in a file that this program may write.
    #[error(
        "the master key is given from outside (SWITCHBOARD_MASTER_KEY or a credential), where this program cannot write: \
         put it into master.key in the data directory (mode 0600), start the server without the other, rotate it, and take \
         the new one out again"
    )]
    Given,
    /// Another one is under way.
    #[error(
        "the master key is being rotated already, or a backup is being made; try again when that is done"
    )]
    Busy,
    /// Something that was sealed before is not written yet.
    #[error("a secret is still being written with the old key; try again")]
    Outstanding,
    /// A key cannot be read or written.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// The store does not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) mod statements {
    //! The statements that find fields by the key they were sealed with, and replace them.

    use crate::statement::statements;

    statements! {
        API_HASHES = "SELECT name, api_hash FROM telegram_accounts WHERE substr(api_hash, 2, 4) = $1 LIMIT $2";
        SET_API_HASH = "UPDATE telegram_accounts SET api_hash = $1 WHERE name = $2 AND api_hash = $3";
        PHONES = "SELECT name, phone FROM telegram_accounts WHERE substr(phone, 2, 4) = $1 LIMIT $2";
        SET_PHONE = "UPDATE telegram_accounts SET phone = $1 WHERE name = $2 AND phone = $3";
        PROXIES = "SELECT name, proxy FROM telegram_accounts WHERE substr(proxy, 2, 4) = $1 LIMIT $2";
        SET_PROXY = "UPDATE telegram_accounts SET proxy = $1 WHERE name = $2 AND proxy = $3";
        SESSIONS = "
            SELECT account, auth_key, fingerprint FROM telegram_sessions WHERE substr(auth_key, 2, 4) = $1 LIMIT $2";
        SET_SESSION = "UPDATE telegram_sessions SET auth_key = $1 WHERE account = $2 AND auth_key = $3";
        OWNERLESS = "
            SELECT fingerprint, auth_key FROM telegram_ownerless_sessions
            WHERE substr(auth_key, 2, 4) = $1 LIMIT $2";
        SET_OWNERLESS = "
            UPDATE telegram_ownerless_sessions SET auth_key = $1 WHERE fingerprint = $2 AND auth_key = $3";
        LOGINS = "SELECT account, record FROM telegram_logins WHERE substr(record, 2, 4) = $1 LIMIT $2";
        SET_LOGIN = "UPDATE telegram_logins SET record = $1 WHERE account = $2 AND record = $3";
        PASSWORDS = "SELECT name, password FROM users WHERE substr(password, 2, 4) = $1 LIMIT $2";
        SET_PASSWORD = "UPDATE users SET password = $1 WHERE name = $2 AND password = $3";
        FACTORS = "SELECT name, factor FROM users WHERE substr(factor, 2, 4) = $1 LIMIT $2";
        SET_FACTOR = "UPDATE users SET factor = $1 WHERE name = $2 AND factor = $3";
        OFFERED = "SELECT name, offered FROM users WHERE substr(offered, 2, 4) = $1 LIMIT $2";
        SET_OFFERED = "UPDATE users SET offered = $1 WHERE name = $2 AND offered = $3";
        TARGETS = "SELECT name, record FROM alert_targets WHERE substr(record, 2, 4) = $1 LIMIT $2";
        SET_TARGET = "UPDATE alert_targets SET record = $1 WHERE name = $2 AND record = $3";
        WEBHOOKS = "SELECT id, record FROM webhooks WHERE substr(record, 2, 4) = $1 LIMIT $2";
        SET_WEBHOOK = "UPDATE webhooks SET record = $1 WHERE id = $2 AND record = $3";
        PROFILES = "SELECT name, record FROM campaign_profiles WHERE substr(record, 2, 4) = $1 LIMIT $2";
        SET_PROFILE = "UPDATE campaign_profiles SET record = $1 WHERE name = $2 AND record = $3";
        CAMPAIGN_PROXIES = "SELECT name, address FROM campaign_proxies WHERE substr(address, 2, 4) = $1 LIMIT $2";
        SET_CAMPAIGN_PROXY = "UPDATE campaign_proxies SET address = $1 WHERE name = $2 AND address = $3";
        CHANNEL_VALUES = "SELECT channel, value, account, name FROM channel_values WHERE substr(value, 2, 4) = $1 LIMIT $2";
        SET_CHANNEL_VALUE = "UPDATE channel_values SET value = $1 WHERE channel = $2 AND value = $3";
        SAVE_FACT = "
            INSERT INTO store_facts (name, value) VALUES ($1, $2)
            ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        FORGET_FACT = "DELETE FROM store_facts WHERE name = $1";
    }
}
use statements as sql;

/// A column of sealed fields. Each statement that finds them answers the first column of the table's key, the field, and what
/// else names the row.
struct Column {
    /// What its fields are bound to, beside their row.
    bound_to: &'static str,
    find: &'static str,
    set: &'static str,
    row: fn(&Row<'_>) -> Result<String, StoreError>,
}

/// Every column that is sealed.
static COLUMNS: [Column; 14] = [
    Column {
        bound_to: "telegram_accounts",
        find: sql::API_HASHES,
        set: sql::SET_API_HASH,
        row: |row| Ok(format!("{}/api_hash", row.get::<String>(0)?)),
    },
    Column {
        bound_to: "telegram_accounts",
        find: sql::PHONES,
        set: sql::SET_PHONE,
        row: |row| Ok(format!("{}/phone", row.get::<String>(0)?)),
    },
    Column {
        bound_to: "telegram_accounts",
        find: sql::PROXIES,
        set: sql::SET_PROXY,
        row: |row| Ok(format!("{}/proxy", row.get::<String>(0)?)),
    },
    Column {
        bound_to: "telegram_sessions",
        find: sql::SESSIONS,
        set: sql::SET_SESSION,
        row: |row| Ok(format!("{}/{}", row.get::<String>(0)?, hex(row.get::<Vec<u8>>(2)?))),
    },
    Column {
        bound_to: "telegram_ownerless_sessions",
        find: sql::OWNERLESS,
        set: sql::SET_OWNERLESS,
        row: |row| Ok(hex(row.get::<Vec<u8>>(0)?)),
    },
    Column { bound_to: "telegram_logins", find: sql::LOGINS, set: sql::SET_LOGIN, row: |row| row.get(0) },
    Column {
        bound_to: "users.password",
        find: sql::PASSWORDS,
        set: sql::SET_PASSWORD,
        row: |row| row.get(0),
    },
    Column { bound_to: "users.factor", find: sql::FACTORS, set: sql::SET_FACTOR, row: |row| row.get(0) },
    Column { bound_to: "users.factor", find: sql::OFFERED, set: sql::SET_OFFERED, row: |row| row.get(0) },
    Column { bound_to: "alert_targets", find: sql::TARGETS, set: sql::SET_TARGET, row: |row| row.get(0) },
    Column {
        bound_to: "webhooks",
        find: sql::WEBHOOKS,
        set: sql::SET_WEBHOOK,
        row: |row| {
            let id = domain::WebhookId::from_uuid(Uuid::from_bytes(row.get(0)?));
            Ok(id.to_string())
        },
    },
    Column { bound_to: profiles::TABLE, find: sql::PROFILES, set: sql::SET_PROFILE, row: |row| row.get(0) },
    Column {
        bound_to: proxies::TABLE,
        find: sql::CAMPAIGN_PROXIES,
        set: sql::SET_CAMPAIGN_PROXY,
        row: |row| row.get(0),
    },
    Column {
        bound_to: values::TABLE,
        find: sql::CHANNEL_VALUES,
        set: sql::SET_CHANNEL_VALUE,
        row: |row| {
            let (channel, account, name): (String, String, String) = (row.get(0)?, row.get(2)?, row.get(3)?);
            Ok(values::row_name(&channel, &account, &name))
        },
    },
];

/// A field that is to be sealed again.
struct Found {
    key: OwnedValue,
    field: Vec<u8>,
    row: String,
}

impl Store {
    /// Whether a rotation was begun and is not done: the next key is beside the present one.
    pub fn is_rotating_master_key(&self) -> bool {
        let inner = &self.inner;
        inner.master_key.next_file(&inner.location.dir).is_some_and(|file| file.exists())
    }

    /// Makes another master key, seals every field with it and puts its file in the place of the old one, which opens nothing
    /// from then on. An interrupted one continues with the key that it made.
    ///
    /// In this order, so that a program that is killed in between opens everything: the next key is on the disk; the store
    /// names it; it seals; nothing that was sealed before is on its way; each field is sealed again, some in each write; the
    /// store names it as the only one; its file replaces that of the old one.
    ///
    /// # Errors
    /// See [`KeyRotationError`].
    pub async fn rotate_master_key(&self) -> Result<KeyRotation, KeyRotationError> {
        let mut outstanding = self.inner.rotating.try_lock().map_err(|_| KeyRotationError::Busy)?;
        let (vault, master_key) = (&self.inner.vault, &self.inner.master_key);
        let dir = self.inner.location.dir.clone();
        if master_key.file(&dir).is_none() {
            return Err(KeyRotationError::Given);
        }
        point::MAKE_NEXT_KEY.before().await;
        let (key, place) = (master_key.clone(), dir.clone());
        let next = blocking(move || key.make_next(&place)).await?;
        point::MAKE_NEXT_KEY.after().await;

        if Vault::new(&next).sealing() != vault.sealing() {
            let check = sealed(&Vault::new(&next), NEXT_KEY_CHECK)?;
            self.change(point::NAME_NEXT_KEY, move |transaction| {
                transaction.run(sql::SAVE_FACT, params![NEXT_KEY_CHECK, check])
            })
            .await?;
            *outstanding = Some(vault.replace(&next));
        }
        let begun = self.inner.clock.running();
        while outstanding.as_ref().is_some_and(|outstanding| !outstanding.is_over()) {
            if self.inner.clock.running().saturating_sub(begun) > OUTSTANDING {
                return Err(KeyRotationError::Outstanding);
            }
            self.inner.clock.sleep(LOOK).await;
        }
        *outstanding = None;
        let mut fields = 0;
        for before in vault.earlier() {
            for column in &COLUMNS {
                loop {
                    let vault = std::sync::Arc::clone(vault);
                    let done = self.change(point::SEAL_AGAIN, move |transaction| {
                        seal_again(transaction, &vault, column, before)
                    });
                    let done = done.await?;
                    fields += done;
                    if done < u64::from(PIECE) {
                        break;
                    }
                }
            }
        }
        if let Err(error) = self.alerts().mirror_targets().await {
            tracing::warn!(%error, "the targets of alerts are not beside the store as they are in it");
        }
        let (check, earlier) = (sealed(vault, KEY_CHECK)?, vault.earlier());
        self.change(point::ADOPT_KEY, move |transaction| {
            for column in &COLUMNS {
                for before in &earlier {
                    if transaction.first(column.find, params![before, 1_u32], |_| Ok(()))?.is_some() {
                        return Err(StoreError::conflict("store_facts", "a field has the old key"));
                    }
                }
            }
            transaction.run(sql::SAVE_FACT, params![KEY_CHECK, check])?;
            transaction.run(sql::FORGET_FACT, [NEXT_KEY_CHECK])
        })
        .await?;
        point::REPLACE_KEY.before().await;
        let key = master_key.clone();
        blocking(move || key.adopt_next(&dir)).await?;
        point::REPLACE_KEY.after().await;
        Ok(KeyRotation { fields })
    }
}

fn seal_again(
    transaction: &Transaction<'_>,
    vault: &Vault,
    column: &'static Column,
    before: KeyId,
) -> Result<u64, StoreError> {
    let found = transaction.all(column.find, params![before, PIECE], |row| {
        let columns = Columns::new(row, column.bound_to);
        Ok(Found { key: columns.get(0)?, field: columns.get(1)?, row: (column.row)(row)? })
    })?;
    let count = found.len() as u64;
    for Found { key, field, row } in found {
        let again = vault
            .reseal(column.bound_to, &row, &field)
            .map_err(|error| StoreError::corrupt(column.bound_to, "a sealed field", &row, error))?;
        transaction.run(column.set, params![again, key, field])?;
    }
    Ok(count)
}

/// A field that shows which key is used.
fn sealed(vault: &Vault, name: &'static str) -> Result<Sealed, StoreError> {
    let unavailable = |error: VaultError| StoreError::Unavailable(error.to_string());
    vault.seal("store_facts", name, opening::KEY_CHECK_TEXT).map_err(unavailable)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, MasterKeyError> + Send + 'static,
) -> Result<T, KeyRotationError> {
    let done = tokio::task::spawn_blocking(work).await;
    Ok(done.map_err(|error| StoreError::Unavailable(error.to_string()))??)
}

/// Names the key that seals as the next one, where a rotation was begun and the store may not name it yet.
pub(crate) fn name_next(connection: &Connection, vault: &Vault) -> Result<(), StoreError> {
    let check = sealed(vault, NEXT_KEY_CHECK)?;
    connection.execute(sql::SAVE_FACT, params![NEXT_KEY_CHECK, check]).map(drop)
}
