//! A copy of the database as it is at one moment, made while it is worked on, and the proof that such a copy is whole.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, InterruptHandle, OpenFlags};

use crate::database;
use crate::database::sqlite::failed;
use crate::error::{MasterKeyError, SnapshotError};
use crate::vault::Vault;
use crate::{MasterKey, OpenError, Store, inspect, opening};

/// A copy that was read through: nothing in it is damaged, it is of this program's time, and its key is the one that is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProvenCopy {
    /// The version of its schema.
    pub schema: i64,
    /// Its size, in bytes.
    pub bytes: u64,
}

impl Store {
    /// Copies the database into a file that is not there yet: one moment of it, packed tight, for its owner alone. Writers and
    /// readers go on meanwhile; what they write is not in the copy, and the log beside the database grows until it is made.
    /// Takes as long as reading and writing the whole database does; dropping the future ends it soon and leaves a file that
    /// is not whole.
    ///
    /// # Errors
    /// When the file is there already, the disk is full or fails, or the database is damaged.
    pub async fn snapshot(&self, to: &Path) -> Result<u64, SnapshotError> {
        if self.inner.lease.is_some() {
            let what =
                "a store on PostgreSQL is backed up with the tools of its server, such as pg_dump".to_owned();
            return Err(SnapshotError::Failed { file: to.to_owned(), what });
        }
        let from = self.inner.location.file.clone();
        let (connection, handle) = in_background(move || reading(&from)).await?;
        // The one who waits no longer ends the copying: it may go on for minutes.
        let interrupting = Interrupting(handle);
        let to = to.to_owned();
        let copied = in_background(move || copy(&connection, &to)).await;
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
        let vault = Vault::new(&master_key.load(data_dir, true)?);
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
    let check = opening::key_check(&database::Connection::Sqlite(connection))
        .map_err(|error| OpenError::Failed { file: copy.to_owned(), what: error.to_string() })?;
    if let Some(sealed) = check {
        ours(&sealed)?;
    }
    Ok(ProvenCopy { schema, bytes })
}

/// Interrupts what its connection does when it goes out of scope; a connection that is gone does not mind.
struct Interrupting(InterruptHandle);

impl Drop for Interrupting {
    fn drop(&mut self) {
        self.0.interrupt();
    }
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
    let io_failed = |source: io::Error| SnapshotError::File { file: to.to_owned(), source };
    // SQLite takes an empty file, so that it never exists with wider rights, not even for a moment.
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(to).map_err(io_failed)?;
    let name = to.to_str().ok_or_else(|| {
        io_failed(io::Error::new(io::ErrorKind::InvalidInput, "the name of the folder is not UTF-8"))
    })?;
    connection.execute("VACUUM INTO $1", [name]).map_err(|error| judged(to, &error))?;
    let copied = File::open(to).and_then(|file| {
        file.sync_all()?;
        file.metadata()
    });
    Ok(copied.map_err(io_failed)?.len())
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
