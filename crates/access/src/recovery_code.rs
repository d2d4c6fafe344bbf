//! Recovery codes replace a lost second factor. Each works once; only SHA-256 of them is stored.

use domain::SecretText;
use domain::secret::Zeroize;
use sha2::{Digest, Sha256};

use crate::letters::{self, LETTERS};

/// Codes that a user gets at once.
const COUNT: usize = 10;
/// Letters of a code: five bits of chance each, 80 in all.
const LENGTH: usize = 16;

/// New codes, to be shown once, such as `abcd-efgh-ijkm-npqr`, and what they are stored as.
pub(crate) fn draw() -> Result<(Vec<SecretText>, Vec<[u8; 32]>), getrandom::Error> {
    let mut shown = Vec::with_capacity(COUNT);
    let mut stored = Vec::with_capacity(COUNT);
    for _ in 0..COUNT {
        let text = letters::draw::<LENGTH>(4)?;
        stored.extend(hash(&text));
        shown.push(SecretText::from(text));
    }
    Ok((shown, stored))
}

/// What a typed code is stored as, if it can be one: capitals, spaces and dashes do not matter.
pub(crate) fn hash(typed: &str) -> Option<[u8; 32]> {
    let mut letters: String = typed
        .chars()
        .filter(|letter| !letter.is_whitespace() && *letter != '-')
        .take(LENGTH + 1)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    let is_one = letters.len() == LENGTH && letters.bytes().all(|letter| LETTERS.contains(&letter));
    let hash = Sha256::new().chain_update(b"switchboard recovery code").chain_update(&letters).finalize();
    letters.zeroize();
    is_one.then(|| hash.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ExposeSecret;

    #[test]
    fn codes_differ_and_are_found_as_they_are_typed() {
        let (shown, stored) = draw().expect("chance");
        assert_eq!((shown.len(), stored.len()), (COUNT, COUNT));
        for (text, expected) in shown.iter().zip(&stored) {
            let text = text.expose_secret();
            assert_eq!(text.len(), 19);
            assert_eq!(hash(text).as_ref(), Some(expected));
            assert_eq!(
                hash(&format!(" {} ", text.to_uppercase().replace('-', " "))).as_ref(),
                Some(expected)
            );
            assert_eq!(stored.iter().filter(|other| *other == expected).count(), 1);
        }
        for wrong in ["", "123456", "abcd-efgh-ijkm", "abcd-efgh-ijkm-npq1", "abcd-efgh-ijkm-npqr-s"] {
            assert_eq!(hash(wrong), None, "{wrong}");
        }
    }
}
