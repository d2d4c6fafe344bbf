//! Keys that were found in the store, kept in memory until any right changes there.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::{ApiKeyId, KeyLimits, Timestamp};
use store::{ApiKey, Scope, Store, StoreError};
use tokio::sync::watch;

use super::meter::Pace;

/// The most keys that are remembered.
const BOUND: usize = 1024;

/// A key that was not revoked: whose, what it may, and until when.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CachedKey {
    pub(crate) id: ApiKeyId,
    scopes: Vec<Scope>,
    /// How long the same body from it is a repeat.
    pub(crate) repeats: Option<Duration>,
    pub(crate) limits: KeyLimits,
    pub(crate) expires_at: Option<Timestamp>,
    /// How fast it may ask, if it has a rate of its own.
    pub(crate) pace: Option<Pace>,
}

impl From<ApiKey> for CachedKey {
    fn from(key: ApiKey) -> Self {
        Self {
            id: key.id,
            pace: key.rate.map(|rate| Pace::new(rate, key.burst)),
            scopes: key.scopes,
            repeats: key.repeats,
            limits: key.limits,
            expires_at: key.expires_at,
        }
    }
}

impl CachedKey {
    /// Whether it has the scope; `admin` has all.
    pub(crate) fn may(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }

    pub(crate) fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// The keys found so far.
pub(crate) struct KeyCache {
    changes: watch::Receiver<u64>,
    memory: RwLock<Memory>,
}

#[derive(Default)]
struct Memory {
    by_hash: HashMap<[u8; 32], Arc<CachedKey>>,
    by_id: HashMap<ApiKeyId, Arc<CachedKey>>,
    /// The hashes of all keys that work, once they were read: a wrong key costs no read of the store.
    working: Option<HashSet<[u8; 32]>>,
    /// How often rights had changed when these were read.
    generation: u64,
}

impl KeyCache {
    /// Remembers nothing yet; `changes` counts the changes of rights.
    pub(crate) fn new(changes: watch::Receiver<u64>) -> Self {
        Self { changes, memory: RwLock::default() }
    }

    pub(crate) fn remembered(&self, hash: &[u8; 32]) -> Option<Arc<CachedKey>> {
        self.recall(|memory| memory.by_hash.get(hash))
    }

    fn recall(&self, find: impl FnOnce(&Memory) -> Option<&Arc<CachedKey>>) -> Option<Arc<CachedKey>> {
        let generation = *self.changes.borrow();
        let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
        if memory.generation == generation { find(&memory).cloned() } else { None }
    }

    /// Keeps what was read after this number of changes of rights, and drops what was read before.
    fn remember(&self, generation: u64, keep: impl FnOnce(&mut Memory)) {
        let mut memory = self.memory.write().unwrap_or_else(PoisonError::into_inner);
        if memory.generation > generation {
            return;
        }
        if memory.generation < generation || memory.by_hash.len() + memory.by_id.len() >= BOUND {
            *memory = Memory { generation, ..Memory::default() };
        }
        keep(&mut memory);
    }

    /// A key from the store; `None` if there is none or it was revoked.
    pub(crate) async fn look_up(
        &self,
        store: &Store,
        hash: [u8; 32],
    ) -> Result<Option<Arc<CachedKey>>, StoreError> {
        let generation = *self.changes.borrow();
        if !self.is_working(store, &hash, generation).await? {
            return Ok(None);
        }
        let found = store.api_keys().find(hash).await?;
        let Some(key) = found.filter(|key| key.revoked_at.is_none()) else { return Ok(None) };
        let known = Arc::new(CachedKey::from(key));
        self.remember(generation, |memory| drop(memory.by_hash.insert(hash, Arc::clone(&known))));
        Ok(Some(known))
    }

    /// Whether a key that works has this hash. It reads the store once for each change of rights.
    async fn is_working(&self, store: &Store, hash: &[u8; 32], generation: u64) -> Result<bool, StoreError> {
        let known = {
            let memory = self.memory.read().unwrap_or_else(PoisonError::into_inner);
            let working = memory.working.as_ref().filter(|_| memory.generation == generation);
            working.map(|working| working.contains(hash))
        };
        if let Some(known) = known {
            return Ok(known);
        }
        let working: HashSet<_> = store.api_keys().working().await?.into_iter().collect();
        let is_working = working.contains(hash);
        self.remember(generation, |memory| memory.working = Some(working));
        Ok(is_working)
    }

