//! `/v1/logs`: the lines that the program wrote about itself, kept, searched and followed.

pub(crate) mod download;
mod filter;
pub(crate) mod histogram;
pub(crate) mod list;
pub(crate) mod look;
pub(crate) mod tail;

pub(super) use filter::moment;
use logs::ReadError;

use crate::problem::{Code, Problem};

fn unread(error: &ReadError) -> Problem {
    match error {
        ReadError::Busy => {
            Problem::new(Code::QueueFull, "The logs are being searched by others; try again in a moment.")
                .retry_after(5)
        }
        ReadError::Io { .. } | ReadError::Broken => {
            tracing::error!(%error, "the kept log lines cannot be read");
            Problem::new(
                Code::StoreUnavailable,
                "The log lines cannot be read now. Try again; the standard error says why.",
            )
            .retry_after(5)
        }
    }
}
