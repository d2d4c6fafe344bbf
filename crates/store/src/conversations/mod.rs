//! Conversations: what was received in a chat and what was sent to it, in one order.
//!
//! A message of ours is placed where it ended, sent or not; what still waits has no place. One that was received is placed
//! where it was received if that was within seconds of Telegram's time for it, which has whole seconds, else at that time: what
//! is caught up later is placed where it was written.

pub(crate) mod index;
pub(crate) mod position;

use domain::message::OutboundMessage;
use domain::{ChatId, MessageRef};

use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::needle::Needle;
use crate::outbox::{self, read_message, with_parts};
use crate::paging::{Page, Paged};
use crate::received::{self, StoredReceived};
use crate::{Store, StoreError};
use index::IndexEntry;
use position::{Of, Position};
use statements as sql;

/// Rows looked at in one look for a text at most.
const MOST_ROWS: usize = 20_000;
/// Rows of each direction that such a look reads at a time.
const PIECE: u32 = 500;

pub(crate) mod statements {
    //! The statements of conversations.
    //!
    //! A message that was sent again has more than one place, and is in the last of them. A basic group that several accounts are
    //! in has a row for each of them: the one of the first account is shown.

    use crate::statement::statements;

    statements! {
        SENT_BEFORE = "
            SELECT o.id, o.state, o.chat, o.chat_id, o.pin, o.account, o.on_flood, o.send_at, o.created_at, o.updated_at, o.failure,
                o.content, s.at
            FROM outbox_places AS s INNER JOIN outbox AS o ON o.id = s.id
            WHERE s.chat_id = $1 AND s.at <= $2 AND (s.at, s.id) < ($2, $3)
                AND o.chat_id = s.chat_id AND o.state >= 10 AND coalesce(o.finished_at, o.updated_at) = s.at
            ORDER BY s.at DESC, s.id DESC LIMIT $4";
        SENT_AFTER = "
            SELECT o.id, o.state, o.chat, o.chat_id, o.pin, o.account, o.on_flood, o.send_at, o.created_at, o.updated_at, o.failure,
                o.content, s.at
            FROM outbox_places AS s INNER JOIN outbox AS o ON o.id = s.id
            WHERE s.chat_id = $1 AND s.at >= $2 AND (s.at, s.id) > ($2, $3)
                AND o.chat_id = s.chat_id AND o.state >= 10 AND coalesce(o.finished_at, o.updated_at) = s.at
            ORDER BY s.at, s.id LIMIT $4";
        SENT_LATELY = "
            SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content,
                coalesce(finished_at, updated_at)
            FROM outbox WHERE id = $1 AND chat_id = $2 AND state >= 10 AND coalesce(finished_at, updated_at) = $3";
        SAVE_INDEX_ENTRY = "
            INSERT INTO outbox_places (chat_id, at, id) VALUES ($1, $2, $3) ON CONFLICT (chat_id, at, id) DO NOTHING";
        RECEIVED_BEFORE = "
            SELECT seq, account, chat_id, message_id, origin, sender_id, sender_name, text, entities, media, forward,
                reactions, service, reply_to, album, sent_at, edited_at, deleted_at, place
            FROM received_messages AS r
            WHERE chat_id = $1 AND origin <> 4 AND (place, seq) < ($2, $3)
                AND NOT (chat_id < 0 AND owner <> '' AND EXISTS (
                    SELECT 1 FROM received_messages AS o
                    WHERE o.chat_id = r.chat_id AND o.place > r.sent_at - 5000000 AND o.place < r.sent_at + 5000000
                        AND o.sent_at = r.sent_at AND o.owner < r.owner AND o.text = r.text AND o.origin <> 4
                        AND o.sender_id IS NOT DISTINCT FROM r.sender_id AND o.media IS NOT DISTINCT FROM r.media))
            ORDER BY place DESC, seq DESC LIMIT $4";
        RECEIVED_AFTER = "
            SELECT seq, account, chat_id, message_id, origin, sender_id, sender_name, text, entities, media, forward,
                reactions, service, reply_to, album, sent_at, edited_at, deleted_at, place
            FROM received_messages AS r
            WHERE chat_id = $1 AND origin <> 4 AND (place, seq) > ($2, $3)
                AND NOT (chat_id < 0 AND owner <> '' AND EXISTS (
                    SELECT 1 FROM received_messages AS o
                    WHERE o.chat_id = r.chat_id AND o.place > r.sent_at - 5000000 AND o.place < r.sent_at + 5000000
                        AND o.sent_at = r.sent_at AND o.owner < r.owner AND o.text = r.text AND o.origin <> 4
                        AND o.sender_id IS NOT DISTINCT FROM r.sender_id AND o.media IS NOT DISTINCT FROM r.media))
            ORDER BY place, seq LIMIT $4";
        POSITION_OF_SENT = "SELECT coalesce(finished_at, updated_at), id FROM outbox WHERE id = $1";
        POSITION_OF_RECEIVED = "
            SELECT place, seq FROM received_messages WHERE owner = $1 AND message_id = $2 AND chat_id = $3";
    }
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum ConversationMessage {
    /// What someone wrote there.
    Received(Box<StoredReceived>),
    /// What was sent there from here, or was to be.
    Sent(Box<OutboundMessage>),
}

/// Where a page of a conversation begins, and whether it goes back or on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ConversationStart {
    /// The newest, and back from there.
    #[default]
    Newest,
    /// What came before a message, the newest first.
    Before(MessageRef),
    /// What came after it, the oldest first.
    After(MessageRef),
}

