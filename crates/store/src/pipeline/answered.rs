//! The words of the message that a client answers, where the provider gives only the id of it.

use domain::{AccountName, ChannelChat, ChatId, InboundId, MessageId, ReceivedId, TelegramMessageId};

use super::{TABLE, TELEGRAM_ACCOUNT, statements as sql};
use crate::StoreError;
use crate::channels::statements as channels;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::outbox::statements as outbox;
use crate::write::Transaction;

/// As many messages that were sent into a chat are looked through, the newest ones.
const MOST: i64 = 200;

/// Returns the words of the message of this chat that its provider calls so. None if it is not stored, or was deleted.
pub(super) fn words_of(
    transaction: &Transaction<'_>,
    chat: &ChannelChat,
    id: &str,
) -> Result<Option<String>, StoreError> {
    let names = if chat.channel.as_str() == TELEGRAM_ACCOUNT {
        of_telegram(transaction, chat, id)?
    } else {
        of_channel(transaction, chat, id)?
    };
    for name in names.into_iter().flatten() {
        let key = params![name, chat.channel.as_str(), chat.account.as_str(), chat.chat.as_str()];
        let words = |row: &Row<'_>| Columns::new(row, TABLE).get::<String>(0);
        if let Some(words) = transaction.first(sql::WORDS_OF, key, words)? {
            return Ok(Some(words));
        }
    }
    Ok(None)
}

/// What a message is called here: if it came in, and if this program sent it.
type Names = [Option<String>; 2];

fn of_channel(transaction: &Transaction<'_>, chat: &ChannelChat, id: &str) -> Result<Names, StoreError> {
    let key = params![chat.channel.as_str(), chat.account.as_str(), id];
    let received = transaction.first(channels::IS_STORED, key, |row| Columns::new(row, TABLE).get(0))?;
    let sent = transaction.first(outbox::RECEIPT_FOR, key, |row| Columns::new(row, TABLE).message_id(0))?;
    Ok([received.and_then(InboundId::new).map(|id| id.to_string()), sent.map(|id| id.to_string())])
}

fn of_telegram(transaction: &Transaction<'_>, chat: &ChannelChat, id: &str) -> Result<Names, StoreError> {
    let ids = chat
        .chat
        .as_str()
        .parse()
        .ok()
        .and_then(ChatId::new)
        .zip(id.parse::<i32>().ok().and_then(TelegramMessageId::new));
    let Some((chat_id, message_id)) = ids else { return Ok([None, None]) };
    let received = ReceivedId::seen_by(chat_id, message_id, &chat.account).to_string();
    let sent = sent_as(transaction, &chat.account, chat_id, message_id)?;
    Ok([Some(received), sent.map(|id| id.to_string())])
}

fn sent_as(
    transaction: &Transaction<'_>,
    account: &AccountName,
    chat_id: ChatId,
    message_id: TelegramMessageId,
) -> Result<Option<MessageId>, StoreError> {
    let (account, number) = (account.as_str(), message_id.get());
    let in_album = format!("%,{number},%");
    let read = |row: &Row<'_>| Columns::new(row, TABLE).message_id(0);
    for ended in transaction.ended_lately(chat_id) {
        let key = params![ended.id, account, number, in_album.as_str()];
        if let Some(found) = transaction.first(sql::IS_SENT_AS, key, read)? {
            return Ok(Some(found));
        }
    }
    let key = params![chat_id.get(), MOST, account, number, in_album];
    transaction.first(sql::SENT_AS, key, read)
}
