//! Reading messages back: one, a page, or those to take up again.

use std::collections::BTreeMap;
use std::time::Duration;

use domain::media::FileKey;
use domain::message::{Content, OutboundMessage, Part};
use domain::{
    AccountName, Address, ChatId, ChatRef, MessageId, MessageState, Service, TelegramMessageId, Timestamp,
};

use super::statements as sql;
use super::{Origin, PARTS, TABLE, items, key, search};
use crate::chats::in_json;
use crate::column::Columns;
use crate::database::{Connection, Parameters, Row, params};
use crate::paging::{Page, Paged};
use crate::sweep::first_id_at;
use crate::unreadable::Unfinished;
use crate::{Store, StoreError, codes};

/// Messages read for resuming at once at most.
pub(crate) const LONGEST_BATCH: u32 = 1000;

/// How many messages of an account ended in a minute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndedInMinute {
    /// When the minute began.
    pub minute: Timestamp,
    /// The account that carried them; none for those that none did.
    pub account: Option<AccountName>,
    /// The service that carried them; none in a channel.
    pub service: Option<Service>,
    /// How many were sent.
    pub sent: u32,
    /// How many failed.
    pub failed: u32,
}

/// How long before its end a message may have been accepted to be found by [`ended_by_minute`].
const LONGEST_DELIVERY: Duration = Duration::from_hours(24);

/// Messages that one read counts at most, so that others read meanwhile.
pub(crate) const COUNTED_AT_ONCE: u32 = 10_000;

/// Above all ids.
const NO_END: [u8; 16] = [0xff; 16];

/// Messages that ended since an instant, by the minute, the account and the service.
pub(super) async fn ended_by_minute(
    store: &Store,
    since: Timestamp,
) -> Result<Vec<EndedInMinute>, StoreError> {
    let mut ended: BTreeMap<(i64, Option<String>, i64), (u32, u32)> = BTreeMap::new();
    let mut after = first_id_at(since.minus(LONGEST_DELIVERY));
    while after < NO_END {
        let last = store.nth_message_after(after, COUNTED_AT_ONCE.into()).await?.unwrap_or(NO_END);
        let piece = store.all(sql::ENDED_SINCE, (after, last, since.as_micros()), |row| {
            let columns = Columns::new(row, TABLE);
            let place = (columns.get(0)?, columns.get(1)?, columns.get(3)?);
            Ok((place, columns.coded(2, "state", codes::message)?))
        });
        for (place, state) in piece.await? {
            let (sent, failed) = ended.entry(place).or_default();
            match state {
                MessageState::Sent | MessageState::Delivered | MessageState::Read => *sent += 1,
                MessageState::Failed => *failed += 1,
                _ => {}
            }
        }
        after = last;
    }
    Ok(ended
        .into_iter()
        .map(|((minute, account, media), (sent, failed))| EndedInMinute {
            minute: Timestamp::from_micros(minute.saturating_mul(60_000_000)),
            account: account.and_then(|name| name.parse().ok()),
            service: codes::sending(media),
            sent,
            failed,
        })
        .collect())
}

/// Which messages to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// In this state.
    pub state: Option<MessageState>,
    /// Only those that have not arrived as of this instant, the present. `since` and `until` are then about when that came.
    pub undelivered: Option<Timestamp>,
    /// Of this account.
    pub account: Option<AccountName>,
    /// To one of these chats.
    pub chats: Option<Vec<ChatId>>,
    /// With this in its text, whatever letters are large.
    pub text: Option<String>,
    /// Or, where a text is wanted too, to one of these chats, or to one that the caller named so.
    pub or_to: Option<Vec<ChatId>>,
    /// Accepted at this instant or later.
    pub since: Option<Timestamp>,
    /// Accepted before this instant.
    pub until: Option<Timestamp>,
}

impl Filter {
    /// Whether it takes a look into each message: an index of texts would burden every message that is sent.
    const fn takes_a_look(&self) -> bool {
        self.text.is_some() || self.since.is_some() || self.until.is_some() || self.undelivered.is_some()
    }
}

/// A page of messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The messages, newest first.
    pub items: Vec<OutboundMessage>,
    /// Leads to the next page, if there is one: the id of the last message that was looked at. With a text or times a page may
    /// have fewer messages than were asked for, or none, and still lead on.
    pub next_cursor: Option<String>,
}

pub(super) fn get(connection: &Connection, id: MessageId) -> Result<Option<OutboundMessage>, StoreError> {
    let message = connection.first(sql::GET, [key(&id)], message)?;
    message.map(|message| with_parts(connection, message)).transpose()
}

pub(super) fn origin(connection: &Connection, id: MessageId) -> Result<Option<Origin>, StoreError> {
    connection.first(sql::ORIGIN, [key(&id)], |row| Origin::read(&Columns::new(row, TABLE), 0))
}

/// What says in which lane a message waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredLane {
    /// The chat as the caller named it.
    pub chat: ChatRef,
    /// The chat, once known.
    pub address: Option<Address>,
    /// The account that the caller pinned it to.
    pub pin: Option<AccountName>,
}

pub(super) fn lane(connection: &Connection, id: MessageId) -> Result<Option<StoredLane>, StoreError> {
    connection.first(sql::LANE, [key(&id)], |row| {
        let columns = Columns::new(row, TABLE);
        let chat = columns.parsed(0)?;
        Ok(StoredLane {
            address: address_of(&chat, columns.maybe_chat_id(1)?),
            chat,
            pin: columns.maybe_account(2)?,
        })
    })
}

