//! SQLite connections: how they are opened and tuned.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use std::ops::ControlFlow;

use ambient::regular_file;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement, ToSql};

use crate::database::{Parameters, Row, Value};
use crate::write::Durability;
use crate::{OpenError, StoreError};

/// More than there are statements, so that none is prepared twice.
pub(crate) const CACHED_STATEMENTS: usize = 950;

/// Writes over what a commit that failed may have left in the log: something that is never the same, as SQLite writes no
/// page that does not change.
pub(crate) const WRITE_OVER: &str = "
    INSERT INTO store_facts (name, value) VALUES ('after a failed commit', randomblob(8))
    ON CONFLICT (name) DO UPDATE SET value = excluded.value";

/// Makes the file of a database unless it is there: it never exists with wider rights, not even for a moment.
pub(crate) fn make(file: &Path) -> Result<(), OpenError> {
    let mut options = OpenOptions::new();
    regular_file::open_with(options.write(true).create(true).truncate(false).mode(0o600), file)
        .map_err(|source| unopened(file, source))?;
    check_beside(file)?;
    #[cfg(feature = "testing")]
    crate::testing::begin_migrated(file)?;
    Ok(())
}

/// Refuses a pipe, a folder or a device in the place of a file that SQLite keeps with a database. The error of SQLite names only the
/// database.
fn check_beside(file: &Path) -> Result<(), OpenError> {
    for ending in ["-wal", "-shm", "-journal"] {
        let mut beside = file.as_os_str().to_owned();
        beside.push(ending);
        // It is not opened: closing it would give up the locks that this process may have on it.
        if fs::metadata(&beside).is_ok_and(|found| !found.is_file()) {
            let what = "it is no regular file".to_owned();
            return Err(OpenError::Failed { file: beside.into(), what });
        }
    }
    Ok(())
}

/// What opening the file of a database failed with.
pub(crate) fn unopened(file: &Path, source: io::Error) -> OpenError {
    if source.kind() == io::ErrorKind::InvalidInput {
        return OpenError::Failed { file: file.to_owned(), what: source.to_string() };
    }
    let dir = file.parent().unwrap_or(file).to_owned();
    OpenError::NotWritable { dir, source }
}

/// The one connection that writes. A commit is on the disk when it returns, unless [`set_durability`] says later.
pub(crate) fn writing(file: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA trusted_schema = OFF;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -4096;
             PRAGMA wal_autocheckpoint = 2000;
             PRAGMA journal_size_limit = 16777216;",
        )?;
        let journal: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        tune(&connection)?;
        Ok((connection, journal))
    };
    let (connection, journal) = open().map_err(|error| failed(file, &error))?;
    // Without the log readers would wait for writers, and a power cut could undo what was answered.
    if journal != "wal" {
        let what = format!("this file system does not let SQLite keep a log beside the database ({journal})");
        return Err(OpenError::Failed { file: file.to_owned(), what });
    }
    Ok(connection)
}

/// A connection to a file that is there and that no other connection opens as long as this one lives.
pub(crate) fn alone(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.execute_batch(
        "PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA synchronous = FULL;
         PRAGMA foreign_keys = ON;
         PRAGMA trusted_schema = OFF;
         PRAGMA temp_store = MEMORY;",
    )?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("BEGIN IMMEDIATE; COMMIT")?;
    tune(&connection)?;
    Ok(connection)
}

/// A connection that only reads.
pub(crate) fn reading(file: &Path) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(Duration::from_secs(5))?;
        connection.execute_batch(
            "PRAGMA query_only = ON; PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1024;",
        )?;
        tune(&connection)?;
        Ok(connection)
    };
    open().map_err(|error| failed(file, &error))
}

/// Keeps statements prepared, and keeps their plans whatever is bound to them: otherwise SQLite plans many of them
/// again at each run, which costs more than running them.
fn tune(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(CACHED_STATEMENTS);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(|_| ())
}

/// Whether a commit waits for the disk. In the log of WAL all that was committed before is synced with it.
pub(crate) fn set_durability(connection: &Connection, durability: Durability) -> Result<(), StoreError> {
    Ok(connection.execute_batch(match durability {
        Durability::Soon => "PRAGMA synchronous = NORMAL",
        Durability::Synced => "PRAGMA synchronous = FULL",
    })?)
}

pub(crate) fn execute(
    connection: &Connection,
    sql: &str,
    parameters: &impl Parameters,
) -> Result<usize, StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    run(&mut statement, parameters)
}

/// Runs a statement that answers no rows; says how many it changed.
pub(crate) fn run(statement: &mut Statement<'_>, parameters: &impl Parameters) -> Result<usize, StoreError> {
    bind(statement, parameters)?;
    Ok(statement.raw_execute()?)
}

pub(crate) fn each(
    connection: &Connection,
    sql: &str,
    parameters: &impl Parameters,
    read: &mut dyn FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, parameters)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if read(&Row::Sqlite(row))?.is_break() {
            break;
        }
    }
    Ok(())
}

fn bind(statement: &mut Statement<'_>, parameters: &impl Parameters) -> rusqlite::Result<()> {
    let (mut index, mut result) = (0, Ok(()));
    parameters.each(&mut |value| {
        index += 1;
        if result.is_ok() {
            result = statement.raw_bind_parameter(index, value);
        }
    });
    result?;
    let expected = statement.parameter_count();
    if index == expected { Ok(()) } else { Err(rusqlite::Error::InvalidParameterCount(index, expected)) }
}

/// Moves the log into the database file and closes it.
pub(crate) fn close(connection: Connection) {
    if let Err(error) = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())) {
        tracing::warn!(%error, "cannot move the log into the database file; it is kept beside it");
    }
    if let Err((_, error)) = connection.close() {
        tracing::warn!(%error, "the database did not close");
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// A column of a row, or what is wrong with it.
pub(crate) fn value<'a>(row: &'a rusqlite::Row<'a>, index: usize) -> Result<Value<'a>, String> {
    match row.get_ref(index).map_err(|error| error.to_string())? {
        ValueRef::Null => Ok(Value::Null),
        ValueRef::Integer(number) => Ok(Value::Integer(number)),
        ValueRef::Text(text) => str::from_utf8(text).map(Value::Text).map_err(|error| error.to_string()),
        ValueRef::Blob(bytes) => Ok(Value::Blob(bytes)),
        ValueRef::Real(_) => Err("a fraction is nothing that is stored".to_owned()),
    }
}

/// What an error of SQLite means while a store is being opened.
pub(crate) fn failed(file: &Path, error: &rusqlite::Error) -> OpenError {
    let what = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            OpenError::Corrupt { file: file.to_owned(), what }
        }
        _ => OpenError::Failed { file: file.to_owned(), what },
    }
}

#[cfg(test)]
mod tests {
    /// A commit waits for the disk with `fdatasync` where SQLite is built so, as `.cargo/config.toml` asks for: a half to a
    /// third of the time of `fsync` on a journaled file system.
    #[test]
    fn sqlite_is_built_to_wait_for_data_alone() {
        assert!(option_env!("LIBSQLITE3_FLAGS").is_some_and(|flags| flags.contains("-DHAVE_FDATASYNC")));
    }
}
