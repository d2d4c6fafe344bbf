//! Putting a data directory back from a backup: made ready aside, then put in place in steps that a crash cannot tear.
//!
//! Nothing of the data directory is touched before all of the backup is beside it, tried and ready. Then a marker is
//! written that says what goes where; from then on no store opens there until the rest is done, by calling this again.
//! What was there before is kept.

use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use ambient::Clock;
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use store::{
    Accepts, DirectoryLock, HeldBack, MasterKey, OpenError, ProvenCopy, STORE_MARK, Store, StoreError,
    StoreKind, StoreOptions,
};
use tokio_util::sync::CancellationToken;

use super::archive::{self, ArchiveError};
use super::bundle::{DATABASE, FOLDERS};
use super::folder::{Folder, create_fresh};
use super::history::Restored;
use super::manifest::Manifest;
use super::owner;
use super::seal::{self, Identity, OpenCopyError};

/// How the names of folders begin for what was there.
const REPLACED: &str = "replaced-";

/// Where a backup is made ready.
const ASIDE: &str = "restoring.partial";

/// Why a data directory was not put back. Where the text does not say otherwise, nothing was changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup cannot be read.
    #[error("{}: {source}", file.display())]
    Unreadable {
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The backup is not whole, or none.
    #[error("{}: {source}", file.display())]
    Archive {
        file: PathBuf,
        /// What is wrong with it.
        source: ArchiveError,
    },
    /// It is encrypted, and cannot be opened.
    #[error("{}: {source}", file.display())]
    Encrypted {
        file: PathBuf,
        /// Why.
        source: OpenCopyError,
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
    /// It would be half in place for good.
    #[error("{} cannot be put in place: {what}; put it right first", file.display())]
    Unmovable {
        /// Which file or folder.
        file: PathBuf,
        what: &'static str,
    },
    /// What waited is to be sent, and someone may have sent it.
    #[error(
        "this backup was made while a server ran, which may have sent what waited in it; leave out `--waiting send`, or stop that \
         server and make another backup while none runs"
    )]
    MadeWhileServed,
    /// A demo's backup was to be put in place of a store with real customers, or the other way round.
    #[error("{}", of_other_kind(file, dir, *kind))]
    OtherKind {
        file: PathBuf,
        /// The data directory.
        dir: PathBuf,
        /// The kind of its store.
        kind: StoreKind,
    },
    #[error("it broke down: {0}")]
    BrokeDown(String),
}

fn of_other_kind(file: &Path, dir: &Path, kind: StoreKind) -> String {
    let (file, dir) = (file.display(), dir.display());
    let (of_backup, of_dir) = match kind {
        StoreKind::Real => ("of a demo", "has a store with real customers"),
        StoreKind::Demo => ("of a store with real customers", "has a demo's store"),
    };
    format!(
        "the backup {file} is {of_backup}, and the data directory {dir} {of_dir}; name another directory with --data-dir"
    )
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
    pub file: PathBuf,
    pub places: Places,
    /// The key that the backup was made with.
    pub master_key: MasterKey,
    /// What becomes of what waited.
    pub waiting: Waiting,
    /// What opens an encrypted copy.
    pub identity: Option<Identity>,
    pub clock: Clock,
}

/// A backup that is beside the data directory, ready to be put in place. Dropped, it is removed, and nothing has changed.
pub struct Ready {
    pub manifest: Manifest,
    /// What was held back of it; nothing when it is to be sent.
    pub held: Option<HeldBack>,
    /// How many rows each table of the database had before anything was held back.
    pub rows: BTreeMap<String, u64>,
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
    /// Where the previous data is; nothing when there was none.
    pub replaced: Option<PathBuf>,
}

/// A restore on its way into place. The paths are not read from it: a user who may write here must not name paths
/// to the one who finishes it, who may be root.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    made_at: Timestamp,
    at: Timestamp,
    /// The name of the folder for what was there.
    replaced: String,
}

/// Where things are, by the settings.
#[derive(Debug, Clone)]
pub struct Places {
    pub data_dir: PathBuf,
    pub database: PathBuf,
    pub backups: PathBuf,
}

