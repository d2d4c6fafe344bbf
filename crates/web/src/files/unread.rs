//! What a file that cannot be brought down from Telegram answers. Pure.

use api::each;
use domain::Timestamp;
use telegram::DownloadError;

use crate::problem::{Code, Problem, seconds_until};

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
        DownloadError::HandedOutElsewhere => Problem::new(
            Code::FileOnCdn,
            "Telegram hands this file out through its CDN only, which this program does not speak to; another try changes \
             nothing. Save it with a Telegram app, or, to send it on, name its public post in the field \"post\" of media.",
        ),
        error @ DownloadError::Failed(_) => Problem::new(
            Code::ReadFailed,
            format!("The file could not be read from Telegram: {error}. Try again."),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_has_its_answer() {
        let asked = Vec::new;
        for (error, status, code, says) in [
            (DownloadError::NotFound { asked: asked() }, 404, "chat_not_found", "finds this chat"),
            (DownloadError::NoSuchMessage, 404, "message_not_found", "deleted"),
            (DownloadError::NoMedia, 404, "file_not_found", "no file"),
            (DownloadError::NoRights { asked: asked() }, 403, "no_rights", "may read"),
            (DownloadError::NoAccount { asked: asked() }, 503, "no_account", "now"),
            (DownloadError::FloodWait { until: Timestamp::from_micros(1) }, 429, "flood_wait", "must wait"),
            (DownloadError::OutOfRange { size: 7 }, 416, "range_not_satisfiable", "7 bytes"),
            (DownloadError::HandedOutElsewhere, 501, "file_on_cdn", "Save it with a Telegram app"),
            (DownloadError::Failed("no answer".into()), 502, "read_failed", "Try again"),
        ] {
            let problem = problem(error, Timestamp::default());
            assert_eq!((problem.code().status().as_u16(), problem.code().as_str()), (status, code));
            assert!(problem.detail().contains(says), "{}", problem.detail());
        }
    }
}
