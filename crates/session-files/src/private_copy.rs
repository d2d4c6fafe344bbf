//! A private copy of a database file: what is opened, recovered and broken is never the original.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::OFlags;
use rustix::process::{Flock, FlockType, fcntl_getlk};

use crate::Unreadable;
use crate::private_folder::PrivateFolder;

const NAME: &str = "session";

/// What SQLite keeps beside a file that was not closed: the rollback journal, or the write-ahead log.
const BESIDE: [&str; 2] = ["-journal", "-wal"];

/// The bytes, far behind the end of any session, whose locks cover the whole file. SQLite's own numbers.
const LOCK_START: u64 = 0x4000_0000;
const LOCK_LENGTH: u64 = 512;

/// How often a file may change while it is copied before we say that someone is at it.
const ATTEMPTS: usize = 3;

/// The point where a test can stop the program while a copy is there.
pub const COPIED: &str = "session_files.copied";

/// A copy in a folder that is ours alone. Wiped and removed when dropped.
pub(crate) struct PrivateCopy {
    folder: PrivateFolder,
    unfinished: bool,
}

impl PrivateCopy {
    /// Copies a file and what is beside it, all from one moment, into a private folder below `parent`.
    pub(crate) fn take(path: &Path, largest_mb: u64, parent: &Path) -> Result<Self, Unreadable> {
        for _ in 0..ATTEMPTS {
            let before = stamps(path)?;
            let file = open(path)?;
            if is_locked(&file)? {
                return Err(Unreadable::Locked);
            }
            let mut copy = Self { folder: PrivateFolder::make(parent)?, unfinished: false };
            copy.add(file, "", largest_mb)?;
            for suffix in BESIDE {
                match open(&beside(path, suffix)) {
                    Ok(file) => copy.unfinished |= copy.add(file, suffix, largest_mb)? > 0,
                    Err(Unreadable::Io(error)) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(error),
                }
            }
            failpoint::hold(COPIED);
            if stamps(path)? == before {
                return Ok(copy);
            }
        }
        Err(Unreadable::Locked)
    }

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

/// Opens a file, and nothing else: a pipe would be waited for without an end.
fn open(path: &Path) -> Result<File, Unreadable> {
    let flags = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(Unreadable::NotAFile) }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Lengths and times of a file and of what is beside it.
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
        // A file system without locks has no one who holds one.
        Err(rustix::io::Errno::NOLCK | rustix::io::Errno::INVAL | rustix::io::Errno::NOTSUP) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    /// A folder with a file in it, and one for copies.
    fn stage(content: &[u8]) -> (tempfile::TempDir, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let (original, copies) = (folder.path().join("main.session"), folder.path().join("copies"));
        fs::write(&original, content).expect("a file");
        fs::create_dir(&copies).expect("a folder");
        (folder, original, copies)
    }

    #[test]
    fn a_private_copy_is_exclusive_and_removed_afterwards() {
        let (_folder, original, copies) = stage(b"content");
        let copy = PrivateCopy::take(&original, 1, &copies).expect("a copy");
        assert_eq!(fs::metadata(copy.path()).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(copy.path()).expect("readable"), b"content");
        assert!(copy.path().starts_with(&copies) && !copy.is_unfinished());
        drop(copy);
        assert_eq!(fs::read_dir(&copies).expect("readable").count(), 0);
    }

    #[test]
    fn companion_files_are_copied_along() {
        let (_folder, original, copies) = stage(b"content");
        fs::write(beside(&original, "-journal"), b"").expect("a file");
        assert!(!PrivateCopy::take(&original, 1, &copies).expect("a copy").is_unfinished());
        fs::write(beside(&original, "-wal"), b"more").expect("a file");
        let copy = PrivateCopy::take(&original, 1, &copies).expect("a copy");
        assert!(copy.is_unfinished() && beside(&copy.path(), "-wal").exists());
    }

    #[test]
    fn a_pipe_beside_a_session_is_not_waited_for() {
        let (_folder, original, copies) = stage(b"content");
        mknodat(CWD, beside(&original, "-wal"), FileType::Fifo, Mode::RUSR, 0).expect("a pipe");
        assert!(matches!(PrivateCopy::take(&original, 1, &copies).err(), Some(Unreadable::NotAFile)));
    }

    #[test]
    fn files_larger_than_a_session_are_not_copied() {
        let (_folder, original, copies) = stage(&vec![1; (1 << 20) + 1]);
        let refused = PrivateCopy::take(&original, 1, &copies).err();
        assert!(matches!(refused, Some(Unreadable::TooLarge(1))));
    }
}
