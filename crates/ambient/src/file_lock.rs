//! Locks on files that are given up at once, whatever else has the file open.

use std::fs::{File, TryLockError};

/// The exclusive lock of a file, given up when dropped, and by the system when the process ends.
///
/// To close the file would not do: a child process that is being started shares it until it runs its program, and the lock
/// would last until then (`flock(2)`: a lock belongs to the open file and all its duplicates).
#[derive(Debug)]
pub struct FileLock(File);

impl FileLock {
    /// Locks a file without waiting.
    ///
    /// # Errors
    /// [`TryLockError::WouldBlock`] when it is locked already, in this process or another.
    pub fn take(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        Ok(Self(file))
    }

    /// The file that is locked.
    pub fn file(&self) -> &File {
        &self.0
    }
}

impl Drop for FileLock {
    fn drop(&mut self) {
        // Unlocking a file that is locked does not fail; if it did, closing it is the next best.
        let _ = self.0.unlock();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_given_up_while_a_child_has_the_file() {
        let named = tempfile::NamedTempFile::new().unwrap();
        let open = || named.reopen().unwrap();
        let lock = FileLock::take(open()).unwrap();
        assert!(matches!(FileLock::take(open()), Err(TryLockError::WouldBlock)));
        // What a child has of it before it runs its program.
        let duplicate = lock.file().try_clone().unwrap();
        drop(lock);
        FileLock::take(open()).expect("the lock is free");
        drop(duplicate);
    }
}
