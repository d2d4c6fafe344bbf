//! `GET /v1/messages/{id}/media/{n}`: a file of a message, from here while it is stored here, else from its provider.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::media::MediaSource;
use domain::{InboundId, ReceivedId, TelegramMessageId};
use http::HeaderMap;
use telegram::DownloadOf;

use super::messages::find;
use super::{channels, chats};
use crate::auth::{Authorized, Caller, CanRead};
use crate::extract::PathParameter;
use crate::files::{FileRequest, from_telegram, stored};
use crate::problem::{Code, Problem};
use crate::state::State;

/// Reads a file of a message.
///
/// It is to be kept, never shown in a page. One range of bytes can be asked for with `Range`. From Telegram a photo comes as Telegram made
/// it, which is smaller than what was sent. A message of a chat's history is named by its `id` there: it has one file at most, as each item
/// of an album is a message of its own.
#[utoipa::path(
    get, path = "/v1/messages/{id}/media/{number}", tag = "messages", operation_id = "read_message_media",
    params(
        ("id" = String, Path, description = "The id that sending answered, or `id` of a message in `GET /v1/chats/{chat_id}/history`"),
        ("number" = u16, Path, description = "The place of the file in `media`, from 0; of a message in a history 0"),
        ("Range" = Option<String>, Header, description = "One range, such as `bytes=0-1023`"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag`s of what the caller has, or `*`")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that were asked for", content_type = "application/octet-stream"),
        (status = 304, description = "It is the one that `If-None-Match` names"),
        (status = 403, description = "The API key lacks the scope, or no account may read the chat of a received message"),
        (status = 404, description = "There is no such message or file, or it is gone"),
        (status = 410, description = "The provider of the channel does not have the file any more (`media_gone`)"),
        (status = 413, description = "A file of a channel is larger than `media_up_to` (`too_large`)"),
        (status = 416, description = "The file has no such bytes"),
        (status = 429, description = "The account must wait"),
        (status = 501, description = "Telegram hands the file out through its CDN only (`file_on_cdn`)"),
        (status = 502, description = "Telegram did not answer as it should"),
        (status = 503, description = "No usable account"),
    )
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter((given, number)): PathParameter<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    file(&state, &caller, (&given, &number), &headers).await
}

/// A file of a message.
pub(super) async fn file(
    state: &State,
    caller: &Caller,
    (given, number): (&str, &str),
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    if let Ok(id) = given.parse::<InboundId>() {
        return channels::media::read(state, id, number, &FileRequest::read(headers)).await;
    }
    if let Ok(id) = given.parse::<ReceivedId>() {
        if number.parse() != Ok(0_u16) {
            let detail = format!("The message {id} has one file at most, and it is counted from 0.");
            return Err(Problem::new(Code::FileNotFound, detail));
        }
        return chats::media::received(state, caller, &id, headers).await;
    }
    let message = find(state, given).await?;
    let count = message.content.media.len();
    let place = number.parse::<usize>().ok().filter(|place| *place < count).ok_or_else(|| {
        Problem::new(
            Code::FileNotFound,
            format!("The message {} has {count} files, counted from 0.", message.id),
        )
    })?;
    let media = &message.content.media[place];
    let file_request = FileRequest::read(headers);
    if let MediaSource::File { key, sha256, .. } = &media.source
        && let Some(response) =
            stored(state, state.files().outgoing(), (key, *sha256), (&media.name, &media.mime), &file_request)
                .await?
    {
        return Ok(response);
    }
    let message_id = api::message_id(&message, place).and_then(TelegramMessageId::new);
    let sent = message.account.clone().zip(message.chat_id()).zip(message_id);
    let ((account, chat_id), message_id) = sent.ok_or_else(|| {
        let detail =
            format!("The file of the message {} is not here any more, and was not sent.", message.id);
        Problem::new(Code::FileNotFound, detail)
    })?;
    from_telegram(state, DownloadOf::Sent { account, chat_id, message_id }, &file_request).await
}
