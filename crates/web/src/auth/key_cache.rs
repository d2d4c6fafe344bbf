//! Keys that were found in the store, kept in memory until any key is made, changed or revoked.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use domain::{ApiKeyId, KeyLimits, Timestamp};
use store::{ApiKey, Scope, Store, StoreError};

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
#[derive(Default)]
pub(crate) struct KeyCache(RwLock<Memory>);

#[derive(Default)]
struct Memory {
    found: HashMap<[u8; 32], Arc<CachedKey>>,
    /// Grows with each change of the keys, so that an answer read before it is not remembered after it.
    generation: u64,
}

impl KeyCache {
    pub(crate) fn remembered(&self, hash: &[u8; 32]) -> Option<Arc<CachedKey>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).found.get(hash).cloned()
    }

    /// A key from the store; `None` if there is none or it was revoked.
    pub(crate) async fn look_up(
        &self,
        store: &Store,
        hash: [u8; 32],
    ) -> Result<Option<Arc<CachedKey>>, StoreError> {
        let generation = self.0.read().unwrap_or_else(PoisonError::into_inner).generation;
        let found = store.api_keys().find(hash).await?;
        let Some(key) = found.filter(|key| key.revoked_at.is_none()) else { return Ok(None) };
        let known = Arc::new(CachedKey::from(key));
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if memory.generation == generation {
            if memory.found.len() >= BOUND {
                memory.found.clear();
            }
            memory.found.insert(hash, Arc::clone(&known));
        }
        Ok(Some(known))
    }

    /// The key of this id, unless it was revoked.
    pub(crate) async fn of_id(
        &self,
        store: &Store,
        id: ApiKeyId,
    ) -> Result<Option<Arc<CachedKey>>, StoreError> {
        if let Some(known) = self.cached_key(id) {
            return Ok(Some(known));
        }
        let found = store.api_keys().get(id).await?;
        Ok(found.filter(|key| key.revoked_at.is_none()).map(|key| Arc::new(key.into())))
    }

    fn cached_key(&self, id: ApiKeyId) -> Option<Arc<CachedKey>> {
        let memory = self.0.read().unwrap_or_else(PoisonError::into_inner);
        memory.found.values().find(|key| key.id == id).cloned()
    }

    /// The keys changed in the store.
    pub(crate) fn forget(&self) {
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        memory.generation += 1;
        memory.found.clear();
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
