//! The latest messages an account sent: which `random_id` became which message.

use std::collections::VecDeque;

use domain::{ChatId, TelegramMessageId};

use ambient::lock::Mutex;

const REMEMBERED: usize = 128;

#[derive(Debug, Clone, Copy)]
struct Sent {
    random_id: i64,
    message: TelegramMessageId,
    chat: Option<ChatId>,
}

/// A small ring: the oldest is forgotten.
#[derive(Debug, Default)]
pub(crate) struct RecentlySent(Mutex<VecDeque<Sent>>);

impl RecentlySent {
    pub(crate) fn note(&self, random_id: i64, message: TelegramMessageId, chat: Option<ChatId>) {
        let mut ring = self.0.lock();
        // The answer and the update report the same thing; the newest are at the back.
        if let Some(known) = ring.iter_mut().rev().find(|sent| sent.random_id == random_id) {
            known.chat = known.chat.or(chat);
            return;
        }
        if ring.len() == REMEMBERED {
            ring.pop_front();
        }
        ring.push_back(Sent { random_id, message, chat });
    }

    /// The message that went out under this `random_id`.
    pub(crate) fn message(&self, random_id: i64) -> Option<TelegramMessageId> {
        let ring = self.0.lock();
        ring.iter().rev().find(|sent| sent.random_id == random_id).map(|sent| sent.message)
    }

    /// The messages in a chat that are known to be others than those with these `random_id`s.
    pub(crate) fn others(&self, chat: ChatId, random_ids: &[i64]) -> Vec<TelegramMessageId> {
        let ring = self.0.lock();
        ring.iter()
            .filter(|sent| sent.chat == Some(chat) && !random_ids.contains(&sent.random_id))
            .map(|sent| sent.message)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_and_a_repeat_adds_nothing() {
        let id = |number: i64| TelegramMessageId::new(number).expect("an id");
        let (recently_sent, chat) = (RecentlySent::default(), ChatId::user(7));
        recently_sent.note(1, id(101), None);
        recently_sent.note(1, id(101), chat);
        recently_sent.note(2, id(102), chat);
        assert_eq!((recently_sent.message(1), recently_sent.message(3)), (Some(id(101)), None));
        assert_eq!(recently_sent.others(chat.expect("id"), &[1]), [id(102)]);
        for random_id in 10..10 + 128 {
            recently_sent.note(random_id, id(random_id), None);
        }
        assert_eq!(recently_sent.message(1), None);
        assert_eq!(recently_sent.0.lock().len(), REMEMBERED);
    }
}
