//! Writing: lines go into the open file at once, and packed into a segment when there are enough of them.
//!
//! A block is in its segment before the open file starts again; opening the store after a crash between the two leaves out
//! of the open file what the segments have. Nothing is ever changed in place, so a reader needs no lock.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ambient::{Clock, FileLock};
use rustix::fs::statvfs;

use crate::block::{Growing, Label};
use crate::error::OpenError;
use crate::files::{self, End, OPEN_HEAD, OpenLines};
use crate::quota::{Sizes, Usage};
use crate::row::Rows;

/// Says how many bytes are free where a folder is.
type FreeSpace = dyn Fn(&Path) -> io::Result<u64> + Send + Sync;

/// How a store keeps its lines.
#[derive(Clone)]
pub struct Retention {
    /// The most that all its files may have together at any moment, in bytes.
    pub budget: u64,
    pub keep: Duration,
    pub(crate) timeout: Timeouts,
    free: Arc<FreeSpace>,
}

/// How long others wait for the writer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timeouts {
    /// A reader, for lines that are on their way.
    pub(crate) reader: Duration,
    /// The end, for the last lines.
    pub(crate) end: Duration,
}

impl Timeouts {
    pub(crate) const DEFAULT: Self = Self { reader: Duration::from_secs(1), end: Duration::from_secs(3) };
}

impl Retention {
    /// Within these bounds, on the disk as it is.
    pub fn new(budget: u64, keep: Duration) -> Self {
        let free = |folder: &Path| {
            let stat = statvfs(folder)?;
            Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
        };
        Self { budget, keep, timeout: Timeouts::DEFAULT, free: Arc::new(free) }
    }

    /// Asks this function how many bytes are free, instead of the file system.
    #[must_use]
    pub fn with_free_space(
        mut self,
        free: impl Fn(&Path) -> io::Result<u64> + Send + Sync + 'static,
    ) -> Self {
        self.free = Arc::new(free);
        self
    }

    /// Lets readers and the end wait as long as this for lines that are on their way: a test that looks for a line must find
    /// it on any disk.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Timeouts { reader: timeout, end: timeout };
        self
    }
}

/// A segment as the writer remembers it.
#[derive(Debug)]
struct Segment {
    first: u64,
    size: u64,
    /// The times of its oldest and its newest line, as the clock said.
    earliest: i64,
    latest: i64,
}

/// The one who writes in a folder.
pub(crate) struct Writer {
    folder: PathBuf,
    clock: Clock,
    retention: Retention,
    sizes: Sizes,
    /// The oldest first.
    segments: Vec<Segment>,
    /// The last segment, as long as blocks are added to it.
    last: Option<File>,
    open: File,
    open_size: u64,
    block: Growing,
    piece: Vec<u8>,
    _lock: FileLock,
}

