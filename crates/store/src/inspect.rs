//! Looking at a store that no one works on, without changing it: can it be opened, and is it of this program's time?

use std::fmt::Write;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use rusqlite::{Connection, OpenFlags, OptionalExtension};

use crate::database::sqlite::failed;
use crate::database::{self, Address};
use crate::error::MasterKeyError;
use crate::{Accepts, MasterKey, OpenError, StoreError, directory, identity, migrations, opening};

/// A larger database is not read through: that would take minutes.
const READ_THROUGH: u64 = 256 << 20;

/// What a store shows to a caller that only inspects it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInspection {
    /// The version of its schema.
    pub schema: i64,
    /// The newest version that this program knows.
    pub known: i64,
    /// The size of the database file, in bytes.
    pub database_bytes: u64,
    /// The size of its log, in bytes.
    pub log_bytes: u64,
    /// Whether it was read through for damage: a large one is not.
    pub checked: bool,
    /// When the system says that it was written last.
    pub written_at: Option<Timestamp>,
}

/// Looks at the store of a data directory; nothing when there is none yet. Blocks on the disk. Never call it in a process
/// that has the store open: closing a file gives up all the locks that its process has on it.
///
/// # Errors
///
/// What opening it would say: it is in use, damaged, of a newer program, or its master key is not the right one.
pub fn inspect(
    data_dir: &Path,
    url: &str,
    master_key: &MasterKey,
) -> Result<Option<StoreInspection>, OpenError> {
    let address = Address::parse(url, data_dir)?;
    // Before the file is looked for: it may be on its way.
    directory::whole(data_dir)?;
    let has_traces = identity::has_traces(data_dir, master_key)?;
    identity::check_before_it_is_made(&address, data_dir, has_traces, Accepts::default())?;
    let file = address.file()?;
    let metadata = match fs::metadata(&file) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(OpenError::NotWritable { dir: data_dir.to_owned(), source }),
    };
    let _lock = directory::lock_existing(data_dir)?;
    let _database = directory::lock_database(&file)?;
    let log_bytes = fs::metadata(beside(&file, "-wal")).map_or(0, |log| log.len());
    let connection = open(&file, log_bytes == 0).map_err(|error| failed(&file, &error))?;
    let judge = |error: StoreError| OpenError::Failed { file: file.clone(), what: error.to_string() };
    let schema = schema(&connection, &file)?;
    let checked = metadata.len() <= READ_THROUGH;
    if checked {
        read_through(&connection, &file)?;
    }
    if let Some(sealed) = opening::key_check(&database::Connection::Sqlite(connection)).map_err(judge)? {
        let vault = master_key.vault(data_dir, true)?;
        if !opening::is_ours(&vault, &sealed) {
            return Err(MasterKeyError::Wrong { file: master_key.file(data_dir) }.into());
        }
    }
    let written_at = metadata.modified().ok().and_then(|at| {
        let since = at.duration_since(std::time::SystemTime::UNIX_EPOCH).ok()?;
        Some(Timestamp::default().plus(since))
    });
    let known = migrations::newest();
    Ok(Some(StoreInspection {
        schema,
        known,
        database_bytes: metadata.len(),
        log_bytes,
        checked,
        written_at,
    }))
}

/// The version of a database's schema, if this program knows it.
pub(crate) fn schema(connection: &Connection, file: &Path) -> Result<i64, OpenError> {
    let found: i64 = connection
        .query_row("SELECT coalesce(max(version), 0) FROM schema_migrations", [], |row| row.get(0))
        .map_err(|error| failed(file, &error))?;
    let known = migrations::newest();
    if found > known { Err(OpenError::Newer { found, known }) } else { Ok(found) }
}

/// Reads a database through for damage.
pub(crate) fn read_through(connection: &Connection, file: &Path) -> Result<(), OpenError> {
    let verdict: Option<String> = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .optional()
        .map_err(|error| failed(file, &error))?;
    match verdict.filter(|verdict| verdict != "ok") {
        Some(what) => Err(OpenError::Corrupt { file: file.to_owned(), what }),
        None => Ok(()),
    }
}

/// Whether no one works on a data directory now.
///
/// # Errors
///
/// [`OpenError::InUse`] when a process does.
pub fn check_free(data_dir: &Path) -> Result<(), OpenError> {
    directory::lock_existing(data_dir).map(|_| ())
}

/// A database without a log changes for no one while its directory is locked, and is read without making one.
pub(crate) fn open(file: &Path, at_rest: bool) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = if at_rest {
        let mut address = String::from("file:");
        for byte in file.as_os_str().as_encoded_bytes() {
            if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
                address.push(char::from(*byte));
            } else {
                // Writing to a string does not fail.
                let _ = write!(address, "%{byte:02X}");
            }
        }
        address.push_str("?immutable=1");
        Connection::open_with_flags(address, flags | OpenFlags::SQLITE_OPEN_URI)?
    } else {
        Connection::open_with_flags(file, flags)?
    };
    connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF;")?;
    Ok(connection)
}

fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}
