//! Putting a data directory back from a backup: made ready aside, then put in place in steps that a crash cannot tear.
//!
//! Nothing of the data directory is touched before all of the backup lies beside it, tried and ready. Then a marker is
//! written that says what goes where; from then on no store opens there until the rest is done, by calling this again. What was
//! there before is kept.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use ambient::Clock;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use store::{DirectoryLock, HeldBack, MasterKey, OpenError, Store, StoreError, StoreOptions};
use tokio_util::sync::CancellationToken;

use super::archive::{self, ArchiveError};
use super::bundle::{DATABASE, FOLDERS};
use super::folder::Folder;
use super::history::Restored;
use super::manifest::Manifest;

/// Where a backup is made ready.
const ASIDE: &str = "restoring.partial";

/// Why a data directory was not put back. Where the text does not say otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        /// The backup.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The backup is not whole, or none.
    #[error("{}: {source}", file.display())]
    Archive {
        /// The backup.
        file: PathBuf,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// The data directory is in use, or the database of the backup cannot be opened with this master key.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What waited could not be held back.
    #[error("the database of the backup cannot be made ready: {0}")]
    Store(#[from] StoreError),
    /// The data directory cannot be written.
    #[error("{}: {source}", file.display())]
    File {
        /// Which file or folder.
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It broke down.
    #[error("it broke down: {0}")]
    BrokeDown(String),
}

/// What becomes of messages and operations that waited when the backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waiting {
    /// They are held back for a person: the server that went on may have sent them.
    Hold,
    /// They are sent: the server that the backup is of did nothing since.
    Send,
}

/// What is put back, and where.
pub struct Restore {
    /// The backup.
    pub file: PathBuf,
    /// The data directory.
    pub data_dir: PathBuf,
    /// Where its database lies, by the settings.
    pub database: PathBuf,
    /// Where backups lie, by the settings.
    pub backups: PathBuf,
    /// The key that the backup was made with.
    pub master_key: MasterKey,
    /// What becomes of what waited.
    pub waiting: Waiting,
    /// The time.
    pub clock: Clock,
}

/// A backup that lies beside the data directory, ready to be put in place. Dropped, it is removed, and nothing has changed.
pub struct Ready {
    /// What it says of itself.
    pub manifest: Manifest,
    /// What was held back of it; nothing when it is to be sent.
    pub held: Option<HeldBack>,
    /// Whether there is a database that it takes the place of.
    pub replaces: bool,
    restore: Restore,
    aside: Aside,
    lock: DirectoryLock,
}

/// What was put back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// When the backup was made.
    pub made_at: Timestamp,
    /// Where that lies which was there before; nothing when there was nothing.
    pub replaced: Option<PathBuf>,
}

/// A restore on its way into place.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    made_at: Timestamp,
    at: Timestamp,
    database: PathBuf,
    backups: PathBuf,
    replaced: PathBuf,
}

/// Removes what lies aside when it goes out of scope, unless it is in place.
struct Aside(Option<PathBuf>);

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // What cannot be removed now is removed before the next one.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Finishes a restore that was broken off while it was put in place; nothing when none was.
///
/// # Errors
/// The directory is in use or cannot be written; calling again goes on.
pub async fn finish(data_dir: &Path, clock: &Clock) -> Result<Option<Done>, RestoreError> {
    let (data_dir, now) = (data_dir.to_owned(), clock.now());
    in_background(move || {
        if !data_dir.join(store::RESTORING).exists() {
            return Ok(None);
        }
        let lock = store::lock_directory(&data_dir)?;
        let done = put_in_place(&data_dir, now).map(Some);
        drop(lock);
        done
    })
    .await
}

impl Restore {
    /// Makes a backup ready beside the data directory. Blocks other processes from it until what this returns is dropped.
    ///
    /// # Errors
    /// The directory is in use, the backup is broken, of a newer program or of another master key, or there is no room.
    pub async fn prepare(self) -> Result<Ready, RestoreError> {
        let (file, data_dir) = (self.file.clone(), self.data_dir.clone());
        let (lock, aside, manifest) = in_background(move || {
            let file_failed = |source| RestoreError::Unreadable { file: file.clone(), source };
            let opened = File::open(&file).map_err(file_failed)?;
            let lock = store::lock_directory(&data_dir)?;
            let path = data_dir.join(ASIDE);
            let failed = |source| RestoreError::File { file: path.clone(), source };
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            DirBuilder::new().mode(0o700).create(&path).map_err(failed)?;
            let aside = Aside(Some(path.clone()));
            for folder in FOLDERS {
                DirBuilder::new().mode(0o700).create(path.join(folder)).map_err(failed)?;
            }
            let manifest = archive::unpack(opened, &path, &CancellationToken::new())
                .map_err(|source| RestoreError::Archive { file: file.clone(), source })?;
            Ok((lock, aside, manifest))
        })
        .await?;
        let path = self.data_dir.join(ASIDE);
        let held = self.make_ready(&path, manifest.made_at).await?;
        let replaces = self.database.exists();
        Ok(Ready { manifest, held, replaces, restore: self, aside, lock })
    }