impl Writer {
    /// Opens a folder, or makes it. What a crash left half written is cut off.
    pub(crate) fn open(folder: &Path, retention: Retention, clock: Clock) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Io { folder: folder.to_owned(), source };
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock =
            files::private().create(true).truncate(false).open(folder.join("writer.lock")).map_err(failed)?;
        let lock = FileLock::take(lock).map_err(|error| match error {
            TryLockError::WouldBlock => OpenError::Held { folder: folder.to_owned() },
            TryLockError::Error(error) => failed(error),
        })?;
        Self::take_up(folder, retention, clock, lock).map_err(failed)
    }

    fn take_up(folder: &Path, retention: Retention, clock: Clock, lock: FileLock) -> io::Result<Self> {
        let mut segments = Vec::new();
        let mut sealed = 0;
        let numbers = files::segments(folder)?;
        for (place, &first) in numbers.iter().enumerate() {
            let found = look(folder, first, place + 1 == numbers.len())?;
            if let Some((segment, end)) = found {
                sealed = sealed.max(end);
                segments.push(segment);
            }
        }
        let left = files::read_open(&files::open_file(folder))?;
        let now = u64::try_from(clock.now().as_micros()).unwrap_or(0);
        // A folder without an open file is new, or a file was removed: numbers never come twice all the same, as no
        // program writes a million lines a second for long.
        let first = left.as_ref().map_or_else(|| sealed.max(now), |left| left.first.max(sealed));
        let mut writer = Self {
            folder: folder.to_owned(),
            clock,
            sizes: Sizes::of(retention.budget),
            retention,
            segments,
            last: None,
            open: files::replace_open_after(folder, left.as_ref(), first)?,
            open_size: 0,
            block: Growing::new(first),
            piece: Vec::new(),
            _lock: lock,
        };
        writer.open_size = writer.open.metadata()?.len();
        if let Some(left) = left {
            writer.remember(&left);
        }
        let _ = writer.shrink(0);
        writer.sweep();
        Ok(writer)
    }

    /// Takes the lines of the open file back into memory, but for those that a segment has.
    fn remember(&mut self, left: &OpenLines) {
        let sealed = usize::try_from(self.block.first.saturating_sub(left.first)).unwrap_or(usize::MAX);
        for head in Rows::new(&left.rows).skip(sealed) {
            self.block.add(&head, &left.rows);
        }
    }

    pub(crate) fn next(&self) -> u64 {
        self.block.end()
    }

    /// What all files have together, in bytes.
    pub(crate) fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum::<u64>() + self.open_size
    }

    /// Writes lines, and says how many could not be: the disk is full, or the budget is too small for them.
    pub(crate) fn write(&mut self, rows: &[u8]) -> u64 {
        let mut lost = 0;
        let mut left = Rows::new(rows);
        loop {
            let begin = left.position();
            let (mut lines, mut size) = (0_u64, self.block.size());
            while size < self.sizes.block
                && let Some(head) = left.next()
            {
                lines += 1;
                size += head.text.len() + 1;
            }
            let taken = &rows[begin..left.position()];
            if lines > 0 && self.add(taken).is_err() {
                lost += lines;
            }
            if self.block.size() >= self.sizes.block && self.seal().is_err() {
                // They are in the open file. There may be room for the block when the next lines come.
                return lost + left.count() as u64;
            }
            if lines == 0 {
                return lost;
            }
        }
    }

    /// Puts lines into the open file, and keeps them in mind for the block.
    fn add(&mut self, rows: &[u8]) -> io::Result<()> {
        let mut piece = std::mem::take(&mut self.piece);
        files::group(rows, &mut piece);
        let done = self.append(&piece);
        self.piece = piece;
        done?;
        for head in Rows::new(rows) {
            self.block.add(&head, rows);
        }
        Ok(())
    }

    fn append(&mut self, piece: &[u8]) -> io::Result<()> {
        let needed = piece.len() as u64;
        self.shrink(needed)?;
        let mut done = self.open.write_all_at(piece, self.open_size);
        if is_full(&done) && self.remove_oldest() {
            done = self.open.write_all_at(piece, self.open_size);
        }
        if done.is_err() {
            // Half a group would hide those that come after it.
            let _ = self.open.set_len(self.open_size);
            return done;
        }
        self.open_size += needed;
        Ok(())
    }

    /// Packs the lines of the open file into a segment and starts it again.
    fn seal(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed =
            self.block.packed().ok_or_else(|| io::Error::other("the lines could not be compressed"))?;
        let size = packed.len() as u64;
        self.shrink(size + OPEN_HEAD as u64)?;
        let mut done = self.add_block(&packed);
        if is_full(&done) && self.remove_oldest() {
            done = self.add_block(&packed);
        }
        done?;
        let end = self.block.end();
        // When that fails the old file goes on: readers and the next start leave out what the segments have.
        if let Ok(open) = files::replace_open(&self.folder, end) {
            self.open = open;
            self.open_size = OPEN_HEAD as u64;
        }
        self.block.restart(end);
        Ok(())
    }

    fn add_block(&mut self, packed: &[u8]) -> io::Result<()> {
        let marks = self.block.marks();
        let size = packed.len() as u64;
        let too_old = self.grown_old();
        let goes_on = self
            .segments
            .last()
            .is_some_and(|last| last.size + size <= self.sizes.segment && last.earliest >= too_old);
        if !goes_on {
            self.last = None;
        }
        if self.last.is_none() {
            let path = files::segment_file(&self.folder, self.block.first);
            let file = files::private().create(true).truncate(true).open(path)?;
            self.last = Some(file);
            self.segments.push(Segment {
                first: self.block.first,
                size: 0,
                earliest: marks.earliest,
                latest: marks.latest,
            });
        }
        let (Some(file), Some(segment)) = (&self.last, self.segments.last_mut()) else {
            return Err(io::Error::other("there is no segment"));
        };
        let done = file.write_all_at(packed, segment.size).and_then(|()| file.sync_data());
        if done.is_err() {
            let _ = file.set_len(segment.size);
            if segment.size == 0 {
                let _ = fs::remove_file(files::segment_file(&self.folder, segment.first));
                self.segments.pop();
                self.last = None;
            }
            return done;
        }
        segment.size += size;
        segment.earliest = segment.earliest.min(marks.earliest);
        segment.latest = segment.latest.max(marks.latest);
        Ok(())
    }

    /// What is older than this begins a new segment, so that age takes lines away in small steps.
    fn grown_old(&self) -> i64 {
        self.clock.now().minus(self.retention.keep / 16).as_micros()
    }

    /// Forgets what is too old, and closes what has been open for long.
    pub(crate) fn sweep(&mut self) {
        if self.block.earliest().is_some_and(|earliest| earliest < self.grown_old()) {
            // If it cannot be packed now, it can be later.
            let _ = self.seal();
        }
        let oldest = self.clock.now().minus(self.retention.keep).as_micros();
        while self.segments.first().is_some_and(|segment| segment.latest < oldest) && self.remove_oldest() {}
    }

    /// Removes old segments until there is room for this many bytes more.
    fn shrink(&mut self, needed: u64) -> io::Result<()> {
        let sizes: Vec<u64> = self.segments.iter().map(|segment| segment.size).collect();
        let usage = Usage { segments: &sizes, open: self.open_size };
        let free = (self.retention.free)(&self.folder).ok();
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let remove = usage.to_remove(needed, self.retention.budget, free).ok_or_else(full)?;
        for _ in 0..remove {
            if !self.remove_oldest() {
                return Err(full());
            }
        }
        Ok(())
    }

    /// Removes the oldest segment; false when there is none, or when it cannot be removed.
    fn remove_oldest(&mut self) -> bool {
        let Some(oldest) = self.segments.first() else { return false };
        let removed = fs::remove_file(files::segment_file(&self.folder, oldest.first));
        if removed.is_err_and(|error| error.kind() != io::ErrorKind::NotFound) {
            return false;
        }
        self.segments.remove(0);
        if self.segments.is_empty() {
            self.last = None;
        }
        true
    }
}

