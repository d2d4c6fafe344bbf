//! Reading one message by its id.

use domain::account::Operation;
use domain::{ChatId, ChatKind, TelegramMessageId};
use grammers_tl_types::{enums, functions, types};

use crate::account::Account;
use crate::calls::classify::CallError;
use crate::peers::parsing;

/// The message with this id in this chat, unless it is gone or reports a change of the chat.
pub(crate) async fn message(
    account: &Account,
    chat_id: ChatId,
    message_id: TelegramMessageId,
) -> Result<Option<types::Message>, CallError> {
    Ok(match any(account, chat_id, message_id).await? {
        Some(enums::Message::Message(message)) => Some(message),
        _ => None,
    })
}

/// The message with this id in this chat, as Telegram keeps it; none when it is gone, or belongs to another chat: in
/// private chats and basic groups an account counts all messages together.
pub(crate) async fn any(
    account: &Account,
    chat_id: ChatId,
    message_id: TelegramMessageId,
) -> Result<Option<enums::Message>, CallError> {
    let id = vec![types::InputMessageId { id: message_id.get() }.into()];
    let answer = if chat_id.kind() == ChatKind::Channel {
        let Some(channel) = account.peers.input_channel(chat_id) else {
            return Err(CallError::NotConnected("the account does not know the chat".to_owned()));
        };
        account.read(Operation::Read, &functions::channels::GetMessages { channel, id }).await?
    } else {
        account.read(Operation::Read, &functions::messages::GetMessages { id }).await?
    };
    let (messages, users, chats) = match answer {
        enums::messages::Messages::Messages(all) => (all.messages, all.users, all.chats),
        enums::messages::Messages::Slice(slice) => (slice.messages, slice.users, slice.chats),
        enums::messages::Messages::ChannelMessages(slice) => (slice.messages, slice.users, slice.chats),
        enums::messages::Messages::NotModified(_) => return Ok(None),
    };
    account.learn(&users, &chats, &[]).await;
    let is_it = |message: &enums::Message| {
        let peer = match message {
            enums::Message::Empty(_) => return false,
            enums::Message::Message(message) => &message.peer_id,
            enums::Message::Service(message) => &message.peer_id,
        };
        message.id() == message_id.get() && parsing::chat_id(peer) == Some(chat_id)
    };
    Ok(messages.into_iter().find(is_it))
}
