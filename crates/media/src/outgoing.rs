//! Outgoing files: kept from the moment a message takes them in until it is over, in a folder of their own.
//!
//! A message names its files by keys, never by paths. What is taken in belongs to no one until its message is accepted:
//! it goes with its [`Held`], and what a crash leaves behind goes with the next [`Outgoing::sweep`].

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::{Clock, Ids};
use domain::Timestamp;
use domain::media::{FileKey, Sha256};

use crate::intake::{Disk, Doomed, Intake, Limits, TakeError, Taken, in_background};
use crate::kind;

/// The folder of files that wait to be sent; no one else writes into it. Cheap to clone.
#[derive(Clone)]
pub struct Outgoing {
    folder: PathBuf,
    clock: Clock,
    intake: Intake,
    held: Holds,
}

/// The files that belong to no message yet.
#[derive(Clone, Default)]
struct Holds(Arc<Mutex<HashSet<FileKey>>>);

impl Holds {
    fn all(&self) -> MutexGuard<'_, HashSet<FileKey>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file that was taken in and belongs to no message yet: removed when this is dropped, unless it was kept.
pub struct Held {
    key: FileKey,
    taken: Taken,
    doomed: Option<Doomed>,
    holds: Holds,
}

impl Held {
    /// The name by which its message will know it.
    pub const fn key(&self) -> &FileKey {
        &self.key
    }

    pub const fn taken(&self) -> &Taken {
        &self.taken
    }

    /// A message has it now: the file stays until that is over.
    pub fn keep(mut self) {
        if let Some(doomed) = self.doomed.take() {
            doomed.keep();
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.holds.all().remove(&self.key);
    }
}

impl Outgoing {
    /// Opens the folder, makes it if it is not there, and removes what a crash left half written.
    pub async fn open(folder: PathBuf, ids: Ids, clock: Clock, limits: Limits) -> io::Result<Self> {
        let intake = Intake::open(folder.clone(), ids, clock.clone(), limits).await?;
        Ok(Self { folder, clock, intake, held: Holds::default() })
    }

    /// The same on a disk that is asked in another way.
    #[must_use]
    pub fn on(self, disk: Disk) -> Self {
        Self { intake: self.intake.on(disk), ..self }
    }

    /// Takes files into the folder. What it takes is to be given to [`Outgoing::hold`] at once.
    pub const fn intake(&self) -> &Intake {
        &self.intake
    }

    /// Holds a file that its intake has taken.
    pub fn hold(&self, taken: Taken) -> io::Result<Held> {
        let name = taken.path.strip_prefix(&self.folder).ok().and_then(Path::to_str);
        let key = name.and_then(|name| FileKey::try_from(name.to_owned()).ok());
        let elsewhere = || io::Error::new(io::ErrorKind::InvalidInput, "the file is in another folder");
        let key = key.ok_or_else(elsewhere)?;
        let doomed = Some(Doomed::new(taken.path.clone()));
        self.held.all().insert(key.clone());
        Ok(Held { key, taken, doomed, holds: self.held.clone() })
    }

    /// Holds a file of this folder once more, under a key of its own: for a message that is sent more than once. On the disk it is
    /// there once.
    pub async fn again(&self, key: &FileKey, size: u64, sha256: Sha256) -> Result<Held, TakeError> {
        let path = self.path(key);
        let facts = {
            let path = path.clone();
            in_background(move || kind::look(&mut fs::File::open(&path)?, size)).await?
        };
        let taken = self.intake.adopt(&Taken { path, size, sha256: sha256.0, facts }).await?;
        Ok(self.hold(taken)?)
    }

    /// Where a file is stored, whether or not it is there.
    pub fn path(&self, key: &FileKey) -> PathBuf {
        self.folder.join(key.as_str())
    }

    /// Opens a file for reading. Blocks.
    pub fn open_file(&self, key: &FileKey) -> io::Result<fs::File> {
        fs::File::open(self.path(key))
    }

    /// Removes a file; one that is not there is removed already.
    pub async fn remove(&self, key: &FileKey) -> io::Result<()> {
        let path = self.path(key);
        in_background(move || gone(&path)).await
    }

    /// The files that belong to no message yet. Asked for before the store is asked which files messages have, these and
    /// those are all that are needed.
    pub fn held(&self) -> HashSet<FileKey> {
        self.held.all().clone()
    }

    /// Removes what is older than this and not to be kept. Says how many files that was. What is younger may be on its way
    /// in, so `older_than` is longer than a file may take.
    pub async fn sweep(&self, keep: HashSet<FileKey>, older_than: Duration) -> io::Result<usize> {
        let (folder, now) = (self.folder.clone(), self.clock.now());
        in_background(move || {
            let mut removed = 0;
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                let name = entry.file_name().to_string_lossy().into_owned();
                let Ok(key) = FileKey::try_from(name) else { continue };
                let old = made_at(&key).is_some_and(|made| now.since(made) >= older_than);
                if old && !keep.contains(&key) {
                    gone(&entry.path())?;
                    removed += 1;
                }
            }
            Ok(removed)
        })
        .await
    }
}

fn gone(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// When a file was taken in. Its name says so, and goes by the same clock as the sweep; the times of the file itself
/// are those of the upload that it was made from.
fn made_at(key: &FileKey) -> Option<Timestamp> {
    let id = key.as_str().rsplit('_').next()?;
    let millis = i64::from_str_radix(id.get(..12)?, 16).ok()?;
    Some(Timestamp::from_micros(millis.checked_mul(1_000)?))
}
