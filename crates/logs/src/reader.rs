//! Reading a log store from its files, also while another process writes them.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::Timestamp;

use crate::error::ReadError;
use crate::files::{self, BlockEntry, OpenLines};
use crate::filter::Filter;
use crate::line::{Line, LineId};
use crate::parallel_scan::{self, Blocks, Job};
use crate::scan::{Damaged, Matcher, ScanBuffers, Take};

/// The most blocks that are looked at before what they gave is put in order.
pub(crate) const WAVE: usize = 64;
/// The most lines of one page.
pub const LARGEST_PAGE: usize = 5_000;
/// How long one search may go on before it gives what it has.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(10);

/// In which order lines come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The latest written first.
    #[default]
    NewestFirst,
    /// The first written first.
    OldestFirst,
}

/// What to search for, and which part of what is found to give.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub filter: Filter,
    pub order: Order,
    /// Only lines behind this one in that order: the [`Page::next`] of the page before.
    pub after: Option<LineId>,
    /// How many lines, up to [`LARGEST_PAGE`].
    pub limit: usize,
}

/// A part of what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The lines, in the order that was asked for.
    pub lines: Vec<Line>,
    /// What to give as [`Query::after`] for more; nothing when all was looked at. A page may have fewer lines than were
    /// asked for, or none, and still be followed by others: the search took long and returned what it had.
    pub next: Option<LineId>,
    /// Blocks that could not be read, each of some thousand lines: the disk has changed them.
    pub damaged: u32,
}

/// A log store that is read from its files. Cheap to make and to clone; needs no writer.
#[derive(Debug, Clone)]
pub struct Reader {
    folder: PathBuf,
}

