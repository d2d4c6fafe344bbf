//! Keys that were found in the store, kept in memory until any key is made or revoked.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};
use std::time::Duration;

use domain::ApiKeyId;
use store::{Scope, Store, StoreError};

/// The most keys that are remembered.
const BOUND: usize = 1024;

/// A valid key: whose, and what it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CachedKey {
    pub(crate) id: ApiKeyId,
    may_send: bool,
    may_read: bool,
    may_administer: bool,
    /// How long the same body from it is a repeat.
    pub(crate) repeats: Option<Duration>,
}

impl CachedKey {
    pub(crate) fn new(id: ApiKeyId, scopes: &[Scope], repeats: Option<Duration>) -> Self {
        let admin = scopes.contains(&Scope::Admin);
        Self {
            id,
            may_send: admin || scopes.contains(&Scope::Send),
            may_read: admin || scopes.contains(&Scope::Read),
            may_administer: admin,
            repeats,
        }
    }

    /// Whether it has the scope; `admin` has all.
    pub(crate) fn may(self, scope: Scope) -> bool {
        match scope {
            Scope::Send => self.may_send,
            Scope::Read => self.may_read,
            Scope::Admin => self.may_administer,
        }
    }
}

/// The keys found so far.
#[derive(Default)]
pub(crate) struct KeyCache(RwLock<Memory>);

#[derive(Default)]
struct Memory {
    found: HashMap<[u8; 32], CachedKey>,
    /// Grows with each change of the keys, so that an answer read before it is not remembered after it.
    generation: u64,
}

impl KeyCache {
    pub(crate) fn remembered(&self, hash: &[u8; 32]) -> Option<CachedKey> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).found.get(hash).copied()
    }

    /// A key from the store; `None` if there is none or it was revoked.
    pub(crate) async fn look_up(
        &self,
        store: &Store,
        hash: [u8; 32],
    ) -> Result<Option<CachedKey>, StoreError> {
        let generation = self.0.read().unwrap_or_else(PoisonError::into_inner).generation;
        let found = store.api_keys().find(hash).await?;
        let Some(key) = found.filter(|key| key.revoked_at.is_none()) else { return Ok(None) };
        let known = CachedKey::new(key.id, &key.scopes, key.repeats);
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if memory.generation == generation {
            if memory.found.len() >= BOUND {
                memory.found.clear();
            }
            memory.found.insert(hash, known);
        }
        Ok(Some(known))
    }

    /// Whether the key of this id is still good, and for this.
    pub(crate) async fn is_good(
        &self,
        store: &Store,
        id: ApiKeyId,
        scope: Scope,
    ) -> Result<bool, StoreError> {
        if let Some(known) = self.known(id) {
            return Ok(known.may(scope));
        }
        let keys = store.api_keys().list().await?;
        let found = keys.iter().find(|key| key.id == id && key.revoked_at.is_none());
        Ok(found.is_some_and(|key| CachedKey::new(key.id, &key.scopes, key.repeats).may(scope)))
    }

    fn known(&self, id: ApiKeyId) -> Option<CachedKey> {
        let memory = self.0.read().unwrap_or_else(PoisonError::into_inner);
        memory.found.values().find(|key| key.id == id).copied()
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

    #[test]
    fn admin_has_every_scope_and_the_others_only_theirs() {
        let id = "key_00000000000000000000000000".parse().expect("an id");
        let admin = CachedKey::new(id, &[Scope::Admin], None);
        assert!([Scope::Send, Scope::Read, Scope::Admin].into_iter().all(|scope| admin.may(scope)));
        let send = CachedKey::new(id, &[Scope::Send], None);
        assert!(send.may(Scope::Send) && !send.may(Scope::Read) && !send.may(Scope::Admin));
        assert!(!CachedKey::new(id, &[], None).may(Scope::Read));
    }
}
