//! Chats that are made and closed from outside: by an owner at the phone, by a client.

use grammers_tl_types::types;

use super::methods::normalized_title;
use super::orders::{ChatKind, ChatName, NewChat, OutsideError};
use super::peer::Peer;
use super::state::State;
use super::world::{Telegram, now};

impl State {
    pub(crate) fn make_chat(&mut self, order: &NewChat) -> Result<ChatName, OutsideError> {
        let title = normalized_title(&order.title)
            .map_err(|_| OutsideError::Invalid("title must have 1 to 128 characters".to_owned()))?;
        let creator = self.named_user(&order.creator)?;
        let named: Result<Vec<i64>, _> = order.members.iter().map(|name| self.named_user(name)).collect();
        let members = named?;
        let at = now();
        let (peer, action) = match order.kind {
            ChatKind::Group => {
                let id = self.make_group(creator, &title, &members, at.date());
                (Peer::Group(id), types::MessageActionChatCreate { title, users: members }.into())
            }
            ChatKind::Supergroup | ChatKind::Channel => {
                let megagroup = order.kind == ChatKind::Supergroup;
                let id = self.make_channel(creator, &title, megagroup, at.date());
                for user in members {
                    self.enter_channel(user, id, creator, at.date());
                }
                for reader in self.readers(id) {
                    self.notify_of_membership(reader, id, at, None);
                }
                (Peer::Channel(id), types::MessageActionChannelCreate { title }.into())
            }
        };
        self.announce(creator, peer, action, at, None);
        Ok(ChatName { chat_id: peer.to_string() })
    }

    /// Closes a chat for everybody.
    pub(crate) fn close_chat(&mut self, chat_id: &str) -> Result<(), OutsideError> {
        match self.named(chat_id)? {
            Peer::User(_) => return Err(OutsideError::Invalid("a private chat is not closed".to_owned())),
            Peer::Group(id) => self.close_group(id, now(), None),
            Peer::Channel(id) => self.close_channel(id, now(), None),
        }
        Ok(())
    }
}

impl Telegram {
    /// Makes a chat. It is no effect of an account's call: the ledger does not have it.
    pub fn make_chat(&self, order: &NewChat) -> Result<ChatName, OutsideError> {
        self.lock().make_chat(order)
    }

    /// Closes a chat for everybody.
    pub fn close_chat(&self, chat_id: &str) -> Result<(), OutsideError> {
        self.lock().close_chat(chat_id)
    }
}
