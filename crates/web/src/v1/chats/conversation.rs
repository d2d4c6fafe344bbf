//! `GET /v1/chats/{chat_id}/messages`: the conversation of a chat from the store, both directions in one order.

use api::AnyMessage;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{ChannelChat, ChatId, MessageRef};
use http::StatusCode;
use store::{ConversationMessage, ConversationStart, StoreError};
use utoipa::IntoParams;

use super::named;
use crate::answer::json;
use crate::auth::{Authorized, Caller, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{FieldError, Problem};
use crate::state::State;
use crate::v1::names::{self, Names};
use crate::v1::page::{listed, store_page, visible};
use crate::v1::{LongPageParameters, Page, channels, messages, received};

/// Lists the conversation of a chat from the store, newest first.
///
/// What was received is listed at the time it was written, what was sent at the time its sending ended, also where it failed.
/// What still waits is not in it. Messages of ours are there since they were sent from here, those of others since the
/// account keeps what it receives, each for as long as retention says.
#[utoipa::path(
    get, path = "/v1/chats/{chat_id}/messages", tag = "chats", operation_id = "read_conversation",
    params(("chat_id" = String, Path, description = "A chat id as the Bot API writes it, `@name`, a phone number, or an address such as `avito:shop/u2i-1`"),
        ConversationParameters, LongPageParameters),
    responses(
        (status = 200, description = "A page of the conversation", body = Page<AnyMessage>),
        (status = 404, description = "No account knows a chat of this name, or the message to start from is not stored"),
        (status = 502, description = "Telegram did not answer as it should"),
    )
)]
pub(crate) async fn read(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let before = query.take::<MessageRef>("before");
    let after = query.take::<MessageRef>("after");
    let text = query.take_with("q", names::wanted);
    let page = store_page(&mut query);
    query.finish()?;
    let from = before.clone().or(after.clone());
    let start = match (before, after) {
        (None, None) => ConversationStart::Newest,
        (Some(before), None) => ConversationStart::Before(before),
        (None, Some(after)) => ConversationStart::After(after),
        (Some(_), Some(_)) => {
            let wrong = FieldError::new("after", "is there beside `before`; give one of them");
            return Err(Problem::fields(vec![wrong]));
        }
    };
    if let Ok(chat) = given.parse::<ChannelChat>() {
        return channels::received::conversation(&state, &caller, &chat, (start, text), page).await;
    }
    let chat = named::shared(&state, &caller, &given).await?;
    let chat_id = named::id(&state, &chat).ok_or_else(|| named::unknown(&chat))?;
    let read = |page| {
        let (store, start, text) = (state.store(), start.clone(), text.clone());
        async move { store.conversations().list(chat_id, start, text, &page).await }
    };
    let shows = |message: &ConversationMessage| match message {
        ConversationMessage::Received(stored) => received::shows(&state, &caller, stored),
        ConversationMessage::Sent(message) => {
            let account = message.account.as_ref().or(message.pin.as_ref());
            caller.shows(&state, account, Some(&message.place()))
        }
    };
    let found = visible(&caller, page, shows, read).await;
    let found = found.map_err(|error| match (error, from) {
        (StoreError::NotFound { .. }, Some(from)) => Problem::message_not_found(&from.to_string()),
        (error, _) => listed(error),
    })?;
    let names = Names::of(&state, found.items.iter().map(chat_of)).await?;
    let items = found.items.into_iter().map(|message| view(&caller, message, &names)).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

fn chat_of(message: &ConversationMessage) -> Option<ChatId> {
    match message {
        ConversationMessage::Received(stored) => Some(stored.message.chat_id),
        ConversationMessage::Sent(message) => message.chat_id(),
    }
}

fn view(caller: &Caller, message: ConversationMessage, names: &Names) -> AnyMessage {
    match message {
        ConversationMessage::Received(stored) => received::view(&stored, names),
        ConversationMessage::Sent(message) => messages::listed_view(caller, *message, names),
    }
}

/// Which part of it.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct ConversationParameters {
    /// Only what came before this message, `msg_…` or `rcv_…`.
    #[param(example = "msg_01k2v7m3w0e9tq4b8s6n5x1zyr")]
    before: Option<String>,
    /// Only what came after this message, the oldest first.
    #[param(example = "rcv_1zzzzy5q1rkpjw00000pg")]
    after: Option<String>,
    /// Only messages with this in their text or caption, whatever letters are large. A page may be short or empty and still have a
    /// `next_cursor`, which goes on.
    #[param(example = "1001", max_length = 200)]
    q: Option<String>,
}
