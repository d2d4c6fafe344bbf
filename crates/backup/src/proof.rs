//! The trial of a backup: it is unpacked beside the others, its database opened with the key and read through, and removed.

use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use store::Store;
use tokio_util::sync::CancellationToken;

use super::archive::{self, ArchiveError};
use super::bundle;
use super::folder::Folder;
use super::making::{BackupError, in_background};
use super::manifest::Manifest;
use super::name::BackupName;

/// What came of a trial: what the backup says of itself, or what is wrong with it.
pub(crate) type Verdict = Result<Manifest, String>;

/// Tries a backup.
///
/// # Errors
/// When it cannot be tried, which says nothing of the backup.
pub(crate) async fn prove(
    store: &Store,
    folder: &Folder,
    name: &BackupName,
    stopping: &CancellationToken,
) -> Result<Verdict, BackupError> {
    let trial = folder.trial(name);
    let judged = attempt(store, folder, name, &trial, stopping).await;
    // What cannot be removed now is removed before the next one is made.
    let _ = tokio::task::spawn_blocking(move || fs::remove_dir_all(trial)).await;
    judged
}

async fn attempt(
    store: &Store,
    folder: &Folder,
    name: &BackupName,
    trial: &Path,
    stopping: &CancellationToken,
) -> Result<Verdict, BackupError> {
    let (folder, name, place, stopping) = (folder.clone(), name.clone(), trial.to_owned(), stopping.clone());
    let unpacked = in_background(move || {
        let failed = |source| BackupError::Folder { folder: folder.path().to_owned(), source };
        folder.prepare().map_err(failed)?;
        let unknown = |_| BackupError::Unknown { folder: folder.path().to_owned() };
        let file = File::open(folder.file(&name)).map_err(unknown)?;
        DirBuilder::new().mode(0o700).create(&place).map_err(failed)?;
        match archive::unpack(file, &place, &stopping) {
            Ok(manifest) => Ok(Ok(manifest)),
            Err(ArchiveError::Stopped) => Err(BackupError::Stopping),
            // What is wrong here is the disk, not the backup.
            Err(error @ (ArchiveError::File { .. } | ArchiveError::NoRoom { .. })) => Err(error.into()),
            Err(wrong) => Ok(Err(wrong.to_string())),
        }
    })
    .await?;
    let manifest = match unpacked {
        Ok(manifest) => manifest,
        Err(wrong) => return Ok(Err(wrong)),
    };
    match store.prove(&trial.join(bundle::DATABASE)).await {
        Ok(proven) => {
            Ok(manifest.compare_rows(&proven.rows).map(|()| manifest).map_err(|wrong| wrong.to_string()))
        }
        Err(error) => Ok(Err(error.to_string())),
    }
}
