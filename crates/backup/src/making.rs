//! Making a backup: room, a copy of the database, the files beside it, one file that is whole or not there.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use domain::Timestamp;
use store::{ProvenCopy, SnapshotError, Store};
use tokio_util::sync::CancellationToken;

use super::archive::{self, ArchiveError, Head};
use super::bundle::{self, Source};
use super::folder::Folder;
use super::name::BackupName;
use super::room;

#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// One is being made or tried now.
    #[error("a backup is being made or tried already; wait until that is done")]
    Busy,
    /// There is no such backup.
    #[error("there is no backup of this name in {}", folder.display())]
    Unknown {
        /// Where it would be.
        folder: PathBuf,
    },
    #[error("there is no backup in {}; make one: switchboard backup create", folder.display())]
    None {
        /// Where they would be.
        folder: PathBuf,
    },
    /// It would fill the disk.
    #[error(
        "there is too little room in {}: {} MB are needed, {} MB are free; free some, or put backups elsewhere with `backup.folder`",
        folder.display(), needed.div_ceil(1_000_000), free / 1_000_000
    )]
    NoRoom {
        /// Where it would be.
        folder: PathBuf,
        /// What it needs at most, in bytes.
        needed: u64,
        /// What is free, in bytes.
        free: u64,
    },
    /// The folder of backups cannot be used.
    #[error("{}: {source}; give this user the folder, or name another with `backup.folder`", folder.display())]
    Folder {
        folder: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The database was not copied.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The file was not written.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopping,
    #[error("it broke down: {0}")]
    BrokeDown(String),
}

/// What is needed to make one.
pub(crate) struct Making<'a> {
    pub(crate) store: &'a Store,
    pub(crate) data_dir: &'a Path,
    pub(crate) folder: &'a Folder,
    pub(crate) version: &'static str,
    pub(crate) at_rest: bool,
    pub(crate) stopping: &'a CancellationToken,
}

impl Making<'_> {
    /// Makes a backup; returns its size, in bytes. What is there when it fails is removed.
    pub(crate) async fn make(&self, name: &BackupName, at: Timestamp) -> Result<u64, BackupError> {
        let made = self.attempt(name, at).await;
        let left = [self.folder.copy(name), self.folder.partial(name)];
        // What cannot be removed now is removed before the next one is made.
        let removing = tokio::task::spawn_blocking(move || {
            for file in left {
                let _ = fs::remove_file(file);
            }
        });
        let _ = removing.await;
        made
    }

    async fn attempt(&self, name: &BackupName, at: Timestamp) -> Result<u64, BackupError> {
        let folder = self.folder.clone();
        let data_dir = self.data_dir.to_owned();
        let stats = self.store.stats().await.map_err(|error| BackupError::BrokeDown(error.to_string()))?;
        let database = stats.database_bytes.saturating_add(stats.log_bytes);
        in_background(move || {
            let failed = |source| BackupError::Folder { folder: folder.path().to_owned(), source };
            folder.prepare().map_err(failed)?;
            let needed = needed(database, &bundle::files(&data_dir).map_err(failed)?);
            let free = room::free(folder.path()).map_err(failed)?;
            if free < needed {
                return Err(BackupError::NoRoom { folder: folder.path().to_owned(), needed, free });
            }
            Ok(())
        })
        .await?;

        let copy = self.folder.copy(name);
        let bytes = tokio::select! {
            copied = self.store.snapshot(&copy) => copied?,
            () = self.stopping.cancelled() => return Err(BackupError::Stopping),
        };
        let proven = tokio::select! {
            proven = self.store.prove(&copy) => proven,
            () = self.stopping.cancelled() => return Err(BackupError::Stopping),
        };
        let ProvenCopy { schema, rows, .. } =
            proven.map_err(|error| BackupError::BrokeDown(error.to_string()))?;

        let (folder, data_dir, name) = (self.folder.clone(), self.data_dir.to_owned(), name.clone());
        let (version, at_rest, stopping) = (self.version.to_owned(), self.at_rest, self.stopping.clone());
        in_background(move || {
            let failed = |source| BackupError::Folder { folder: folder.path().to_owned(), source };
            let database = Source { name: bundle::DATABASE.to_owned(), path: copy.clone(), bytes };
            // Behind the database: a file that it names was there when it was copied.
            let mut sources = vec![database];
            sources.extend(bundle::files(&data_dir).map_err(failed)?);
            let partial = folder.partial(&name);
            let file =
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).map_err(failed)?;
            archive::write(file, &sources, Head { made_at: at, version, schema, at_rest, rows }, &stopping)?;
            let size = fs::metadata(&partial).map_err(failed)?.len();
            folder.finish(&name).map_err(failed)?;
            Ok(size)
        })
        .await
    }
}

/// What a backup takes of the disk at most, in bytes: a copy of the database, and its file, which packing may leave as large.
/// Its trial takes as much again when the copy is gone.
fn needed(database: u64, files: &[Source]) -> u64 {
    let beside = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.bytes));
    database.saturating_add(beside).saturating_mul(2).saturating_add(room::MARGIN)
}

pub(crate) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, BackupError> + Send + 'static,
) -> Result<T, BackupError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(BackupError::BrokeDown(error.to_string())))
}
