//! Whom an account may have put into chats although no answer said so: when the step is repeated they are found there,
//! and it was this step that brought them.

use std::collections::VecDeque;

use domain::{ChatId, UserId};

use ambient::lock::Mutex;

const REMEMBERED: usize = 1_024;

/// A small ring: the oldest is forgotten.
#[derive(Debug, Default)]
pub(crate) struct RecentInvites(Mutex<VecDeque<(ChatId, UserId)>>);

impl RecentInvites {
    pub(crate) fn note(&self, chat_id: ChatId, users: &[UserId]) {
        let mut ring = self.0.lock();
        for user_id in users {
            if !ring.contains(&(chat_id, *user_id)) {
                if ring.len() == REMEMBERED {
                    ring.pop_front();
                }
                ring.push_back((chat_id, *user_id));
            }
        }
    }

    /// Whether it may have been us who brought them. True only once.
    pub(crate) fn recall(&self, chat_id: ChatId, user_id: UserId) -> bool {
        let mut ring = self.0.lock();
        let found = ring.iter().position(|one| *one == (chat_id, user_id));
        found.is_some_and(|place| ring.remove(place).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invite_is_recalled_once_and_in_its_chat_only() {
        let (invited, chat) = (RecentInvites::default(), ChatId::channel(5).expect("id"));
        let user = |id| UserId::new(id).expect("id");
        invited.note(chat, &[1, 2, 1].map(user));
        assert!(!invited.recall(ChatId::channel(6).expect("id"), user(1)));
        assert!(invited.recall(chat, user(1)) && !invited.recall(chat, user(1)));
        let many: Vec<UserId> = (10..2_000).map(user).collect();
        invited.note(chat, &many);
        assert!(!invited.recall(chat, user(2)) && invited.recall(chat, user(1_999)));
    }
}
