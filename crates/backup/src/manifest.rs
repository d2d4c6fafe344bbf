//! What a backup says of itself: the last entry of its file, so that a file without it is not whole.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

/// The name of its entry.
pub(crate) const NAME: &str = "manifest.json";

/// The form that this program writes, and the newest that it reads.
pub(crate) const FORM: u32 = 1;

/// The largest that is read, in bytes: some 100,000 files.
pub(crate) const LARGEST: u64 = 32 << 20;

/// What is in a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form of the backup.
    pub form: u32,
    /// When the database was as it is in it.
    pub made_at: Timestamp,
    /// The version of the program that made it.
    pub version: String,
    /// The version of the database's schema.
    pub schema: i64,
    /// Whether no server ran when it was made: nothing was sent by it since, unless one was started.
    #[serde(default)]
    pub at_rest: bool,
    pub files: Vec<Entry>,
}

/// One file in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its path in the data directory.
    pub name: String,
    /// Its size, in bytes.
    pub bytes: u64,
    /// The hash of its content, in hexadecimal digits.
    pub sha256: String,
}

impl Manifest {
    /// How large everything in it is, in bytes.
    pub fn bytes(&self) -> u64 {
        self.files.iter().fold(0, |sum, entry| sum.saturating_add(entry.bytes))
    }
}
