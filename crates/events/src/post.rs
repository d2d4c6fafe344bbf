//! One call to another program, and how it ended.

use std::time::Duration;

use ambient::Clock;
use reqwest::{RequestBuilder, Response, StatusCode};

use crate::webhook;

/// How much of an answer is read. No one looks at it; a connection whose answer was read can serve again.
const MOST_READ: usize = 64 * 1024;

/// How long the rest of an answer may take that was a success by its first line.
const REST: Duration = Duration::from_secs(2);

/// Why the other program does not have it, or may not have it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("no answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    #[error("it answered {0}")]
    Answered(StatusCode),
    #[error("it answered {0} and wants the call sent to another address; name that one in the settings")]
    SentOn(StatusCode),
    #[error("{0}")]
    Broken(String),
}

/// Sends a post and waits at most `limit`.
pub(crate) async fn post(clock: &Clock, request: RequestBuilder, limit: Duration) -> Result<(), NotTaken> {
    let sent = request.send();
    let answer =
        clock.timeout(limit, sent).await.map_err(|_| NotTaken::NoAnswer(limit))?.map_err(|error| {
            if error.is_timeout() {
                NotTaken::NoAnswer(limit)
            } else {
                NotTaken::Broken(webhook::cause(error))
            }
        })?;
    let status = answer.status();
    if status.is_success() {
        let _ = clock.timeout(REST, read(answer)).await;
        return Ok(());
    }
    Err(if status.is_redirection() { NotTaken::SentOn(status) } else { NotTaken::Answered(status) })
}

async fn read(mut answer: Response) {
    let mut left = MOST_READ;
    while let Ok(Some(piece)) = answer.chunk().await
        && piece.len() <= left
    {
        left -= piece.len();
    }
}
