//! Messages that came in through channels: a list of them, one of them, and conversations.

use api::AnyMessage;
use axum::response::Response;
use domain::{AccountName, ChannelChat, ChannelName, ChatRef, InboundId, MessageOrigin};
use http::StatusCode;
use store::{ChannelConversationMessage, ConversationStart, InboundFilter, StoreError, StoredInbound};

use crate::answer::json;
use crate::auth::Caller;
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::logs::moment;
use crate::v1::names::{self, Names};
use crate::v1::page::{listed, store_page, visible};
use crate::v1::{Page, messages};

/// `GET /v1/messages?direction=in&channel=…`.
pub(in crate::v1) async fn list(
    state: &State,
    caller: &Caller,
    channel: Option<ChannelName>,
    origin: Option<MessageOrigin>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let now = state.clock().now();
    let filter = InboundFilter {
        channel,
        origin,
        account: query.take::<AccountName>("channel_account"),
        chat: query.take::<ChannelChat>("chat"),
        text: query.take_with("text", names::wanted),
        or_from: false,
        since: query.take_with("since", |text| moment(text, now)),
        until: query.take_with("until", |text| moment(text, now)),
    };
    let page = store_page(&mut query);
    query.finish()?;
    caller.check_account(filter.account.as_ref())?;
    let read = |page| {
        let (store, filter) = (state.store(), &filter);
        async move { store.channels().list(filter, &page).await }
    };
    let found = visible(caller, page, |stored| shows(state, caller, stored), read).await.map_err(listed)?;
    let items = found.items.iter().map(|stored| view(state, stored)).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// One of them, with what the provider said.
pub(in crate::v1) async fn get(state: &State, id: InboundId) -> Result<Response, Problem> {
    let stored = state.store().channels().get(id).await?;
    let stored = stored.ok_or_else(|| Problem::message_not_found(&id.to_string()))?;
    let files = state.store().channels().files(id).await?;
    let view = api::ChannelMessage::new(&stored, true, state.links()).with_files(&files);
    Ok(json(StatusCode::OK, &AnyMessage::Channel(Box::new(view))))
}

/// The conversation of a chat.
pub(in crate::v1) async fn conversation(
    state: &State,
    caller: &Caller,
    chat: &ChannelChat,
    (start, text): (ConversationStart, Option<String>),
    page: store::Page,
) -> Result<Response, Problem> {
    let from = match &start {
        ConversationStart::Newest => None,
        ConversationStart::Before(from) | ConversationStart::After(from) => Some(from.to_string()),
    };
    let read = |page| {
        let (store, chat, start, text) = (state.store(), chat.clone(), start.clone(), text.clone());
        async move { store.channels().conversation(chat, start, text, &page).await }
    };
    let shows = |message: &ChannelConversationMessage| match message {
        ChannelConversationMessage::Received(stored) => shows(state, caller, stored),
        ChannelConversationMessage::Sent(message) => {
            let account = message.account.as_ref().or(message.pin.as_ref());
            caller.shows(state, account, Some(&message.place()))
        }
    };
    let found = visible(caller, page, shows, read).await.map_err(|error| match (error, from) {
        (StoreError::NotFound { .. }, Some(from)) => Problem::message_not_found(&from),
        (error, _) => listed(error),
    })?;
    let names = Names::of(state, std::iter::empty()).await?;
    let view = |message| match message {
        ChannelConversationMessage::Received(stored) => view(state, &stored),
        ChannelConversationMessage::Sent(message) => messages::listed_view(caller, *message, &names),
    };
    let items = found.items.into_iter().map(view).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Whether a caller may see it.
pub(in crate::v1) fn shows(state: &State, caller: &Caller, stored: &StoredInbound) -> bool {
    let address = &stored.address;
    caller.shows(state, [&address.account], Some(&ChatRef::Channel(address.clone())))
}

pub(in crate::v1) fn view(state: &State, stored: &StoredInbound) -> AnyMessage {
    AnyMessage::Channel(Box::new(api::ChannelMessage::new(stored, false, state.links())))
}
