//! The Bot API of bots that have a token: their updates, their webhooks, and the presses that wait for an answer.

mod methods;
mod polling;
mod refusals;
mod updates;
mod webhook;

use std::collections::{HashMap, VecDeque};

use serde_json::Value;
use tokio::sync::oneshot;

pub(crate) use polling::answered;
pub use refusals::TroubleOrder;
pub(crate) use updates::BotAnswer;

/// How many updates of a bot wait at most; the oldest is forgotten.
const UPDATES_BOUND: usize = 10_000;
/// How many presses of a bot's buttons wait for an answer at most.
const QUERIES_BOUND: usize = 1_000;
/// How many messages in a row a chat takes, and how many all chats together; then one a second, and thirty.
const BURST: (f64, f64) = (20.0, 30.0);
const A_SECOND: (f64, f64) = (1.0, 30.0);

/// A bot as its program sees it.
#[derive(Debug, Default)]
pub(crate) struct ApiBot {
    token: String,
    /// Oldest first; the number is the `update_id`.
    updates: VecDeque<(i64, Value)>,
    last_update: i64,
    hook: Option<Hook>,
    /// Rises with each `getUpdates`: the one before ends when another begins.
    poll: u64,
    /// Presses that wait, by the id of their query, oldest first.
    queries: VecDeque<(String, oneshot::Sender<BotAnswer>)>,
    last_query: u64,
    troubles: Vec<TroubleOrder>,
    /// How many messages each chat may still get, and when that was counted, in Unix microseconds; 0 is all chats.
    room: HashMap<i64, (f64, i64)>,
}

/// A webhook.
#[derive(Debug, Clone, Default)]
struct Hook {
    url: String,
    secret: Option<String>,
    /// Not posted to before this, in Unix microseconds.
    after: i64,
    failures: u32,
    last_error: Option<(i32, String)>,
}

impl ApiBot {
    pub(super) fn of(token: &str) -> Self {
        Self { token: token.to_owned(), ..Self::default() }
    }

    fn put(&mut self, mut update: Value) {
        self.last_update += 1;
        if let Value::Object(fields) = &mut update {
            fields.insert("update_id".to_owned(), self.last_update.into());
        }
        if self.updates.len() == UPDATES_BOUND {
            self.updates.pop_front();
        }
        self.updates.push_back((self.last_update, update));
    }

    /// Takes one message's room of a chat and of all chats; otherwise, after how many seconds there is some.
    fn take_room(&mut self, chat: i64, at: i64) -> Result<(), i64> {
        let mut wait: f64 = 0.0;
        let kinds = [(chat, BURST.0, A_SECOND.0), (0, BURST.1, A_SECOND.1)];
        for (key, burst, a_second) in kinds {
            let (left, since) = self.room.entry(key).or_insert((burst, at));
            #[expect(clippy::cast_precision_loss, reason = "microseconds between two messages")]
            let passed = at.saturating_sub(*since) as f64 / 1e6;
            (*left, *since) = ((*left + passed * a_second).min(burst), at);
            if *left < 1.0 {
                wait = wait.max((1.0 - *left) / a_second);
            }
        }
        if wait > 0.0 {
            #[expect(clippy::cast_possible_truncation, reason = "a few seconds")]
            let seconds = wait.ceil() as i64;
            return Err(seconds);
        }
        for (key, ..) in kinds {
            if let Some((left, _)) = self.room.get_mut(&key) {
                *left -= 1.0;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_takes_a_burst_and_then_one_a_second() {
        let mut bot = ApiBot::default();
        for _ in 0..20 {
            assert_eq!(bot.take_room(5, 0), Ok(()));
        }
        assert_eq!(bot.take_room(5, 0), Err(1));
        for _ in 0..10 {
            assert_eq!(bot.take_room(6, 0), Ok(()));
        }
        assert_eq!(bot.take_room(7, 0), Err(1));
        assert_eq!(bot.take_room(5, 1_000_000), Ok(()));
        assert_eq!(bot.take_room(5, 1_000_000), Err(1));
    }

    #[test]
    fn updates_are_numbered_and_bounded() {
        let mut bot = ApiBot::default();
        for _ in 0..=UPDATES_BOUND {
            bot.put(serde_json::json!({}));
        }
        assert_eq!((bot.updates.len(), bot.updates[0].0), (UPDATES_BOUND, 2));
        assert_eq!(bot.updates[0].1["update_id"], 2);
    }
}
