//! Room on the disk: when intake stops, and the reserve that lets outcomes still be written.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ambient::{Clock, regular_file};
use domain::Timestamp;

/// New messages are refused when less than this is free.
pub(crate) const INTAKE_NEEDS: u64 = 64 << 20;
/// What the reserve file keeps free for the outcomes of messages already taken.
pub(crate) const RESERVE: u64 = 16 << 20;
/// The disk is not asked more often than this.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Says how many bytes are free where a directory is.
type FreeSpace = dyn Fn(&Path) -> io::Result<u64> + Send + Sync;

/// How the store sees its disk. The real one unless said otherwise.
#[derive(Clone)]
pub struct Disk {
    free: Arc<FreeSpace>,
    max_pages: Option<u32>,
}

impl Default for Disk {
    fn default() -> Self {
        Self {
            free: Arc::new(|dir| {
                let stat = rustix::fs::statvfs(dir)?;
                Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
            }),
            max_pages: None,
        }
    }
}

impl Disk {
    /// Asks this function how many bytes are free, instead of the file system.
    #[must_use]
    pub fn with_free_space(
        mut self,
        free: impl Fn(&Path) -> io::Result<u64> + Send + Sync + 'static,
    ) -> Self {
        self.free = Arc::new(free);
        self
    }

    /// How many bytes are free where a directory is.
    pub(crate) fn free_in(&self, dir: &Path) -> io::Result<u64> {
        (self.free)(dir)
    }

    /// Lets the database grow to this many pages of 4 KiB, and by the reserve more when that is released.
    #[must_use]
    pub fn with_max_pages(mut self, pages: u32) -> Self {
        self.max_pages = Some(pages);
        self
    }
}

/// The writer's view of the disk.
pub(crate) struct Space {
    dir: PathBuf,
    disk: Disk,
    clock: Clock,
    checked_at: Option<Timestamp>,
    enough: bool,
    reserved: bool,
}

impl Space {
    pub(crate) fn new(dir: &Path, disk: Disk, clock: Clock) -> Self {
        let reserved = make_reserve(&reserve_file(dir)).is_ok();
        Self { dir: dir.to_owned(), disk, clock, checked_at: None, enough: true, reserved }
    }

    /// Whether new messages may be taken in. Asks the disk when the last answer is a second old, and makes the
    /// reserve as soon as there is room for it again.
    pub(crate) fn intake_open(&mut self) -> bool {
        let now = self.clock.now();
        let fresh = self.checked_at.is_some_and(|checked| checked <= now && now.since(checked) < ASK_EVERY);
        if !fresh {
            self.checked_at = Some(now);
            match self.disk.free_in(&self.dir) {
                Ok(free) => {
                    self.enough = free >= INTAKE_NEEDS;
                    if !self.reserved && free >= INTAKE_NEEDS + RESERVE {
                        self.reserved = make_reserve(&reserve_file(&self.dir)).is_ok();
                    }
                }
                // Not knowing is no reason to refuse work; a disk that is really full says so at the next write.
                Err(error) => tracing::warn!(%error, "cannot ask how much of the disk is free"),
            }
        }
        self.enough && self.reserved
    }

    /// Gives the reserve back to the file system. False when it is gone already.
    pub(crate) fn release_reserve(&mut self) -> bool {
        let released = std::mem::take(&mut self.reserved) && fs::remove_file(reserve_file(&self.dir)).is_ok();
        if released {
            tracing::error!("the disk is full: no new messages; the reserve is used to write down outcomes");
        }
        released
    }

    /// The largest size that the database may have now, in pages.
    pub(crate) fn max_pages(&self) -> Option<u32> {
        let reserve = if self.reserved { 0 } else { u32::try_from(RESERVE / 4096).unwrap_or(u32::MAX) };
        self.disk.max_pages.map(|pages| pages.saturating_add(reserve))
    }
}

fn reserve_file(dir: &Path) -> PathBuf {
    dir.join("reserve")
}

/// Makes a file that truly takes up its length.
fn make_reserve(path: &Path) -> io::Result<()> {
    if fs::metadata(path).is_ok_and(|found| found.len() == RESERVE) {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let file = regular_file::open_with(&mut options, path)?;
    let made = fill(&file);
    if made.is_err() {
        drop(file);
        // Half a reserve would take space without being one.
        let _ = fs::remove_file(path);
    }
    made
}

fn fill(file: &File) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    if rustix::fs::fallocate(file, rustix::fs::FallocateFlags::empty(), 0, RESERVE).is_ok() {
        return Ok(());
    }
    let zeros = vec![0_u8; 1 << 16];
    let mut file = file;
    let mut written = 0;
    while written < RESERVE {
        file.write_all(&zeros)?;
        written += zeros.len() as u64;
    }
    file.sync_data()
}
