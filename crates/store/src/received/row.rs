//! A message that came in as a row.

use domain::MessageOrigin;
use domain::{ReceivedMessage, TelegramMessageId, Words};
use serde::Serialize;

use super::{StoredReceived, TABLE};
use crate::StoreError;
use crate::column::{Columns, to_json};
use crate::database::Row;

/// The number of [`MessageOrigin::Owner`] as long as this program may have sent it.
pub(crate) const UNSETTLED: i64 = 4;

pub(crate) const fn code(origin: MessageOrigin) -> i64 {
    match origin {
        MessageOrigin::Person => 0,
        MessageOrigin::Bot => 1,
        MessageOrigin::Owner => 2,
        MessageOrigin::Service => 3,
    }
}

/// Reads a row of the columns `seq, account, chat_id, message_id, origin, sender_id, sender_name, text, entities, media,
/// forward, reactions, service, reply_to, album, sent_at, edited_at, deleted_at`.
pub(crate) fn read(row: &Row<'_>) -> Result<StoredReceived, StoreError> {
    let columns = Columns::new(row, TABLE);
    let message_id = |index| -> Result<Option<TelegramMessageId>, StoreError> {
        let Some(number) = columns.get::<Option<i64>>(index)? else { return Ok(None) };
        TelegramMessageId::new(number)
            .map(Some)
            .ok_or_else(|| columns.strange(index, "id of a message", number))
    };
    let origin = |number| MessageOrigin::ALL.into_iter().find(|origin| code(*origin) == number);
    let message = ReceivedMessage {
        account: columns.account(1)?,
        chat_id: columns.chat_id(2)?,
        message_id: message_id(3)?.ok_or_else(|| columns.strange(3, "id of a message", "NULL"))?,
        origin: columns.coded(4, "origin of a message", origin)?,
        sender: columns.maybe_chat_id(5)?,
        sender_name: columns.get(6)?,
        text: Words::from(columns.get::<String>(7)?),
        entities: columns.maybe_json(8)?.unwrap_or_default(),
        media: columns.maybe_json(9)?,
        forward: columns.maybe_json(10)?,
        reactions: columns.maybe_json(11)?.unwrap_or_default(),
        service: columns.get(12)?,
        reply_to: message_id(13)?,
        album: columns.get(14)?,
        sent_at: columns.time(15)?,
        edited_at: columns.maybe_time(16)?,
    };
    Ok(StoredReceived { seq: columns.get(0)?, message, deleted_at: columns.maybe_time(17)? })
}

/// A list as a column: NULL where it is empty.
pub(super) fn list<T: Serialize>(items: &[T]) -> Result<Option<String>, StoreError> {
    if items.is_empty() { Ok(None) } else { to_json(TABLE, &items).map(Some) }
}

/// Something as a column, where there is something.
pub(super) fn maybe<T: Serialize>(item: Option<&T>) -> Result<Option<String>, StoreError> {
    item.map(|item| to_json(TABLE, item)).transpose()
}
