//! A private copy of a database file: what is opened, recovered and broken is never the original.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::process::{Flock, FlockType, fcntl_getlk};
use tempfile::TempDir;

use crate::Unreadable;

const NAME: &str = "session";

/// What SQLite keeps beside a file that was not closed: the way back, or the way forward.
const BESIDE: [&str; 2] = ["-journal", "-wal"];

/// The bytes, far behind the end of any session, whose locks stand for the whole file. SQLite's own numbers.
const LOCK_START: u64 = 0x4000_0000;
const LOCK_LENGTH: u64 = 512;

/// How often a file may change while it is copied before we say that somebody is at it.
const ATTEMPTS: usize = 3;

/// A copy in a folder that is ours alone. Wiped and removed when dropped.
pub(crate) struct PrivateCopy {
    folder: TempDir,
    unfinished: bool,
}

impl PrivateCopy {
    /// Copies a file and what lies beside it, all from one moment.
    pub(crate) fn take(path: &Path, largest_mb: u64) -> Result<Self, Unreadable> {
        for _ in 0..ATTEMPTS {
            let before = stamps(path)?;
            let file = File::open(path)?;
            if is_locked(&file)? {
                return Err(Unreadable::Locked);
            }
            let folder = tempfile::Builder::new()
                .prefix("session-")
                .permissions(Permissions::from_mode(0o700))
                .tempdir()?;
            let mut copy = Self { folder, unfinished: false };
            copy.add(file, "", largest_mb)?;
            for suffix in BESIDE {
                match File::open(beside(path, suffix)) {
                    Ok(file) => copy.unfinished |= copy.add(file, suffix, largest_mb)? > 0,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error.into()),
                }
            }
            if stamps(path)? == before {
                return Ok(copy);
            }
        }
        Err(Unreadable::Locked)
    }

    /// Where the copy is.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }

    /// Whether the copy begins with these bytes.
    pub(crate) fn begins_with(&self, wanted: &[u8]) -> io::Result<bool> {
        let mut head = Vec::new();
        File::open(self.path())?.take(wanted.len() as u64).read_to_end(&mut head)?;
        Ok(head == wanted)
    }

    /// Whether the program that wrote it did not come to an end: SQLite has to recover the copy first.
    pub(crate) fn is_unfinished(&self) -> bool {
        self.unfinished
    }

    fn add(&self, from: File, suffix: &str, largest_mb: u64) -> Result<u64, Unreadable> {
        let largest = largest_mb << 20;
        let mut to = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(self.folder.path().join(format!("{NAME}{suffix}")))?;
        let copied = io::copy(&mut from.take(largest + 1), &mut to)?;
        if copied > largest { Err(Unreadable::TooLarge(largest_mb)) } else { Ok(copied) }
    }
}

impl Drop for PrivateCopy {
    fn drop(&mut self) {
        // A failure leaves the bytes to the removal that follows, which is all that can be done then.
        let Ok(files) = fs::read_dir(self.folder.path()) else { return };
        for file in files.flatten() {
            let _ = wipe(&file.path());
        }
    }
}

fn wipe(path: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).open(path)?;
    let length = file.metadata()?.len();
    io::copy(&mut io::repeat(0).take(length), &mut file)?;
    file.flush()
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Lengths and times of a file and of what lies beside it.
fn stamps(path: &Path) -> io::Result<[Option<(u64, SystemTime)>; 3]> {
    let stamp = |path: &Path| match fs::metadata(path) {
        Ok(metadata) => Ok(Some((metadata.len(), metadata.modified()?))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    };
    let [journal, wal] = BESIDE.map(|suffix| stamp(&beside(path, suffix)));
    Ok([stamp(path)?, journal?, wal?])
}

/// Whether another program holds one of SQLite's locks. Asking takes no lock.
fn is_locked(file: &File) -> io::Result<bool> {
    let wanted = Flock { start: LOCK_START, length: LOCK_LENGTH, ..FlockType::WriteLock.into() };
    match fcntl_getlk(file, &wanted) {
        Ok(lock) => Ok(lock.is_some()),
        // A file system without locks has nobody who holds one.
        Err(rustix::io::Errno::NOLCK | rustix::io::Errno::INVAL | rustix::io::Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_ours_alone_and_gone_afterwards() {
        let folder = tempfile::tempdir().expect("a folder");
        let original = folder.path().join("main.session");
        fs::write(&original, b"content").expect("a file");
        let copy = PrivateCopy::take(&original, 1).expect("a copy");
        let place = copy.folder.path().to_owned();
        assert_eq!(fs::metadata(&place).expect("there").permissions().mode() & 0o777, 0o700);
        assert_eq!(fs::metadata(copy.path()).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(copy.path()).expect("readable"), b"content");
        assert!(!copy.is_unfinished());
        drop(copy);
        assert!(!place.exists());
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }

    #[test]
    fn what_lies_beside_comes_along() {
        let folder = tempfile::tempdir().expect("a folder");
        let original = folder.path().join("main.session");
        fs::write(&original, b"content").expect("a file");
        fs::write(beside(&original, "-journal"), b"").expect("a file");
        assert!(!PrivateCopy::take(&original, 1).expect("a copy").is_unfinished());
        fs::write(beside(&original, "-wal"), b"more").expect("a file");
        let copy = PrivateCopy::take(&original, 1).expect("a copy");
        assert!(copy.is_unfinished() && beside(&copy.path(), "-wal").exists());
    }

    #[test]
    fn a_copy_is_overwritten_before_it_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("copy");
        fs::write(&file, b"secret").expect("a file");
        wipe(&file).expect("wiped");
        assert_eq!(fs::read(&file).expect("readable"), [0; 6]);
    }

    #[test]
    fn more_than_a_session_is_not_copied() {
        let folder = tempfile::tempdir().expect("a folder");
        let original = folder.path().join("main.session");
        fs::write(&original, vec![1; (1 << 20) + 1]).expect("a file");
        assert!(matches!(PrivateCopy::take(&original, 1).err(), Some(Unreadable::TooLarge(1))));
    }
}
