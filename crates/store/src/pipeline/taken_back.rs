//! Messages that need no answer: those that say nothing, and those that their writer took back before they were answered.

use domain::text::shows_nothing;
use domain::{ChannelChat, InboundKind, InboundMedia, Timestamp, TurnId, TurnStage};

use super::{TABLE, intake, rows, statements as sql, turns};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::write::Transaction;

/// The most messages that wait in a chat and are read.
const MOST_WAITING: u32 = 200;

/// Whether a message says nothing: nothing that is seen, and nothing attached.
pub(super) fn says_nothing(text: &str, media: &[InboundMedia]) -> bool {
    media.iter().all(|media| media.kind == InboundKind::Reply) && shows_nothing(text)
}

/// Records that a client took a message back. A turn without an answer drops that message, and ends if it has no other.
pub(super) fn taken_back(
    transaction: &Transaction<'_>,
    message: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let read = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        Ok((rows::address(&columns, 0)?, rows::maybe_turn_id(&columns, 3)?))
    };
    let Some((chat, turn)) = transaction.first(sql::WRITTEN, params![message], read)? else { return Ok(()) };
    if let Some(turn) = turn {
        return leave_turn(transaction, &chat, &turn, now);
    }
    if is_left(transaction, &chat)? { Ok(()) } else { stop_waiting(transaction, &chat) }
}

fn leave_turn(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
    turn: &TurnId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let Some(known) = intake::chat(transaction, chat)? else { return Ok(()) };
    let is_open = known.turn.as_ref() == Some(turn) && known.stage.is_some_and(|it| it <= TurnStage::Respond);
    if !is_open {
        return Ok(());
    }
    turns::discard(transaction, turn, &known, "the client took a message back", now)?;
    if is_left(transaction, chat)? {
        let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
        return transaction.run(sql::WAIT_AT_ONCE, params![now.as_micros(), channel, account, chat]);
    }
    stop_waiting(transaction, chat)
}

/// Whether something waits in a chat that can be answered.
fn is_left(transaction: &Transaction<'_>, chat: &ChannelChat) -> Result<bool, StoreError> {
    let read = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        let media: Option<Vec<InboundMedia>> = columns.maybe_json(1)?;
        Ok(!says_nothing(&columns.get::<String>(0)?, &media.unwrap_or_default()))
    };
    let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
    let waiting = transaction.all(sql::LEFT_WAITING, params![channel, account, chat, MOST_WAITING], read)?;
    Ok(waiting.contains(&true))
}

fn stop_waiting(transaction: &Transaction<'_>, chat: &ChannelChat) -> Result<(), StoreError> {
    let (channel, account, chat) = (chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str());
    transaction.run(sql::STOP_WAITING, params![channel, account, chat])
}
