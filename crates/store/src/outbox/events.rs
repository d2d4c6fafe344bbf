//! What other programs hear of messages.

use domain::event::MessageEvent;
use domain::outcome::Failure;
use domain::{AccountName, Event, MessageId, MessageState, Timestamp};

use super::statements as sql;
use super::{PARTS, TABLE, items, key};
use crate::column::Columns;
use crate::events::NewEvent;
use crate::write::Transaction;
use crate::{StoreError, codes};

/// A message is in another state than before, as its row has it by now. For the writes that few messages take; those that every
/// message takes know it without a look.
pub(super) fn changed(
    transaction: &Transaction<'_>,
    id: &MessageId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let found = transaction.first(sql::EVENT_OF, [key(id)], |row| {
        let columns = Columns::new(row, TABLE);
        let chat = match columns.maybe_chat_id(2)? {
            Some(chat_id) => chat_id.to_string(),
            None => columns.get(1)?,
        };
        let state = columns.coded(0, "state", codes::message)?;
        let failure = columns.maybe_json::<Failure>(4)?;
        Ok((state, chat, columns.maybe_account(3)?, failure))
    })?;
    let Some((state, chat, account, failure)) = found else { return Ok(()) };
    let mut data = MessageEvent::new(*id, state);
    match state {
        MessageState::Failed => data.code = failure.map(|failure| failure.code().to_owned()),
        MessageState::Sent => data.message_ids = message_ids(transaction, id)?,
        _ => {}
    }
    tell(transaction, data, account.as_ref(), chat, at);
    Ok(())
}

/// The provider has all of a message.
pub(super) fn sent(
    transaction: &Transaction<'_>,
    data: MessageEvent,
    account: &AccountName,
    chat: String,
    at: Timestamp,
) {
    tell(transaction, data, Some(account), chat, at);
}

/// A message was taken in.
pub(super) fn accepted(transaction: &Transaction<'_>, message: &domain::message::OutboundMessage) {
    let event = Event::MessageAccepted(MessageEvent::new(message.id, message.state));
    let account = message.account.as_ref().or(message.pin.as_ref()).cloned();
    let chat = Some(message.place().to_string());
    transaction.tell(NewEvent { at: message.created_at, account, chat, event });
}

/// The provider's ids of all parts, in order.
pub(super) fn message_ids(
    transaction: &Transaction<'_>,
    id: &MessageId,
) -> Result<Vec<domain::ProviderId>, StoreError> {
    let parts =
        transaction.all(sql::IDS_OF, [key(id)], |row| items::read_ids(&Columns::new(row, PARTS), 0, 1))?;
    Ok(parts.iter().flat_map(|ids| ids.iter().flatten().cloned().collect::<Vec<_>>()).collect())
}

fn tell(
    transaction: &Transaction<'_>,
    data: MessageEvent,
    account: Option<&AccountName>,
    chat: String,
    at: Timestamp,
) {
    let event = match data.state {
        MessageState::Queued | MessageState::Scheduled | MessageState::AwaitingApproval => {
            Event::MessageQueued(data)
        }
        MessageState::Sending => return,
        MessageState::Sent => Event::MessageSent(data),
        MessageState::Delivered => Event::MessageDelivered(data),
        MessageState::Read => Event::MessageRead(data),
        MessageState::Failed => Event::MessageFailed(data),
        MessageState::Cancelled => Event::MessageCancelled(data),
        MessageState::InDoubt => Event::MessageInDoubt(data),
    };
    transaction.tell(NewEvent { at, account: account.cloned(), chat: Some(chat), event });
}
