//! Lines as they are written, for readers that follow.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::filter::Filter;
use crate::line::{Line, LineId};
use crate::reader::Page;

/// How many lines wait for a slow reader.
pub(crate) const WAITING: usize = 4_096;

/// An event of a tail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TailEvent {
    Line(Arc<Line>),
    /// The reader was too slow: so many lines were left out, whether it wanted them or not.
    Missed(u64),
    /// The reader was away for long: more was written meanwhile than is sent. They are not counted, which would mean
    /// reading them all.
    LeftOut,
}

/// The lines that are written from now on, after those that a reader who was away has missed. Dropping it ends it.
#[derive(Debug)]
pub struct Tail {
    lines: Receiver<Arc<Line>>,
    filter: Filter,
    /// What was written while the reader was away.
    missed: VecDeque<Arc<Line>>,
    /// Whether there was more of it.
    left_out: bool,
    /// The last line that the reader has, or gets first.
    last: Option<LineId>,
}

impl Tail {
    pub(crate) const fn new(lines: Receiver<Arc<Line>>, filter: Filter) -> Self {
        Self { lines, filter, missed: VecDeque::new(), left_out: false, last: None }
    }

    /// Makes the tail begin with what a search that began after it has found behind the last line that the reader has.
    pub(crate) fn tell_first(&mut self, last: LineId, found: Page) {
        self.left_out = found.next.is_some();
        self.last = Some(found.lines.last().map_or(last, |line| line.id));
        self.missed = found.lines.into_iter().map(Arc::new).collect();
    }

    /// The next of what the reader has missed, without a wait; nothing after the last.
    pub fn missed(&mut self) -> Option<TailEvent> {
        let line = self.missed.pop_front().map(TailEvent::Line);
        line.or_else(|| std::mem::take(&mut self.left_out).then_some(TailEvent::LeftOut))
    }

    /// The next line that is wanted; nothing when the store is closed. Nothing is lost when the wait is given up.
    pub async fn next(&mut self) -> Option<TailEvent> {
        if let Some(event) = self.missed() {
            return Some(event);
        }
        loop {
            match self.lines.recv().await {
                // Found by the search already.
                Ok(line) if self.last.is_some_and(|last| line.id <= last) => {}
                Ok(line) if self.filter.matches(&line) => return Some(TailEvent::Line(line)),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => return Some(TailEvent::Missed(missed)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
