//! Reading a log store from its files, whoever writes them: searching, one line and those around it.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use domain::Timestamp;

use crate::error::ReadError;
use crate::files::{self, OpenLines, Place};
use crate::filter::Filter;
use crate::line::{Line, LineId};
use crate::scan::{Damaged, Desk, Glass, Take};
use crate::wave::{self, Blocks, Job};

/// The most blocks that are looked at before what they gave is put in order.
pub(crate) const WAVE: usize = 64;
/// The most lines of one page.
pub const LARGEST_PAGE: usize = 5_000;
/// How long one search may go on before it gives what it has.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

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
    /// In which order.
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
    /// asked for, or none, and still be followed by others: the search took long and told what it had.
    pub next: Option<LineId>,
    /// Blocks that could not be read, each of some thousand lines: the disk has changed them.
    pub damaged: u32,
}

/// A log store that is read from its files. Cheap to make and to clone; needs nobody who writes.
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
    /// The folder cannot be read. What is damaged in it is left out and told in the page.
    pub fn search(&self, query: &Query) -> Result<Page, ReadError> {
        let most = query.limit.clamp(1, LARGEST_PAGE);
        let newest_first = query.order == Order::NewestFirst;
        let numbers = match (query.after, newest_first) {
            (None, _) => 0..u64::MAX,
            (Some(id), true) => 0..id.number(),
            (Some(id), false) => id.number().saturating_add(1)..u64::MAX,
        };
        let glass = Glass::new(&query.filter, numbers);
        let mut page = Page::default();
        // One more than wanted says whether there is a next page.
        let look = |desk: &mut Desk, looked: Looked<'_>| {
            let mut out = Vec::new();
            looked
                .through(&glass, desk, Take::Lines { most: most + 1, newest_first, out: &mut out })
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
        let end = self.walk(newest_first, &glass, PATIENCE, look, merge)?;
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

    /// Looks through everything in order, until `merge` has enough or the `patience` is over. As long as it has not, it says
    /// how many blocks more it will probably take.
    pub(crate) fn walk<R: Send>(
        &self,
        newest_first: bool,
        glass: &Glass<'_>,
        patience: Duration,
        look: impl Fn(&mut Desk, Looked<'_>) -> Result<R, Damaged> + Sync,
        mut merge: impl FnMut(R) -> ControlFlow<(), usize>,
    ) -> Result<Walked, ReadError> {
        let failed = |source| ReadError::Io { folder: self.folder.clone(), source };
        let began = Instant::now();
        let mut desks = wave::desks();
        let mut walked = Walked { damaged: 0, stopped_at: None };
        // The open file first: what a writer moves from it into a segment meanwhile is then not missed.
        let newest = files::read_open(&files::open_file(&self.folder)).map_err(failed)?;
        let open_at = newest.as_ref().map_or(u64::MAX, |open| open.first);
        let look_at_newest = |desks: &mut [Desk], merge: &mut dyn FnMut(R) -> ControlFlow<(), usize>| match (
            &newest,
            desks.first_mut(),
        ) {
            (Some(newest), Some(desk)) => {
                look(desk, Looked::Open(newest)).map_or(ControlFlow::Continue(WAVE), merge)
            }
            _ => ControlFlow::Continue(WAVE),
        };
        if newest_first && look_at_newest(&mut desks, &mut merge).is_break() {
            return Ok(walked);
        }
        let mut blocks = Blocks::of(&self.folder, newest_first, glass.numbers(), open_at).map_err(failed)?;
        let wanted = |place: &Place| glass.may_have(&place.label);
        let (mut size, mut likely) = (1, WAVE);
        loop {
            let jobs = blocks.wave(size, &wanted).map_err(failed)?;
            let Some(last) = jobs.last() else { break };
            for found in wave::look_into(&mut desks, &jobs, &|desk, job| look(desk, Looked::Block(job))) {
                match found {
                    Some(Ok(found)) => match merge(found) {
                        ControlFlow::Break(()) => return Ok(walked),
                        ControlFlow::Continue(more) => likely = more,
                    },
                    Some(Err(Damaged)) => walked.damaged += 1,
                    None => return Err(ReadError::Broken),
                }
            }
            // A search that is late but has seen everything is whole.
            if began.elapsed() > patience && !blocks.wave(1, &wanted).map_err(failed)?.is_empty() {
                let (label, marks) = (&last.place.label, &last.place.label.marks);
                let (number, at) = if newest_first {
                    (label.first, marks.earliest)
                } else {
                    (label.end().saturating_sub(1), marks.latest)
                };
                walked.stopped_at = Some(Stop { number, at: Timestamp::from_micros(at) });
                break;
            }
            size = likely.clamp(1, (size * 4).min(WAVE));
        }
        walked.damaged += blocks.damaged;
        if !newest_first && walked.stopped_at.is_none() {
            let _ = look_at_newest(&mut desks, &mut merge);
        }
        Ok(walked)
    }
}

/// Where lines are looked for.
pub(crate) enum Looked<'a> {
    Block(&'a Job),
    Open(&'a OpenLines),
}

impl Looked<'_> {
    pub(crate) fn through(&self, glass: &Glass<'_>, desk: &mut Desk, take: Take<'_>) -> Result<(), Damaged> {
        match self {
            Self::Block(job) => glass.look_into(&job.file, &job.place, desk, take),
            Self::Open(open) => {
                glass.look_at(open, desk, take);
                Ok(())
            }
        }
    }
}

/// How a walk ended.
pub(crate) struct Walked {
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