/// One file or folder on its way: each step of it is a rename within one file system.
struct Move {
    new: PathBuf,
    target: PathBuf,
    /// What is there, and where it goes.
    old: Vec<(PathBuf, PathBuf)>,
}

impl Places {
    fn aside(&self) -> PathBuf {
        self.data_dir.join(ASIDE)
    }

    /// Where the database is made ready to be moved: beside its place, which may be on another disk.
    fn ready_database(&self) -> PathBuf {
        with_ending(&self.database, ".restoring")
    }

    fn moves(&self, replaced: &str) -> Vec<Move> {
        let kept = self.data_dir.join(replaced);
        let mut moves: Vec<Move> = FOLDERS
            .iter()
            .map(|folder| Move {
                new: self.aside().join(folder),
                target: self.data_dir.join(folder),
                old: vec![(self.data_dir.join(folder), kept.join(folder))],
            })
            .collect();
        // The identity belongs to its database.
        let mark = |folder: &Path| folder.join(STORE_MARK);
        moves.push(Move {
            new: mark(&self.aside()),
            target: mark(&self.data_dir),
            old: vec![(mark(&self.data_dir), mark(&kept))],
        });
        // The log of the database that was there must not meet the new one.
        let old = ["-wal", "-shm", ""].map(|ending| with_ending(&self.database, ending));
        let old = old.into_iter().map(|old| {
            let near = old.parent() == Some(self.data_dir.as_path());
            let to = match old.file_name().filter(|_| near) {
                Some(name) => kept.join(name),
                // Elsewhere it stays beside its place.
                None => with_ending(&old, &format!(".{replaced}")),
            };
            (old, to)
        });
        let old = old.collect();
        moves.push(Move { new: self.ready_database(), target: self.database.clone(), old });
        moves
    }
}

/// Removes what is aside when it goes out of scope, unless it is in place.
struct Aside(Option<PathBuf>);

impl Drop for Aside {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // What cannot be removed now is removed before the next one.
            let _ = fs::remove_dir_all(path);
        }
    }
}

/// Whether a restore was broken off while it was put in place.
///
/// # Errors
/// The directory cannot be read.
pub fn is_interrupted(data_dir: &Path) -> Result<bool, RestoreError> {
    let sign = data_dir.join(store::RESTORING);
    sign.try_exists().map_err(|source| RestoreError::File { file: sign, source })
}

/// Finishes a restore that was broken off while it was put in place; nothing when none was.
///
/// # Errors
/// The directory is in use or cannot be written; calling again goes on.
pub async fn finish(places: Places, clock: &Clock) -> Result<Option<Done>, RestoreError> {
    let now = clock.now();
    in_background(move || {
        if !is_interrupted(&places.data_dir)? {
            return Ok(None);
        }
        let lock = store::lock_directory(&places.data_dir)?;
        let done = put_in_place(&places, now).map(Some);
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
        self.prepare_until(&CancellationToken::new()).await
    }

    /// The same, as long as nothing stops it.
    pub(crate) async fn prepare_until(mut self, stopping: &CancellationToken) -> Result<Ready, RestoreError> {
        let (file, data_dir) = (self.file.clone(), self.places.data_dir.clone());
        let (identity, stopping) = (self.identity.take(), stopping.clone());
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
            let encrypted = |source| RestoreError::Encrypted { file: file.clone(), source };
            let opened = seal::opened(opened, identity.as_ref()).map_err(encrypted)?;
            let manifest = archive::unpack(opened, &path, &stopping)
                .map_err(|source| RestoreError::Archive { file: file.clone(), source })?;
            Ok((lock, aside, manifest))
        })
        .await?;
        if self.waiting == Waiting::Send && !manifest.at_rest {
            return Err(RestoreError::MadeWhileServed);
        }
        let rows = self.prove(&self.places.aside()).await?.rows;
        manifest
            .compare_rows(&rows)
            .map_err(|source| RestoreError::Archive { file: self.file.clone(), source })?;
        let held = self.make_ready(manifest.made_at).await?;
        let replaces = self.places.database.exists();
        Ok(Ready { manifest, held, rows, replaces, restore: self, aside, lock })
    }

    /// Opens the database aside, which brings it up to date and gives the store a new id, and holds back what waited.
    async fn make_ready(&self, made_at: Timestamp) -> Result<Option<HeldBack>, RestoreError> {
        let aside = self.places.aside();
        let options = StoreOptions {
            data_dir: aside.clone(),
            url: format!("sqlite:{DATABASE}"),
            clock: self.clock.clone(),
            master_key: self.master_key.clone().beside(&self.places.data_dir),
        };
        let data_dir = &self.places.data_dir;
        // A damaged file names no kind; a restore puts another in its place.
        let kind = store::kind_of(data_dir).ok().flatten();
        let accepts = Accepts { other: true, kind, ..Accepts::default() };
        let store = Store::open_accepting(options, accepts).await.map_err(|error| match (error, kind) {
            (OpenError::OtherKind { .. }, Some(kind)) => {
                RestoreError::OtherKind { file: self.file.clone(), dir: data_dir.clone(), kind }
            }
            (error, _) => error.into(),
        })?;
        let held = match self.waiting {
            Waiting::Hold => store.hold_back(made_at).await.map(Some),
            Waiting::Send => Ok(None),
        };
        store.close().await;
        let held = held?;
        // What was held back is in the log until that is moved into the file, and the file alone is put in place.
        let log = with_ending(&aside.join(DATABASE), "-wal");
        if fs::metadata(&log).is_ok_and(|log| log.len() > 0) {
            let source =
                io::Error::other("the log of the database was not moved into it; is there room on the disk?");
            return Err(RestoreError::File { file: log, source });
        }
        self.prove(&aside).await?;
        Ok(held)
    }

    async fn prove(&self, aside: &Path) -> Result<ProvenCopy, RestoreError> {
        let (copy, data_dir, key) =
            (aside.join(DATABASE), self.places.data_dir.clone(), self.master_key.clone());
        in_background(move || Ok(store::prove_copy(&copy, &data_dir, &key)?)).await
    }
}

