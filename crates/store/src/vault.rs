//! Sealing secret fields: XChaCha20-Poly1305, bound to the table and row they belong to.
//!
//! A sealed field is `version (1) · key id (4) · nonce (24) · ciphertext and tag`.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use domain::Secret;
use domain::secret::{ExposeSecret, Zeroize};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const KEY_ID: usize = 4;
const NONCE: usize = 24;
const HEADER: usize = 1 + KEY_ID + NONCE;

/// Seals and opens fields with the master key.
pub(crate) struct Vault {
    cipher: XChaCha20Poly1305,
    key_id: [u8; KEY_ID],
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

impl Vault {
    pub(crate) fn new(master_key: &Secret<[u8; 32]>) -> Self {
        let mut key = Key::from(*master_key.expose_secret());
        let digest = Sha256::new()
            .chain_update(b"switchboard key id")
            .chain_update(master_key.expose_secret())
            .finalize();
        let mut key_id = [0; KEY_ID];
        key_id.copy_from_slice(&digest[..KEY_ID]);
        let cipher = XChaCha20Poly1305::new(&key);
        key.as_mut_slice().zeroize();
        Self { cipher, key_id }
    }

    /// Seals a field of this row.
    pub(crate) fn seal(&self, table: &str, row: &str, plain: &[u8]) -> Result<Vec<u8>, VaultError> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| VaultError::NoRandomness)?;
        let mut sealed = Vec::with_capacity(HEADER + plain.len() + 16);
        sealed.push(VERSION);
        sealed.extend_from_slice(&self.key_id);
        let aad = bound_to(&sealed, table, row);
        sealed.extend_from_slice(&nonce);
        let text = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &aad })
            .map_err(|_| VaultError::Refused)?;
        sealed.extend_from_slice(&text);
        Ok(sealed)
    }

    /// Opens a field of this row.
    pub(crate) fn open(&self, table: &str, row: &str, sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
        let (header, text) = sealed.split_at_checked(HEADER).ok_or(VaultError::Malformed)?;
        let (head, nonce) = header.split_at(1 + KEY_ID);
        if head[0] != VERSION {
            return Err(VaultError::Malformed);
        }
        if head[1..] != self.key_id {
            return Err(VaultError::OtherKey);
        }
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| VaultError::Malformed)?;
        let aad = bound_to(head, table, row);
        self.cipher
            .decrypt(&XNonce::from(nonce), Payload { msg: text, aad: &aad })
            .map_err(|_| VaultError::Refused)
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
    fn what_was_sealed_opens_in_its_own_row_alone() {
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
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(vault(1).open("a", "1", &changed).is_err(), "byte {index}");
            assert!(vault(1).open("a", "1", &sealed[..index]).is_err(), "length {index}");
        }
    }

    #[test]
    fn the_same_field_never_looks_the_same_twice() {
        let one = vault(1).seal("a", "1", b"secret").unwrap();
        assert_ne!(one, vault(1).seal("a", "1", b"secret").unwrap());
    }
}