impl Reader {
    /// Reads this folder, which need not exist: then there are no lines.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Lines that match, a page of them. Blocks the thread; takes as many threads more as the machine has.
    ///
    /// # Errors
    /// The folder cannot be read. Damaged blocks are left out and counted in the page.
    pub fn search(&self, query: &Query) -> Result<Page, ReadError> {
        let most = query.limit.clamp(1, LARGEST_PAGE);
        let newest_first = query.order == Order::NewestFirst;
        let numbers = match (query.after, newest_first) {
            (None, _) => 0..u64::MAX,
            (Some(id), true) => 0..id.number(),
            (Some(id), false) => id.number().saturating_add(1)..u64::MAX,
        };
        let matcher = Matcher::new(&query.filter, numbers);
        let mut page = Page::default();
        // One more than wanted says whether there is a next page.
        let look = |buffers: &mut ScanBuffers, source: Source<'_>| {
            let mut out = Vec::new();
            source
                .through(&matcher, buffers, Take::Lines { most: most + 1, newest_first, out: &mut out })
                .map(|()| out)
        };
        let mut looked_into = 0;
        let merge = |found: Vec<Line>| {
            page.lines.extend(found);
            looked_into += 1;
            let left = (most + 1).saturating_sub(page.lines.len());
            match (left, page.lines.len()) {
                (0, _) => ControlFlow::Break(()),
                (_, 0) => ControlFlow::Continue(WAVE),
                // As many blocks as it will take if the others have as much.
                (left, found) => ControlFlow::Continue((left * looked_into).div_ceil(found)),
            }
        };
        let end = self.scan(newest_first, &matcher, TIMEOUT, look, merge)?;
        page.damaged = end.damaged;
        if page.lines.len() > most {
            page.lines.truncate(most);
            page.next = page.lines.last().map(|line| line.id);
        } else {
            page.next = end.stopped_at.map(|stop| LineId::new(stop.number));
        }
        Ok(page)
    }

    /// One line; nothing when there is none of this id any more.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn line(&self, id: LineId) -> Result<Option<Line>, ReadError> {
        let before = id.number().checked_sub(1).map(LineId::new);
        let query = Query { order: Order::OldestFirst, after: before, limit: 1, ..Query::default() };
        Ok(self.search(&query)?.lines.into_iter().next().filter(|line| line.id == id))
    }

    /// Up to `count` lines on either side of a line, itself left out: those before it, and those after it, both in the
    /// order in which they were written.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub fn around(&self, id: LineId, count: usize) -> Result<(Vec<Line>, Vec<Line>), ReadError> {
        if count == 0 {
            return Ok((Vec::new(), Vec::new()));
        }
        let side = |order| {
            let query = Query { order, after: Some(id), limit: count, ..Query::default() };
            Ok(self.search(&query)?.lines)
        };
        let mut before = side(Order::NewestFirst)?;
        before.reverse();
        Ok((before, side(Order::OldestFirst)?))
    }

    /// Looks through everything in order, until `merge` has enough or the `timeout` is over. As long as it has not, it says
    /// how many blocks more it will probably take.
    pub(crate) fn scan<R: Send>(
        &self,
        newest_first: bool,
        matcher: &Matcher<'_>,
        timeout: Duration,
        look: impl Fn(&mut ScanBuffers, Source<'_>) -> Result<R, Damaged> + Sync,
        mut merge: impl FnMut(R) -> ControlFlow<(), usize>,
    ) -> Result<ScanEnd, ReadError> {
        let failed = |source| ReadError::Io { folder: self.folder.clone(), source };
        let began = Instant::now();
        let mut buffers = parallel_scan::buffers();
        let mut end = ScanEnd { damaged: 0, stopped_at: None };
        // The open file first: what a writer moves from it into a segment meanwhile is then not missed.
        let newest = files::read_open(&files::open_file(&self.folder)).map_err(failed)?;
        let open_at = newest.as_ref().map_or(u64::MAX, |open| open.first);
        let look_at_newest =
            |buffers: &mut [ScanBuffers], merge: &mut dyn FnMut(R) -> ControlFlow<(), usize>| match (
                &newest,
                buffers.first_mut(),
            ) {
                (Some(newest), Some(buffers)) => {
                    look(buffers, Source::Open(newest)).map_or(ControlFlow::Continue(WAVE), merge)
                }
                _ => ControlFlow::Continue(WAVE),
            };
        if newest_first && look_at_newest(&mut buffers, &mut merge).is_break() {
            return Ok(end);
        }
        let mut blocks =
            Blocks::of(&self.folder, newest_first, matcher.numbers(), open_at).map_err(failed)?;
        let wanted = |entry: &BlockEntry| matcher.may_have(&entry.label);
        let (mut size, mut likely) = (1, WAVE);
        loop {
            let jobs = blocks.next_jobs(size, &wanted).map_err(failed)?;
            let Some(last) = jobs.last() else { break };
            for found in parallel_scan::look_into(&mut buffers, &jobs, &|buffers, job| {
                look(buffers, Source::Block(job))
            }) {
                match found {
                    Some(Ok(found)) => match merge(found) {
                        ControlFlow::Break(()) => return Ok(end),
                        ControlFlow::Continue(more) => likely = more,
                    },
                    Some(Err(Damaged)) => end.damaged += 1,
                    None => return Err(ReadError::Broken),
                }
            }
            // A search that is late but has seen everything is whole.
            if began.elapsed() > timeout && !blocks.next_jobs(1, &wanted).map_err(failed)?.is_empty() {
                let (label, marks) = (&last.entry.label, &last.entry.label.marks);
                let (number, at) = if newest_first {
                    (label.first, marks.earliest)
                } else {
                    (label.end().saturating_sub(1), marks.latest)
                };
                end.stopped_at = Some(Stop { number, at: Timestamp::from_micros(at) });
                break;
            }
            size = likely.clamp(1, (size * 4).min(WAVE));
        }
        end.damaged += blocks.damaged;
        if !newest_first && end.stopped_at.is_none() {
            let _ = look_at_newest(&mut buffers, &mut merge);
        }
        Ok(end)
    }
}

/// Where lines are looked for.
pub(crate) enum Source<'a> {
    Block(&'a Job),
    Open(&'a OpenLines),
}

impl Source<'_> {
    pub(crate) fn through(
        &self,
        matcher: &Matcher<'_>,
        buffers: &mut ScanBuffers,
        take: Take<'_>,
    ) -> Result<(), Damaged> {
        match self {
            Self::Block(job) => matcher.look_into(&job.file, &job.entry, buffers, take),
            Self::Open(open) => {
                matcher.look_at(open, buffers, take);
                Ok(())
            }
        }
    }
}

/// How a walk ended.
pub(crate) struct ScanEnd {
    pub(crate) damaged: u32,
    /// The line at which it was broken off because it took long.
    pub(crate) stopped_at: Option<Stop>,
}

/// A line at which a walk was broken off.
pub(crate) struct Stop {
    pub(crate) number: u64,
    /// When it was written, or another of its block that was looked at last.
    pub(crate) at: Timestamp,
}
