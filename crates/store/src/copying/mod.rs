//! A store copied into another one, of either engine: table by table, row by row, as values.
//!
//! Each page of rows is committed together with a note in the target that says from which store it is and how far it is, so that
//! a copy that was broken off goes on where it stopped. As long as the note is there, the target opens as no store.

mod endpoints;
mod table;

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use domain::Timestamp;

use crate::database::sqlite::{self, failed};
use crate::database::{Address, Connection, OwnedValue};
use crate::lease::Lease;
use crate::write::Durability;
use crate::{OpenError, StoreError, identity, migrations};

use endpoints::{Source, Target, fact};
use table::{PAGE, Table, Tally, tables};

/// The fact that says that a store is a copy which is not whole yet.
const NOTE: &str = "unfinished copy";

/// What is copied, and into what.
pub struct CopyOptions {
    /// The address of the store to copy, as `store.url` has it.
    pub from: String,
    /// The address that it is copied to.
    pub to: String,
    /// The directory that the names of files are relative to.
    pub dir: PathBuf,
    /// The time at which the tables of the target are made.
    pub now: Timestamp,
}

/// How far a copy is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyProgress {
    /// The table that is worked on.
    pub table: String,
    /// Whether all rows are in the target, and both sides are compared.
    pub is_comparing: bool,
    /// Rows done, of all tables.
    pub rows: u64,
    /// Rows there are, of all tables.
    pub of: u64,
}

/// A table that is the same on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedTable {
    /// Its name.
    pub name: String,
    /// How many rows it has.
    pub rows: u64,
    /// A sum over all its values, which any two stores that hold the same have in common.
    pub checksum: String,
}

/// A copy that is whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Each table, in the order of copying.
    pub tables: Vec<CopiedTable>,
    /// Whether it went on with a copy that was broken off.
    pub is_resumed: bool,
}

/// Why a store was not copied.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    /// The store to copy cannot be opened, or another process works on it.
    #[error("the store to copy from: {0}")]
    From(#[source] OpenError),
    /// The target cannot be opened, or another process works on it.
    #[error("the store to copy to: {0}")]
    To(#[source] OpenError),
    /// There is nothing to copy.
    #[error(
        "there is no store at the address to copy from; start `switchboard up` on it once, or name another"
    )]
    NoStore,
    /// Both addresses are one.
    #[error("both addresses name the same store")]
    Same,
    /// The store to copy was not brought up to date.
    #[error(
        "the store to copy has schema version {found}, this program makes {known}; start `switchboard up` of this version on it once"
    )]
    Older {
        /// Its version.
        found: i64,
        /// The version of this program.
        known: i64,
    },
    /// What is there would be mixed with the copy.
    #[error("the target holds {what}; name an empty one")]
    Taken {
        /// What it holds.
        what: &'static str,
    },
    /// The store to copy is a copy that was broken off.
    #[error("the store to copy is itself a copy that was broken off; finish that one first")]
    Unfinished,
    /// A row was not read or not written. Calling again goes on.
    #[error("the table {table}: {source}; what was copied is kept, and the same command goes on there")]
    Rows {
        /// The table.
        table: String,
        /// What went wrong.
        source: StoreError,
    },
    /// A table is not the same on both sides: one of them was changed since the copy began.
    #[error(
        "the table {table} differs: {from} rows in the store that was copied, {to} in the copy, or other values; it was changed \
         since the copy began. Empty the target and copy again"
    )]
    Differs {
        /// The table.
        table: String,
        /// Rows in the store that was copied.
        from: u64,
        /// Rows in the copy.
        to: u64,
    },
    /// The lease of a server was lost.
    #[error("another process took one of the stores over; stop it, empty the target and copy again")]
    Lost,
    /// The caller wanted no more of it. Calling again goes on.
    #[error("the copy was broken off; the same command goes on where it stopped")]
    BrokenOff,
    /// Anything else that the system says.
    #[error("the copy broke down: {0}")]
    BrokeDown(String),
}

