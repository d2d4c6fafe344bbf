//! A folder that is ours alone: locked while it is in use, wiped afterwards, and known by its name to anyone who comes after a kill.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::OFlags;
use rustix::process::geteuid;
use tempfile::TempDir;

/// What the name of each begins with.
const PREFIX: &str = "switchboard-session-";

/// How often one is made again when someone who sweeps was quicker.
const ATTEMPTS: usize = 8;

/// A folder that only its owner can enter. What is in it is wiped and removed when this is dropped, or by [`sweep`]
/// when the program was killed before.
pub(crate) struct PrivateFolder {
    folder: TempDir,
    /// Held for as long as the folder is in use. A file system without locks has none, and is never swept.
    _lock: Option<File>,
}

impl PrivateFolder {
    pub(crate) fn make(parent: &Path) -> io::Result<Self> {
        for _ in 0..ATTEMPTS {
            let folder = tempfile::Builder::new()
                .prefix(PREFIX)
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(parent)?;
            match hold(folder.path()) {
                Ok(Some(lock)) => return Ok(Self { folder, _lock: Some(lock) }),
                Ok(None) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(_) => return Ok(Self { folder, _lock: None }),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::WouldBlock,
            "another program removes every folder that is made there",
        ))
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        wipe_all(self.folder.path());
    }
}

/// Wipes and removes the folders that killed programs of this user left behind; how many there were. One that a living
/// process holds, and one of another user, stays.
pub(crate) fn sweep(parent: &Path) -> io::Result<usize> {
    let listing = match fs::read_dir(parent) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        listing => listing?,
    };
    let is_one = |name: &OsStr| name.as_bytes().starts_with(PREFIX.as_bytes());
    let (mut swept, mut failed) = (0, None);
    for entry in listing.flatten().filter(|entry| is_one(&entry.file_name())) {
        match remove_unless_used(&entry.path()) {
            Ok(removed) => swept += usize::from(removed),
            // The others are wiped all the same.
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(swept), Err)
}

fn remove_unless_used(folder: &Path) -> io::Result<bool> {
    // One that cannot be locked is in use, gone, or none.
    let Ok(Some(lock)) = hold(folder) else { return Ok(false) };
    if lock.metadata()?.uid() != geteuid().as_raw() {
        return Ok(false);
    }
    wipe_all(folder);
    fs::remove_dir_all(folder)?;
    Ok(true)
}

/// Locks a folder; nothing when someone has it, or when another one has its name by now.
fn hold(path: &Path) -> io::Result<Option<File>> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW;
    let folder = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    match folder.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (held, there) = (folder.metadata()?, fs::symlink_metadata(path)?);
    Ok(((held.dev(), held.ino()) == (there.dev(), there.ino())).then_some(folder))
}

/// Overwrites every file of a folder. A failure leaves the bytes to the removal that follows, which is all that can be done
/// then.
fn wipe_all(folder: &Path) {
    let Ok(files) = fs::read_dir(folder) else { return };
    for file in files.flatten() {
        let _ = wipe(&file.path());
    }
}

fn wipe(path: &Path) -> io::Result<()> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed();
    let mut file = OpenOptions::new().write(true).custom_flags(flags).open(path)?;
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).expect("readable").count()
    }

    #[test]
    fn a_private_folder_is_exclusive_and_removed_afterwards() {
        let parent = tempfile::tempdir().expect("a folder");
        let folder = PrivateFolder::make(parent.path()).expect("made");
        fs::write(folder.path().join("session"), b"secret").expect("a file");
        let mode = fs::metadata(folder.path()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
        drop(folder);
        assert_eq!(names(parent.path()), 0);
    }

    #[test]
    fn abandoned_folders_are_swept_and_used_ones_stay() {
        let parent = tempfile::tempdir().expect("a folder");
        let used = PrivateFolder::make(parent.path()).expect("made");
        let left = parent.path().join(format!("{PREFIX}left"));
        fs::create_dir(&left).expect("made");
        fs::write(left.join("session"), b"secret").expect("a file");
        // The link outlives the removal, and shows that the bytes were overwritten before.
        fs::hard_link(left.join("session"), parent.path().join("witness")).expect("linked");
        fs::create_dir(parent.path().join("session-of-somebody")).expect("made");
        std::os::unix::fs::symlink(used.path(), parent.path().join(format!("{PREFIX}link"))).expect("linked");
        assert_eq!(sweep(parent.path()).expect("swept"), 1);
        assert!(!left.exists() && used.path().exists());
        assert_eq!(fs::read(parent.path().join("witness")).expect("readable"), [0; 6]);
        assert_eq!(names(parent.path()), 4);
        assert_eq!(sweep(parent.path()).expect("swept"), 0);
        assert_eq!(sweep(&parent.path().join("nowhere")).expect("nothing"), 0);
    }
}
