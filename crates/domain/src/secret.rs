//! Values that must never be shown: keys, tokens, passwords.

/// A value that prints as `[REDACTED]` and is wiped when dropped. [`ExposeSecret::expose_secret`] is the only way in.
pub type Secret<T> = secrecy::SecretBox<T>;

/// A secret piece of text.
pub type SecretText = secrecy::SecretString;

pub use secrecy::{ExposeSecret, zeroize::Zeroize};
