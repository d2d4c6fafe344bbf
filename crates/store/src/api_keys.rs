//! Keys of the HTTP API: names and scopes in the open, the key itself only as SHA-256.

use std::time::Duration;

use domain::{ApiKeyId, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::column::Columns;
use crate::database::{Row, params};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError, point};

const TABLE: &str = "api_keys";

statements! {
    CREATE = "
        INSERT INTO api_keys (id, hash, name, scopes, created_at, revoked_at, repeats, bootstrap)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 0)";
    FIND = "SELECT id, name, scopes, created_at, revoked_at, repeats FROM api_keys WHERE hash = $1";
    LIST = "SELECT id, name, scopes, created_at, revoked_at, repeats FROM api_keys ORDER BY id";
    REVOKE = "UPDATE api_keys SET revoked_at = $1, bootstrap = 0 WHERE id = $2 AND revoked_at IS NULL";
    EXISTS = "SELECT 1 FROM api_keys WHERE id = $1";
    RETIRE_BOOTSTRAP = "
        UPDATE api_keys SET revoked_at = $1, bootstrap = 0 WHERE bootstrap = 1 AND hash <> $2";
    SAVE_BOOTSTRAP = "
        INSERT INTO api_keys (id, hash, name, scopes, created_at, revoked_at, bootstrap)
        VALUES ($1, $2, $3, $4, $5, NULL, 1)
        ON CONFLICT (hash) DO UPDATE SET
            name = excluded.name, scopes = excluded.scopes, revoked_at = NULL, bootstrap = 1";
}

/// What a key may do.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Send messages.
    Send,
    /// Look at messages and accounts.
    Read,
    /// Everything else.
    Admin,
}

domain::enum_words!(Scope);

/// A key, without the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its public id.
    pub id: ApiKeyId,
    /// Its owner's name for it.
    pub name: String,
    /// What it may do.
    pub scopes: Vec<Scope>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Since when it no longer works.
    pub revoked_at: Option<Timestamp>,
    /// How long the same body from it is a repeat and not a new request; `None` makes every request a new one.
    pub repeats: Option<Duration>,
}

/// The keys' part of a store.
#[derive(Clone, Copy)]
pub struct ApiKeys<'a> {
    pub(crate) store: &'a Store,
}

impl ApiKeys<'_> {
    /// Keeps a new key; `hash` is the SHA-256 of its whole text.
    pub async fn create(&self, key: &ApiKey, hash: [u8; 32]) -> Result<(), StoreError> {
        let repeats = key.repeats.map(|repeats| i64::try_from(repeats.as_micros()).unwrap_or(i64::MAX));
        let row = (
            *key.id.as_uuid().as_bytes(),
            hash,
            key.name.clone(),
            words(&key.scopes),
            key.created_at.as_micros(),
            key.revoked_at.map(Timestamp::as_micros),
            repeats,
        );
        self.store.execute(point::CREATE_KEY, CREATE, row).await.map(drop)
    }

    /// The key with this hash, revoked or not.
    pub async fn find(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.store.first(FIND, [hash], read).await
    }

    /// All keys, the oldest first.
    pub async fn list(&self) -> Result<Vec<ApiKey>, StoreError> {
        self.store.all(LIST, (), read).await
    }

    /// Ends a key. False when it had ended before.
    pub async fn revoke(&self, id: ApiKeyId, at: Timestamp) -> Result<bool, StoreError> {
        self.store
            .change(point::REVOKE_KEY, move |transaction| {
                let key = id.as_uuid().as_bytes();
                if transaction.execute(REVOKE, params![at.as_micros(), key])? > 0 {
                    return Ok(true);
                }
                match transaction.first(EXISTS, [key], |_| Ok(()))? {
                    Some(()) => Ok(false),
                    None => Err(StoreError::not_found(TABLE, format!("there is no key {id}"))),
                }
            })
            .await
    }

    /// Keeps the key that the environment names at start. The one named before it, if it was another, is revoked.
    pub async fn upsert_bootstrap(&self, key: &ApiKey, hash: [u8; 32]) -> Result<(), StoreError> {
        let (id, name, scopes) = (*key.id.as_uuid().as_bytes(), key.name.clone(), words(&key.scopes));
        let created_at = key.created_at.as_micros();
        self.store
            .write(move |transaction: &Transaction<'_>| {
                transaction.run(RETIRE_BOOTSTRAP, params![created_at, hash])?;
                transaction.run(SAVE_BOOTSTRAP, params![id, hash, name, scopes, created_at])
            })
            .await
    }
}

fn read(row: &Row<'_>) -> Result<ApiKey, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(ApiKey {
        id: ApiKeyId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        name: columns.get(1)?,
        scopes: columns
            .word(2, "list of scopes", |words| words.split_terminator(' ').map(Scope::from_word).collect())?,
        created_at: columns.time(3)?,
        revoked_at: columns.maybe_time(4)?,
        repeats: columns.get::<Option<i64>>(5)?.map(|micros| Duration::from_micros(micros.unsigned_abs())),
    })
}

fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}
