//! Attention to a chat: how far it was read, and what an account was about to do there.

use grammers_tl_types::{Serializable, enums, name_for_id, types};
use serde::Serialize;

use super::orders::{NewRead, OutsideError};
use super::peer::Peer;
use super::render::Cast;
use super::sessions::SessionKey;
use super::state::{Moment, State};
use super::update_log::Event;
use super::world::{Telegram, now};

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

    /// What an account wrote in a chat was read by another, up to a message: it hears of that once.
    pub(crate) fn note_read(
        &mut self,
        author: i64,
        peer: Peer,
        max_id: i32,
        at: Moment,
        here: Option<SessionKey>,
    ) {
        let Some(mailbox) = self.mailboxes.get_mut(&author) else { return };
        let dialog = mailbox.open(peer);
        if max_id <= dialog.read_outbox {
            return;
        }
        dialog.read_outbox = max_id;
        let cast = Cast::of(peer);
        if let Peer::Channel(channel_id) = peer {
            // It counts in no state of updates.
            let update = types::UpdateReadChannelOutbox { channel_id, max_id };
            self.tell(author, vec![update.into()], &cast, at, here);
        } else {
            self.note(author, Event::ReadOutbox { peer, max_id }, &cast, at, here, |pts| {
                types::UpdateReadHistoryOutbox { peer: peer.to_tl(), max_id, pts, pts_count: 1 }.into()
            });
        }
    }

    /// The newest message of this author in a chat, in its own numbering.
    fn newest_of(&self, author: i64, peer: Peer) -> Option<i32> {
        let history = match peer {
            Peer::Channel(id) => &self.channels.get(&id)?.history,
            Peer::User(_) | Peer::Group(_) => &self.mailboxes.get(&author)?.dialog(peer)?.history,
        };
        history.newest_first().find(|message| message.from == author).map(|message| message.id)
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

    /// Lets a user read a chat to its end: each account that wrote there is notified.
    pub fn read(&self, order: &NewRead) -> Result<(), OutsideError> {
        let mut state = self.lock();
        let (from, peer) = (state.named_user(&order.from)?, state.named(&order.chat)?);
        state.may_read(from, peer)?;
        let (authors, there): (Vec<i64>, _) = match peer {
            Peer::User(author) => (vec![author], Peer::User(from)),
            Peer::Group(id) => {
                let members = state.groups.get(&id).map(|group| group.members.keys().copied());
                (members.into_iter().flatten().collect(), peer)
            }
            Peer::Channel(id) => (state.readers(id), peer),
        };
        for author in authors.into_iter().filter(|author| *author != from) {
            if let Some(max_id) = state.newest_of(author, there) {
                state.note_read(author, there, max_id, now(), None);
            }
        }
        Ok(())
    }
}
