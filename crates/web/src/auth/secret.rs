//! The text of an API key: how one is made, and the hash it is stored as.

use sha2::{Digest, Sha256};

/// Letters that are not mistaken for each other; 32 of them, so that a byte's lower bits choose evenly.
const LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// What a key is stored and found as.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// How each key begins.
pub(super) const PREFIX: &str = "swb_";

/// This many letters follow [`PREFIX`].
pub(super) const KEY_LETTERS: usize = 40;

/// A new key: [`PREFIX`] and [`KEY_LETTERS`] letters, 200 bits of chance.
pub fn new_key() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; KEY_LETTERS];
    getrandom::fill(&mut bytes)?;
    let letters = bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte & 31)]));
    Ok(PREFIX.chars().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_long_and_differ() {
        let (one, two) = (new_key().expect("a key"), new_key().expect("a key"));
        assert_ne!(one, two);
        assert_ne!(hash(&one), hash(&two));
        assert!(one.len() == 44 && one.starts_with("swb_"), "{one}");
    }
}
