//! A copy of the database as it is at one moment, made while it is worked on, and the proof that such a copy is whole.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domain::Timestamp;
use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};
use tokio_postgres::Config;

use crate::copying::{CopyError, copy_into_file};
use crate::database::postgres::Use;
use crate::database::sqlite::failed;
use crate::database::{self, Postgres};
use crate::error::{MasterKeyError, SnapshotError};
use crate::{MasterKey, OpenError, Store, StoreError, inspect, opening};

/// A copy that was read through: nothing in it is damaged, it is of this program's time, and its key is the one that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenCopy {
    /// The version of its schema.
    pub schema: i64,
    /// Its size, in bytes.
    pub bytes: u64,
    /// How many rows each table has.
    pub rows: BTreeMap<String, u64>,
}

impl Store {
    /// Copies the database into a file that is not there yet: one moment of it, packed tight, for its owner alone; a file of
    /// SQLite, whichever engine the store is on. Writers and readers go on meanwhile; what they write is not in the copy, and
    /// the log beside the database, or what a server keeps of old rows, grows until it is made.
    /// Takes as long as reading and writing the whole database does; dropping the future ends it soon, and the file goes.
    ///
    /// # Errors
    /// When the file is there already, the disk is full or fails, or the database is damaged.
    pub async fn snapshot(&self, to: &Path) -> Result<u64, SnapshotError> {
        // A copy with fields of two keys could be opened with neither alone.
        let _turn = self.inner.rotating.lock().await;
        if self.is_rotating_master_key() {
            let what = "a rotation of the master key is not finished; run `switchboard master-key rotate`";
            return Err(SnapshotError::Failed { file: to.to_owned(), what: what.to_owned() });
        }
        if let Some(server) = &self.inner.server {
            let (server, to, now) = (server.clone(), to.to_owned(), self.now());
            let stopping = Stopping::default();
            let is_stopped = Arc::clone(&stopping.0);
            return in_background(move || copy_of_server(&server, &to, now, &is_stopped)).await;
        }
        let from = self.inner.location.file.clone();
        let (connection, handle) = in_background(move || reading(&from)).await?;
        // The one who waits no longer ends the copying: it may go on for minutes.
        let interrupting = Interrupting(handle);
        let stopping = Stopping::default();
        let (to, is_stopped) = (to.to_owned(), Arc::clone(&stopping.0));
        let copied = in_background(move || {
            made(&to)?;
            let copied = copy(&connection, &to);
            // An interrupt before the copying began was not heard.
            if is_stopped.load(Ordering::Relaxed) {
                let _ = fs::remove_file(&to);
            }
            copied
        })
        .await;
        drop(interrupting);
        copied
    }

    /// Reads a copy through, with this store's key.
    ///
    /// # Errors
    /// Whatever keeps the copy from being opened in place of this store.
    pub async fn prove(&self, copy: &Path) -> Result<ProvenCopy, OpenError> {
        let (inner, file) = (self.inner.clone(), copy.to_owned());
        let named = file.clone();
        let proving = tokio::task::spawn_blocking(move || {
            let ours = |sealed: &[u8]| {
                if opening::is_ours(&inner.vault, sealed) {
                    Ok(())
                } else {
                    Err(MasterKeyError::Wrong { file: None }.into())
                }
            };
            prove(&file, ours)
        });
        proving.await.map_err(|error| OpenError::Failed { file: named, what: error.to_string() })?
    }
}

/// Reads a copy through while no store is open, with the master key of a data directory. Blocks on the disk.
///
/// # Errors
/// Whatever keeps the copy from being opened as the store of that data directory.
pub fn prove_copy(copy: &Path, data_dir: &Path, master_key: &MasterKey) -> Result<ProvenCopy, OpenError> {
    let ours = |sealed: &[u8]| {
        let vault = master_key.vault(data_dir, true)?;
        if opening::is_ours(&vault, sealed) {
            Ok(())
        } else {
            Err(MasterKeyError::Wrong { file: master_key.file(data_dir) }.into())
        }
    };
    prove(copy, ours)
}

