//! A connection to the database: runs statements and reads rows, whichever engine answers them.

mod row;
pub(crate) mod sqlite;
mod value;

use std::ops::ControlFlow;

pub(crate) use row::{FromValue, Row};
pub(crate) use value::{Parameters, ToValue, Value, params};

use crate::StoreError;

/// A connection to one of the engines.
pub(crate) enum Connection {
    /// A file.
    Sqlite(rusqlite::Connection),
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
        }
    }

    /// Whether a transaction is open.
    pub(crate) fn is_in_transaction(&self) -> bool {
        match self {
            Self::Sqlite(connection) => !connection.is_autocommit(),
        }
    }

    /// Limits how large the database may become, in pages of 4 KiB, where the engine can.
    pub(crate) fn limit_pages(&self, pages: u32) -> Result<(), StoreError> {
        match self {
            Self::Sqlite(connection) => {
                Ok(connection.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()))?)
            }
        }
    }

    /// Tidies up and closes; what is wrong is logged.
    pub(crate) fn close(self) {
        match self {
            Self::Sqlite(connection) => sqlite::close(connection),
        }
    }
}

#[cfg(test)]
impl Connection {
    /// A new store in memory.
    pub(crate) fn migrated() -> Self {
        let mut connection = rusqlite::Connection::open_in_memory().unwrap();
        let file = std::path::Path::new("test.db");
        crate::migrations::run(&mut connection, file, domain::Timestamp::default()).unwrap();
        Self::Sqlite(connection)
    }

    /// Runs several statements without parameters.
    pub(crate) fn batch(&self, sql: &str) {
        match self {
            Self::Sqlite(connection) => connection.execute_batch(sql).unwrap(),
        }
    }
}
