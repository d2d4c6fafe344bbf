//! Encryption of copies to a recipient of age, and the way back with its identity.

use std::fmt;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use age::stream::StreamWriter;
use age::{DecryptError, Decryptor, Encryptor};
use ambient::regular_file;

/// What every file of age begins with.
const BEGINNING: &[u8] = b"age-encryption.org/";

/// How the identities in a file begin.
const IDENTITY: &str = "AGE-SECRET-KEY-1";

/// The largest file of identities that is read, in bytes.
const LARGEST: u64 = 64 << 10;

/// Whom copies are encrypted to.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Recipient(age::x25519::Recipient);

/// What opens a copy: all identities of one file.
pub struct Identity(Vec<age::x25519::Identity>);

/// Text that is no recipient.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("backup.copy.recipient is no recipient of age; `age-keygen` prints one that begins with age1")]
pub struct InvalidRecipient;

/// Why an encrypted copy cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenCopyError {
    #[error("it is encrypted; name the file with its identity: --identity FILE")]
    NoIdentity,
    /// It was encrypted to another recipient, or is damaged.
    #[error("it cannot be decrypted with this identity: {0}")]
    Refused(#[from] DecryptError),
    #[error("the identity {}: {source}", file.display())]
    Unreadable {
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    #[error("{} has no identity of age, a line that begins with AGE-SECRET-KEY-1", file.display())]
    Malformed { file: PathBuf },
    /// The copy cannot be read.
    #[error(transparent)]
    Read(#[from] io::Error),
}

impl FromStr for Recipient {
    type Err = InvalidRecipient;

    fn from_str(text: &str) -> Result<Self, InvalidRecipient> {
        text.parse().map(Self).map_err(|_| InvalidRecipient)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity([REDACTED])")
    }
}

impl Identity {
    /// Reads the identities of a file, as `age-keygen` writes it. Blocks on the disk.
    ///
    /// # Errors
    /// It cannot be read, or holds none.
    pub fn read(file: &Path) -> Result<Self, OpenCopyError> {
        let unreadable = |source| OpenCopyError::Unreadable { file: file.to_owned(), source };
        let mut text = String::new();
        let opened = regular_file::open(file).map_err(unreadable)?;
        opened.take(LARGEST).read_to_string(&mut text).map_err(unreadable)?;
        let identities = text.lines().map(str::trim).filter(|line| line.starts_with(IDENTITY));
        match identities.map(str::parse).collect::<Result<Vec<_>, _>>() {
            Ok(identities) if !identities.is_empty() => Ok(Self(identities)),
            _ => Err(OpenCopyError::Malformed { file: file.to_owned() }),
        }
    }
}

/// Encrypts what is written into it; at the end `finish` is called.
pub(crate) fn sealing<W: Write>(to: W, recipient: &Recipient) -> io::Result<StreamWriter<W>> {
    let recipients = std::iter::once(&recipient.0 as &dyn age::Recipient);
    Encryptor::with_recipients(recipients).map_err(io::Error::other)?.wrap_output(to)
}

/// The backup in a file, decrypted where it is encrypted.
pub(crate) fn opened(file: File, identity: Option<&Identity>) -> Result<Box<dyn Read + Send>, OpenCopyError> {
    let mut file = BufReader::new(file);
    if !file.fill_buf()?.starts_with(BEGINNING) {
        return Ok(Box::new(file));
    }
    let Identity(identities) = identity.ok_or(OpenCopyError::NoIdentity)?;
    let identities = identities.iter().map(|identity| identity as &dyn age::Identity);
    Ok(Box::new(Decryptor::new_buffered(file)?.decrypt(identities)?))
}
