//! The data directory: made for its owner alone, and worked on by one process at a time.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::OpenError;

/// The file whose lock says that the directory is in use. It holds the number of the process, for people.
const LOCK: &str = "switchboard.lock";

/// The right to work on a data directory; given up when dropped, and by the system when the process dies.
pub(crate) struct DirectoryLock {
    _file: File,
}

/// Makes the directory if need be (mode 0700) and takes its lock.
///
/// The mode of a directory that is there already is left as its owner set it.
pub(crate) fn lock(dir: &Path) -> Result<DirectoryLock, OpenError> {
    let not_writable = |source| OpenError::NotWritable { dir: dir.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(not_writable)?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(dir.join(LOCK))
        .map_err(not_writable)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            return Err(OpenError::InUse { dir: dir.to_owned(), holder: holder(&mut file) });
        }
        Err(TryLockError::Error(source)) => return Err(not_writable(source)),
    }
    sign(&mut file).map_err(not_writable)?;
    Ok(DirectoryLock { _file: file })
}

/// The process that wrote its number into the lock file.
fn holder(file: &mut File) -> Option<u32> {
    let mut text = String::new();
    file.take(32).read_to_string(&mut text).ok()?;
    text.trim().parse().ok()
}

fn sign(file: &mut File) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}
