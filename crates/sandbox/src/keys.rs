//! The auth keys the data centres know: shared beforehand with an account, or made by a key exchange.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{PoisonError, RwLock};

use sha1::Digest;

/// The lower 64 bits of the SHA-1 of an auth key, as MTProto writes them in front of each encrypted message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AuthKeyId(pub i64);

impl AuthKeyId {
    /// The id of this key.
    pub fn of(key: &[u8; 256]) -> Self {
        let digest = sha1::Sha1::digest(key);
        Self(i64::from_le_bytes(std::array::from_fn(|i| digest[12 + i])))
    }
}

/// A key, and the data centre it was made at.
#[derive(Clone)]
pub struct Registered {
    /// The 256 bytes.
    pub key: [u8; 256],
    /// A key is known only at its own data centre.
    pub dc_id: i32,
}

/// All keys by id. Whose a key is, the world knows.
#[derive(Default)]
pub struct KeyRing(RwLock<HashMap<AuthKeyId, Registered>>);

impl KeyRing {
    pub fn register(&self, key: [u8; 256], dc_id: i32) -> AuthKeyId {
        let id = AuthKeyId::of(&key);
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(id, Registered { key, dc_id });
        id
    }

    /// Adds a key unless its id is taken.
    pub fn register_new(&self, key: [u8; 256], dc_id: i32) -> Option<AuthKeyId> {
        let id = AuthKeyId::of(&key);
        match self.0.write().unwrap_or_else(PoisonError::into_inner).entry(id) {
            Entry::Occupied(_) => None,
            Entry::Vacant(place) => {
                place.insert(Registered { key, dc_id });
                Some(id)
            }
        }
    }

    /// The key with this id, if it belongs to this data centre.
    pub fn find(&self, id: AuthKeyId, dc_id: i32) -> Option<Registered> {
        let keys = self.0.read().unwrap_or_else(PoisonError::into_inner);
        keys.get(&id).filter(|found| found.dc_id == dc_id).cloned()
    }
}