impl Ready {
    /// Puts it in place. What was there before is moved into a folder of its own.
    ///
    /// # Errors
    /// The directory cannot be written. Once it is begun, no store opens there until [`finish`] has done the rest.
    pub async fn put_in_place(self) -> Result<Done, RestoreError> {
        let (at, places) = (self.restore.clock.now(), self.restore.places.clone());
        in_background(move || {
            let lock = self.begin(at)?;
            let done = put_in_place(&places, at);
            drop(lock);
            done
        })
        .await
    }

    /// Looks whether nothing is in the way, and writes the marker. From then on what is aside is kept: [`finish`] needs it.
    pub(super) fn begin(mut self, at: Timestamp) -> Result<DirectoryLock, RestoreError> {
        let places = &self.restore.places;
        let aside = places.aside();
        for folder in FOLDERS {
            is_movable(&places.data_dir.join(folder), &places.data_dir)?;
        }
        copied(&aside.join(DATABASE), &places.ready_database())?;
        let replaced = made_for_what_was_there(&places.data_dir, at)?;
        mark(&places.data_dir, &Marker { made_at: self.manifest.made_at, at, replaced })?;
        self.aside.0 = None;
        Ok(self.lock)
    }
}

/// A folder that is elsewhere in truth cannot be moved.
fn is_movable(folder: &Path, data_dir: &Path) -> Result<(), RestoreError> {
    let failed = |source| RestoreError::File { file: folder.to_owned(), source };
    let unmovable = |what| Err(RestoreError::Unmovable { file: folder.to_owned(), what });
    let found = match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        found => found.map_err(failed)?,
    };
    let device = fs::metadata(data_dir).map_err(failed)?.dev();
    match (found.is_dir(), found.dev() == device) {
        (true, true) => Ok(()),
        (true, false) => unmovable("it is a disk of its own"),
        (false, _) => unmovable("it is no folder"),
    }
}