/// The conversations' part of a store.
#[derive(Clone, Copy)]
pub struct Conversations<'a> {
    pub(crate) store: &'a Store,
}

impl Conversations<'_> {
    /// A page of a conversation, of the messages with a text in them if one is given: then a page may have fewer than were asked
    /// for and still lead on.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: the message that it starts from is not stored.
    pub async fn list(
        &self,
        chat: ChatId,
        start: ConversationStart,
        text: Option<String>,
        page: &Page,
    ) -> Result<Paged<ConversationMessage>, StoreError> {
        let (page, lately) = (page.clone(), self.store.inner.lately.clone());
        self.store
            .read(move |connection| {
                let lately = lately.of(chat);
                let (place, towards) = begin(connection, &start)?;
                let place = page.after()?.unwrap_or(place);
                let needle = text.as_deref().map(Needle::new);
                list(connection, (chat, &lately), (place, towards), needle.as_ref(), &page, MOST_ROWS)
            })
            .await
    }
}

/// Whether a page goes back or on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Towards {
    Older,
    Newer,
}

type Positioned = (Position, ConversationMessage);

fn begin(connection: &Connection, start: &ConversationStart) -> Result<(Position, Towards), StoreError> {
    let (message, towards) = match start {
        ConversationStart::Newest => return Ok((Position::END, Towards::Older)),
        ConversationStart::Before(message) => (message, Towards::Older),
        ConversationStart::After(message) => (message, Towards::Newer),
    };
    let (table, place) = match message {
        MessageRef::Sent(id) => {
            let id = *id.as_uuid().as_bytes();
            let place = connection.first(sql::POSITION_OF_SENT, [id], |row| {
                Ok(Position { at: Columns::new(row, outbox::TABLE).get(0)?, of: Of::Sent(id) })
            });
            (outbox::TABLE, place?)
        }
        MessageRef::Received(id) => {
            let params = params![received::owner(id), id.message_id().get(), id.chat_id().get()];
            let place = connection.first(sql::POSITION_OF_RECEIVED, params, |row| {
                let columns = Columns::new(row, received::TABLE);
                Ok(Position { at: columns.get(0)?, of: Of::Received(columns.get(1)?) })
            });
            (received::TABLE, place?)
        }
        // Of a channel, whose conversations are elsewhere.
        MessageRef::Inbound(_) => (received::TABLE, None),
    };
    let place =
        place.ok_or_else(|| StoreError::not_found(table, format!("there is no message {message}")))?;
    Ok((place, towards))
}

