//! What a file that cannot be brought down from Telegram answers. Pure.

use domain::Timestamp;
use telegram::DownloadError;

use crate::problem::{Code, Problem, each, seconds_until};

/// The problem that says why.
pub(super) fn problem(error: DownloadError, now: Timestamp) -> Problem {
    match error {
        DownloadError::NotFound { asked } => {
            Problem::new(Code::ChatNotFound, format!("No account finds this chat ({}).", each(&asked)))
        }
        DownloadError::NoSuchMessage => {
            Problem::new(Code::MessageNotFound, "The chat has no such message, or it was deleted.")
        }
        DownloadError::NoMedia => Problem::new(Code::FileNotFound, "The message has no file."),
        DownloadError::NoRights { asked } => {
            Problem::new(Code::NoRights, format!("No account may read this chat ({}).", each(&asked)))
        }
        DownloadError::NoAccount { asked } => {
            Problem::new(Code::NoAccount, format!("No account can read it now ({}).", each(&asked)))
        }
        DownloadError::FloodWait { until } => {
            Problem::new(Code::FloodWait, format!("The account must wait; it may read at {until}."))
                .retry_after(seconds_until(until, now))
        }
        DownloadError::OutOfRange { size } => {
            Problem::new(Code::RangeNotSatisfiable, format!("The file has {size} bytes only."))
        }
        error @ (DownloadError::HandedOutElsewhere | DownloadError::Failed(_)) => {
            Problem::new(Code::ReadFailed, format!("The file could not be read from Telegram: {error}."))
        }
    }
}
