//! The data directory: made for its owner alone, and worked on by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ambient::FileLock;

use crate::OpenError;

/// The file whose lock says that the directory is in use. It holds the number of the process, for people.
pub(crate) const LOCK: &str = "switchboard.lock";

/// The file that says that a backup is being put in place here: until that is done no store opens.
pub const RESTORING: &str = "restoring.json";

/// The database of a backup on its way from the data directory to a server: until it is there, no store opens on a server.
pub const RESTORED: &str = "restored.db";

/// The right to work on a data directory; given up when dropped, and by the system when the process dies.
pub struct DirectoryLock {
    _lock: FileLock,
}

/// Makes the directory if need be and takes its lock. A new or empty one gets the mode 0700.
///
/// The mode of a directory that has something in it is left as its owner set it: it may be more than ours.
pub(crate) fn lock(dir: &Path) -> Result<DirectoryLock, OpenError> {
    let not_writable = |source| OpenError::NotWritable { dir: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(not_writable)?;
    let empty = dir.read_dir().is_ok_and(|mut entries| entries.next().is_none());
    if empty {
        // The one who may write in it and does not own it cannot change the mode; every file in it is for its owner alone.
        let _ = std::fs::set_permissions(dir, Permissions::from_mode(0o700));
    }
    let mut options = OpenOptions::new();
    let file = options.write(true).create(true).truncate(false).mode(0o600).open(dir.join(LOCK));
    let lock = take(dir, file.map_err(not_writable)?)?;
    sign(lock.file()).map_err(not_writable)?;
    Ok(DirectoryLock { _lock: lock })
}

/// Takes the lock of a directory, whose file is open.
pub(crate) fn take(dir: &Path, file: File) -> Result<FileLock, OpenError> {
    FileLock::take(file).map_err(|error| match error {
        TryLockError::WouldBlock => OpenError::InUse { dir: dir.to_owned(), holder: holder(dir) },
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
    File::open(dir.join(LOCK)).ok()?.take(32).read_to_string(&mut text).ok()?;
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

    #[test]
    fn only_an_empty_directory_is_closed_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let (new, empty, used) =
            (folder.path().join("a/new"), folder.path().join("empty"), folder.path().join("used"));
        for dir in [&empty, &used] {
            std::fs::create_dir(dir).unwrap();
            std::fs::set_permissions(dir, Permissions::from_mode(0o755)).unwrap();
        }
        std::fs::write(used.join("theirs"), "").unwrap();
        let locks: Vec<_> = [&new, &empty, &used].map(|dir| lock(dir).unwrap()).into();
        assert_eq!([mode(&new), mode(&empty), mode(&used)], [0o700, 0o700, 0o755]);
        drop(locks);
    }
}
