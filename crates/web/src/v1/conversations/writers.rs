//! Who writes an answer to which client at this moment, or has just sent one: kept in memory, for some seconds.

use std::collections::HashMap;
use std::time::Duration;

use ambient::lock::Mutex;
use domain::{ClientId, MessageId};
use store::ClientMessage;

/// A person who writes says so again before this is over. An answer is in its conversation by then.
const HOLDS: Duration = Duration::from_secs(10);
/// Clients that are known to be written to; of more nothing is known.
const MOST: usize = 1000;

#[derive(Debug, Default)]
pub(crate) struct Writers {
    writing: Mutex<HashMap<ClientId, Vec<(String, Duration)>>>,
    answers: Mutex<HashMap<ClientId, Answer>>,
}

/// The last answer to a client, which the conversation may not have yet.
#[derive(Debug)]
struct Answer {
    who: String,
    /// None until it is taken in.
    message: Option<MessageId>,
    until: Duration,
}

impl Writers {
    /// Notes whether someone writes to a client; says who else does.
    pub(crate) fn tell(&self, client: ClientId, who: &str, is_writing: bool, now: Duration) -> Vec<String> {
        let mut known = self.writing.lock();
        known.retain(|_, writers| {
            writers.retain(|(_, until)| *until > now);
            !writers.is_empty()
        });
        if let Some(writers) = known.get_mut(&client) {
            writers.retain(|(name, _)| name != who);
        }
        let others = known.get(&client).map(|writers| writers.iter().map(|(name, _)| name.clone()).collect());
        if is_writing && known.len() < MOST {
            known.entry(client).or_default().push((who.to_owned(), now + HOLDS));
        }
        others.unwrap_or_default()
    }

    /// Someone answers a client now. False where someone else has, and it is not among the messages that were read, if any were.
    pub(crate) fn begin(
        &self,
        client: ClientId,
        who: &str,
        read: Option<&[ClientMessage]>,
        now: Duration,
    ) -> bool {
        let mut answers = self.answers.lock();
        answers.retain(|_, answer| answer.until > now);
        let is_among = |read: &[ClientMessage], id: MessageId| {
            let id = id.to_string();
            read.iter().any(|one| one.message == id)
        };
        let is_known = answers.get(&client).is_none_or(|answer| {
            let is_read = |read| answer.message.is_some_and(|id| is_among(read, id));
            answer.who == who || read.is_none_or(is_read)
        });
        if is_known {
            answers.insert(client, Answer { who: who.to_owned(), message: None, until: now + HOLDS });
        }
        is_known
    }

    /// Someone has sent what they wrote, as this message; without one it was refused.
    pub(crate) fn over(&self, client: ClientId, who: &str, message: Option<MessageId>) {
        self.answers.lock().retain(|of, answer| {
            let is_it = *of == client && answer.who == who;
            if is_it {
                answer.message = message;
            }
            !is_it || message.is_some()
        });
        if message.is_some()
            && let Some(writers) = self.writing.lock().get_mut(&client)
        {
            writers.retain(|(name, _)| name != who);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_writer_is_known_to_others_for_ten_seconds() {
        let (writers, client) =
            (Writers::default(), "client_01k2v7m3w0e9tq4b8s6n5x1zyr".parse().expect("a client"));
        let at = Duration::from_secs;
        assert_eq!(writers.tell(client, "olga", true, at(0)), <[String; 0]>::default());
        assert_eq!(writers.tell(client, "anna", false, at(1)), ["olga"]);
        assert_eq!(writers.tell(client, "olga", true, at(5)), <[String; 0]>::default());
        assert_eq!(writers.tell(client, "anna", false, at(14)), ["olga"]);
        assert_eq!(writers.tell(client, "anna", false, at(15)), <[String; 0]>::default());
        writers.tell(client, "olga", true, at(20));
        writers.over(client, "olga", Some(MessageId::MIN));
        assert_eq!(writers.tell(client, "anna", false, at(21)), <[String; 0]>::default());
    }

    #[test]
    fn an_answer_that_was_not_read_holds_another_back() {
        let (writers, client) =
            (Writers::default(), "client_01k2v7m3w0e9tq4b8s6n5x1zyr".parse().expect("a client"));
        let begins = |who: &str, at: u64| writers.begin(client, who, Some(&[]), Duration::from_secs(at));
        assert!(begins("olga", 0) && begins("olga", 0) && !begins("anna", 0));
        writers.over(client, "olga", None);
        assert!(begins("anna", 0) && !begins("olga", 0));
        writers.over(client, "anna", Some(MessageId::MIN));
        assert!(!begins("olga", 9) && begins("olga", 10));
    }
}