fn prove(copy: &Path, ours: impl FnOnce(&[u8]) -> Result<(), OpenError>) -> Result<ProvenCopy, OpenError> {
    let failed = |error: rusqlite::Error| failed(copy, &error);
    let bytes = fs::metadata(copy)
        .map_err(|error| OpenError::Failed { file: copy.to_owned(), what: error.to_string() })?
        .len();
    let connection = inspect::open(copy, true).map_err(failed)?;
    let schema = inspect::schema(&connection, copy)?;
    inspect::read_through(&connection, copy)?;
    let rows = rows(&connection).map_err(failed)?;
    let check = opening::key_check(&database::Connection::Sqlite(connection))
        .map_err(|error| OpenError::Failed { file: copy.to_owned(), what: error.to_string() })?;
    if let Some(sealed) = check {
        ours(&sealed)?;
    }
    Ok(ProvenCopy { schema, bytes, rows })
}

fn rows(connection: &Connection) -> rusqlite::Result<BTreeMap<String, u64>> {
    let sql =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
    let names =
        connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let counted = names.into_iter().map(|name| {
        let sql = format!("SELECT count(*) FROM \"{}\"", name.replace('"', "\"\""));
        let count: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
        Ok((name, u64::try_from(count).unwrap_or_default()))
    });
    counted.collect()
}

/// Interrupts what its connection does when it goes out of scope; a connection that is gone does not mind.
struct Interrupting(InterruptHandle);

impl Drop for Interrupting {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

/// Says that something is to end when it goes out of scope.
#[derive(Default)]
struct Stopping(Arc<AtomicBool>);

impl Drop for Stopping {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The rows of a server's database as a file.
fn copy_of_server(
    server: &Config,
    to: &Path,
    now: Timestamp,
    is_stopped: &AtomicBool,
) -> Result<u64, SnapshotError> {
    let wrong = |what: String| SnapshotError::Failed { file: to.to_owned(), what };
    made(to)?;
    let reading = Postgres::connect(server, Use::Reading).map_err(|error| wrong(error.to_string()))?;
    let reading = database::Connection::Postgres(Box::new(reading));
    reading.begin_reading().map_err(|error| wrong(error.to_string()))?;
    let copied = copy_into_file(&reading, to, now, |_| {
        if is_stopped.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    copied.map_err(|error| match error {
        CopyError::BrokenOff => SnapshotError::Interrupted,
        CopyError::Rows { source: StoreError::StorageFull, .. } => {
            SnapshotError::DiskFull { file: to.to_owned() }
        }
        error => wrong(error.to_string()),
    })?;
    synced(to)
}

/// A connection of its own: the readers have others to serve.
fn reading(file: &Path) -> Result<(Connection, InterruptHandle), SnapshotError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(file, flags)
        .and_then(|connection| {
            connection.execute_batch("PRAGMA trusted_schema = OFF; PRAGMA cache_size = -1024;")?;
            Ok(connection)
        })
        .map_err(|error| judged(file, &error))?;
    let handle = connection.get_interrupt_handle();
    Ok((connection, handle))
}

fn copy(connection: &Connection, to: &Path) -> Result<u64, SnapshotError> {
    let name = to.to_str().ok_or_else(|| {
        io_failed(to, io::Error::new(io::ErrorKind::InvalidInput, "the name of the folder is not UTF-8"))
    })?;
    connection.execute("VACUUM INTO $1", [name]).map_err(|error| judged(to, &error))?;
    synced(to)
}

/// Makes the file. SQLite takes an empty one, so that it never exists with wider rights, not even for a moment.
fn made(to: &Path) -> Result<(), SnapshotError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(to);
    made.map(drop).map_err(|source| io_failed(to, source))
}

/// Waits until it is on the disk; its size.
fn synced(file: &Path) -> Result<u64, SnapshotError> {
    let synced = File::open(file).and_then(|file| {
        file.sync_all()?;
        file.metadata()
    });
    Ok(synced.map_err(|source| io_failed(file, source))?.len())
}

fn io_failed(file: &Path, source: io::Error) -> SnapshotError {
    SnapshotError::File { file: file.to_owned(), source }
}

fn judged(file: &Path, error: &rusqlite::Error) -> SnapshotError {
    let (file, what) = (file.to_owned(), error.to_string());
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => SnapshotError::DiskFull { file },
        Some(ErrorCode::OperationInterrupted) => SnapshotError::Interrupted,
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => SnapshotError::Corrupt { what },
        _ => SnapshotError::Failed { file, what },
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SnapshotError> + Send + 'static,
) -> Result<T, SnapshotError> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(SnapshotError::Failed { file: PathBuf::new(), what: error.to_string() }))
}
