//! Errors by their type: the number of lines with each, and the last of them.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::time::Duration;

use domain::Timestamp;

use crate::error::ReadError;
use crate::error_kind::ErrorKind;
use crate::filter::Filter;
use crate::level::Level;
use crate::line::{Line, LineId};
use crate::reader::{Reader, Source, WAVE};
use crate::row::Head;
use crate::scan::{Matcher, ScanBuffers, Take};

/// How long the counting may go on before it gives what it has.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Errors by their type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Those of each type, the one that was written last first.
    pub kinds: Vec<ErrorCount>,
    /// Whether older lines were left out, because it took long.
    pub cut: bool,
    /// Blocks that could not be read, each of some thousand lines.
    pub damaged: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorCount {
    /// The type; none for lines at the level `error` without one.
    pub kind: Option<ErrorKind>,
    pub count: u64,
    /// The one that was written last.
    pub last: Line,
}

/// Of each type how many, and the number of the last.
type Counts = BTreeMap<Option<ErrorKind>, (u64, u64)>;

impl Reader {
    /// Counts the errors since an instant, by their type: lines that are at least warnings and have a type, and lines
    /// at the level `error` of any or none. Blocks the thread, for some seconds at most.
    ///
    /// # Errors
    /// The folder cannot be read. Damaged blocks are left out and counted.
    pub fn tally(&self, since: Timestamp) -> Result<Tally, ReadError> {
        let filter = Filter { level: Some(Level::Warn), since: Some(since), ..Filter::default() };
        let matcher = Matcher::new(&filter, 0..u64::MAX);
        let look = |buffers: &mut ScanBuffers, source: Source<'_>| {
            let mut counts = Counts::new();
            let mut note = |number: u64, head: &Head| {
                if head.error.is_some() || head.level == Level::Error {
                    add(&mut counts, head.error, (1, number));
                }
            };
            source.through(&matcher, buffers, Take::Heads(&mut note)).map(|()| counts)
        };
        let mut all = Counts::new();
        let merge = |counts: Counts| {
            for (kind, found) in counts {
                add(&mut all, kind, found);
            }
            ControlFlow::Continue(WAVE)
        };
        let end = self.scan(true, &matcher, TIMEOUT, look, merge)?;
        let mut kinds = Vec::with_capacity(all.len());
        for (kind, (count, last)) in all {
            // One that is gone meanwhile was among the oldest.
            if let Some(last) = self.line(LineId::new(last))? {
                kinds.push(ErrorCount { kind, count, last });
            }
        }
        kinds.sort_unstable_by_key(|found| std::cmp::Reverse(found.last.id));
        Ok(Tally { kinds, cut: end.stopped_at.is_some(), damaged: end.damaged })
    }
}

fn add(counts: &mut Counts, kind: Option<ErrorKind>, (count, last): (u64, u64)) {
    let known = counts.entry(kind).or_default();
    known.0 += count;
    known.1 = known.1.max(last);
}
