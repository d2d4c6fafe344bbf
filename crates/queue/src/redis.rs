//! The connection to Redis, and what is done over it. Nothing waits longer than [`ANSWER_WITHIN`].

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use config::QueueSettings;
use domain::secret::ExposeSecret;
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, Script, ScriptInvocation, TlsCertificates, cmd,
};
use uuid::Uuid;

use crate::keys;

/// How long is waited for a connection, and for each answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How this program calls itself there.
pub(crate) const NAME: &str = "switchboard";
/// So many of the last dead letters are kept.
const MOST_DEAD: u32 = 10_000;
/// How many keys Redis looks at for each page of names.
const PAGE: u32 = 1_000;
/// By how many milliseconds the end of a lock may differ from its note, and still be the one that was noted.
const SAME_LOCK: u32 = 100;
/// The digits of an id, before the space that ends it.
const ID_LENGTH: usize = 32;

/// Why something was not done in Redis. It may have been done all the same.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    #[error("`queue.redis` is no address of Redis: {0}")]
    Address(redis::RedisError),
    #[error("`queue.ca_file` cannot be read: {0}")]
    Certificates(std::io::Error),
    #[error("Redis cannot be used: {0}")]
    Redis(#[from] redis::RedisError),
    #[error("Redis does not answer within {} seconds", ANSWER_WITHIN.as_secs())]
    TooSlow,
}

/// An item that was taken from a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its id, the same however often it is taken; none where another program wrote it to the list of what is being processed.
    pub id: Option<Uuid>,
    /// What its program wrote.
    pub item: Vec<u8>,
    entry: Vec<u8>,
}

impl Taken {
    fn read(entry: Vec<u8>) -> Self {
        let id = entry.get(..ID_LENGTH).and_then(|id| Uuid::try_parse_ascii(id).ok());
        let id = id.filter(|_| entry.get(ID_LENGTH) == Some(&b' '));
        let item = if id.is_some() { entry[ID_LENGTH + 1..].to_vec() } else { entry.clone() };
        Self { id, item, entry }
    }
}

/// What became of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done<'a> {
    pub taken: &'a Taken,
    /// What is written to the dead letters of one that could not be taken.
    pub dead: Option<String>,
}

/// Redis.
pub struct Redis {
    client: Client,
    held: Mutex<Option<MultiplexedConnection>>,
    scripts: Scripts,
}

struct Scripts {
    take: Script,
    acknowledge: Script,
    revive: Script,
    offer: Script,
    withdraw: Script,
    replace: Script,
    lock: Script,
    unlock: Script,
}