    /// Opens the database aside, which brings it up to date, and holds back what waited.
    async fn make_ready(&self, aside: &Path, made_at: Timestamp) -> Result<Option<HeldBack>, RestoreError> {
        let (copy, data_dir, key) = (aside.join(DATABASE), self.data_dir.clone(), self.master_key.clone());
        in_background(move || Ok(store::prove_copy(&copy, &data_dir, &key)?)).await?;
        let store = Store::open(StoreOptions {
            data_dir: aside.to_owned(),
            url: format!("sqlite:{DATABASE}"),
            clock: self.clock.clone(),
            master_key: self.master_key.clone().beside(&self.data_dir),
        })
        .await?;
        let held = match self.waiting {
            Waiting::Hold => store.hold_back(made_at).await.map(Some),
            Waiting::Send => Ok(None),
        };
        store.close().await;
        Ok(held?)
    }
}

impl Ready {
    /// Puts it in place. What was there before is moved into a folder of its own.
    ///
    /// # Errors
    /// The directory cannot be written. Once it is begun, no store opens there until [`finish`] has done the rest.
    pub async fn put_in_place(self) -> Result<Done, RestoreError> {
        let (at, data_dir) = (self.restore.clock.now(), self.restore.data_dir.clone());
        let (marker, lock) = self.begin(at);
        in_background(move || {
            mark(&data_dir, &marker)?;
            let done = put_in_place(&data_dir, at);
            drop(lock);
            done
        })
        .await
    }

    /// From here on what lies aside is kept: [`finish`] needs it.
    fn begin(mut self, at: Timestamp) -> (Marker, DirectoryLock) {
        self.aside.0 = None;
        let Restore { data_dir, database, backups, .. } = &self.restore;
        let name: String = at.to_string().chars().filter(char::is_ascii_digit).take(14).collect();
        let marker = Marker {
            made_at: self.manifest.made_at,
            at,
            database: database.clone(),
            backups: backups.clone(),
            replaced: data_dir.join(format!("replaced-{name}")),
        };
        (marker, self.lock)
    }

    /// Writes the marker and no more, as a kill would leave it; tells where that goes which was there.
    #[cfg(test)]
    pub(super) fn begin_and_die(self) -> PathBuf {
        let (at, data_dir) = (self.restore.clock.now(), self.restore.data_dir.clone());
        let (marker, _lock) = self.begin(at);
        mark(&data_dir, &marker).expect("a marker");
        marker.replaced
    }
}

/// Says what goes where, for whoever has to finish it.
fn mark(data_dir: &Path, marker: &Marker) -> Result<(), RestoreError> {
    let file = data_dir.join(store::RESTORING);
    let new = data_dir.join(format!("{}.new", store::RESTORING));
    let written = || {
        let mut opened = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        opened.write_all(&serde_json::to_vec_pretty(marker)?)?;
        opened.sync_all()?;
        sync(&data_dir.join(ASIDE))?;
        fs::rename(&new, &file)?;
        sync(data_dir)
    };
    written().map_err(|source| RestoreError::File { file: file.clone(), source })
}

/// Does what the marker says, as far as it is not done yet.
fn put_in_place(data_dir: &Path, now: Timestamp) -> Result<Done, RestoreError> {
    let sign = data_dir.join(store::RESTORING);
    let read = fs::read(&sign).and_then(|text| Ok(serde_json::from_slice::<Marker>(&text)?));
    let marker = read.map_err(|source| RestoreError::File { file: sign.clone(), source })?;
    let Marker { made_at, database, backups, replaced, .. } = &marker;
    let aside = data_dir.join(ASIDE);

    let mut files: Vec<(PathBuf, PathBuf)> =
        FOLDERS.iter().map(|folder| (aside.join(folder), data_dir.join(folder))).collect();
    files.push((aside.join(DATABASE), database.clone()));
    for (new, target) in &files {
        if !new.exists() {
            continue;
        }
        // The log of the database that was there must not meet the new one.
        for old in ["-wal", "-shm", ""].map(|ending| with_ending(target, ending)) {
            let Some(name) = old.file_name().filter(|_| old.exists()) else { continue };
            moved(&old, &replaced.join(name))?;
        }
        moved(new, target)?;
    }
    let failed = |file: &Path| {
        let file = file.to_owned();
        move |source| RestoreError::File { file, source }
    };
    sync(data_dir).map_err(failed(data_dir))?;
    fs::remove_file(&sign).map_err(failed(&sign))?;
    sync(data_dir).map_err(failed(data_dir))?;
    // Its lock file, its reserve: nobody needs them.
    let _ = fs::remove_dir_all(&aside);
    remember(backups, Restored { at: now, made_at: *made_at });
    Ok(Done { made_at: *made_at, replaced: replaced.exists().then(|| replaced.clone()) })
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Moves a file or a folder; a file to another disk as well.
fn moved(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let work = || {
        if let Some(folder) = to.parent() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices && from.is_file() => {
                let whole = with_ending(to, ".partial");
                fs::copy(from, &whole)?;
                File::open(&whole)?.sync_all()?;
                fs::rename(&whole, to)?;
                fs::remove_file(from)
            }
            moved => moved,
        }
    };
    work().map_err(|source| RestoreError::File { file: from.to_owned(), source })
}

fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The doctor knows then that a backup was put back once.
fn remember(backups: &Path, restored: Restored) {
    let folder = Folder::new(backups.to_owned());
    let kept = folder.prepare().and_then(|()| {
        let mut history = folder.history(restored.at);
        history.restored = Some(restored);
        folder.keep(&history)
    });
    if let Err(error) = kept {
        tracing::warn!(%error, "that a backup was put back is not written down");
    }
}

async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, RestoreError> + Send + 'static,
) -> Result<T, RestoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(RestoreError::BrokeDown(error.to_string())))
}
