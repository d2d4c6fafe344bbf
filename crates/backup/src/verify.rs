//! A restore for practice: into a folder of its own, as far as a server would start on it, and removed.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use ambient::Clock;
use store::{MasterKey, Store, StoreOptions};
use tokio_util::sync::CancellationToken;

use super::bundle::DATABASE;
use super::manifest::Manifest;
use super::restore::{Places, Restore, RestoreError, Waiting};
use super::seal::Identity;

/// What is restored for practice, and where.
pub struct Verification {
    pub file: PathBuf,
    /// A folder that is not there yet; it is removed afterwards.
    pub into: PathBuf,
    /// The key that the backup was made with.
    pub master_key: MasterKey,
    /// What opens an encrypted copy.
    pub identity: Option<Identity>,
    pub clock: Clock,
    pub stopping: CancellationToken,
}

/// A backup that was restored and compared: nothing is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub manifest: Manifest,
    /// How many rows its database has, those of all tables.
    pub rows: u64,
    pub tables: usize,
    /// Whether the rows were compared: a backup of an earlier version does not say how many it has.
    pub rows_compared: bool,
}

/// The folder, gone when this goes out of scope.
struct PracticeFolder(PathBuf);

impl PracticeFolder {
    fn made(path: PathBuf) -> Result<Self, RestoreError> {
        match DirBuilder::new().mode(0o700).create(&path) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(RestoreError::File { file: path, source }),
        }
    }
}

impl Drop for PracticeFolder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "what was restored for practice cannot be removed");
        }
    }
}

/// Restores a backup into a folder: it is unpacked, each file compared with its hash, the database read through, its rows
/// counted and compared, opened with the key and brought up to date, put in place, and opened there once more.
///
/// # Errors
/// What would keep a restore from coming to be.
pub async fn verify(verification: Verification) -> Result<Verified, RestoreError> {
    let Verification { file, into, master_key, identity, clock, stopping } = verification;
    let practice = PracticeFolder::made(into)?;
    let data_dir: &Path = &practice.0;
    let places = Places {
        data_dir: data_dir.to_owned(),
        database: data_dir.join(DATABASE),
        backups: data_dir.join("backups"),
    };
    let restore = Restore {
        file,
        places,
        master_key: master_key.clone(),
        waiting: Waiting::Hold,
        identity,
        clock: clock.clone(),
    };
    let ready = restore.prepare_until(&stopping).await?;
    let verified = Verified {
        rows: ready.rows.values().sum(),
        tables: ready.rows.len(),
        rows_compared: ready.manifest.rows.is_some(),
        manifest: ready.manifest.clone(),
    };
    ready.put_in_place().await?;
    let options =
        StoreOptions { data_dir: data_dir.to_owned(), url: format!("sqlite:{DATABASE}"), clock, master_key };
    Store::open(options).await?.close().await;
    Ok(verified)
}