/// The address of a stored message: that of a channel is its name, and the column of ids is Telegram's.
pub(super) fn address_of(chat: &ChatRef, chat_id: Option<ChatId>) -> Option<Address> {
    match chat {
        ChatRef::Channel(_) => Address::written(chat),
        ChatRef::Id(_) | ChatRef::Username(_) => chat_id.map(Address::Telegram),
    }
}

pub(super) fn sent_by(
    connection: &Connection,
    chat_id: ChatId,
    message_id: TelegramMessageId,
) -> Result<Option<AccountName>, StoreError> {
    let params = params![chat_id.get(), message_id.get(), format!("%,{message_id},%")];
    connection.first(sql::SENT_BY, params, |row| Columns::new(row, TABLE).parsed(0))
}

pub(super) fn list(connection: &Connection, filter: &Filter, page: &Page) -> Result<Listed, StoreError> {
    if filter.takes_a_look() {
        return search::search(connection, filter, page, search::MOST_ROWS);
    }
    let before: [u8; 16] = match &page.cursor {
        None => [0xff; 16],
        Some(cursor) => *key(&cursor.parse().map_err(|_| StoreError::BadCursor)?),
    };
    let state = filter.state.map(codes::of_message);
    let statement =
        if state.is_some_and(|state| state < codes::FIRST_SENT) { sql::LIST_OPEN } else { sql::LIST };
    let params = params![
        before,
        state,
        filter.account.as_ref().map(AccountName::as_str),
        filter.chats.as_deref().map(in_json),
        // One more shows whether there is another page.
        page.rows(),
    ];
    let items = connection.all(statement, params, message)?;
    let Paged { items, next_cursor } = page.cut(items, |message| message.id.to_string());
    Ok(Listed { items: all_with_parts(connection, items)?, next_cursor })
}

pub(super) fn unfinished(
    connection: &Connection,
    after: Option<MessageId>,
    limit: u32,
) -> Result<Unfinished<MessageId, OutboundMessage>, StoreError> {
    let after = after.map_or([0; 16], |id| *key(&id));
    let params = params![after, limit.clamp(1, LONGEST_BATCH)];
    let rows = connection
        .all(sql::UNFINISHED, params, |row| Ok((Columns::new(row, TABLE).message_id(0)?, message(row))))?;
    let whole = |message: Result<_, _>| message.and_then(|message| with_parts(connection, message));
    Unfinished::of(rows.into_iter().map(|(id, message)| (id, whole(message))))
}

pub(super) fn files_in_use(connection: &Connection, since: Timestamp) -> Result<Vec<FileKey>, StoreError> {
    connection.all(sql::FILES_IN_USE, [since.as_micros()], |row| Columns::new(row, "outbox_files").parsed(0))
}

pub(super) fn files_done_with(
    connection: &Connection,
    id: MessageId,
    since: Timestamp,
) -> Result<Vec<FileKey>, StoreError> {
    connection.all(sql::FILES_DONE_WITH, params![key(&id), since.as_micros()], |row| {
        Columns::new(row, "outbox_files").parsed(0)
    })
}

fn all_with_parts(
    connection: &Connection,
    messages: Vec<OutboundMessage>,
) -> Result<Vec<OutboundMessage>, StoreError> {
    messages.into_iter().map(|message| with_parts(connection, message)).collect()
}

/// The same with its parts.
pub(crate) fn with_parts(
    connection: &Connection,
    mut message: OutboundMessage,
) -> Result<OutboundMessage, StoreError> {
    message.parts = connection.all(sql::PARTS_OF, [key(&message.id)], |row| {
        let columns = Columns::new(row, PARTS);
        let ids = items::read_ids(&columns, 3, 6)?;
        let mut items = items::read(&columns, 1, 5)?;
        for (place, item) in items.iter_mut().enumerate() {
            item.message_id = ids.get(place).cloned();
        }
        Ok(Part {
            index: columns.get(0)?,
            text: columns.maybe_json(4)?.unwrap_or_else(|| message.content.text.clone()),
            items,
            state: columns.coded(2, "state", codes::part)?,
        })
    })?;
    Ok(message)
}

/// The messages that a statement of the log finds, with their parts.
pub(crate) fn logged(
    connection: &Connection,
    statement: &str,
    params: impl Parameters,
) -> Result<Vec<OutboundMessage>, StoreError> {
    all_with_parts(connection, connection.all(statement, params, message)?)
}

/// A message without its parts.
pub(crate) fn message(row: &Row<'_>) -> Result<OutboundMessage, StoreError> {
    let columns = Columns::new(row, TABLE);
    let state = columns.coded(1, "state", codes::message)?;
    // One beside a doubt only says that the message was held back.
    let failure = if state == MessageState::Failed { columns.maybe_json(10)? } else { None };
    let chat = columns.parsed(2)?;
    Ok(OutboundMessage {
        id: columns.message_id(0)?,
        state,
        address: address_of(&chat, columns.maybe_chat_id(3)?),
        chat,
        pin: columns.maybe_account(4)?,
        account: columns.maybe_account(5)?,
        on_flood: columns.coded(6, "way to meet floods", codes::on_flood)?,
        send_at: columns.maybe_time(7)?,
        created_at: columns.time(8)?,
        updated_at: columns.time(9)?,
        failure,
        content: columns.json::<Content>(11)?,
        parts: Vec::new(),
    })
}
