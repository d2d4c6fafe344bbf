//! The data directory: made for its owner alone, and worked on by one process at a time.

use std::fs::{self, DirBuilder, DirEntry, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ambient::{FileLock, regular_file};
use rustix::fs::{FsWord, fstatfs};

use crate::database::sqlite;
use crate::{OpenError, STORE_MARK};

/// The file whose lock says that the directory is in use. It holds the number of the process, for people.
pub(crate) const LOCK: &str = "switchboard.lock";

/// The file that says that a backup is being put in place here: until that is done no store opens.
pub const RESTORING: &str = "restoring.json";

/// The database of a backup on its way from the data directory to a server: until it is there, no store opens on a server.
pub const RESTORED: &str = "restored.db";

/// Files by which a data directory is recognized.
const OURS: [&str; 8] = [
    LOCK,
    STORE_MARK,
    RESTORING,
    "switchboard.db",
    "switchboard.toml",
    "master.key",
    "side.json",
    "move/journal.json",
];

/// Folders that an owner makes in a data directory before the first start.
const FOLDERS: [&str; 6] = ["backups", "flows", "logs", "media", "received", "secrets"];

/// The bits of a mode by which others than the owner can list, enter or change a directory.
const OTHERS: u32 = 0o077;
/// Anyone may make files in such a directory, as in `/tmp`.
const STICKY: u32 = 0o1000;

/// File systems of a network (NFS, SMB, 9P). There a lock of a whole file would keep SQLite from locking parts of it.
const NETWORKS: [FsWord; 5] = [0x6969, 0x517B, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997];

/// The right to work on a data directory: the lock of its lock file, of the directory itself and of its SQLite database. It is given
/// up when dropped, and by the system when the process dies.
pub struct DirectoryLock {
    lock: FileLock,
    _dir: Option<FileLock>,
    database: Option<FileLock>,
}

impl DirectoryLock {
    /// Locks the file of an SQLite database, too: another data directory may name the same file. SQLite must open the file later and
    /// close it before this lock is dropped, because to close a file gives up the locks that SQLite has on it.
    pub(crate) fn add_database(&mut self, file: &Path) -> Result<(), OpenError> {
        self.database = lock_database(file)?;
        Ok(())
    }

    /// What names this lock among all locks of all machines until this machine is booted again. Only one process at a time can
    /// have it: the process that has the lock knows that any other process of this name is dead. None where the system does not say.
    pub(crate) fn place(&self) -> Option<String> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let file = self.lock.file().metadata().ok()?;
        let machine = rustix::system::uname();
        let machine = machine.nodename().to_string_lossy();
        Some(format!("{machine}/{}/{}:{}", boot.trim(), file.dev(), file.ino()))
    }
}

/// Makes the directory if need be, closes it to others, and takes its lock.
pub(crate) fn lock(dir: &Path) -> Result<DirectoryLock, OpenError> {
    let not_writable = |source| OpenError::NotWritable { dir: dir.to_owned(), source };
    make_directory(dir)?;
    let of_dir = lock_of_directory(dir)?;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let file = regular_file::open_with(&mut options, &dir.join(LOCK));
    let lock = take(dir, file.map_err(not_writable)?)?;
    sign(lock.file()).map_err(not_writable)?;
    Ok(DirectoryLock { lock, _dir: of_dir, database: None })
}

/// Locks a directory that is there as long as what this returns lives, without making or changing a file.
pub(crate) fn lock_existing(dir: &Path) -> Result<[Option<FileLock>; 2], OpenError> {
    let file = regular_file::open(&dir.join(LOCK)).ok().map(|file| take(dir, file)).transpose()?;
    Ok([lock_of_directory(dir)?, file])
}

/// Locks the file of a database by what it is, whatever path leads to it. None where the file system has no such locks.
pub(crate) fn lock_database(file: &Path) -> Result<Option<FileLock>, OpenError> {
    let opened = regular_file::open(file).map_err(|source| sqlite::unopened(file, source))?;
    if fstatfs(&opened).is_ok_and(|system| NETWORKS.contains(&system.f_type)) {
        return Ok(None);
    }
    match FileLock::take(opened) {
        Ok(lock) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Err(OpenError::DatabaseInUse { file: file.to_owned() }),
        Err(TryLockError::Error(_)) => Ok(None),
    }
}

