//! The blocks of all segments, in order, looked into by several threads at once.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::num::NonZeroUsize;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::files::{self, BlockEntry, End};
use crate::scan::ScanBuffers;

/// The most threads of one search.
const MOST_THREADS: usize = 4;

/// A block to look into.
pub(crate) struct Job {
    pub(crate) file: Arc<File>,
    pub(crate) entry: BlockEntry,
}

/// Where blocks come from, in the order in which they are wanted.
pub(crate) struct Blocks {
    folder: PathBuf,
    newest_first: bool,
    /// Numbers of segments that are still to be opened.
    segments: VecDeque<u64>,
    /// The segment that is open, and its blocks that are still to come.
    file: Option<Arc<File>>,
    entries: VecDeque<BlockEntry>,
    /// From here on the open file has the lines.
    end: u64,
    /// Segments that end with damaged bytes.
    pub(crate) damaged: u32,
}

impl Blocks {
    /// Those of the segments that can have lines of these numbers, up to `end`.
    pub(crate) fn of(folder: &Path, newest_first: bool, numbers: &Range<u64>, end: u64) -> io::Result<Self> {
        let segments = match files::segments(folder) {
            Ok(segments) => segments,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let followers = segments.iter().skip(1).copied().chain([u64::MAX]);
        let reach = segments.iter().copied().zip(followers);
        let segments = reach
            .filter(|(first, next)| *next > numbers.start && *first < numbers.end && *first < end)
            .map(|(first, _)| first)
            .collect();
        let folder = folder.to_owned();
        Ok(Self { folder, newest_first, segments, file: None, entries: VecDeque::new(), end, damaged: 0 })
    }

    /// The next block that is wanted.
    fn next(&mut self, wanted: &impl Fn(&BlockEntry) -> bool) -> io::Result<Option<Job>> {
        loop {
            let entry = if self.newest_first { self.entries.pop_back() } else { self.entries.pop_front() };
            if let (Some(entry), Some(file)) = (entry, &self.file) {
                if entry.label.first < self.end && wanted(&entry) {
                    return Ok(Some(Job { file: Arc::clone(file), entry }));
                }
                continue;
            }
            let first = if self.newest_first { self.segments.pop_back() } else { self.segments.pop_front() };
            let Some(first) = first else { return Ok(None) };
            let file = match File::open(files::segment_file(&self.folder, first)) {
                Ok(file) => file,
                // Removed meanwhile, as the oldest.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            let (entries, end) = files::blocks(&file)?;
            self.damaged += u32::from(end == End::Damaged);
            self.entries = entries.into();
            self.file = Some(Arc::new(file));
        }
    }

    /// The next blocks, at most so many; none when there are no more.
    pub(crate) fn next_jobs(
        &mut self,
        most: usize,
        wanted: &impl Fn(&BlockEntry) -> bool,
    ) -> io::Result<Vec<Job>> {
        let mut jobs = Vec::new();
        while jobs.len() < most
            && let Some(job) = self.next(wanted)?
        {
            jobs.push(job);
        }
        Ok(jobs)
    }
}

/// Buffers for each thread that a search may take.
pub(crate) fn buffers() -> Vec<ScanBuffers> {
    let threads = thread::available_parallelism().map_or(1, NonZeroUsize::get).clamp(1, MOST_THREADS);
    (0..threads).map(|_| ScanBuffers::default()).collect()
}

/// Does all jobs, each once, and gives what they gave in their order; nothing for one that broke down.
pub(crate) fn look_into<R: Send>(
    buffers: &mut [ScanBuffers],
    jobs: &[Job],
    look: &(impl Fn(&mut ScanBuffers, &Job) -> R + Sync),
) -> Vec<Option<R>> {
    let next = AtomicUsize::new(0);
    let work = |buffers: &mut ScanBuffers| {
        let mut done = Vec::new();
        while let Some((at, job)) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            jobs.get(at).map(|job| (at, job))
        } {
            done.push((at, look(buffers, job)));
        }
        done
    };
    let mut given: Vec<Option<R>> = jobs.iter().map(|_| None).collect();
    let Some((own, others)) = buffers.split_first_mut() else { return given };
    let done = thread::scope(|scope| {
        let spawned: Vec<_> = others
            .iter_mut()
            .take(jobs.len().saturating_sub(1))
            // A thread that cannot be had leaves its work to the others.
            .filter_map(|buffers| thread::Builder::new().spawn_scoped(scope, || work(buffers)).ok())
            .collect();
        let mut done = work(own);
        for thread in spawned {
            done.extend(thread.join().unwrap_or_default());
        }
        done
    });
    for (at, found) in done {
        if let Some(slot) = given.get_mut(at) {
            *slot = Some(found);
        }
    }
    given
}
