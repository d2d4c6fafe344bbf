//! `GET /v1/chats/{chat_id}/messages/{message_id}/media`: the file of any message that an account can read.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AccountName, ChatRef, ReceivedId};
use http::HeaderMap;
use store::StoredFile;
use telegram::DownloadOf;

use super::named;
use crate::auth::{Authorized, Caller, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::files::{FileRequest, from_telegram, stored, unnamed};
use crate::problem::Problem;
use crate::state::State;

/// Reads the file of a message in a chat.
///
/// It is to be kept, never shown in a page. One range of bytes can be asked for with `Range`.
#[utoipa::path(
    get, path = "/v1/chats/{chat_id}/messages/{message_id}/media", tag = "chats", operation_id = "read_chat_media",
    params(
        ("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`"),
        ("message_id" = i32, Path, description = "Telegram's id of the message in the chat"),
        ("account" = Option<String>, Query, description = "Only through this account", example = "main"),
        ("Range" = Option<String>, Header, description = "One range, such as `bytes=0-1023`"),
        ("If-None-Match" = Option<String>, Header, description = "`ETag`s of what the caller has, or `*`")),
    responses(
        (status = 200, description = "The file", content_type = "application/octet-stream"),
        (status = 206, description = "The bytes that were asked for", content_type = "application/octet-stream"),
        (status = 304, description = "There is a file, and `If-None-Match` was `*`"),
        (status = 403, description = "No account may read it"),
        (status = 404, description = "No account finds the chat or the message, or it has no file"),
        (status = 416, description = "The file has no such bytes"),
        (status = 429, description = "Every account must wait"),
        (status = 501, description = "Telegram hands the file out through its CDN only (`file_on_cdn`)"),
        (status = 502, description = "Telegram did not answer as it should"),
        (status = 503, description = "No usable account"),
    )
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    by: Authorized<CanRead>,
    PathParameter((chat, message)): PathParameter<(String, String)>,
    mut query: QueryParameters,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let account = query.take::<AccountName>("account");
    query.finish()?;
    let message_id = named::message(&message)?;
    let (chat, pin) = named::chat(&state, &chat, by.caller.pin(account)?).await?;
    from_telegram(&state, DownloadOf::InChat { chat, message_id, pin }, &FileRequest::read(&headers)).await
}

/// Reads the file of a message by its id in the history, as by its path there.
pub(in crate::v1) async fn received(
    state: &State,
    caller: &Caller,
    id: &ReceivedId,
    headers: &HeaderMap,
) -> Result<Response, Problem> {
    let (chat_id, message_id) = (id.chat_id(), id.message_id());
    let file_request = FileRequest::read(headers);
    if let Some(StoredFile { key, sha256, media }) = state.store().received().stored_file(id).await? {
        let file = media.file.unwrap_or_default();
        let name = file.name.as_deref().unwrap_or_else(|| unnamed(&file.mime));
        let folder = state.files().received();
        if let Some(response) =
            stored(state, folder, (&key, sha256), (name, &file.mime), &file_request).await?
        {
            return Ok(response);
        }
    }
    // A limited key has come so far by the account that reported it.
    let pin = match caller.limited() {
        Some(_) => state.store().received().get(id).await?.map(|stored| stored.message.account),
        None => None,
    };
    let what = match named::pinned(state, id.counted_by())? {
        Some(account) => DownloadOf::Counted { account: account.clone(), chat_id, message_id },
        None => DownloadOf::InChat { chat: ChatRef::Id(chat_id), message_id, pin },
    };
    from_telegram(state, what, &file_request).await
}
