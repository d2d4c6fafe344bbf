//! Media on their way in: from an address, an upload or a folder of the server to a file that is safe to send.
//!
//! [`fetch`] and [`intake`] bring bytes to disk within limits.
//! [`kind`] says what they are, [`name`] what they are called. [`shelf`] keeps uploads until they are named by a
//! message, [`outgoing`] keeps the files of messages until those are over.

pub mod fetch;
pub mod intake;
pub mod kind;
pub mod name;
pub mod outgoing;
pub mod shelf;

pub use fetch::{FetchError, Fetched, Fetcher, Timeouts};
pub use intake::{Disk, Intake, Limits, TakeError, Taken};
pub use kind::{Content, Facts, Kind, Wish};
pub use name::{FileName, decoded_again};
pub use outgoing::{Held, Outgoing};
pub use shelf::{Shelf, Upload};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as media;
#[cfg(test)]
mod it;
