//! Room on the disk: a file on its way in is given up before it takes the last of it.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::TakeError;

/// What files leave free, in bytes: the store, which is on the same disk as a rule, takes messages and writes down what
/// came of them with less.
const LEFT_FREE: u64 = 128 << 20;

/// Says how many bytes are free where a folder is.
type FreeSpace = dyn Fn(&Path) -> io::Result<u64> + Send + Sync;

/// How files see the disk. The real one unless said otherwise.
#[derive(Clone)]
pub struct Disk(Arc<FreeSpace>);

impl Default for Disk {
    fn default() -> Self {
        Self(Arc::new(|folder| {
            let stat = rustix::fs::statvfs(folder)?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        }))
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disk")
    }
}

impl Disk {
    /// Asks this function how many bytes are free, instead of the file system.
    pub fn with_free_space(free: impl Fn(&Path) -> io::Result<u64> + Send + Sync + 'static) -> Self {
        Self(Arc::new(free))
    }

    /// Whether so many bytes more can be taken. Not knowing is no reason to refuse: a disk that is full says so itself.
    pub(super) fn has_room(&self, folder: &Path, more: u64) -> Result<(), TakeError> {
        match (self.0)(folder) {
            Ok(free) if free < LEFT_FREE.saturating_add(more) => Err(TakeError::NoSpace),
            Ok(_) | Err(_) => Ok(()),
        }
    }
}
