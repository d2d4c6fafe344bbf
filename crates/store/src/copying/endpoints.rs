//! The two ends of a copy: opened so that no other process works on them, and looked at before anything is written.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ambient::{FileLock, regular_file};
use domain::Timestamp;
use rusqlite::ErrorCode;
use sha2::{Digest, Sha256};

use super::{CopyError, NOTE, Note, is_unfinished, taken};
use crate::database::postgres::Use;
use crate::database::sqlite::{self, failed};
use crate::database::{Address, Connection, Postgres};
use crate::directory::DirectoryLock;
use crate::lease::Lease;
use crate::{OpenError, StoreError, directory, migrations, opening};

/// The store that is copied. No other process works on it.
pub(super) struct Source {
    pub(super) connection: Connection,
    pub(super) lease: Option<Lease>,
    _locks: [Option<FileLock>; 2],
    pub(super) identity: String,
}

impl Source {
    pub(super) fn open(address: Address) -> Result<Self, CopyError> {
        let failed = |error: StoreError| CopyError::BrokeDown(error.to_string());
        let (connection, lease, locks) = match address {
            Address::Sqlite(file) => {
                if !file.exists() {
                    return Err(CopyError::NoStore);
                }
                let folder = folder_of(&file);
                directory::whole(&folder).map_err(CopyError::From)?;
                let locks = directory::lock_existing(&folder).map_err(CopyError::From)?;
                let connection = alone(&file).map_err(CopyError::From)?;
                if !has_facts(&connection).map_err(|error| CopyError::From(sqlite::failed(&file, &error)))? {
                    return Err(CopyError::NoStore);
                }
                (Connection::Sqlite(connection), None, locks)
            }
            Address::Postgres(config) => {
                let connect = |usage| Postgres::connect(&config, usage).map_err(CopyError::From);
                let reading = connect(Use::Reading)?;
                let is_there = "SELECT to_regclass('store_facts')::text";
                let found =
                    reading.first(is_there, &(), |row| row.get::<Option<String>>(0)).map_err(failed)?;
                if found.flatten().is_none() {
                    return Err(CopyError::NoStore);
                }
                let lease = Lease::take(connect(Use::Writing)?, None).map_err(CopyError::From)?;
                (Connection::Postgres(Box::new(reading)), Some(lease), [None, None])
            }
        };
        let (known, found) = (migrations::newest(), version(&connection).map_err(failed)?);
        if found > known {
            return Err(CopyError::From(OpenError::Newer { found, known }));
        } else if found < known {
            return Err(CopyError::Older { found, known });
        }
        if is_unfinished(&connection).map_err(failed)? {
            return Err(CopyError::Unfinished);
        }
        let sealed = opening::key_check(&connection).map_err(failed)?.ok_or(CopyError::NoStore)?;
        Ok(Self { connection, lease, _locks: locks, identity: hex::encode(Sha256::digest(sealed)) })
    }
}

/// The place that is copied to: empty, or with a part of a copy.
pub(super) struct Target {
    pub(super) connection: Connection,
    pub(super) lease: Option<Lease>,
    _lock: Option<DirectoryLock>,
    /// The folder of a file.
    pub(super) folder: Option<PathBuf>,
    pub(super) note: Option<Note>,
}

impl Target {
    /// Opens it, but for the lock of a folder that is held already, and makes its tables.
    pub(super) fn open(address: Address, is_locked: bool, now: Timestamp) -> Result<Self, CopyError> {
        match address {
            Address::Sqlite(file) => Self::open_file(&file, is_locked, now),
            Address::Postgres(config) => {
                let connect = || Postgres::connect(&config, Use::Writing).map_err(CopyError::To);
                let connection = connect()?;
                migrations::prepare_server(&connection).map_err(CopyError::To)?;
                let lease = Lease::take(connect()?, None).map_err(CopyError::To)?;
                let connection = Connection::Postgres(Box::new(connection.under(lease.epoch)));
                let note = note(&connection)?;
                if let Connection::Postgres(connection) = &connection {
                    migrations::run_on_server(connection, now).map_err(CopyError::To)?;
                }
                Ok(Self { connection, lease: Some(lease), _lock: None, folder: None, note })
            }
        }
    }

    fn open_file(file: &Path, is_locked: bool, now: Timestamp) -> Result<Self, CopyError> {
        let folder = folder_of(file);
        let lock = if is_locked { None } else { Some(directory::lock(&folder).map_err(CopyError::To)?) };
        directory::whole(&folder).map_err(CopyError::To)?;
        // Made here so that it never exists with wider rights, not even for a moment.
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(0o600);
        regular_file::open_with(&mut options, file)
            .map_err(|source| CopyError::To(sqlite::unopened(file, source)))?;
        let made = alone(file).map_err(CopyError::To)?;
        let judged = |error: rusqlite::Error| CopyError::To(failed(file, &error));
        let has_facts = has_facts(&made).map_err(judged)?;
        let sql = "SELECT count(*) FROM sqlite_schema";
        if !has_facts && made.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(judged)? > 0 {
            return Err(taken("tables of another program"));
        }
        let mut connection = Connection::Sqlite(made);
        let note = if has_facts { note(&connection)? } else { None };
        if let Connection::Sqlite(connection) = &mut connection {
            migrations::run(connection, file, now).map_err(CopyError::To)?;
        }
        Ok(Self { connection, lease: None, _lock: lock, folder: Some(folder), note })
    }
}

/// The note of a copy that was broken off; none where nothing is there yet.
fn note(connection: &Connection) -> Result<Option<Note>, CopyError> {
    let failed = |error: StoreError| CopyError::BrokeDown(error.to_string());
    let Some(note) = fact(connection, NOTE).map_err(failed)? else {
        let is_used = opening::key_check(connection).map_err(failed)?.is_some();
        return if is_used { Err(taken("another store")) } else { Ok(None) };
    };
    let known = migrations::newest();
    if version(connection).map_err(failed)? != known {
        return Err(taken("a part of a copy with another schema version"));
    }
    serde_json::from_slice(&note).map(Some).map_err(|_| taken("a part of a copy that another program made"))
}

pub(super) fn fact(connection: &Connection, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
    connection.first("SELECT value FROM store_facts WHERE name = $1", [name], |row| row.get(0))
}

fn version(connection: &Connection) -> Result<i64, StoreError> {
    let sql = "SELECT coalesce(max(version), 0) FROM schema_migrations";
    Ok(connection.first(sql, (), |row| row.get(0))?.unwrap_or_default())
}

fn has_facts(connection: &rusqlite::Connection) -> rusqlite::Result<bool> {
    connection.table_exists(None, "store_facts")
}

/// A connection to a file that no other process has open.
fn alone(file: &Path) -> Result<rusqlite::Connection, OpenError> {
    sqlite::alone(file).map_err(|error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            OpenError::InUse { dir: file.to_owned(), holder: None }
        }
        _ => failed(file, &error),
    })
}

fn folder_of(file: &Path) -> PathBuf {
    file.parent().map_or_else(PathBuf::new, Path::to_owned)
}

impl Address {
    /// The folder of a file, as the system knows it.
    pub(super) fn folder(&self) -> Option<PathBuf> {
        match self {
            Self::Sqlite(file) => fs::canonicalize(folder_of(file)).ok(),
            Self::Postgres(_) => None,
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Sqlite(one), Self::Sqlite(other)) => {
                one == other
                    || fs::canonicalize(one)
                        .is_ok_and(|one| fs::canonicalize(other).is_ok_and(|other| one == other))
            }
            (Self::Postgres(one), Self::Postgres(other)) => one == other,
            _ => false,
        }
    }
}