/// Locks the directory itself: people remove the lock file. None where the file system has no such locks (NFS), or where there is
/// no directory; there the lock file must do.
fn lock_of_directory(dir: &Path) -> Result<Option<FileLock>, OpenError> {
    match File::open(dir).ok().map(FileLock::take) {
        Some(Err(TryLockError::WouldBlock)) => Err(in_use(dir)),
        Some(Err(TryLockError::Error(_))) | None => Ok(None),
        Some(Ok(lock)) => Ok(Some(lock)),
    }
}

fn in_use(dir: &Path) -> OpenError {
    OpenError::InUse { dir: dir.to_owned(), holder: holder(dir) }
}

/// Makes a data directory if need be, and closes it to others. Blocks on the disk.
///
/// # Errors
/// It cannot be made, or others can enter it and it is not ours to change.
pub fn make_directory(dir: &Path) -> Result<(), OpenError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| OpenError::NotWritable { dir: dir.to_owned(), source })?;
    close_to_others(dir)?;
    close_folders(dir);
    Ok(())
}

/// Gives the folders of a data directory the mode 0700, too. One that keeps its mode is no reason not to start: the directory around it
/// is closed.
fn close_folders(dir: &Path) {
    for folder in FOLDERS.map(|name| dir.join(name)) {
        // What a link leads to is not ours.
        let Ok(found) = folder.symlink_metadata() else { continue };
        if !found.is_dir() || found.mode() & OTHERS == 0 {
            continue;
        }
        let before = format!("{:03o}", found.mode() & 0o7777);
        match fs::set_permissions(&folder, Permissions::from_mode(0o700)) {
            Ok(()) => {
                tracing::warn!(folder = %folder.display(), before, "the folder was open to others; its mode is 700 now");
            }
            Err(error) => {
                tracing::warn!(folder = %folder.display(), before, %error, "the folder is open to others and keeps its mode");
            }
        }
    }
}

/// Gives a data directory the mode 0700, if it is ours to change: it belongs to this user, and it has one of our files in it or
/// nothing of others. Any other one that is open to others is refused: it may be a home directory, or `/tmp`.
fn close_to_others(dir: &Path) -> Result<(), OpenError> {
    let not_writable = |source| OpenError::NotWritable { dir: dir.to_owned(), source };
    let found = dir.metadata().map_err(not_writable)?;
    let user = rustix::process::geteuid();
    if is_foreign(user.is_root(), found.uid()) {
        let (dir, owner) = (dir.display(), found.uid());
        tracing::warn!(%dir, owner, "root works on the data directory of another user, who can change it; run as that user, or chown it");
    }
    if found.mode() & OTHERS == 0 {
        return Ok(());
    }
    let is_of_another = !user.is_root() && found.uid() != user.as_raw();
    let refused = |why| {
        let (dir, mode) = (dir.to_owned(), found.mode() & 0o7777);
        let chmod = format!("chmod 700 {}", dir.display());
        let command = if is_of_another {
            format!("sudo chown {} {} && sudo {chmod}", user.as_raw(), dir.display())
        } else {
            chmod
        };
        Err(OpenError::OpenToOthers { dir, mode, why, command })
    };
    let has_ours = || OURS.iter().any(|name| dir.join(name).symlink_metadata().is_ok());
    let is_ours = |entry: io::Result<DirEntry>| {
        entry.is_ok_and(|entry| FOLDERS.iter().any(|name| entry.file_name() == *name))
    };
    let has_no_others = || dir.read_dir().is_ok_and(|mut entries| entries.all(is_ours));
    if is_of_another {
        return refused("belongs to another user");
    }
    if found.mode() & STICKY != 0 {
        return refused("is shared by all users");
    }
    if !has_ours() && !has_no_others() {
        return refused("holds files of other programs");
    }
    let changed = fs::set_permissions(dir, Permissions::from_mode(0o700)).and_then(|()| dir.metadata());
    match changed {
        Ok(now) if now.mode() & OTHERS == 0 => {
            let before = format!("{:03o}", found.mode() & 0o7777);
            tracing::warn!(dir = %dir.display(), before, "the data directory was open to others; its mode is 700 now");
            Ok(())
        }
        _ => refused("keeps its mode"),
    }
}

/// Whether a user who is not root could change what root works on. Other users cannot enter such a directory.
const fn is_foreign(is_root: bool, owner: u32) -> bool {
    is_root && owner != 0
}

