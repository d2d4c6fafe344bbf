//! Any database of another program: its tables with their rows, and a copy of it as it was at one moment.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::Unreadable;
use crate::read::Reader;
use crate::sqlite::{Database, MAGIC};

/// The largest database that is copied.
const LARGEST_MB: u64 = 4096;

/// The most rows of a table that is read, and the most tables.
const MOST_ROWS: u64 = 1000;
const MOST_TABLES: usize = 100;

/// A table of a database, and how many rows it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableRows {
    pub name: String,
    pub rows: u64,
}

/// A small table of a database, each value as text. What it holds may be secret, so it is never printed.
pub struct TableText {
    pub name: String,
    /// In lower case.
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Option<String>>>,
}

impl Reader {
    /// Reads the tables of a database that have no more than 1000 rows.
    ///
    /// # Errors
    /// It is no database, in use or damaged.
    pub fn small_tables(&self, database: &Path) -> Result<Vec<TableText>, Unreadable> {
        let copy = self.copy(database, LARGEST_MB)?;
        if !copy.begins_with(MAGIC)? {
            return Err(Unreadable::NotSqlite);
        }
        let opened = Database::open(&copy)?;
        let tables = opened.tables()?.into_iter().filter(|table| table.rows <= MOST_ROWS).take(MOST_TABLES);
        tables.map(|table| opened.text(table.name)).collect()
    }

    /// Counts the rows of a database's tables, and copies it into a file that is not there yet, for its owner alone.
    /// What its journal holds is in the copy.
    ///
    /// # Errors
    /// It is no database, in use or damaged, or the file cannot be written.
    pub fn archive(&self, database: &Path, to: &Path) -> Result<Vec<TableRows>, Unreadable> {
        let copy = self.copy(database, LARGEST_MB)?;
        if !copy.begins_with(MAGIC)? {
            return Err(Unreadable::NotSqlite);
        }
        let opened = Database::open(&copy)?;
        let tables = opened.tables()?;
        drop(opened);
        let mut archive = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to)?;
        io::copy(&mut File::open(copy.path())?, &mut archive)?;
        archive.sync_all()?;
        Ok(tables)
    }
}
