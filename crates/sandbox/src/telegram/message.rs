//! A message as the world keeps it: one copy per mailbox in private chats and basic groups, one in all in a channel.

use std::collections::VecDeque;
use std::sync::Arc;

use grammers_tl_types::enums;

use super::files::Media;
use super::peer::Peer;

/// What a chat keeps of its past; older messages fall out.
const HISTORY_BOUND: usize = 10_000;

/// Where a forwarded message comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Forward {
    /// Who said it first: a user, or a channel that is no supergroup.
    pub(crate) from: Peer,
    /// When it was said.
    pub(crate) date: i32,
    /// Its id in that channel.
    pub(crate) post: Option<i32>,
}

/// What is said, shared by all copies.
#[derive(Debug, Clone, Default)]
pub(crate) struct Body {
    pub(crate) text: Arc<str>,
    pub(crate) entities: Option<Arc<[enums::MessageEntity]>>,
    pub(crate) markup: Option<Arc<enums::ReplyMarkup>>,
    /// A service message has this and no text.
    pub(crate) service: Option<Arc<enums::MessageAction>>,
    pub(crate) forward: Option<Arc<Forward>>,
    pub(crate) media: Option<Media>,
    /// The album it belongs to.
    pub(crate) group: Option<i64>,
    /// Emojis, and how often each was given.
    pub(crate) reactions: Option<Arc<[(String, i32)]>>,
}

/// One copy.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) id: i32,
    /// The same in all copies of one message, and rising.
    pub(crate) origin: u64,
    pub(crate) date: i32,
    pub(crate) edit_date: Option<i32>,
    pub(crate) from: i64,
    /// In the numbering of this copy's mailbox or channel.
    pub(crate) reply_to: Option<i32>,
    pub(crate) silent: bool,
    pub(crate) body: Body,
}

/// The messages of one chat in one numbering, oldest first.
#[derive(Debug, Default)]
pub(crate) struct History {
    messages: VecDeque<Stored>,
}

impl History {
    /// Adds the newest message; its id and origin are larger than all before.
    pub(crate) fn push(&mut self, message: Stored) {
        if self.messages.len() == HISTORY_BOUND {
            self.messages.pop_front();
        }
        self.messages.push_back(message);
    }

    fn index_of(&self, id: i32) -> Option<usize> {
        self.messages.binary_search_by_key(&id, |message| message.id).ok()
    }

    fn index_of_origin(&self, origin: u64) -> Option<usize> {
        self.messages.binary_search_by_key(&origin, |message| message.origin).ok()
    }

    pub(crate) fn get(&self, id: i32) -> Option<&Stored> {
        self.index_of(id).and_then(|index| self.messages.get(index))
    }

    pub(crate) fn get_mut(&mut self, id: i32) -> Option<&mut Stored> {
        self.index_of(id).and_then(|index| self.messages.get_mut(index))
    }

    pub(crate) fn by_origin(&self, origin: u64) -> Option<&Stored> {
        self.index_of_origin(origin).and_then(|index| self.messages.get(index))
    }

    pub(crate) fn remove(&mut self, id: i32) -> Option<Stored> {
        self.index_of(id).and_then(|index| self.messages.remove(index))
    }

    pub(crate) fn last(&self) -> Option<&Stored> {
        self.messages.back()
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.messages.len()
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Stored> {
        self.messages.iter().rev()
    }

    /// How many messages come after this id.
    pub(crate) fn count_after(&self, id: i32) -> usize {
        self.messages.len() - self.messages.partition_point(|message| message.id <= id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(id: i32) -> Stored {
        Stored {
            id,
            origin: u64::try_from(id).unwrap() * 10,
            date: id,
            edit_date: None,
            from: 1,
            reply_to: None,
            silent: false,
            body: Body::default(),
        }
    }

    #[test]
    fn messages_are_found_by_id_or_origin_until_dropped() {
        let mut history = History::default();
        for id in 1..=10_001 {
            history.push(message(id * 2));
        }
        assert_eq!(history.len(), 10_000);
        assert!(history.get(2).is_none());
        assert_eq!(history.get(4).map(|m| m.id), Some(4));
        assert!(history.get(5).is_none());
        assert_eq!(history.by_origin(80).map(|m| m.id), Some(8));
        assert_eq!(history.remove(8).map(|m| m.id), Some(8));
        assert!(history.by_origin(80).is_none());
        assert_eq!(history.count_after(20_000), 1);
        assert_eq!(history.newest_first().next().map(|m| m.id), Some(20_002));
    }
}
