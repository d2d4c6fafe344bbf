//! A connection to the database: runs statements and reads rows, whichever engine answers them.

mod address;
mod failed;
mod pipeline;
pub(crate) mod postgres;
mod prepared;
mod row;
pub(crate) mod sqlite;
mod tls;
mod value;

use std::ops::ControlFlow;

pub(crate) use address::Address;
pub(crate) use postgres::Postgres;
pub(crate) use prepared::Prepared;
pub(crate) use row::{FromValue, Row};
pub(crate) use value::{OwnedValue, Parameters, ToValue, Value, params};

use crate::StoreError;
use crate::write::Durability;

/// Why a transaction was not committed.
#[derive(Debug)]
pub(crate) enum NotCommitted {
    /// It was undone: one of its statements was refused.
    Undone(StoreError),
    /// It may have been committed all the same.
    Unclear(StoreError),
}

impl From<NotCommitted> for StoreError {
    fn from(error: NotCommitted) -> Self {
        match error {
            NotCommitted::Undone(error) | NotCommitted::Unclear(error) => error,
        }
    }
}

/// A connection to one of the engines.
pub(crate) enum Connection {
    /// A file.
    Sqlite(rusqlite::Connection),
    /// A server.
    Postgres(Box<Postgres>),
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "parameters are written at the call: an array, a tuple, `params!`"
)]
impl Connection {
    /// Runs a statement that answers no rows; says how many it changed.
    pub(crate) fn execute(&self, sql: &str, parameters: impl Parameters) -> Result<usize, StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, &parameters),
            Self::Postgres(connection) => connection.execute(sql, &parameters),
        }
    }

    /// Runs a statement whose count no one asks for. In a transaction its error may come with a later call, at the latest
    /// with [`Connection::flush`].
    pub(crate) fn run(&self, sql: &str, parameters: impl Parameters) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::execute(connection, sql, &parameters).map(|_| ()),
            Self::Postgres(connection) => connection.run(sql, &parameters),
        }
    }

    /// Waits for the statements that were run.
    pub(crate) fn flush(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(connection) => connection.flush().map(|_| ()),
        }
    }

    /// The first row, if there is one.
    pub(crate) fn first<T>(
        &self,
        sql: &str,
        parameters: impl Parameters,
        read: impl FnOnce(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let (mut read, mut found) = (Some(read), None);
        self.each(sql, parameters, |row| {
            found = read.take().map(|read| read(row)).transpose()?;
            Ok(ControlFlow::Break(()))
        })?;
        Ok(found)
    }

    /// All rows.
    pub(crate) fn all<T>(
        &self,
        sql: &str,
        parameters: impl Parameters,
        mut read: impl FnMut(&Row<'_>) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = Vec::new();
        self.each(sql, parameters, |row| {
            found.push(read(row)?);
            Ok(ControlFlow::Continue(()))
        })?;
        Ok(found)
    }

    /// Reads row after row until there is none or one was enough.
    pub(crate) fn each(
        &self,
        sql: &str,
        parameters: impl Parameters,
        mut read: impl FnMut(&Row<'_>) -> Result<ControlFlow<()>, StoreError>,
    ) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::each(connection, sql, &parameters, &mut read),
            Self::Postgres(connection) => connection.each(sql, &parameters, &mut read),
        }
    }

    /// Whether commits of SQLite wait for the disk from now on. A transaction of PostgreSQL says it when it begins.
    pub(crate) fn set_durability(&self, durability: Durability) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => sqlite::set_durability(connection, durability),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Begins a transaction that writes, and that is on the disk when [`Connection::commit`] returns or later.
    pub(crate) fn begin(&self, durability: Durability) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => self.begin_with_the_first(durability),
            Self::Postgres(connection) => {
                connection.begin()?;
                connection.commit_soon(durability)
            }
        }
    }

    /// The same. On PostgreSQL it is sent with the first statements, and an error is an error of those.
    pub(crate) fn begin_with_the_first(&self, durability: Durability) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => self.run("BEGIN IMMEDIATE", ()),
            Self::Postgres(connection) => {
                connection.begin_with_the_first()?;
                connection.commit_soon(durability)
            }
        }
    }

    /// A number that grows with each row that changes, where the engine counts them.
    pub(crate) fn changes(&self) -> u64 {
        match self {
            Self::Sqlite(connection) => connection.total_changes(),
            Self::Postgres(_) => 0,
        }
    }

    /// Begins a transaction that sees one moment of the store for as long as it lasts, and writes nothing.
    pub(crate) fn begin_reading(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => self.run("BEGIN", ()),
            Self::Postgres(connection) => connection.begin_reading(),
        }
    }

    pub(crate) fn commit(&self) -> Result<(), NotCommitted> {
        match self {
            Self::Sqlite(_) => self.run("COMMIT", ()).map_err(NotCommitted::Unclear),
            Self::Postgres(connection) => connection.commit(),
        }
    }

    /// Writes over what a commit that failed may have left in the log of SQLite.
    pub(crate) fn write_over(&self) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(_) => self.run(sqlite::WRITE_OVER, ()),
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Rolls back; what cannot be is logged.
    pub(crate) fn roll_back(&self) {
        let rolled_back = match self {
            Self::Sqlite(connection) if connection.is_autocommit() => Ok(()),
            Self::Sqlite(_) => self.run("ROLLBACK", ()),
            Self::Postgres(connection) => connection.roll_back(),
        };
        if let Err(error) = rolled_back {
            tracing::error!(%error, "cannot roll back");
        }
    }

    /// Whether a transaction is open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(connection) => !connection.is_autocommit(),
            Self::Postgres(connection) => connection.is_in_transaction(),
        }
    }

    /// Limits how large the database may become, in pages of 4 KiB, where the engine can.
    pub(crate) fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                Ok(connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
            }
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Tidies up and closes; what is wrong is logged.
    pub(crate) fn close(self) {
        match self {
            Self::Sqlite(connection) => sqlite::close(connection),
            Self::Postgres(connection) => drop(connection),
        }
    }
}

#[cfg(test)]
impl Connection {
    /// A new store in memory: a copy of one that was migrated once.
    pub(crate) fn migrated() -> Self {
        static MIGRATED: std::sync::LazyLock<std::sync::Mutex<rusqlite::Connection>> =
            std::sync::LazyLock::new(|| {
                let mut connection = rusqlite::Connection::open_in_memory().unwrap();
                let file = std::path::Path::new("test.db");
                crate::migrations::run(&mut connection, file, domain::Timestamp::default()).unwrap();
                connection.into()
            });
        let migrated = MIGRATED.lock().unwrap();
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        rusqlite::backup::Backup::new(&migrated, &mut connection)
            .and_then(|copy| copy.run_to_completion(i32::MAX, std::time::Duration::ZERO, None))
            .unwrap();
        Self::Sqlite(connection)
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).unwrap(),
            Self::Postgres(connection) => connection.batch(sql).unwrap(),
        }
    }
}
