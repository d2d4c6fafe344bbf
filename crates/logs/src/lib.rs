//! Logs that survive: structured lines in files of their own beside the store, without SQL.
//!
//! [`layer`] takes the events of `tracing` and never waits; a [`LogStore`] writes them on a thread of its own, within a
//! budget of disk, the oldest gone first. A [`Reader`] needs only the folder: it searches while a server writes.
//!
//! # In the folder
//! `open` has the newest lines as they are; every 200 ms what was logged goes there. When they are enough they are packed into
//! a block at the end of the newest `.segment` file, and `open` starts again. A block has beside its lines a filter that says
//! which words are not in it, so that most blocks are never unpacked. `writer.lock` is held by the one who writes.
//!
//! A killed program loses what was logged in the last 200 ms. Numbers of lines only grow, so order and links hold also when
//! the clock is set back.

mod block;
mod draft;
mod error;
mod error_kind;
mod escape;
mod files;
mod filter;
mod fold;
mod histogram;
mod intake;
mod layer;
mod level;
mod line;
mod ngram_filter;
mod parallel_scan;
mod print;
mod quota;
mod reader;
mod row;
mod scan;
mod service;
mod store;
mod tail;
mod tally;
mod varint;
mod word;
mod writer;

pub use error::{OpenError, ReadError};
pub use error_kind::{ErrorKind, InvalidErrorKind};
pub use escape::{Escaped, escaped, is_harmful};
pub use filter::Filter;
pub use histogram::{Bucket, Histogram, MOST_BUCKETS};
pub use layer::{Gathered, StoreLayer, layer};
pub use level::{InvalidLevel, Level};
pub use line::{InvalidLineId, Line, LineId};
pub use print::{Printed, printed};
pub use reader::{LARGEST_PAGE, Order, Page, Query, Reader};
pub use service::{InvalidService, Service};
pub use store::{Counts, LogStore};
pub use tail::{Tail, TailEvent};
pub use tally::{ErrorCount, Tally};
pub use writer::Retention;

/// The folder of the log store inside a data directory.
pub const FOLDER: &str = "logs";

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as logs;
#[cfg(test)]
mod it;
