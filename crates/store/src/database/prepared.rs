//! The statements of one transaction: each is looked up once, however many writes run it.

use std::cell::RefCell;

use rusqlite::CachedStatement;

use crate::StoreError;
use crate::database::{Connection, Parameters, sqlite};

/// Runs statements that answer no rows.
pub(crate) struct Prepared<'a> {
    connection: &'a Connection,
    /// Those of SQLite that were run: as many as a transaction has, which are few.
    statements: RefCell<Vec<(&'static str, CachedStatement<'a>)>>,
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "parameters are written at the call: an array, a tuple, `params!`"
)]
impl<'a> Prepared<'a> {
    pub(crate) const fn new(connection: &'a Connection) -> Self {
        Self { connection, statements: RefCell::new(Vec::new()) }
    }

    pub(crate) const fn connection(&self) -> &'a Connection {
        self.connection
    }

    /// See [`Connection::execute`].
    pub(crate) fn execute(
        &self,
        sql: &'static str,
        parameters: impl Parameters,
    ) -> Result<usize, StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => self.on_sqlite(connection, sql, &parameters),
            Connection::Postgres(connection) => connection.execute(sql, &parameters),
        }
    }

    /// See [`Connection::run`].
    pub(crate) fn run(&self, sql: &'static str, parameters: impl Parameters) -> Result<(), StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => self.on_sqlite(connection, sql, &parameters).map(drop),
            Connection::Postgres(connection) => connection.run(sql, &parameters),
        }
    }

    /// The same for a statement that may be run at any place of its group.
    pub(crate) fn run_beside(
        &self,
        sql: &'static str,
        parameters: impl Parameters,
    ) -> Result<(), StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => self.on_sqlite(connection, sql, &parameters).map(drop),
            Connection::Postgres(connection) => connection.run_beside(sql, &parameters),
        }
    }

    /// Runs a statement about one row that no other statement of its group is about. `is_exact`: it changes that row. On
    /// PostgreSQL the statement is run once for the rows of all who ran it before, and that one of them was not changed is an
    /// error of a later call.
    pub(crate) fn run_row(
        &self,
        sql: &'static str,
        parameters: impl Parameters,
        is_exact: bool,
    ) -> Result<bool, StoreError> {
        match self.connection {
            Connection::Sqlite(connection) => Ok(self.on_sqlite(connection, sql, &parameters)? > 0),
            Connection::Postgres(connection) => connection.run_row(sql, &parameters, is_exact).map(|()| true),
        }
    }

    fn on_sqlite(
        &self,
        connection: &'a rusqlite::Connection,
        sql: &'static str,
        parameters: &impl Parameters,
    ) -> Result<usize, StoreError> {
        let mut statements = self.statements.borrow_mut();
        // By its address: the text is static, and the same text at two addresses is only looked up twice.
        if let Some((_, statement)) = statements.iter_mut().find(|(known, _)| std::ptr::eq(*known, sql)) {
            return sqlite::run(statement, parameters);
        }
        let mut statement = connection.prepare_cached(sql)?;
        let changed = sqlite::run(&mut statement, parameters);
        statements.push((sql, statement));
        changed
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::params;

    const INSERT: &str = "INSERT INTO numbers (key, word) VALUES ($1, $2)";

    #[test]
    fn a_statement_runs_on_after_a_row_that_was_refused() {
        let connection = Connection::Sqlite(rusqlite::Connection::open_in_memory().unwrap());
        connection.batch("CREATE TABLE numbers (key INTEGER PRIMARY KEY, word TEXT)");
        let prepared = Prepared::new(&connection);
        assert_eq!(prepared.execute(INSERT, params![1, "one"]), Ok(1));
        assert!(prepared.execute(INSERT, params![1, "again"]).is_err());
        assert!(prepared.run(INSERT, params![2]).is_err(), "a value is missing");
        assert_eq!(prepared.execute(INSERT, params![2, None::<&str>]), Ok(1));
        let words = connection.all("SELECT word FROM numbers ORDER BY key", (), |row| row.get(0));
        assert_eq!(words, Ok(vec![Some("one".to_owned()), None]));
    }
}
