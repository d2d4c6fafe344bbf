//! What a backup says of itself: the last entry of its file, so that a file without it is not whole.

use std::collections::{BTreeMap, BTreeSet};

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::archive::ArchiveError;

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
    /// How many rows each table of the database has; nothing in a backup of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<BTreeMap<String, u64>>,
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

    /// Compares the rows that were counted with those that it says.
    pub(crate) fn compare_rows(&self, found: &BTreeMap<String, u64>) -> Result<(), ArchiveError> {
        let Some(recorded) = &self.rows else { return Ok(()) };
        let tables: BTreeSet<&String> = recorded.keys().chain(found.keys()).collect();
        let rows = |of: &BTreeMap<String, u64>, table: &String| of.get(table).copied().unwrap_or_default();
        match tables.into_iter().find(|table| recorded.get(*table) != found.get(*table)) {
            None => Ok(()),
            Some(table) => Err(ArchiveError::Rows {
                table: table.clone(),
                recorded: rows(recorded, table),
                found: rows(found, table),
            }),
        }
    }
}