/// Takes the lock of a directory, whose file is open.
fn take(dir: &Path, file: File) -> Result<FileLock, OpenError> {
    FileLock::take(file).map_err(|error| match error {
        TryLockError::WouldBlock => in_use(dir),
        TryLockError::Error(source) => OpenError::NotWritable { dir: dir.to_owned(), source },
    })
}

/// Keeps every other process out of a data directory, which is made if need be. Blocks on the disk.
///
/// # Errors
/// [`OpenError::InUse`] when a process works on it; it cannot be made or written.
pub fn lock_directory(dir: &Path) -> Result<DirectoryLock, OpenError> {
    lock(dir)
}

/// No backup is being put in place here.
pub(crate) fn whole(dir: &Path) -> Result<(), OpenError> {
    match dir.join(RESTORING).try_exists() {
        Ok(false) => Ok(()),
        Ok(true) => Err(OpenError::HalfRestored { dir: dir.to_owned() }),
        Err(source) => Err(OpenError::NotWritable { dir: dir.to_owned(), source }),
    }
}

/// The process that wrote its number into the lock file.
fn holder(dir: &Path) -> Option<u32> {
    let mut text = String::new();
    regular_file::open(&dir.join(LOCK)).ok()?.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn sign(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(dir: &Path) -> u32 {
        dir.metadata().unwrap().permissions().mode() & 0o777
    }

    fn made(dir: &Path, given: u32, file: Option<&str>) {
        fs::create_dir(dir).unwrap();
        if let Some(file) = file.map(|file| dir.join(file)) {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, "").unwrap();
        }
        fs::set_permissions(dir, Permissions::from_mode(given)).unwrap();
    }

    #[test]
    fn a_directory_of_ours_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        drop(lock(&folder.path().join("a/new")).unwrap());
        assert_eq!(mode(&folder.path().join("a/new")), 0o700);
        let files = OURS.map(Some).into_iter().chain([None, Some("media/a.pdf")]);
        for (number, file) in files.enumerate() {
            for given in [0o777, 0o755, 0o750, 0o710, 0o701, 0o770, 0o704, 0o2775] {
                let dir = folder.path().join(format!("{number}-{given:o}"));
                made(&dir, given, file);
                drop(lock(&dir).unwrap());
                assert_eq!(mode(&dir), 0o700, "{file:?} {given:o}");
            }
        }
    }

    #[test]
    fn its_folders_are_closed_too() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("data");
        drop(lock(&dir).unwrap());
        for (name, given) in [("media", 0o777), ("backups", 0o755), ("others", 0o755)] {
            made(&dir.join(name), given, None);
        }
        made(&folder.path().join("elsewhere"), 0o755, None);
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), dir.join("logs")).unwrap();
        drop(lock(&dir).unwrap());
        let modes = ["media", "backups", "others", "../elsewhere"].map(|name| mode(&dir.join(name)));
        assert_eq!(modes, [0o700, 0o700, 0o755, 0o755]);
    }

    #[test]
    fn without_its_lock_file_a_directory_is_locked_all_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("data");
        let held = lock(&dir).unwrap();
        fs::remove_file(dir.join(LOCK)).unwrap();
        assert!(matches!(lock(&dir), Err(OpenError::InUse { .. })));
        assert!(matches!(lock_existing(&dir), Err(OpenError::InUse { .. })));
        assert!(!dir.join(LOCK).exists());
        drop(held);
        drop(lock_existing(&dir).unwrap());
        drop(lock(&dir).unwrap());
    }

    #[test]
    fn root_is_warned_of_a_directory_of_another_user() {
        assert_eq!(
            [(true, 0), (true, 1), (false, 1)].map(|(root, owner)| is_foreign(root, owner)),
            [false, true, false]
        );
    }

    #[test]
    fn a_directory_of_others_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for (name, given, file) in [
            ("home", 0o755, Some("theirs")),
            ("shared", 0o1777, Some("switchboard.toml")),
            ("emptied", 0o1777, None),
        ] {
            let dir = folder.path().join(name);
            made(&dir, given, file);
            let refused = lock(&dir).err().expect("it is refused");
            assert!(matches!(refused, OpenError::OpenToOthers { .. }), "{refused:?}");
            assert!(refused.to_string().contains(&format!("chmod 700 {}", dir.display())), "{refused}");
            assert_eq!(dir.metadata().unwrap().permissions().mode() & 0o7777, given);
            assert!(!dir.join(LOCK).exists());
        }
        let closed = folder.path().join("closed");
        made(&closed, 0o700, Some("theirs"));
        drop(lock(&closed).unwrap());
    }
}