/// Copies a store into another place, which must be empty or hold a part of this copy, and compares both. No process may work
/// on either meanwhile. `progress` hears how far it is after each page and may break it off. Needs no master key.
///
/// # Errors
/// See [`CopyError`]; what was copied before an error stays, and calling again goes on there.
pub async fn copy(
    options: CopyOptions,
    progress: impl FnMut(CopyProgress) -> ControlFlow<()> + Send + 'static,
) -> Result<Copied, CopyError> {
    let work = move || copy_all(&options, progress);
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(CopyError::BrokeDown(error.to_string())))
}

/// Whether a store could be copied to this address: no other one is there, and no process works on it.
///
/// # Errors
/// What [`copy`] would say of the target.
pub async fn check_target(to: String, dir: PathBuf, now: Timestamp) -> Result<(), CopyError> {
    let work = move || {
        let address = Address::parse(&to, &dir).map_err(CopyError::To)?;
        let target = Target::open(address, false, now)?;
        if target.note.is_some() { Err(taken("a part of a copy")) } else { Ok(()) }
    };
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(CopyError::BrokeDown(error.to_string())))
}

/// Whether this store is a copy that is not whole yet.
pub(crate) fn is_unfinished(connection: &Connection) -> Result<bool, StoreError> {
    Ok(fact(connection, NOTE)?.is_some())
}

fn copy_all(
    options: &CopyOptions,
    mut progress: impl FnMut(CopyProgress) -> ControlFlow<()>,
) -> Result<Copied, CopyError> {
    let from = Address::parse(&options.from, &options.dir).map_err(CopyError::From)?;
    let to = Address::parse(&options.to, &options.dir).map_err(CopyError::To)?;
    if from.is_same(&to) {
        return Err(CopyError::Same);
    }
    let is_locked = from.folder().is_some_and(|folder| to.folder() == Some(folder));
    let source = Source::open(from)?;
    let target = Target::open(to, is_locked, options.now)?;
    if target.note.as_ref().is_some_and(|note| note.store != source.identity) {
        return Err(taken("a part of a copy of another store"));
    }
    let tables = tables().map_err(|error| CopyError::BrokeDown(error.to_string()))?;
    let mut copying = Copying {
        source: &source.connection,
        target: &target.connection,
        of: count(&source.connection, &tables)?,
        rows: 0,
        progress: &mut progress,
    };
    let is_resumed = target.note.is_some();
    let begun = Note { store: source.identity.clone(), tables: 0, after: None };
    copying.all(&tables, target.note.clone().unwrap_or(begun))?;
    let tables = copying.compare(&tables)?;
    if [&source.lease, &target.lease].into_iter().flatten().any(Lease::is_lost) {
        return Err(CopyError::Lost);
    }
    // Before the copy opens: a start on a file needs it.
    if let Some(folder) = &target.folder {
        identity::remember(folder, &target.connection).map_err(CopyError::To)?;
    }
    copying.finish()?;
    source.connection.close();
    target.connection.close();
    Ok(Copied { tables, is_resumed })
}

/// Copies all rows that a connection sees into a store that has just been made, in a file of its own.
pub(crate) fn copy_into_file(
    source: &Connection,
    file: &Path,
    now: Timestamp,
    mut progress: impl FnMut(CopyProgress) -> ControlFlow<()>,
) -> Result<(), CopyError> {
    let broke = |error: StoreError| CopyError::BrokeDown(error.to_string());
    let mut made = sqlite::alone(file).map_err(|error| CopyError::To(failed(file, &error)))?;
    migrations::run(&mut made, file, now).map_err(CopyError::To)?;
    let target = Connection::Sqlite(made);
    let tables = tables().map_err(broke)?;
    let mut copying = Copying { source, target: &target, of: 0, rows: 0, progress: &mut progress };
    copying.all(&tables, Note { store: String::new(), tables: 0, after: None })?;
    copying.finish()?;
    // The file alone is the copy: nothing of it stays in a log.
    target.first("PRAGMA journal_mode = DELETE", (), |_| Ok(())).map_err(broke)?;
    target.close();
    Ok(())
}

fn taken(what: &'static str) -> CopyError {
    CopyError::Taken { what }
}

fn count(connection: &Connection, tables: &[Table]) -> Result<u64, CopyError> {
    tables.iter().try_fold(0, |sum: u64, table| {
        let sql = format!("SELECT count(*) FROM \"{}\"", table.name);
        let counted = connection.first(&sql, (), |row| row.get::<i64>(0)).map_err(table.rows_failed())?;
        Ok(sum.saturating_add(u64::try_from(counted.unwrap_or_default()).unwrap_or_default()))
    })
}

