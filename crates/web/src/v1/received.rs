//! `GET /v1/messages?direction=in`: the messages that were received, and one of them.

use std::cmp::Reverse;

use api::AnyMessage;
use axum::response::Response;
use domain::{AccountName, ChannelChat, ChatId, ChatRef, ReceivedId};
use http::StatusCode;
use store::{InboundFilter, Paged, ReceivedFilter, Store, StoreError, StoredInbound, StoredReceived};

use super::logs::moment;
use super::names::{self, Names};
use super::page::{listed, store_page, visible};
use super::{Page, channels};
use crate::answer::json;
use crate::auth::Caller;
use crate::extract::QueryParameters;
use crate::problem::Problem;
use crate::state::State;

/// A message that was received.
enum Received {
    /// By an account of Telegram.
    Account(Box<StoredReceived>),
    /// Through a channel.
    Channel(Box<StoredInbound>),
}

/// When a message was received, in microseconds; of two at one instant that of an account comes first.
type Position = (i64, bool);

impl Received {
    fn position(&self) -> Position {
        match self {
            Self::Account(stored) => (stored.seq, true),
            Self::Channel(stored) => (stored.id.get(), false),
        }
    }
}

/// The list, without what only messages of ours have; of channels too unless only accounts of Telegram are asked for.
pub(super) async fn list(
    state: &State,
    caller: &Caller,
    of_channels: bool,
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
    let address = chat.as_deref().and_then(|chat| chat.parse::<ChannelChat>().ok());
    // What names a chat of Telegram leaves channels out.
    let of_channels = of_channels && filter.chats.is_none() && chat.is_some() == address.is_some();
    let inbound = of_channels.then(|| InboundFilter {
        channel: None,
        account: filter.account.clone(),
        chat: address,
        origin: None,
        text: q.clone().or_else(|| filter.text.clone()),
        or_from: q.is_some(),
        since: filter.since,
        until: filter.until,
    });
    if let Some(chat) = chat {
        filter.chats = Some(names::narrowed(state, filter.chats, &chat).await?);
    }
    if let Some(q) = q {
        filter.or_from = Some(names::chats_named(state, &q).await?);
        filter.text = Some(q);
    }
    let read = |page| {
        let (store, filter, inbound) = (state.store(), &filter, inbound.as_ref());
        async move { both(store, filter, inbound, &page).await }
    };
    let shows = |one: &Received| match one {
        Received::Account(stored) => shows(state, caller, stored),
        Received::Channel(stored) => channels::received::shows(state, caller, stored),
    };
    let found = visible(caller, page, shows, read).await.map_err(listed)?;
    let chats = found.items.iter().map(|one| match one {
        Received::Account(stored) => Some(stored.message.chat_id),
        Received::Channel(_) => None,
    });
    let names = Names::of(state, chats).await?;
    let view = |one: &Received| match one {
        Received::Account(stored) => view(stored, &names),
        Received::Channel(stored) => channels::received::view(state, stored),
    };
    let items = found.items.iter().map(view).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// A page of what came in through accounts of Telegram and, with a filter for them, through channels. Its cursor is those of both.
async fn both(
    store: &Store,
    filter: &ReceivedFilter,
    inbound: Option<&InboundFilter>,
    page: &store::Page,
) -> Result<Paged<Received>, StoreError> {
    let cursors = page.cursor.as_deref().map(|cursor| cursor.split_once('.').ok_or(StoreError::BadCursor));
    let (of_accounts, of_channels) = cursors.transpose()?.unzip();
    let part =
        |cursor: Option<&str>| store::Page { limit: page.limit, cursor: cursor.map(ToOwned::to_owned) };
    let found = store.received().list(filter, &part(of_accounts)).await?;
    let items = found.items.into_iter().map(|stored| Received::Account(Box::new(stored))).collect();
    let accounts = Paged { items, next_cursor: found.next_cursor };
    let mut channels = Paged { items: Vec::new(), next_cursor: None };
    if let Some(inbound) = inbound {
        let found = store.channels().list(inbound, &part(of_channels)).await?;
        channels.items.extend(found.items.into_iter().map(|stored| Received::Channel(Box::new(stored))));
        channels.next_cursor = found.next_cursor;
    }
    Ok(merged(accounts, channels, page.limit, Received::position))
}

/// One page of two lists, the latest first. A list that leads on may have more from where its page ends: what is older than that is
/// left to the next page.
fn merged<T>(
    accounts: Paged<T>,
    channels: Paged<T>,
    limit: u32,
    position: impl Fn(&T) -> Position,
) -> Paged<T> {
    let ends = [&accounts.next_cursor, &channels.next_cursor];
    let end = ends.into_iter().flatten().filter_map(|cursor| cursor.parse::<i64>().ok()).max();
    let mut items = accounts.items;
    items.extend(channels.items);
    items.sort_unstable_by_key(|one| Reverse(position(one)));
    items.retain(|one| end.is_none_or(|end| position(one).0 >= end));
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let is_cut = items.len() > most;
    items.truncate(most);
    let next_cursor = match items.last().map(&position).filter(|_| is_cut) {
        // Of a channel there may be one more of that instant.
        Some((at, true)) => Some(format!("{at}.{}", at.saturating_add(1))),
        Some((at, false)) => Some(format!("{at}.{at}")),
        None => end.map(|end| format!("{end}.{end}")),
    };
    Paged { items, next_cursor }
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A page of a list as the store gives it.
    fn page(list: &[Position], limit: u32, before: Option<&str>) -> Paged<Position> {
        let before = before.map_or(i64::MAX, |before| before.parse().unwrap());
        let mut items: Vec<Position> = list.iter().copied().filter(|(at, _)| *at < before).rev().collect();
        let is_cut = items.len() > limit as usize;
        items.truncate(limit as usize);
        let next_cursor = items.last().filter(|_| is_cut).map(|(at, _)| at.to_string());
        Paged { items, next_cursor }
    }

    proptest! {
        #[test]
        fn pages_of_two_lists_have_each_message_once(
            accounts in prop::collection::btree_set(0_i64..20, 0..12),
            channels in prop::collection::btree_set(0_i64..20, 0..12),
            limit in 1_u32..5,
        ) {
            let accounts: Vec<Position> = accounts.into_iter().map(|at| (at, true)).collect();
            let channels: Vec<Position> = channels.into_iter().map(|at| (at, false)).collect();
            let mut expected = [&accounts[..], &channels[..]].concat();
            expected.sort_unstable_by_key(|position| Reverse(*position));
            let (mut found, mut cursor) = (Vec::new(), None::<String>);
            for _ in 0..100 {
                let (first, second) = cursor.as_deref().and_then(|cursor| cursor.split_once('.')).unzip();
                let parts = (page(&accounts, limit, first), page(&channels, limit, second));
                let merged = merged(parts.0, parts.1, limit, |position| *position);
                prop_assert!(merged.items.len() <= limit as usize);
                found.extend(merged.items);
                cursor = merged.next_cursor;
                if cursor.is_none() {
                    break;
                }
            }
            prop_assert_eq!(found, expected);
        }
    }
}