impl Redis {
    /// Redis of these settings; none where they name none.
    ///
    /// # Errors
    /// The settings cannot be used.
    pub fn new(settings: &QueueSettings) -> Result<Option<Self>, QueueError> {
        let Some(url) = &settings.redis else { return Ok(None) };
        let url = url.expose_secret();
        let client = if url.starts_with("rediss://") {
            // It is the one that all of this program has, and may be there already.
            let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
            let root_cert =
                settings.ca_file.as_ref().map(std::fs::read).transpose().map_err(QueueError::Certificates)?;
            Client::build_with_tls(url, TlsCertificates { client_tls: None, root_cert })
        } else {
            Client::open(url)
        };
        let client = client.map_err(QueueError::Address)?;
        let scripts = Scripts {
            take: Script::new(include_str!("lua/take.lua")),
            acknowledge: Script::new(include_str!("lua/acknowledge.lua")),
            revive: Script::new(include_str!("lua/revive.lua")),
            offer: Script::new(include_str!("lua/offer.lua")),
            withdraw: Script::new(include_str!("lua/withdraw.lua")),
            replace: Script::new(include_str!("lua/replace.lua")),
            lock: Script::new(include_str!("lua/lock.lua")),
            unlock: Script::new(include_str!("lua/unlock.lua")),
        };
        Ok(Some(Self { client, held: Mutex::default(), scripts }))
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// The number of the database.
    pub(crate) fn database(&self) -> i64 {
        self.client.get_connection_info().redis_settings().db()
    }

    async fn connection(&self) -> Result<MultiplexedConnection, QueueError> {
        let held = self.held().clone();
        if let Some(held) = held {
            return Ok(held);
        }
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(ANSWER_WITHIN))
            .set_response_timeout(Some(ANSWER_WITHIN));
        let connecting = self.client.get_multiplexed_async_connection_with_config(&config);
        let mut made = within(connecting).await?;
        let _: redis::RedisResult<()> = cmd("CLIENT").arg("SETNAME").arg(NAME).query_async(&mut made).await;
        *self.held() = Some(made.clone());
        Ok(made)
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Option<MultiplexedConnection>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a connection is broken: the next call makes another one.
    fn answered<T>(&self, answer: Result<T, redis::RedisError>) -> Result<T, QueueError> {
        answer.map_err(|error| {
            if error.is_io_error() || error.is_timeout() || error.is_connection_dropped() {
                *self.held() = None;
            }
            QueueError::Redis(error)
        })
    }

    async fn run<T: FromRedisValue>(&self, script: &ScriptInvocation<'_>) -> Result<T, QueueError> {
        let mut connection = self.connection().await?;
        self.answered(script.invoke_async(&mut connection).await)
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, QueueError> {
        let mut connection = self.connection().await?;
        self.answered(command.query_async(&mut connection).await)
    }

    /// Takes as many items of a list as there are ids, or what was taken before and not acknowledged: the same items, under the ids
    /// that they had.
    pub async fn take(&self, list: &str, ids: &[Uuid]) -> Result<Vec<Taken>, QueueError> {
        let mut script = self.scripts.take.key(list);
        script.key(keys::processing(list));
        for id in ids {
            script.arg(id.simple().to_string());
        }
        let entries: Vec<Vec<u8>> = self.run(&script).await?;
        Ok(entries.into_iter().map(Taken::read).collect())
    }

    /// Lets go of what was taken: the store has it, or it is a dead letter.
    pub async fn acknowledge(&self, list: &str, done: &[Done<'_>]) -> Result<(), QueueError> {
        if done.is_empty() {
            return Ok(());
        }
        let mut script = self.scripts.acknowledge.key(keys::processing(list));
        script.key(keys::DEAD).arg(MOST_DEAD);
        for Done { taken, dead } in done {
            script.arg(&taken.entry[..]).arg(dead.as_deref().unwrap_or_default());
        }
        self.run(&script).await
    }

    /// The last dead letters, the newest last.
    pub async fn dead(&self, most: u32) -> Result<Vec<Vec<u8>>, QueueError> {
        self.ask(cmd("LRANGE").arg(keys::DEAD).arg(-i64::from(most)).arg(-1)).await
    }

    /// Puts the item of a dead letter on a list again; false where the dead letter is gone.
    pub async fn revive(&self, letter: &[u8], list: &str, item: &str) -> Result<bool, QueueError> {
        let mut script = self.scripts.revive.key(keys::DEAD);
        script.key(list).arg(letter).arg(item);
        Ok(self.run::<i64>(&script).await? > 0)
    }

    /// Offers an item to the program that does a stage; it is there once, however often it is offered.
    pub async fn offer(&self, stage: &str, id: &str, item: &str) -> Result<(), QueueError> {
        let mut script = self.scripts.offer.key(keys::offers(stage));
        script.key(keys::open(stage)).arg(id).arg(item);
        self.run(&script).await
    }

    /// Takes back what is offered and not done.
    pub async fn withdraw(&self, stage: &str, ids: &[String]) -> Result<(), QueueError> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut script = self.scripts.withdraw.key(keys::offers(stage));
        script.key(keys::open(stage)).arg(ids);
        self.run(&script).await
    }

    /// The ids of what was offered and is not done.
    pub async fn open(&self, stage: &str) -> Result<Vec<String>, QueueError> {
        self.ask(cmd("HKEYS").arg(keys::open(stage))).await
    }

    /// A list has these items and no others.
    pub async fn replace(&self, list: &str, items: &[String]) -> Result<(), QueueError> {
        let mut script = self.scripts.replace.key(list);
        script.arg(items);
        self.run(&script).await
    }

    /// Sets a key.
    pub async fn set(&self, key: &str, value: &str) -> Result<(), QueueError> {
        self.ask(cmd("SET").arg(key).arg(value)).await
    }

    /// Locks a chat for an item, for so long; false where it is locked.
    pub async fn lock(&self, key: &str, value: &str, seconds: u64, id: &str) -> Result<bool, QueueError> {
        let mut script = self.scripts.lock.key(key);
        script.key(keys::LOCKS).arg(value).arg(seconds).arg(id);
        Ok(self.run::<i64>(&script).await? == 1)
    }

    /// Unlocks the chat of an item; a lock that another program has set since stays.
    pub async fn unlock(&self, key: &str, id: &str) -> Result<(), QueueError> {
        let mut script = self.scripts.unlock.key(key);
        script.key(keys::LOCKS).arg(id).arg(SAME_LOCK);
        self.run(&script).await
    }

    /// The locks that this program has set, by the ids of items.
    pub async fn locks(&self) -> Result<Vec<(String, String)>, QueueError> {
        let noted: Vec<(String, String)> = self.ask(cmd("HGETALL").arg(keys::LOCKS)).await?;
        let key_of = |note: &str| note.split_once(' ').map_or(note, |(_, key)| key).to_owned();
        Ok(noted.into_iter().map(|(id, note)| (id, key_of(&note))).collect())
    }

    /// The keys whose names begin so, each once. Redis is asked for a page at a time; those that appear meanwhile may be missing.
    pub async fn names(&self, beginning: &str) -> Result<BTreeSet<String>, QueueError> {
        let (mut names, mut cursor) = (BTreeSet::new(), 0_u64);
        loop {
            let mut scan = cmd("SCAN");
            scan.arg(cursor).arg("MATCH").arg(format!("{beginning}*")).arg("COUNT").arg(PAGE);
            let (next, page): (u64, Vec<String>) = self.ask(&scan).await?;
            names.extend(page);
            if next == 0 {
                return Ok(names);
            }
            cursor = next;
        }
    }

    /// Removes a key.
    pub async fn remove(&self, key: &str) -> Result<(), QueueError> {
        self.ask(cmd("DEL").arg(key)).await
    }

    /// How long a list is.
    pub async fn length(&self, list: &str) -> Result<u64, QueueError> {
        self.ask(cmd("LLEN").arg(list)).await
    }
}

/// A call that has no limit of its own.
pub(crate) async fn within<T>(call: impl Future<Output = redis::RedisResult<T>>) -> Result<T, QueueError> {
    match tokio::time::timeout(ANSWER_WITHIN, call).await {
        Ok(answer) => answer.map_err(QueueError::Redis),
        Err(_) => Err(QueueError::TooSlow),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_an_id_and_an_item() {
        let entry = b"01890a5d000070008000000000000001 {\"a\": 1}".to_vec();
        let taken = Taken::read(entry);
        assert_eq!(taken.item, b"{\"a\": 1}");
        assert!(taken.id.is_some());
        let other = Taken::read(b"{\"pushed\": \"to the wrong list, and longer than an id\"}".to_vec());
        assert_eq!((other.id, &other.item), (None, &other.entry));
    }
}
