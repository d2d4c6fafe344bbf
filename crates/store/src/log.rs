//! The log of SQLite: what was committed is on the disk once it is synced.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::StoreError;
use crate::disk::Disk;
use crate::lost::Lost;
use crate::stats::log_of;

/// The file that SQLite appends each commit to.
///
/// One that cannot be synced is given up, and the store with it: the system may have let go of the pages that it could not
/// write, and say of the next sync that all is well. What of the log is whole is read by the next start.
pub(crate) struct Log {
    file: File,
    disk: Disk,
    lost: Arc<Lost>,
}

impl Log {
    /// The log of a database that is open.
    pub(crate) fn open(database: &Path, disk: Disk) -> io::Result<Self> {
        Ok(Self { file: File::open(log_of(database))?, disk, lost: Arc::default() })
    }

    /// What tells that it was given up.
    pub(crate) fn lost(&self) -> Arc<Lost> {
        Arc::clone(&self.lost)
    }

    /// Fails when it was given up.
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.lost.is_set() {
            Err(StoreError::Unavailable("the disk did not take it".into()))
        } else {
            Ok(())
        }
    }

    /// Waits until all that was committed is on the disk.
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        self.check()?;
        self.disk.sync(&self.file).or_else(|error| {
            tracing::error!(%error, "the disk did not take what was committed; the store is opened again");
            self.lost.set();
            self.check()
        })
    }
}
