//! `GET /v1/chats/{chat_id}/history`: the messages of a chat, as Telegram has them now.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AccountName, TelegramMessageId};
use http::StatusCode;
use utoipa::IntoParams;

use super::named;
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::Page;
use crate::v1::page::up_to;

/// How many messages a page may have.
const LARGEST_PAGE: u32 = 100;

/// Lists the messages of a chat, newest first.
#[utoipa::path(
    get, path = "/v1/chats/{chat_id}/history", tag = "chats", operation_id = "read_history",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`"), ReadParameters),
    responses(
        (status = 200, description = "A page of messages", body = Page<api::HistoryMessage>),
        (status = 403, description = "No account may read it"),
        (status = 404, description = "No account finds the chat"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "Telegram did not answer as it should"),
    )
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    by: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let limit = up_to(&mut query, LARGEST_PAGE);
    let before = query.take_with("cursor", |text| {
        let id = text.parse::<i64>().ok().and_then(TelegramMessageId::new);
        id.ok_or_else(|| "take next_cursor of the page before".to_owned())
    });
    let pin = query.take::<AccountName>("account");
    query.finish()?;
    let (chat, pin) = named::chat(&state, &given, by.caller.pin(pin)?).await?;
    let page = state
        .pool()
        .history(&chat, pin.as_ref(), limit, before)
        .await
        .map_err(|error| named::unread(error, state.clock().now()))?;
    let counted_by = page.counted_by.as_ref();
    // It was read just now, so that it is known.
    let chat_id = named::id(&state, &chat).ok_or_else(|| named::unknown(&chat))?;
    let items =
        page.items.into_iter().map(|view| api::HistoryMessage::new(view, (&chat, chat_id), counted_by));
    let items = items.collect::<Option<Vec<_>>>().ok_or_else(|| {
        Problem::new(Code::ReadFailed, "The chat became another one while it was read; ask again.")
    })?;
    Ok(json(StatusCode::OK, &Page { items, next_cursor: page.next_cursor }))
}

/// Which messages.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ReadParameters {
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100, default = 100)]
    limit: Option<u32>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
    /// Only through this account.
    #[param(example = "main")]
    account: Option<String>,
}