fn list(
    connection: &Connection,
    of: (ChatId, &[IndexEntry]),
    (mut place, towards): (Position, Towards),
    needle: Option<&Needle>,
    page: &Page,
    most_rows: usize,
) -> Result<Paged<ConversationMessage>, StoreError> {
    let wanted = page.rows() as usize;
    let at_once = if needle.is_some() { PIECE } else { page.rows() };
    let (mut found, mut looked): (Vec<Positioned>, usize) = (Vec::new(), 0);
    let is_end = loop {
        let piece = piece(connection, of, place, towards, at_once)?;
        let is_last = piece.len() < at_once as usize;
        looked += piece.len();
        if let Some((last, _)) = piece.last() {
            place = *last;
        }
        let fits = |message: &ConversationMessage| needle.is_none_or(|needle| needle.fits(text(message)));
        found.extend(piece.into_iter().filter(|(_, message)| fits(message)));
        if is_last || found.len() >= wanted || looked >= most_rows {
            break is_last;
        }
    };
    let is_cut = found.len() >= wanted;
    if is_cut {
        found.truncate(wanted - 1);
        place = found.last().map_or(place, |(place, _)| *place);
    }
    let next_cursor = (is_cut || !is_end).then(|| place.to_string());
    let items = found.into_iter().map(|(_, message)| whole(connection, message));
    Ok(Paged { items: items.collect::<Result<_, _>>()?, next_cursor })
}

/// The messages next to a place, of both directions in one order; those of ours without their parts.
fn piece(
    connection: &Connection,
    (chat, lately): (ChatId, &[IndexEntry]),
    place: Position,
    towards: Towards,
    most: u32,
) -> Result<Vec<Positioned>, StoreError> {
    let (received, sent) = match towards {
        Towards::Older => (sql::RECEIVED_BEFORE, sql::SENT_BEFORE),
        Towards::Newer => (sql::RECEIVED_AFTER, sql::SENT_AFTER),
    };
    let (at, seq) = place.among_received();
    let mut all = connection.all(received, params![chat.get(), at, seq, most], of_received)?;
    let (at, id) = place.among_sent();
    all.extend(connection.all(sent, params![chat.get(), at, id, most], of_sent)?);
    all.extend(ended_lately(connection, lately, place, towards, most as usize)?);
    all.sort_unstable_by_key(|(place, _)| *place);
    // What came into the index meanwhile is there twice.
    all.dedup_by_key(|(place, _)| *place);
    if towards == Towards::Older {
        all.reverse();
    }
    all.truncate(most as usize);
    Ok(all)
}

/// The messages next to a place that are not in the index.
fn ended_lately(
    connection: &Connection,
    lately: &[IndexEntry],
    place: Position,
    towards: Towards,
    most: usize,
) -> Result<Vec<Positioned>, StoreError> {
    let mut next: Vec<_> =
        lately.iter().map(|one| (Position { at: one.at, of: Of::Sent(one.id) }, one)).collect();
    next.retain(|(at, _)| if towards == Towards::Older { *at < place } else { *at > place });
    next.sort_unstable();
    if towards == Towards::Older {
        next.reverse();
    }
    let mut found = Vec::new();
    for (_, IndexEntry { chat, at, id }) in next {
        found.extend(connection.first(sql::SENT_LATELY, params![*id, chat.get(), *at], of_sent)?);
        if found.len() >= most {
            break;
        }
    }
    Ok(found)
}

fn of_received(row: &Row<'_>) -> Result<Positioned, StoreError> {
    let message = received::row::read(row)?;
    let place = Position { at: Columns::new(row, received::TABLE).get(18)?, of: Of::Received(message.seq) };
    Ok((place, ConversationMessage::Received(Box::new(message))))
}

fn of_sent(row: &Row<'_>) -> Result<Positioned, StoreError> {
    let message = read_message(row)?;
    let of = Of::Sent(*message.id.as_uuid().as_bytes());
    let place = Position { at: Columns::new(row, outbox::TABLE).get(12)?, of };
    Ok((place, ConversationMessage::Sent(Box::new(message))))
}

fn text(message: &ConversationMessage) -> &str {
    match message {
        ConversationMessage::Received(stored) => stored.message.text.as_str(),
        ConversationMessage::Sent(message) => &message.content.text.text,
    }
}

fn whole(connection: &Connection, message: ConversationMessage) -> Result<ConversationMessage, StoreError> {
    Ok(match message {
        ConversationMessage::Sent(message) => {
            ConversationMessage::Sent(Box::new(with_parts(connection, *message)?))
        }
        received @ ConversationMessage::Received(_) => received,
    })
}
