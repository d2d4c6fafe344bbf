//! Moving an installation to another machine: a saga over two sides that can be taken up after a kill, and undone.
//!
//! * `step` and `progress` are the decisions: what is done, in which order, and what undoes it; pure.
//! * `journal` is how far a move is, on the disk of each side.
//! * `wire` and `link` are how the one who conducts a move speaks with a side, whatever carries the bytes.
//! * `files` and `transfer` bring files over: only blocks that differ.
//! * `measure` and `record` say how a move went: the new side beside the old one, and the words of it.
//! * `bundle` is all of a move in one file, and `carried` a move in which a person carries it.
//! * `serving` is a side; `conducting` goes through the steps.

mod audit;
mod bundle;
mod carried;
mod conducting;
mod files;
mod journal;
mod link;
mod measure;
mod ownership;
mod parcel;
mod place;
mod progress;
mod record;
mod report;
mod serving;
mod step;
mod takeover;
#[cfg(test)]
mod tests;
mod transfer;
mod wire;

pub use audit::{AccountFact, Audit, Objection, PortFact, StoreFact, judge};
pub use bundle::{BundleError, Ticket};
pub use carried::{CarriedError, Carrier, KEY as BUNDLE_KEY};
pub use conducting::{Conductor, Ended, MoveError, Tell};
pub use files::{BACKUP, bytes_that_move, has_log, incoming, links};
pub use journal::{
    FOLDER, Journal, JournalError, Record, merged, read as read_journal, write as write_journal,
};
pub use link::{Link, LinkError};
pub use measure::{Compared, Measured, OtherPackage, compare};
pub use ownership::adopt;
pub use parcel::{Parcel, ParcelError, ParcelFile, Recipient, open as open_parcel, recipient, seal};
pub use place::{PlaceError, clear, put_in_place};
pub use progress::{Direction, Progress, Until};
pub use record::{RECORD, packages_that_differ, record, report};
pub use report::{Downtime, downtime};
pub use serving::{Failed, FailedCode, Order, Performer, serve};
pub use step::{Role, Step};
pub use takeover::{OldUnit, Takeover, TakeoverStep};
