//! What is secret and moves: the master key and the settings, apart from the data, encrypted to a key that the new side made.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};

use domain::{ExposeSecret, SecretText};
use serde::{Deserialize, Serialize};

/// The largest parcel, in bytes.
const LARGEST: u64 = 4 << 20;

/// Settings, and what opens the store.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// The master key as text; none where the new side has it already.
    pub master_key: Option<String>,
    /// The settings file's text; none where there is none.
    pub settings: Option<String>,
    /// Files that the settings name: secrets, sessions, certificates.
    pub files: Vec<ParcelFile>,
    /// Variables that the settings refer to.
    pub environment: BTreeMap<String, String>,
}

/// A file that the settings name.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParcelFile {
    /// As the settings name it: absolute, or relative to the settings file.
    pub path: String,
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Parcel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Parcel([REDACTED])")
    }
}

impl fmt::Debug for ParcelFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ParcelFile").field(&self.path).finish()
    }
}

/// A key of the new side for one move.
pub struct Recipient {
    /// What it is encrypted to; may be known to everyone.
    pub public: String,
    /// What opens it.
    pub secret: SecretText,
}

/// A parcel that cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum ParcelError {
    #[error("what the new side gave to encrypt to is no key of age: {0}")]
    NoRecipient(String),
    #[error("the secrets of the move cannot be encrypted: {0}")]
    NotSealed(String),
    /// It is for another key, or damaged.
    #[error("the secrets of the move cannot be opened: {0}; give the command again")]
    NotOpened(String),
}

/// Makes a key for one move.
pub fn recipient() -> Recipient {
    let identity = age::x25519::Identity::generate();
    let secret =
        SecretText::from(age::secrecy::ExposeSecret::expose_secret(&identity.to_string()).to_owned());
    Recipient { public: identity.to_public().to_string(), secret }
}

/// Encrypts a parcel. Blocks.
///
/// # Errors
/// See [`ParcelError`].
pub fn seal(parcel: &Parcel, to: &str) -> Result<Vec<u8>, ParcelError> {
    let recipient: age::x25519::Recipient =
        to.parse().map_err(|error: &str| ParcelError::NoRecipient(error.to_owned()))?;
    let failed = |error: &dyn fmt::Display| ParcelError::NotSealed(error.to_string());
    let text = serde_json::to_vec(parcel).map_err(|error| failed(&error))?;
    let to_one: [&dyn age::Recipient; 1] = [&recipient];
    let encryptor = age::Encryptor::with_recipients(to_one.into_iter()).map_err(|error| failed(&error))?;
    let mut sealed = Vec::new();
    let mut writing = encryptor.wrap_output(&mut sealed).map_err(|error| failed(&error))?;
    writing.write_all(&text).map_err(|error| failed(&error))?;
    writing.finish().map_err(|error| failed(&error))?;
    Ok(sealed)
}

/// Opens a parcel. Blocks.
///
/// # Errors
/// See [`ParcelError`].
pub fn open(sealed: &[u8], with: &SecretText) -> Result<Parcel, ParcelError> {
    let failed = |error: &dyn fmt::Display| ParcelError::NotOpened(error.to_string());
    let identity: age::x25519::Identity =
        with.expose_secret().parse().map_err(|error: &str| failed(&error))?;
    let decryptor = age::Decryptor::new(sealed).map_err(|error| failed(&error))?;
    let with_one: [&dyn age::Identity; 1] = [&identity];
    let reading = decryptor.decrypt(with_one.into_iter()).map_err(|error| failed(&error))?;
    let mut text = Vec::new();
    reading.take(LARGEST).read_to_end(&mut text).map_err(|error| failed(&error))?;
    serde_json::from_slice(&text).map_err(|error| failed(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_that_it_is_for_opens_it() {
        let (ours, other) = (recipient(), recipient());
        let file = ParcelFile { path: "secrets/hash".to_owned(), bytes: b"0123".to_vec() };
        let parcel = Parcel {
            master_key: Some("a-key-that-is-seen-nowhere".to_owned()),
            files: vec![file],
            ..Parcel::default()
        };
        let sealed = seal(&parcel, &ours.public).unwrap();
        assert!(!String::from_utf8_lossy(&sealed).contains("seen-nowhere"));
        assert!(!format!("{parcel:?}").contains("seen-nowhere"));
        assert_eq!(open(&sealed, &ours.secret).unwrap(), parcel);
        assert!(matches!(open(&sealed, &other.secret), Err(ParcelError::NotOpened(_))));
        assert!(matches!(seal(&parcel, "age1nonsense"), Err(ParcelError::NoRecipient(_))));
    }
}
