//! Tickets: the password was right and the code of the second factor is still wanted. Held in memory alone.

use std::collections::HashMap;
use std::time::Duration;

use domain::{SecretText, Timestamp, UserName};

use crate::token::SessionToken;

/// How long a ticket is good.
const LIFE: Duration = Duration::from_mins(5);
/// Codes that may be tried with one.
const TRIES: u8 = 5;
/// Tickets at a time; each took a right password. The oldest goes first.
const BOUND: usize = 200;

/// For whom a ticket is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) user: UserName,
    /// The password that was checked: since when it is this one.
    pub(crate) password_at: Timestamp,
    made: Timestamp,
    tries: u8,
}

/// The tickets that are out, by the SHA-256 of their text.
#[derive(Default)]
pub(crate) struct Tickets(HashMap<[u8; 32], Ticket>);

impl Tickets {
    pub(crate) fn give(
        &mut self,
        user: UserName,
        password_at: Timestamp,
        now: Timestamp,
    ) -> Result<SecretText, getrandom::Error> {
        let token = SessionToken::draw()?;
        self.0.retain(|_, ticket| now.since(ticket.made) < LIFE);
        if self.0.len() >= BOUND {
            let oldest = self.0.iter().min_by_key(|(_, ticket)| ticket.made).map(|(hash, _)| *hash);
            oldest.map(|oldest| self.0.remove(&oldest));
        }
        self.0.insert(token.hash(), Ticket { user, password_at, made: now, tries: 0 });
        Ok(SecretText::from(token.text()))
    }

    /// The ticket with this text, for one more try; nothing when it is unknown, too old or used up.
    pub(crate) fn present(&mut self, text: &str, now: Timestamp) -> Option<Ticket> {
        let ticket = self.0.get_mut(&SessionToken::read(text)?.hash())?;
        if now.since(ticket.made) >= LIFE || ticket.tries >= TRIES {
            return None;
        }
        ticket.tries += 1;
        Some(ticket.clone())
    }

    /// The try was no try: it was turned away before it was looked at.
    pub(crate) fn give_back(&mut self, text: &str) {
        let ticket = SessionToken::read(text).and_then(|token| self.0.get_mut(&token.hash()));
        if let Some(ticket) = ticket {
            ticket.tries = ticket.tries.saturating_sub(1);
        }
    }

    /// The ticket has served.
    pub(crate) fn take(&mut self, text: &str) -> bool {
        SessionToken::read(text).is_some_and(|token| self.0.remove(&token.hash()).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ExposeSecret;

    fn anna() -> UserName {
        "anna".parse().expect("a name")
    }

    #[test]
    fn a_ticket_allows_five_tries_in_five_minutes_and_one_session() {
        let mut tickets = Tickets::default();
        let now = Timestamp::default();
        let text = tickets.give(anna(), now, now).expect("chance");
        let text = text.expose_secret();
        assert_eq!(tickets.present("unknown", now), None);
        for _ in 0..5 {
            assert_eq!(tickets.present(text, now).map(|ticket| ticket.user), Some(anna()));
        }
        assert_eq!(tickets.present(text, now), None);
        tickets.give_back(text);
        assert!(tickets.present(text, now.plus(LIFE)).is_none() && tickets.present(text, now).is_some());
        assert!(tickets.take(text) && !tickets.take(text));
        assert_eq!(tickets.present(text, now), None);
    }

    #[test]
    fn there_are_not_more_than_the_bound() {
        let mut tickets = Tickets::default();
        let first = tickets.give(anna(), Timestamp::default(), Timestamp::default()).expect("chance");
        for number in 1..=200 {
            let now = Timestamp::from_micros(number);
            tickets.give(anna(), now, now).expect("chance");
        }
        assert_eq!(tickets.0.len(), BOUND);
        assert_eq!(tickets.present(first.expose_secret(), Timestamp::from_micros(200)), None);
    }
}