    /// The key of this id, unless it was revoked.
    pub(crate) async fn of_id(
        &self,
        store: &Store,
        id: ApiKeyId,
    ) -> Result<Option<Arc<CachedKey>>, StoreError> {
        if let Some(known) = self.recall(|memory| memory.by_id.get(&id)) {
            return Ok(Some(known));
        }
        let generation = *self.changes.borrow();
        let found = store.api_keys().get(id).await?;
        let Some(key) = found.filter(|key| key.revoked_at.is_none()) else { return Ok(None) };
        let known = Arc::new(CachedKey::from(key));
        self.remember(generation, |memory| drop(memory.by_id.insert(id, Arc::clone(&known))));
        Ok(Some(known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scopes: &[Scope]) -> CachedKey {
        CachedKey {
            id: "key_00000000000000000000000000".parse().expect("an id"),
            scopes: scopes.to_vec(),
            repeats: None,
            limits: KeyLimits::default(),
            expires_at: None,
            pace: None,
        }
    }

    fn stored(id: &str) -> ApiKey {
        ApiKey {
            id: id.parse().expect("an id"),
            name: "n8n".to_owned(),
            scopes: vec![Scope::Read],
            created_at: Timestamp::default(),
            revoked_at: None,
            repeats: None,
            limits: KeyLimits::default(),
            expires_at: None,
            rate: None,
            burst: None,
            last_used: None,
        }
    }

    #[tokio::test]
    async fn a_wrong_key_costs_no_read_of_the_store() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(store::StoreOptions {
            data_dir: folder.path().join("data"),
            url: "sqlite:switchboard.db".to_owned(),
            clock: ambient::Clock::system(),
            master_key: store::MasterKey::File("master.key".into()),
        })
        .await
        .expect("opens");
        let changes = watch::Sender::new(0);
        let cache = KeyCache::new(changes.subscribe());
        let first = stored("key_00000000000000000000000000");
        let second = stored("key_00000000000000000000000001");
        store.api_keys().create(&first, [1; 32]).await.expect("made");
        assert!(cache.look_up(&store, [1; 32]).await.expect("read").is_some());
        assert!(cache.look_up(&store, [2; 32]).await.expect("read").is_none());
        store.api_keys().create(&second, [2; 32]).await.expect("made");
        changes.send_modify(|count| *count += 1);
        assert!(cache.look_up(&store, [2; 32]).await.expect("read").is_some());
        store.api_keys().revoke(first.id, Timestamp::default()).await.expect("revoked");
        changes.send_modify(|count| *count += 1);
        assert!(cache.look_up(&store, [1; 32]).await.expect("read").is_none());
        // From here on each read would fail.
        store.clone().close().await;
        for wrong in 3..=255 {
            assert!(cache.look_up(&store, [wrong; 32]).await.expect("no read").is_none());
        }
        assert!(cache.look_up(&store, [2; 32]).await.is_err(), "a right one is looked up");
    }

    #[test]
    fn admin_has_every_scope_and_the_others_only_theirs() {
        assert!(Scope::ALL.into_iter().all(|scope| key(&[Scope::Admin]).may(scope)));
        for one in [Scope::Send, Scope::Read, Scope::Operate] {
            assert!(Scope::ALL.into_iter().all(|scope| key(&[one]).may(scope) == (scope == one)), "{one:?}");
        }
        assert!(!key(&[]).may(Scope::Read));
    }

    #[test]
    fn a_key_works_until_its_end() {
        let end = Timestamp::from_micros(1_000_000);
        let ends = CachedKey { expires_at: Some(end), ..key(&[]) };
        assert!(!ends.is_expired(Timestamp::from_micros(999_999)) && ends.is_expired(end));
        assert!(!key(&[]).is_expired(end));
    }
}
