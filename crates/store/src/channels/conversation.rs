//! The conversation of a chat of a channel: what came in and what was sent to it, in one order.

use domain::{ChannelChat, MessageRef};

use super::{ChannelConversationMessage, TABLE, not_stored, row, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::conversations::position::{Of, Position};
use crate::conversations::{ConversationStart, statements as conversations};
use crate::database::{Connection, Row, params};
use crate::needle::Needle;
use crate::outbox::{self, read_message, with_parts};
use crate::paging::{Page, Paged};

/// Rows looked at in one look for a text at most.
const MOST_ROWS: usize = 20_000;
/// Rows of each direction that such a look reads at a time.
const PIECE: u32 = 500;

type Positioned = (Position, ChannelConversationMessage);

pub(super) fn list(
    connection: &Connection,
    address: &ChannelChat,
    start: &ConversationStart,
    text: Option<&str>,
    page: &Page,
) -> Result<Paged<ChannelConversationMessage>, StoreError> {
    let (first, is_back) = begin(connection, start)?;
    let mut place = page.after()?.unwrap_or(first);
    let needle = text.map(Needle::new);
    let wanted = page.rows() as usize;
    let at_once = if needle.is_some() { PIECE } else { page.rows() };
    let (mut found, mut looked): (Vec<Positioned>, usize) = (Vec::new(), 0);
    let is_end = loop {
        let piece = piece(connection, address, place, is_back, at_once)?;
        let is_last = piece.len() < at_once as usize;
        looked += piece.len();
        if let Some((last, _)) = piece.last() {
            place = *last;
        }
        let fits = |message: &ChannelConversationMessage| {
            needle.as_ref().is_none_or(|needle| needle.fits(words(message)))
        };
        found.extend(piece.into_iter().filter(|(_, message)| fits(message)));
        if is_last || found.len() >= wanted || looked >= MOST_ROWS {
            break is_last;
        }
    };
    let is_cut = found.len() >= wanted;
    if is_cut {
        found.truncate(wanted - 1);
        place = found.last().map_or(place, |(place, _)| *place);
    }
    let next_cursor = (is_cut || !is_end).then(|| place.to_string());
    let whole = |(_, message)| match message {
        ChannelConversationMessage::Sent(message) => {
            with_parts(connection, *message).map(|it| ChannelConversationMessage::Sent(Box::new(it)))
        }
        received @ ChannelConversationMessage::Received(_) => Ok(received),
    };
    Ok(Paged { items: found.into_iter().map(whole).collect::<Result<_, _>>()?, next_cursor })
}

/// Where a page begins, and whether it goes back.
fn begin(connection: &Connection, start: &ConversationStart) -> Result<(Position, bool), StoreError> {
    let (message, is_back) = match start {
        ConversationStart::Newest => return Ok((Position::END, true)),
        ConversationStart::Before(message) => (message, true),
        ConversationStart::After(message) => (message, false),
    };
    let place = match message {
        MessageRef::Sent(id) => {
            let id = *id.as_uuid().as_bytes();
            connection.first(conversations::POSITION_OF_SENT, [id], |row| {
                Ok(Position { at: Columns::new(row, outbox::TABLE).get(0)?, of: Of::Sent(id) })
            })?
        }
        MessageRef::Inbound(id) => connection.first(sql::POSITION, [id.get()], |row| {
            let columns = Columns::new(row, TABLE);
            Ok(Position { at: columns.get(0)?, of: Of::Received(columns.get(1)?) })
        })?,
        MessageRef::Received(_) => None,
    };
    place.map(|place| (place, is_back)).ok_or_else(|| not_stored(message))
}

/// The messages next to a place, of both directions in one order; those of ours without their parts.
fn piece(
    connection: &Connection,
    address: &ChannelChat,
    place: Position,
    is_back: bool,
    most: u32,
) -> Result<Vec<Positioned>, StoreError> {
    let (received, sent) = if is_back {
        (sql::RECEIVED_BEFORE, sql::SENT_BEFORE)
    } else {
        (sql::RECEIVED_AFTER, sql::SENT_AFTER)
    };
    let (at, seq) = place.among_received();
    let (channel, account) = (address.channel.as_str(), address.account.as_str());
    let params = params![channel, account, address.chat.as_str(), at, seq, most];
    let mut all = connection.all(received, params, of_received)?;
    let (at, id) = place.among_sent();
    all.extend(connection.all(sent, params![address.to_string(), at, id, most], of_sent)?);
    all.sort_unstable_by_key(|(place, _)| *place);
    if is_back {
        all.reverse();
    }
    all.truncate(most as usize);
    Ok(all)
}

fn of_received(found: &Row<'_>) -> Result<Positioned, StoreError> {
    let message = row::read(found)?;
    let at = Columns::new(found, TABLE).get(18)?;
    let place = Position { at, of: Of::Received(message.id.get()) };
    Ok((place, ChannelConversationMessage::Received(Box::new(message))))
}

fn of_sent(found: &Row<'_>) -> Result<Positioned, StoreError> {
    let message = read_message(found)?;
    let of = Of::Sent(*message.id.as_uuid().as_bytes());
    let place = Position { at: Columns::new(found, outbox::TABLE).get(12)?, of };
    Ok((place, ChannelConversationMessage::Sent(Box::new(message))))
}

fn words(message: &ChannelConversationMessage) -> &str {
    match message {
        ChannelConversationMessage::Received(stored) => stored.message.text.as_str(),
        ChannelConversationMessage::Sent(message) => &message.content.text.text,
    }
}
