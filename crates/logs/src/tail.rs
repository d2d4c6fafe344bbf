//! Lines as they are written, for readers who stay.

use std::sync::Arc;

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::filter::Filter;
use crate::line::Line;

/// How many lines wait for a slow reader.
pub(crate) const WAITING: usize = 4_096;

/// What a reader who stays is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A line.
    Line(Arc<Line>),
    /// The reader was too slow: so many lines were left out, whether it wanted them or not.
    Missed(u64),
}

/// The lines that are written from now on. Dropping it ends it.
#[derive(Debug)]
pub struct Tail {
    pub(crate) lines: Receiver<Arc<Line>>,
    pub(crate) filter: Filter,
}

impl Tail {
    /// The next line that is wanted; nothing when the store is closed. Nothing is lost when the wait is given up.
    pub async fn next(&mut self) -> Option<Told> {
        loop {
            match self.lines.recv().await {
                Ok(line) if self.filter.matches(&line) => return Some(Told::Line(line)),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => return Some(Told::Missed(missed)),
                Err(RecvError::Closed) => return None,
            }
        }
    }
}
