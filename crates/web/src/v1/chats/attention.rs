//! `POST /v1/chats/{chat_id}/read` and `…/typing`: what the others in a chat see of our attention.

use ::channels::Deed;
use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AccountName, ChannelChat, TelegramMessageId};
use http::StatusCode;
use serde::Deserialize;
use telegram::Typing;
use utoipa::ToSchema;

use super::message::DoneView;
use super::{named, unchanged};
use crate::answer::json;
use crate::auth::{Authorized, CanSend};
use crate::extract::{Json, PathParameter};
use crate::problem::{FieldError, Problem};
use crate::state::State;
use crate::v1::channels;

/// Up to where a chat was read.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"message_id": 45}))]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadUpTo {
    /// The last message that was read; left out: all.
    #[schema(minimum = 1, example = 45)]
    message_id: Option<i64>,
    /// Only through this account.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
}

/// Marks messages of a chat as read.
#[utoipa::path(
    post, path = "/v1/chats/{chat_id}/read", tag = "chats", operation_id = "mark_read",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`")),
    request_body = ReadUpTo,
    responses(
        (status = 200, description = "Marked", body = DoneView),
        (status = 403, description = "No account may"),
        (status = 404, description = "No account finds the chat"),
        (status = 422, description = "Wrong fields, or refused by the provider"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "It is not known whether it was done; the same call again is safe"),
        (status = 503, description = "No usable account"),
    )
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    body: Json<ReadUpTo>,
) -> Result<Response, Problem> {
    let ReadUpTo { message_id, account } = body.value;
    if let Ok(chat) = given.parse::<ChannelChat>() {
        let external_id = message_id.map(|id| id.to_string());
        return channels::deeds::act(&state, &by.caller, &chat, Deed::MarkRead { external_id }).await;
    }
    let up_to = match message_id {
        None => None,
        Some(id) => Some(TelegramMessageId::new(id).ok_or_else(|| {
            let message = "is wrong: a Telegram message id is a number from 1; leave it out for all";
            Problem::fields(vec![FieldError::new("message_id", message)])
        })?),
    };
    let (chat, pin) = named::chat(&state, &given, by.caller.pin(account)?).await?;
    let done = state.pool().mark_read(&chat, up_to, pin.as_ref()).await;
    let done = done.map_err(|error| unchanged::problem(error, state.clock().now()))?;
    Ok(json(StatusCode::OK, &DoneView::new(done, up_to)))
}

/// What is shown to the others in a chat.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = ShowTyping, example = json!({"action": "typing"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct ShowTyping {
    /// What the account is about to do; it fades after a few seconds.
    #[schema(schema_with = schemas::typing, required = false)]
    action: Option<String>,
    /// Only through this account.
    #[schema(value_type = Option<String>, example = "main")]
    account: Option<AccountName>,
}

/// Shows the others in a chat that an account writes, or sends or records something.
#[utoipa::path(
    post, path = "/v1/chats/{chat_id}/typing", tag = "chats", operation_id = "show_typing",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`")),
    request_body = ShowTyping,
    responses(
        (status = 200, description = "Shown", body = DoneView),
        (status = 403, description = "No account may write there"),
        (status = 404, description = "No account finds the chat"),
        (status = 422, description = "Wrong fields, or refused by the provider"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "It is not known whether it was shown"),
        (status = 503, description = "No usable account"),
    )
)]
pub(crate) async fn typing(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    body: Json<ShowTyping>,
) -> Result<Response, Problem> {
    let ShowTyping { action, account } = body.value;
    let typing = action.map_or(Ok(Typing::Typing), |action| action.parse());
    let typing = typing
        .map_err(|error| Problem::fields(vec![FieldError::new("action", format!("is wrong: {error}"))]))?;
    if let Ok(chat) = given.parse::<ChannelChat>() {
        return channels::deeds::act(&state, &by.caller, &chat, Deed::Typing).await;
    }
    let (chat, pin) = named::chat(&state, &given, by.caller.pin(account)?).await?;
    let done = state.pool().typing(&chat, typing, pin.as_ref()).await;
    let done = done.map_err(|error| unchanged::problem(error, state.clock().now()))?;
    Ok(json(StatusCode::OK, &DoneView::new(done, None)))
}
