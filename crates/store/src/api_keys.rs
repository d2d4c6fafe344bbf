//! Keys of the HTTP API: names and scopes in the open, the key itself only as SHA-256.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use domain::{ApiKeyId, KeyLimits, RequestRate, Timestamp};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::column::{Columns, to_json};
use crate::database::{Row, params};
use crate::deferred::Deferred;
use crate::statement::statements;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError, point};

const TABLE: &str = "api_keys";

statements! {
    CREATE = "
        INSERT INTO api_keys (id, hash, name, scopes, created_at, revoked_at, repeats, limits, expires_at, rate, burst, bootstrap)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0)";
    FIND = "
        SELECT id, name, scopes, created_at, revoked_at, repeats, limits, expires_at, rate, burst, used_at, used_from
        FROM api_keys WHERE hash = $1";
    GET = "
        SELECT id, name, scopes, created_at, revoked_at, repeats, limits, expires_at, rate, burst, used_at, used_from
        FROM api_keys WHERE id = $1";
    LIST = "
        SELECT id, name, scopes, created_at, revoked_at, repeats, limits, expires_at, rate, burst, used_at, used_from
        FROM api_keys ORDER BY id";
    WORKING = "SELECT hash FROM api_keys WHERE revoked_at IS NULL";
    CHANGE = "
        UPDATE api_keys SET name = $1, repeats = $2, limits = $3, expires_at = $4, rate = $5, burst = $6
        WHERE id = $7 AND revoked_at IS NULL";
    USED = "UPDATE api_keys SET used_at = $1, used_from = $2 WHERE id = $3";
    REVOKE = "UPDATE api_keys SET revoked_at = $1, bootstrap = 0 WHERE id = $2 AND revoked_at IS NULL";
    EXISTS = "SELECT 1 FROM api_keys WHERE id = $1";
    RETIRE_BOOTSTRAP = "
        UPDATE api_keys SET revoked_at = $1, bootstrap = 0 WHERE bootstrap = 1 AND hash <> $2";
    SAVE_BOOTSTRAP = "
        INSERT INTO api_keys (id, hash, name, scopes, created_at, revoked_at, bootstrap)
        VALUES ($1, $2, $3, $4, $5, NULL, 1)
        ON CONFLICT (hash) DO UPDATE SET
            name = excluded.name, scopes = excluded.scopes, revoked_at = NULL, limits = NULL, expires_at = NULL, rate = NULL,
            burst = NULL, bootstrap = 1";
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
    /// Keep it running: cancel, pause, resume and restart. With `Send` also start campaigns and flows.
    Operate,
    /// Change, merge, erase and import clients; with `Read` also export them.
    Personal,
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
    /// The accounts, chats and channels it is limited to.
    pub limits: KeyLimits,
    /// From when on it no longer works.
    pub expires_at: Option<Timestamp>,
    /// How many requests it may make; `None` leaves it to the settings.
    pub rate: Option<RequestRate>,
    /// How many of them at once; `None` takes those of one period.
    pub burst: Option<NonZeroU32>,
    /// When it was used last, to the minute, and from where.
    pub last_used: Option<(Timestamp, Option<IpAddr>)>,
}

/// The keys' part of a store.
#[derive(Clone, Copy)]
pub struct ApiKeys<'a> {
    pub(crate) store: &'a Store,
}

impl ApiKeys<'_> {
    /// Keeps a new key; `hash` is the SHA-256 of its whole text.
    pub async fn create(&self, key: &ApiKey, hash: [u8; 32]) -> Result<(), StoreError> {
        let (key, limits) = (key.clone(), limits(&key.limits)?);
        let create = move |transaction: &Transaction<'_>| {
            transaction.change_rights();
            transaction.execute(
                CREATE,
                params![
                    key.id.as_uuid().as_bytes(),
                    hash,
                    key.name,
                    words(&key.scopes),
                    key.created_at.as_micros(),
                    key.revoked_at.map(Timestamp::as_micros),
                    micros(key.repeats),
                    limits,
                    key.expires_at.map(Timestamp::as_micros),
                    key.rate.map(|rate| rate.to_string()),
                    key.burst.map(NonZeroU32::get),
                ],
            )
        };
        self.store.change(point::CREATE_KEY, create).await.map(drop)
    }

    /// Changes what a key is called and limited to, until when it works and how much it may ask. False when there is no such key
    /// that works.
    pub async fn change(&self, key: &ApiKey) -> Result<bool, StoreError> {
        let row = (
            key.name.clone(),
            micros(key.repeats),
            limits(&key.limits)?,
            key.expires_at.map(Timestamp::as_micros),
            key.rate.map(|rate| rate.to_string()),
            key.burst.map(NonZeroU32::get),
            *key.id.as_uuid().as_bytes(),
        );
        let change = move |transaction: &Transaction<'_>| {
            transaction.change_rights();
            transaction.execute(CHANGE, row.clone())
        };
        Ok(self.store.change(point::CHANGE_KEY, change).await? > 0)
    }

    /// Notes that a key was used. Answers at once; it is on the disk with the next write or a tenth of a second later.
    pub async fn used(&self, id: ApiKeyId, at: Timestamp, from: Option<IpAddr>) -> Result<(), StoreError> {
        self.store.inner.writer.defer(Deferred::KeyUsed(KeyUsed { id, at, from })).await
    }

    /// A key by its public id, revoked or not.
    pub async fn get(&self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        self.store.first(GET, [*id.as_uuid().as_bytes()], read).await
    }

    /// The key with this hash, revoked or not.
    pub async fn find(&self, hash: [u8; 32]) -> Result<Option<ApiKey>, StoreError> {
        self.store.first(FIND, [hash], read).await
    }

    /// The hashes of all keys that were not revoked.
    pub async fn working(&self) -> Result<Vec<[u8; 32]>, StoreError> {
        self.store.all(WORKING, (), |row| Columns::new(row, TABLE).get(0)).await
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
                transaction.change_rights();
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
                transaction.change_rights();
                transaction.run(RETIRE_BOOTSTRAP, params![created_at, hash])?;
                transaction.run(SAVE_BOOTSTRAP, params![id, hash, name, scopes, created_at])
            })
            .await
    }
}

/// When a key was used last, and from where.
pub(crate) struct KeyUsed {
    id: ApiKeyId,
    at: Timestamp,
    from: Option<IpAddr>,
}

impl KeyUsed {
    /// Whether this makes an earlier one pointless: it is about the same key.
    pub(crate) fn replaces(&self, earlier: &Self) -> bool {
        self.id == earlier.id
    }
}

impl Write for KeyUsed {
    type Answer = ();

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let from = self.from.map(|from| from.to_string());
        transaction.run(USED, params![self.at.as_micros(), from, self.id.as_uuid().as_bytes()])
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
        limits: columns.maybe_json(6)?.unwrap_or_default(),
        expires_at: columns.maybe_time(7)?,
        rate: columns.maybe_parsed(8)?,
        burst: columns.get::<Option<u32>>(9)?.and_then(NonZeroU32::new),
        last_used: match columns.maybe_time(10)? {
            Some(at) => Some((at, columns.maybe_parsed(11)?)),
            None => None,
        },
    })
}

fn words(scopes: &[Scope]) -> String {
    scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
}

fn micros(length: Option<Duration>) -> Option<i64> {
    length.map(|length| i64::try_from(length.as_micros()).unwrap_or(i64::MAX))
}

fn limits(limits: &KeyLimits) -> Result<Option<String>, StoreError> {
    limits.is_limited().then(|| to_json(TABLE, limits)).transpose()
}