fn is_full(done: &io::Result<()>) -> bool {
    done.as_ref()
        .is_err_and(|error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
}

/// Looks at a segment of an earlier run. The last one is cut where it is torn; one without any block goes.
fn look(folder: &Path, first: u64, is_last: bool) -> io::Result<Option<(Segment, u64)>> {
    let path = files::segment_file(folder, first);
    let file = files::private().open(&path)?;
    let (mut entries, end) = files::blocks(&file)?;
    let mut size = file.metadata()?.len();
    if is_last {
        // When the power went, the head may be there and what it describes not.
        let is_whole = |label: &Label, at: u64| -> io::Result<bool> {
            let mut bytes = vec![0; usize::try_from(label.size()).unwrap_or(0)];
            file.read_exact_at(&mut bytes, at)?;
            Ok(label.is_whole(&bytes))
        };
        while let Some(entry) = entries.last()
            && !is_whole(&entry.label, entry.at)?
        {
            entries.pop();
        }
        let whole = entries.last().map_or(0, |entry| entry.at + entry.label.size());
        if end != End::Whole || whole < size {
            file.set_len(whole)?;
            size = whole;
        }
    }
    let Some(last) = entries.last() else {
        fs::remove_file(path)?;
        return Ok(None);
    };
    let segment = Segment {
        first,
        size,
        earliest: entries.iter().map(|entry| entry.label.marks.earliest).min().unwrap_or(i64::MAX),
        latest: entries.iter().map(|entry| entry.label.marks.latest).max().unwrap_or(i64::MIN),
    };
    Ok(Some((segment, last.label.end())))
}
