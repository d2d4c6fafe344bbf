//! Updates that Telegram posts.

use ambient::Chance;
use domain::SecretText;
use domain::secret::ExposeSecret;

use super::update::Update;

/// What posts carry in `X-Telegram-Bot-Api-Secret-Token`: 1 to 256 letters, digits, `_` and `-`.
#[derive(Debug, Clone)]
pub struct HookSecret(SecretText);

/// A body that is no update.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the body is no update of the Bot API")]
pub struct Unreadable;

impl HookSecret {
    /// None where Telegram takes no such secret.
    pub fn read(text: SecretText) -> Option<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        let word = text.expose_secret();
        ((1..=256).contains(&word.len()) && word.bytes().all(plain)).then_some(Self(text))
    }

    /// One of 256 random bits.
    pub fn random(chance: &Chance) -> Self {
        let words = [(); 4].map(|()| format!("{:016x}", chance.random_id()));
        Self(words.concat().into())
    }

    pub(super) fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

/// Whether the header of a post has the secret; as long a comparison for a wrong one as for the right one.
pub fn is_genuine(secret: &HookSecret, header: Option<&[u8]>) -> bool {
    let (wanted, given) = (secret.expose().as_bytes(), header.unwrap_or_default());
    let differ = wanted.iter().zip(given).fold(0, |differ, (one, other)| differ | (one ^ other));
    wanted.len() == given.len() && differ == 0
}

/// Reads a posted body.
///
/// # Errors
/// It is no update.
pub fn read_update(body: &[u8]) -> Result<Update, Unreadable> {
    let value = domain::lenient::json(body).map_err(|_| Unreadable)?;
    Update::read(&value).ok_or(Unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_secret_itself_is_genuine() {
        let secret = HookSecret::read("planted_1".into()).unwrap();
        assert!(is_genuine(&secret, Some(b"planted_1")));
        for given in [None, Some(b"".as_slice()), Some(b"planted_2"), Some(b"planted_"), Some(b"planted_11")]
        {
            assert!(!is_genuine(&secret, given));
        }
        let chance = Chance::from_seed(1);
        let (one, other) = (HookSecret::random(&chance), HookSecret::random(&chance));
        assert!(
            is_genuine(&one, Some(one.expose().as_bytes()))
                && !is_genuine(&one, Some(other.expose().as_bytes()))
        );
        assert!(HookSecret::read(one.expose().to_owned().into()).is_some());
        for wrong in ["", "a b", "ключ"] {
            assert!(HookSecret::read(wrong.into()).is_none());
        }
        assert!(read_update(b"{\"update_id\":1}").is_ok());
        assert!(read_update(b"{}").is_err() && read_update(b"\xff").is_err());
    }
}
