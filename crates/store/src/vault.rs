//! Sealing secret fields: XChaCha20-Poly1305, bound to the table and row they belong to.
//!
//! A sealed field is `version (1) · key id (4) · nonce (24) · ciphertext and tag`.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use domain::Secret;
use domain::secret::{ExposeSecret, Zeroize};
use sha2::{Digest, Sha256};

use crate::database::{FromValue, ToValue, Value};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;
const HEADER: usize = 1 + KEY_ID + NONCE;

/// Seals fields with the master key, and opens those that it or one before it sealed.
pub(crate) struct Vault(RwLock<Arc<Keys>>);

/// The keys at one time.
struct Keys {
    sealing: Arc<Key>,
    /// Those that it took the place of. A field that was read before it was sealed again is opened with one of them.
    earlier: Vec<Arc<Key>>,
    /// Held by every field that was sealed with [`Keys::sealing`] and may be on its way into the store.
    epoch: Arc<()>,
}

struct Key {
    cipher: XChaCha20Poly1305,
    id: KeyId,
}

/// Distinguishes keys, and reveals nothing of them.
pub(crate) type KeyId = [u8; KEY_ID];

/// A sealed field. As long as one is there that was sealed here, it may yet be written.
#[derive(Debug, Clone)]
pub(crate) struct Sealed {
    bytes: Vec<u8>,
    _epoch: Option<Arc<()>>,
}

impl Deref for Sealed {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl AsRef<[u8]> for Sealed {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl ToValue for Sealed {
    fn to_value(&self) -> Value<'_> {
        Value::Blob(&self.bytes)
    }
}

impl FromValue for Sealed {
    fn from_value(value: Value<'_>) -> Result<Self, String> {
        Ok(Self { bytes: Vec::from_value(value)?, _epoch: None })
    }
}

/// The fields that were sealed with a key before another took its place.
pub(crate) struct Outstanding(Arc<()>);

impl Outstanding {
    /// Whether none of them is on its way into the store any more.
    pub(crate) fn is_over(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

/// Why a field cannot be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum VaultError {
    #[error("this is no sealed field")]
    Malformed,
    #[error("sealed with another master key")]
    OtherKey,
    #[error("the sealed field was changed, or belongs to another row")]
    Refused,
    #[error("the system gives no random numbers")]
    NoRandomness,
}

impl Key {
    fn new(master_key: &Secret<[u8; 32]>) -> Self {
        let mut key = chacha20poly1305::Key::from(*master_key.expose_secret());
        let digest = Sha256::new()
            .chain_update(b"switchboard key id")
            .chain_update(master_key.expose_secret())
            .finalize();
        let mut id = [0; KEY_ID];
        id.copy_from_slice(&digest[..KEY_ID]);
        let cipher = XChaCha20Poly1305::new(&key);
        key.as_mut_slice().zeroize();
        Self { cipher, id }
    }
}

impl Vault {
    pub(crate) fn new(master_key: &Secret<[u8; 32]>) -> Self {
        let (sealing, earlier, epoch) = (Key::new(master_key), Vec::new(), Arc::default());
        Self(RwLock::new(Arc::new(Keys { sealing: sealing.into(), earlier, epoch })))
    }

    /// Seals with this key from now on; answers what was sealed with the one before.
    pub(crate) fn replace(&self, master_key: &Secret<[u8; 32]>) -> Outstanding {
        let mut keys = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let outstanding = Outstanding(Arc::clone(&keys.epoch));
        let mut earlier = keys.earlier.clone();
        earlier.push(Arc::clone(&keys.sealing));
        *keys = Arc::new(Keys { sealing: Key::new(master_key).into(), earlier, epoch: Arc::default() });
        outstanding
    }

    /// The key that seals now.
    pub(crate) fn sealing(&self) -> KeyId {
        self.keys().sealing.id
    }

    /// The keys that it took the place of.
    pub(crate) fn earlier(&self) -> Vec<KeyId> {
        self.keys().earlier.iter().map(|key| key.id).collect()
    }