/// Moves or, to another disk, copies a file to where nothing is; what an earlier attempt left there goes.
fn copied(from: &Path, to: &Path) -> Result<(), RestoreError> {
    let work = || {
        match fs::remove_file(to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        match fs::rename(from, to) {
            Err(error) if error.kind() == io::ErrorKind::CrossesDevices => {
                let mut copy = create_fresh(to)?;
                io::copy(&mut File::open(from)?, &mut copy)?;
                copy.sync_all()
            }
            moved => moved,
        }
    };
    work().map_err(|source| RestoreError::File { file: to.to_owned(), source })
}

/// A folder that is not there yet, for what is there; its name.
fn made_for_what_was_there(data_dir: &Path, at: Timestamp) -> Result<String, RestoreError> {
    let digits: String = at.to_string().chars().filter(char::is_ascii_digit).take(14).collect();
    for number in 1.. {
        let name =
            if number == 1 { format!("{REPLACED}{digits}") } else { format!("{REPLACED}{digits}-{number}") };
        let folder = data_dir.join(&name);
        match DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 100 => {}
            Err(source) => return Err(RestoreError::File { file: folder, source }),
            Ok(()) => return Ok(name),
        }
    }
    Err(RestoreError::BrokeDown("there is no name for what was there".to_owned()))
}

/// Says that it is on its way, for the one who has to finish it.
fn mark(data_dir: &Path, marker: &Marker) -> Result<(), RestoreError> {
    let file = data_dir.join(store::RESTORING);
    let new = data_dir.join(format!("{}.new", store::RESTORING));
    let written = || {
        let mut opened = create_fresh(&new)?;
        opened.write_all(&serde_json::to_vec_pretty(marker)?)?;
        opened.sync_all()?;
        for folder in FOLDERS {
            sync(&data_dir.join(ASIDE).join(folder))?;
        }
        sync(&data_dir.join(ASIDE))?;
        fs::rename(&new, &file)?;
        sync(data_dir)
    };
    written().map_err(|source| RestoreError::File { file: file.clone(), source })
}

/// Does what the marker says, as far as it is not done yet.
fn put_in_place(places: &Places, now: Timestamp) -> Result<Done, RestoreError> {
    let Places { data_dir, database, backups } = places;
    let failed = |file: &Path| {
        let file = file.to_owned();
        move |source| RestoreError::File { file, source }
    };
    let sign = data_dir.join(store::RESTORING);
    let read = fs::read(&sign).and_then(|text| Ok(serde_json::from_slice::<Marker>(&text)?));
    let Marker { made_at, replaced, .. } = read.map_err(failed(&sign))?;
    let plain = |letter: char| letter.is_ascii_digit() || letter == '-';
    if !replaced.strip_prefix(REPLACED).is_some_and(|rest| rest.chars().all(plain)) {
        let what = "it names a folder that no restore makes";
        return Err(RestoreError::Unmovable { file: sign, what });
    }
    let kept = data_dir.join(&replaced);
    for Move { new, target, old } in places.moves(&replaced) {
        if !new.try_exists().map_err(failed(&new))? {
            continue;
        }
        for (from, to) in old {
            if from.try_exists().map_err(failed(&from))? {
                fs::rename(&from, &to).map_err(failed(&from))?;
            }
        }
        fs::rename(&new, &target).map_err(failed(&new))?;
    }
    if !database.try_exists().map_err(failed(database))? {
        let what = "neither the new database nor an old one is there";
        return Err(RestoreError::Unmovable { file: database.clone(), what });
    }
    // Where root does this for a service.
    let lock = data_dir.join("switchboard.lock");
    let folders = FOLDERS.map(|folder| data_dir.join(folder));
    let mark = data_dir.join(STORE_MARK);
    for file in folders.iter().chain([database, &kept, &lock, &mark]) {
        owner::follow(file, data_dir).map_err(failed(file))?;
    }
    // All of it is on the disk before the sign is gone that it is on its way.
    for folder in [Some(data_dir.as_path()), Some(&kept), database.parent()].into_iter().flatten() {
        sync(folder).map_err(failed(folder))?;
    }
    fs::remove_file(&sign).map_err(failed(&sign))?;
    sync(data_dir).map_err(failed(data_dir))?;
    // Its lock file, its reserve: no one needs them.
    let _ = fs::remove_dir_all(places.aside());
    // Empty where there was nothing.
    let _ = fs::remove_dir(&kept);
    remember(backups, Restored { at: now, made_at });
    Ok(Done { made_at, replaced: kept.exists().then_some(kept) })
}

fn with_ending(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    name.into()
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
