//! Values that must never be shown: keys, tokens, passwords; and words of people, which no log has to know.

use std::fmt;
use std::ops::Deref;

use serde::{Deserialize, Serialize};

/// A value that prints as `[REDACTED]` and is wiped when dropped. [`ExposeSecret::expose_secret`] is the only way in.
pub type Secret<T> = secrecy::SecretBox<T>;

/// A secret piece of text.
pub type SecretText = secrecy::SecretString;

pub use secrecy::{ExposeSecret, zeroize::Zeroize};

/// What people say to each other: the text of a message, a caption. It is stored and sent as it is and reads as any text;
/// printing what has it for a log shows only its length.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Words(String);

impl Words {
    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text itself, to keep.
    pub fn into_string(self) -> String {
        self.0
    }
}

impl Deref for Words {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Words {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for Words {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        redacted(&self.0).fmt(f)
    }
}

/// A text as it may be printed: how long it is, and nothing of it.
pub(crate) fn redacted(text: &str) -> impl fmt::Debug {
    struct Length(usize);
    impl fmt::Debug for Length {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "[REDACTED, {} bytes]", self.0)
        }
    }
    Length(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::FormattedText;

    #[test]
    fn words_are_read_and_stored_and_never_printed() {
        let words: Words = serde_json::from_str("\"see you at six\"").expect("reads");
        assert_eq!(
            (&*words, serde_json::to_string(&words).ok().as_deref()),
            ("see you at six", Some("\"see you at six\""))
        );
        let text = FormattedText::plain("see you at six");
        for printed in [format!("{words:?} {text:?}"), format!("{words:#?} {text:#?}")] {
            assert!(!printed.contains("six") && printed.contains("[REDACTED, 14 bytes]"), "{printed}");
        }
    }
}