    fn keys(&self) -> Arc<Keys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Seals a field of this row.
    pub(crate) fn seal(&self, table: &str, row: &str, plain: &[u8]) -> Result<Sealed, VaultError> {
        let keys = self.keys();
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
        sealed.push(VERSION);
        sealed.extend_from_slice(&keys.sealing.id);
        let aad = bound_to(&sealed, table, row);
        sealed.extend_from_slice(&nonce);
        let text = keys
            .sealing
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| VaultError::Refused)?;
        sealed.extend_from_slice(&text);
        Ok(Sealed { bytes: sealed, _epoch: Some(Arc::clone(&keys.epoch)) })
    }

    /// Opens a field of this row.
    pub(crate) fn open(&self, table: &str, row: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let keys = self.keys();
        let (header, text) = sealed.split_at_checked(HEADER).ok_or(VaultError::Malformed)?;
        let (head, nonce) = header.split_at(1 + KEY_ID);
        if head[0] != VERSION {
            return Err(VaultError::Malformed);
        }
        let mut known = std::iter::once(&keys.sealing).chain(&keys.earlier);
        let key = known.find(|key| head[1..] == key.id).ok_or(VaultError::OtherKey)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| VaultError::Malformed)?;
        let aad = bound_to(head, table, row);
        key.cipher
            .decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad })
            .map_err(|_| VaultError::Refused)
    }

    /// Seals a field again, with the key that seals now.
    pub(crate) fn reseal(&self, table: &str, row: &str, sealed: &[u8]) -> Result<Sealed, VaultError> {
        let mut plain = self.open(table, row, sealed)?;
        let again = self.seal(table, row, &plain);
        plain.zeroize();
        again
    }
}

fn bound_to(head: &[u8], table: &str, row: &str) -> Vec<u8> {
    [head, table.as_bytes(), &[0], row.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault(byte: u8) -> Vault {
        Vault::new(&Secret::new(Box::new([byte; 32])))
    }

    #[test]
    fn a_sealed_field_opens_only_in_its_own_row() {
        let sealed = vault(1).seal("a", "1", b"secret").unwrap();
        assert_eq!(vault(1).open("a", "1", &sealed).unwrap(), b"secret");
        assert_eq!(vault(1).open("a", "2", &sealed), Err(VaultError::Refused));
        assert_eq!(vault(1).open("b", "1", &sealed), Err(VaultError::Refused));
        assert_eq!(vault(2).open("a", "1", &sealed), Err(VaultError::OtherKey));
    }

    #[test]
    fn any_change_of_a_sealed_field_is_noticed() {
        let sealed = vault(1).seal("a", "1", b"secret").unwrap();
        for index in 0..sealed.len() {
            let mut changed = sealed.to_vec();
            changed[index] ^= 1;
            assert!(vault(1).open("a", "1", &changed).is_err(), "byte {index}");
            assert!(vault(1).open("a", "1", &sealed[..index]).is_err(), "length {index}");
        }
    }

    #[test]
    fn the_same_field_never_looks_the_same_twice() {
        let one = vault(1).seal("a", "1", b"secret").unwrap();
        assert_ne!(*one, *vault(1).seal("a", "1", b"secret").unwrap());
    }

    #[test]
    fn a_key_is_over_once_no_value_sealed_with_it_remains() {
        let vault = vault(1);
        let before = vault.seal("a", "1", b"secret").unwrap();
        let outstanding = vault.replace(&Secret::new(Box::new([2; 32])));
        assert!(!outstanding.is_over(), "it may yet be written");
        assert_eq!(vault.open("a", "1", &before).unwrap(), b"secret");
        let again = vault.reseal("a", "1", &before).unwrap();
        drop(before);
        assert!(outstanding.is_over());
        assert_eq!(super::tests::vault(2).open("a", "1", &again).unwrap(), b"secret");
        assert_eq!(super::tests::vault(1).open("a", "1", &again), Err(VaultError::OtherKey));
    }
}
