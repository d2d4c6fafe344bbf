//! A file of a message that came in through a channel: the stored one, or fetched from its provider now.

use axum::response::Response;
use channels::{FetchError, OpenError};
use domain::InboundId;
use media::TakeError;

use super::problem;
use crate::files::{FileRequest, code_of, stored, unnamed};
use crate::problem::{Code, Problem};
use crate::state::State;

/// A file of a message, by its place among them.
pub(crate) async fn read(
    state: &State,
    id: InboundId,
    number: &str,
    request: &FileRequest,
) -> Result<Response, Problem> {
    let message = state.store().channels().get(id).await?;
    let message = message.ok_or_else(|| Problem::message_not_found(&id.to_string()))?;
    let media = &message.message.media;
    let missing = || {
        let detail = format!("The message {id} has {} files, counted from 0.", media.len());
        Problem::new(Code::FileNotFound, detail)
    };
    let place = number.parse::<u32>().map_err(|_| missing())?;
    let files = state.channels().files().ok_or(OpenError::Fetch(FetchError::NoAccount));
    let opened = match files {
        Ok(files) => files.open(&message, place).await,
        Err(error) => Err(error),
    };
    let opened = opened.map_err(refused)?.ok_or_else(missing)?;
    // A file that is stored no longer than it is read stays open to its reader.
    let _held = opened.held;
    let file = opened.file;
    let item = usize::try_from(place).ok().and_then(|place| media.get(place));
    let mime = file.mime.unwrap_or_default();
    let name = item.and_then(|item| item.name.as_deref()).unwrap_or_else(|| unnamed(&mime));
    let folder = state.files().received();
    let answer = stored(state, folder, (&file.key, file.sha256), (name, &mime), request).await?;
    answer.ok_or_else(missing)
}

/// Why a file is not to be had.
fn refused(error: OpenError) -> Problem {
    match error {
        OpenError::Gone(why) => {
            let detail =
                format!("The provider does not have the file any more, and it was not stored: {why}.");
            Problem::new(Code::MediaGone, detail)
        }
        OpenError::Busy => {
            let detail = "Too many files are fetched from providers already; try again in a moment.";
            Problem::new(Code::QueueFull, detail).retry_after(5)
        }
        OpenError::Store(error) => error.into(),
        OpenError::Fetch(error) if error.is_too_large() => {
            let detail = format!("{error}; the setting channels[].media_up_to says how large a file may be.");
            Problem::new(Code::TooLarge, detail)
        }
        OpenError::Fetch(FetchError::NoAccount) => {
            let detail =
                "The account of the message is not in the settings any more, and the file was not stored.";
            Problem::new(Code::NoAccount, detail)
        }
        OpenError::Fetch(FetchError::Call(error)) => problem(&error),
        OpenError::Fetch(FetchError::Take(error @ TakeError::NoSpace)) => {
            Problem::new(code_of(&error), format!("{error}.")).retry_after(60)
        }
        OpenError::Fetch(FetchError::Take(TakeError::Disk(error))) => {
            tracing::error!(%error, "a file of a message cannot be written");
            let detail = "The file cannot be written now. Try again; the log says why.";
            Problem::new(Code::StoreUnavailable, detail).retry_after(5)
        }
        OpenError::Fetch(FetchError::Take(error)) => {
            Problem::new(Code::ProviderError, format!("{error}. Try again later."))
        }
    }
}
