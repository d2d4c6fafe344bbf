//! `GET /v1/chats/{chat_id}/history`: the messages of a chat, as Telegram has them now.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AccountName, ChatId, ChatRef, ReceivedId, Timestamp, Words};
use http::StatusCode;
use serde::Serialize;
use telegram::HistoryView;
use utoipa::{IntoParams, ToSchema};

use super::named;
use crate::answer::json;
use crate::auth::{By, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::Page;
use crate::v1::page::up_to;

/// How many messages a page may have.
const LARGEST_PAGE: u32 = 100;

/// A message in a chat.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryMessage)]
pub(crate) struct Item {
    /// Names it where only its chat's history does otherwise: `GET /v1/messages/{id}/media/0` reads its file. It stays as it is, and sorts as
    /// `message_id` does within the chat.
    #[schema(value_type = String, example = "rcv_1zzzzy5q1rkpjw00000pg")]
    id: ReceivedId,
    /// Telegram's id of it.
    #[schema(example = 45)]
    message_id: i64,
    /// When it was written, by Telegram's clock.
    at: Timestamp,
    /// The user who wrote it, where it was one.
    from: Option<i64>,
    /// Whether the account that was asked wrote it.
    outgoing: bool,
    /// Its text or caption.
    #[schema(value_type = String)]
    text: Words,
    /// The message that it answers.
    reply_to: Option<i64>,
    /// What is attached, such as `photo`.
    media: Option<&'static str>,
    /// The file, when what is attached is one.
    file: Option<File>,
    /// What happened, when it tells of something that happened to the chat.
    service: Option<String>,
}

/// A file attached to a message.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryFile)]
pub(crate) struct File {
    /// What its sender called it.
    #[schema(example = "price-list.pdf")]
    name: Option<String>,
    /// Its type, as its sender told it.
    #[schema(example = "application/pdf")]
    mime: String,
    /// Its size in bytes.
    #[schema(example = 48213)]
    size: u64,
    /// Where to read it; in a private chat or a basic group through the account whose ids the messages have.
    #[schema(example = "/v1/chats/-1001234567890/messages/45/media")]
    url: String,
}

impl Item {
    /// `counted_by` is whose the ids are, where they are not the same for every account. Nothing of a message whose id is none.
    fn new(
        view: HistoryView,
        (chat, chat_id): (&ChatRef, ChatId),
        counted_by: Option<&AccountName>,
    ) -> Option<Self> {
        let id = ReceivedId::new(chat_id, i32::try_from(view.message_id).ok()?, counted_by.cloned())?;
        let through = counted_by.map(|account| format!("?account={account}")).unwrap_or_default();
        let file = view.file.map(|file| File {
            name: Some(file.name).filter(|name| !name.is_empty()),
            mime: file.mime,
            size: file.size,
            url: format!("/v1/chats/{chat}/messages/{}/media{through}", view.message_id),
        });
        Some(Self {
            id,
            file,
            message_id: view.message_id,
            at: view.at,
            from: view.from,
            outgoing: view.outgoing,
            text: view.text,
            reply_to: view.reply_to,
            media: view.media,
            service: view.service,
        })
    }
}

/// Lists the messages of a chat, newest first.
#[utoipa::path(
    get, path = "/v1/chats/{chat_id}/history", tag = "chats", operation_id = "read_history",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number or `me`"), ReadParameters),
    responses(
        (status = 200, description = "A page of messages", body = Page<Item>),
        (status = 403, description = "No account may read it"),
        (status = 404, description = "No account finds the chat"),
        (status = 429, description = "Every account must wait"),
        (status = 502, description = "Telegram did not answer as it should"),
    )
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    _: By<CanRead>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let limit = up_to(&mut query, LARGEST_PAGE);
    let before = query.take_with("cursor", |text| {
        let id = text.parse::<i64>().ok().filter(|id| *id > 0);
        id.ok_or_else(|| "take next_cursor of the page before".to_owned())
    });
    let pin = query.take::<AccountName>("account");
    query.finish()?;
    let (chat, pin) = named::chat(&state, &given, pin).await?;
    let page = state
        .pool()
        .history(&chat, pin.as_ref(), limit, before)
        .await
        .map_err(|error| named::unread(error, state.clock().now()))?;
    let counted_by = page.counted_by.as_ref();
    // It was read just now, so that it is known.
    let chat_id = named::id(&state, &chat).ok_or_else(|| named::unknown(&chat))?;
    let items = page.items.into_iter().map(|view| Item::new(view, (&chat, chat_id), counted_by));
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
