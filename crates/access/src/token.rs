//! What a browser holds to be known again, and what its forms carry to show that they are ours.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Secret;
use domain::secret::{ExposeSecret, Zeroize};
use sha2::{Digest, Sha256};

use crate::error::SignInError;

/// Bytes of chance in a token.
const LENGTH: usize = 32;

/// 256 random bits that identify a session. Only its SHA-256 is stored.
#[derive(Debug)]
pub struct SessionToken(Secret<[u8; LENGTH]>);

impl SessionToken {
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = Box::new([0; LENGTH]);
        getrandom::fill(bytes.as_mut_slice())?;
        Ok(Self(Secret::new(bytes)))
    }

    /// Reads the text form; nothing when it is none.
    pub fn read(text: &str) -> Option<Self> {
        let mut bytes = Box::new([0; LENGTH]);
        // The decoder wants room for whole groups of three.
        let mut room = [0; LENGTH + 1];
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut room).ok();
        bytes.copy_from_slice(&room[..LENGTH]);
        room.zeroize();
        (length == Some(LENGTH)).then(|| Self(Secret::new(bytes)))
    }

    /// The text for the cookie: 43 letters, digits, `-` and `_`.
    pub fn text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0.expose_secret())
    }

    /// What it is stored and found as.
    pub(crate) fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.expose_secret()).into()
    }

    /// The token for the forms of this session.
    pub(crate) fn csrf(&self) -> CsrfToken {
        let digest = Sha256::new()
            .chain_update(b"switchboard form token")
            .chain_update(self.0.expose_secret())
            .finalize();
        CsrfToken(URL_SAFE_NO_PAD.encode(digest))
    }
}

/// 256 random bits by which a browser is known in which a user has signed in. Only their SHA-256 is stored, so no one can make one up,
/// and a token says nothing unless the store has it for the very user.
#[derive(Debug)]
pub struct DeviceToken(SessionToken);

impl DeviceToken {
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        SessionToken::draw().map(Self)
    }

    /// Reads the text form; nothing when it is none.
    pub fn read(text: &str) -> Option<Self> {
        SessionToken::read(text).map(Self)
    }

    /// The text for the cookie.
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// What it is stored and counted as.
    pub fn id(&self) -> DeviceId {
        DeviceId(self.0.hash())
    }
}

/// The SHA-256 of a [`DeviceToken`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceId(pub(crate) [u8; 32]);

/// 256 random bits of a browser in which no one has signed in yet: its sign-in forms carry what follows from them, which no other
/// site can know.
#[derive(Debug)]
pub struct DoorToken(SessionToken);

impl DoorToken {
    /// Draws a new one.
    ///
    /// # Errors
    /// The system has no chance to give.
    pub fn draw() -> Result<Self, SignInError> {
        Ok(Self(SessionToken::draw()?))
    }

    /// Reads the text form; nothing when it is none.
    pub fn read(text: &str) -> Option<Self> {
        SessionToken::read(text).map(Self)
    }

    /// The text for the cookie.
    pub fn text(&self) -> String {
        self.0.text()
    }

    /// The token for the forms.
    pub fn csrf(&self) -> CsrfToken {
        self.0.csrf()
    }
}

/// What a form carries to show that a page of this very session made it. It follows from the session's token, so it
/// works without script and needs no place of its own.
#[derive(Clone, PartialEq, Eq)]
pub struct CsrfToken(String);

impl CsrfToken {
    /// The text for the hidden field.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a form brought this one; takes as long whatever it brought.
    pub fn matches(&self, brought: &str) -> bool {
        same(self.0.as_bytes(), brought.as_bytes())
    }
}

impl std::fmt::Debug for CsrfToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CsrfToken([REDACTED])")
    }
}

/// Compares in a time that does not show where the difference is.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tokens_differ_and_read_back() {
        let (one, two) = (SessionToken::draw().expect("chance"), SessionToken::draw().expect("chance"));
        assert_ne!(one.hash(), two.hash());
        assert_eq!(one.text().len(), 43);
        assert_eq!(SessionToken::read(&one.text()).map(|token| token.hash()), Some(one.hash()));
        assert!(one.csrf().matches(one.csrf().as_str()));
        assert!(!one.csrf().matches(two.csrf().as_str()) && !one.csrf().matches(""));
    }

    #[test]
    fn neither_is_shown() {
        let token = SessionToken::draw().expect("chance");
        let shown = format!("{token:?} {:?}", token.csrf());
        assert!(!shown.contains(&token.text()) && !shown.contains(token.csrf().as_str()), "{shown}");
    }

    proptest! {
        #[test]
        fn any_text_is_a_token_or_none(text in ".{0,80}") {
            if let Some(token) = SessionToken::read(&text) {
                prop_assert_eq!(token.text(), text);
            }
        }

        #[test]
        fn the_comparison_is_right(a: Vec<u8>, b: Vec<u8>) {
            prop_assert_eq!(same(&a, &b), a == b);
            prop_assert!(same(&a, &a));
        }
    }
}
