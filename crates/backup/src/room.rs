//! Room on the disk that backups are on.

use std::io;
use std::path::Path;

/// What stays free beside a backup, in bytes: the store takes nothing new in when less than 64 MiB are left.
pub(crate) const MARGIN: u64 = 96 << 20;

/// How much is free where a folder is, in bytes.
pub(crate) fn free(folder: &Path) -> io::Result<u64> {
    let stat = rustix::fs::statvfs(folder)?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}
