//! What an account has shown of its attention to a chat: how far it has read, and what it was about to do.

use grammers_tl_types::{Serializable, enums, name_for_id};
use serde::Serialize;

use super::orders::OutsideError;
use super::peer::Peer;
use super::state::State;
use super::world::Telegram;

/// Actions of one account in one chat that are remembered.
const MOST: usize = 100;

/// An account's attention to a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttentionView {
    /// The newest message that it has read.
    pub read_up_to: i32,
    pub unread: usize,
    /// What it said it was doing, oldest first, as in TL.
    pub typing: Vec<&'static str>,
}

impl State {
    /// Remembers what an account said that it was doing.
    pub(crate) fn note_typing(&mut self, user: i64, peer: Peer, action: &enums::SendMessageAction) {
        let id = action.to_bytes().first_chunk().copied().map_or(0, u32::from_le_bytes);
        let shown = self.typing.entry((user, peer)).or_default();
        if shown.len() < MOST {
            shown.push(name_for_id(id));
        }
    }
}

impl Telegram {
    /// An account's attention to a chat.
    pub fn attention(&self, account: &str, chat_id: &str) -> Result<AttentionView, OutsideError> {
        let state = self.lock();
        let (user, peer) = (state.named_account(account)?, state.named(chat_id)?);
        let dialog = state.mailboxes.get(&user).and_then(|mailbox| mailbox.dialog(peer));
        Ok(AttentionView {
            read_up_to: dialog.map_or(0, |dialog| dialog.read_inbox),
            unread: dialog.map_or(0, |dialog| state.unread(user, dialog)),
            typing: state.typing.get(&(user, peer)).cloned().unwrap_or_default(),
        })
    }
}
