//! How long a move left callers without an answer.

use domain::Timestamp;
use serde::Serialize;

use crate::journal::Journal;
use crate::step::Step;

/// The time between the stop of the one side and the start of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Downtime {
    /// When the side that served was asked to stop.
    pub from: Timestamp,
    /// When requests were taken in again; nothing until then.
    pub serving_at: Option<Timestamp>,
    /// When the last account was opened; nothing until then.
    pub to: Option<Timestamp>,
    /// From the stop until requests were taken in again, in milliseconds.
    pub not_serving_ms: Option<u64>,
    /// From the stop until the last account was opened, in milliseconds.
    pub ms: Option<u64>,
}

/// How long no one was served, as far as it is known; nothing before the old side was stopped.
pub fn downtime(journal: &Journal) -> Option<Downtime> {
    let at = |step: Step| journal.records.get(&step);
    // Where the new side has worked, it is its stop that counts.
    let stop = if journal.is_back() && at(Step::StopNew).is_some() { Step::StopNew } else { Step::Stop };
    let from = at(stop)?.begun_at?;
    let (serving, open) =
        if journal.is_back() { (Step::Restart, Step::Restart) } else { (Step::Start, Step::Open) };
    let done = |step| at(step).and_then(|record| record.done_at);
    let since = |to: Timestamp| u64::try_from(to.since(from).as_millis()).unwrap_or(u64::MAX);
    Some(Downtime {
        from,
        serving_at: done(serving),
        to: done(open),
        not_serving_ms: done(serving).map(since),
        ms: done(open).map(since),
    })
}
