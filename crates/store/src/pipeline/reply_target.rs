//! Where an answer goes: to a chat of the conversation itself.

use domain::{ChannelChat, ChatType, ClientId};

use super::rows::{ClientChat, StoredClient, StoredTurn};
use super::{Pipeline, clients, intake, rows, statements as sql};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Row, params};
use crate::write::Transaction;

/// A chat that an answer goes to. Only the store makes one, of a chat that the conversation of the client has: a person's conversation
/// has private chats alone, and that of a group has that group alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyTarget {
    client: ClientId,
    chat: ChannelChat,
}

impl ReplyTarget {
    /// Returns the target if the chat is one of this conversation.
    pub(super) fn of(client: &StoredClient, chat: &ClientChat) -> Option<Self> {
        let is_its_own = chat.client == Some(client.id) && chat.chat_type == client.chat_type;
        is_its_own.then(|| Self { client: client.id, chat: chat.chat.clone() })
    }

    /// Returns the client whose conversation it is.
    pub const fn client(&self) -> ClientId {
        self.client
    }

    /// Returns the chat.
    pub const fn chat(&self) -> &ChannelChat {
        &self.chat
    }
}

impl Pipeline<'_> {
    /// Returns where an answer to a client goes: to the given chat, or to the one that the client wrote in last. None if that is no chat
    /// of this conversation.
    pub async fn reply_target(
        &self,
        client: ClientId,
        chat: Option<ChannelChat>,
    ) -> Result<Option<ReplyTarget>, StoreError> {
        self.store
            .read(move |connection| {
                let transaction = Transaction::new(connection, false);
                let Some(client) = clients::get(&transaction, &client)? else { return Ok(None) };
                let read = |row: &Row<'_>| rows::address(&Columns::new(row, super::TABLE), 0);
                if let Some(chat) = chat {
                    let known = intake::chat(&transaction, &chat)?;
                    return Ok(known.and_then(|known| ReplyTarget::of(&client, &known)));
                }
                let key = params![client.id.as_uuid().as_bytes()];
                let Some(last) = transaction.first(sql::LAST_CHAT, key, read)? else { return Ok(None) };
                match intake::chat(&transaction, &last)? {
                    Some(known) => Ok(ReplyTarget::of(&client, &known)),
                    // An import brought the messages of the client alone. It brings no groups.
                    None if client.chat_type == ChatType::Private => {
                        Ok(Some(ReplyTarget { client: client.id, chat: last }))
                    }
                    None => Ok(None),
                }
            })
            .await
    }

    /// Returns where the answer of a turn goes; none if its chat went to another client meanwhile.
    pub async fn reply_target_of(&self, turn: &StoredTurn) -> Result<Option<ReplyTarget>, StoreError> {
        match turn.client {
            Some(client) => self.reply_target(client, Some(turn.chat.clone())).await,
            None => Ok(None),
        }
    }
}
