//! `GET /v1/messages?direction=in`: the messages that were received, and one of them.

use api::AnyMessage;
use axum::response::Response;
use domain::{AccountName, ChatId, ChatRef, ReceivedId};
use http::StatusCode;
use store::{ReceivedFilter, StoredReceived};

use super::Page;
use super::logs::moment;
use super::names::{self, Names};
use super::page::{listed, store_page, visible};
use crate::answer::json;
use crate::auth::Caller;
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;

/// The list, without what only messages of ours have.
pub(super) async fn list(
    state: &State,
    caller: &Caller,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let now = state.clock().now();
    let mut filter = ReceivedFilter {
        account: query.take::<AccountName>("account"),
        chats: query.take::<ChatId>("chat_id").map(|chat| vec![chat]),
        text: query.take_with("text", names::wanted),
        or_from: None,
        since: query.take_with("since", |text| moment(text, now)),
        until: query.take_with("until", |text| moment(text, now)),
    };
    let chat = query.take_with("chat", names::wanted);
    let q = query.take_with("q", names::wanted);
    let page = store_page(&mut query);
    query.finish()?;
    caller.check_account(filter.account.as_ref())?;
    if let Some(chat) = chat {
        filter.chats = Some(names::narrowed(state, filter.chats, &chat).await?);
    }
    if let Some(q) = q {
        filter.or_from = Some(names::chats_named(state, &q).await?);
        filter.text = Some(q);
    }
    let read = |page| {
        let (store, filter) = (state.store(), &filter);
        async move { store.received().list(filter, &page).await }
    };
    let found = visible(caller, page, |stored| shows(state, caller, stored), read).await.map_err(listed)?;
    let names = Names::of(state, found.items.iter().map(|stored| Some(stored.message.chat_id))).await?;
    let items = found.items.iter().map(|stored| view(stored, &names)).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Whether a caller may see it.
pub(super) fn shows(state: &State, caller: &Caller, stored: &StoredReceived) -> bool {
    let message = &stored.message;
    caller.shows(state, [&message.account], Some(&ChatRef::Id(message.chat_id)))
}

/// One of them; of one that is not stored it says where it is.
pub(super) async fn get(state: &State, id: &ReceivedId) -> Result<Response, Problem> {
    let stored = state.store().received().get(id).await?;
    let stored = stored.ok_or_else(|| Problem::message_not_found(&id.to_string()))?;
    let names = Names::of(state, std::iter::once(Some(stored.message.chat_id))).await?;
    Ok(json(StatusCode::OK, &view(&stored, &names)))
}

pub(super) fn view(stored: &StoredReceived, names: &Names) -> AnyMessage {
    let names = names.view(Some(stored.message.chat_id));
    AnyMessage::In(Box::new(api::ReceivedMessage::new(stored, names)))
}