/// How far a copy is, as the target keeps it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
struct Note {
    /// The identity of the store that it is a copy of.
    store: String,
    /// How many tables are done.
    tables: usize,
    /// The last key that was copied of the next one, as the source has it.
    after: Option<Vec<OwnedValue>>,
}

struct Copying<'a> {
    source: &'a Connection,
    target: &'a Connection,
    /// Rows there are.
    of: u64,
    /// Rows done.
    rows: u64,
    progress: &'a mut dyn FnMut(CopyProgress) -> ControlFlow<()>,
}

impl Copying<'_> {
    /// Copies all that is not copied yet.
    fn all(&mut self, tables: &[Table], mut note: Note) -> Result<(), CopyError> {
        for (number, table) in tables.iter().enumerate().skip(note.tables) {
            let insert = table.insert();
            loop {
                let rows = table.read(self.source, note.after.as_deref())?;
                note.after = rows.last().map(|row| table.key_of(row));
                if rows.len() < PAGE {
                    (note.tables, note.after) = (number + 1, None);
                }
                self.put(&insert, &rows, &note).map_err(table.rows_failed())?;
                self.tell(table, rows.len(), false)?;
                if note.after.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Writes rows, and how far the copy is then.
    fn put(&self, insert: &str, rows: &[Vec<OwnedValue>], note: &Note) -> Result<(), StoreError> {
        let note = serde_json::to_vec(note).map_err(|error| StoreError::Unavailable(error.to_string()))?;
        // What a power cut takes, the note goes with.
        self.in_transaction(Durability::Soon, || {
            for row in rows {
                self.target.run(insert, row.as_slice())?;
            }
            let save = "INSERT INTO store_facts (name, value) VALUES ($1, $2)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            self.target.run(save, (NOTE, note))
        })
    }

    /// Takes the note away: from then on the target opens.
    fn finish(&self) -> Result<(), CopyError> {
        self.in_transaction(Durability::Synced, || {
            self.target.run("DELETE FROM store_facts WHERE name = $1", [NOTE])
        })
        .map_err(|source| CopyError::Rows { table: "store_facts".to_owned(), source })
    }

    fn in_transaction(
        &self,
        durability: Durability,
        work: impl FnOnce() -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.target.begin(durability)?;
        let done = work().and_then(|()| Ok(self.target.commit()?));
        if done.is_err() {
            self.target.roll_back();
        }
        done
    }

    /// Reads both sides through.
    fn compare(&mut self, tables: &[Table]) -> Result<Vec<CopiedTable>, CopyError> {
        self.rows = 0;
        let compared = tables.iter().map(|table| {
            let from = self.tally(table, self.source)?;
            let to = self.tally(table, self.target)?;
            if from != to {
                let (table, from, to) = (table.name.clone(), from.rows, to.rows);
                return Err(CopyError::Differs { table, from, to });
            }
            self.tell(table, usize::try_from(from.rows).unwrap_or(usize::MAX), true)?;
            Ok(CopiedTable {
                name: table.name.clone(),
                rows: from.rows,
                checksum: format!("{:032x}", from.sum),
            })
        });
        compared.collect()
    }

    fn tally(&mut self, table: &Table, connection: &Connection) -> Result<Tally, CopyError> {
        let (mut tally, mut after): (Tally, Option<Vec<OwnedValue>>) = (Tally::default(), None);
        loop {
            let rows = table.read(connection, after.as_deref())?;
            for row in &rows {
                tally.add(row);
            }
            match rows.last() {
                Some(last) if rows.len() == PAGE => after = Some(table.key_of(last)),
                _ => return Ok(tally),
            }
            self.tell(table, 0, true)?;
        }
    }

    fn tell(&mut self, table: &Table, more: usize, is_comparing: bool) -> Result<(), CopyError> {
        self.rows = self.rows.saturating_add(more as u64);
        let progress = CopyProgress { table: table.name.clone(), is_comparing, rows: self.rows, of: self.of };
        match (self.progress)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(CopyError::BrokenOff),
        }
    }
}
