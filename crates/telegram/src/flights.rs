//! One question at a time about one chat: whoever asks the same meanwhile waits for the answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use domain::{ChatRef, Timestamp};
use std::time::Duration;
use tokio::sync::watch;

/// How long it is remembered that nobody knows a chat.
const MISS_LASTS: Duration = Duration::from_mins(5);

/// The same, when not all who might know it could be asked.
const DOUBTFUL_MISS_LASTS: Duration = Duration::from_secs(30);

/// How many misses are remembered.
const MISSES: usize = 4_096;

/// What a question is about: the chat, and the account if only one may carry the message.
pub(crate) type Topic = (ChatRef, Option<usize>);

/// What came of asking for a chat that memory did not know.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Looked {
    /// Something was learned, or there are others to ask.
    WentOn,
    Nobody,
    /// Nobody could be asked.
    Failed,
    /// The accounts are still connecting, or still reading their dialogs.
    NotYet,
}

domain::enum_words!(Looked);

/// Questions in the air, and answers that were "nobody knows".
#[derive(Debug, Default)]
pub(crate) struct Flights {
    asked: Mutex<HashMap<Topic, watch::Receiver<()>>>,
    misses: Mutex<HashMap<Topic, Miss>>,
    looked: [AtomicU64; Looked::ALL.len()],
}

/// Nobody knows the chat.
#[derive(Debug)]
struct Miss {
    until: Timestamp,
    /// Accounts that could not be asked, and why.
    unasked: Vec<(usize, String)>,
}

/// Either the right to ask, or somebody else's question to wait for.
pub(crate) enum Boarding<'a> {
    Ask(Flight<'a>),
    Wait(watch::Receiver<()>),
}

/// The right to ask; given back when dropped.
pub(crate) struct Flight<'a> {
    flights: &'a Flights,
    topic: Topic,
    // Dropped with the flight: that is what the others wait for.
    _landed: watch::Sender<()>,
}

impl Flights {
    pub(crate) fn board(&self, topic: Topic) -> Boarding<'_> {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(waiting) = asked.get(&topic) {
            return Boarding::Wait(waiting.clone());
        }
        let (landed, waiting) = watch::channel(());
        asked.insert(topic.clone(), waiting);
        Boarding::Ask(Flight { flights: self, topic, _landed: landed })
    }

    /// Counts a question by what came of it.
    pub(crate) fn count(&self, looked: Looked) {
        let place = Looked::ALL.iter().position(|known| *known == looked);
        if let Some(counter) = place.and_then(|place| self.looked.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many questions there were since the start.
    pub(crate) fn looked(&self) -> Vec<(Looked, u64)> {
        Looked::ALL.into_iter().zip(self.looked.iter().map(|count| count.load(Ordering::Relaxed))).collect()
    }

    pub(crate) fn is_missed(&self, topic: &Topic, now: Timestamp) -> bool {
        let misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        misses.get(topic).is_some_and(|miss| miss.until > now)
    }

    /// The accounts that could not be asked when nobody else knew the chat, and why.
    pub(crate) fn unasked(&self, topic: &Topic, now: Timestamp) -> Vec<(usize, String)> {
        let misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        misses.get(topic).filter(|miss| miss.until > now).map_or_else(Vec::new, |miss| miss.unasked.clone())
    }

    /// Everything may be asked for again.
    pub(crate) fn forget_misses(&self) {
        self.misses.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(crate) fn miss(&self, topic: Topic, unasked: Vec<(usize, String)>, now: Timestamp) {
        let mut misses = self.misses.lock().unwrap_or_else(PoisonError::into_inner);
        if misses.len() >= MISSES {
            misses.retain(|_, miss| miss.until > now);
        }
        if misses.len() >= MISSES {
            misses.clear();
        }
        let lasts = if unasked.is_empty() { MISS_LASTS } else { DOUBTFUL_MISS_LASTS };
        misses.insert(topic, Miss { until: now.plus(lasts), unasked });
    }
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.flights.asked.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Topic {
        (name.parse().expect("a chat"), None)
    }

    #[tokio::test]
    async fn the_second_waits_for_the_first() {
        let flights = Flights::default();
        let Boarding::Ask(flight) = flights.board(topic("@demo")) else { panic!("free") };
        let Boarding::Wait(mut waiting) = flights.board(topic("@demo")) else { panic!("taken") };
        assert!(matches!(flights.board(topic("@other")), Boarding::Ask(_)));
        drop(flight);
        assert!(waiting.changed().await.is_err());
        assert!(matches!(flights.board(topic("@demo")), Boarding::Ask(_)));
    }

    #[test]
    fn a_miss_is_forgotten_after_a_while_and_misses_do_not_pile_up() {
        let flights = Flights::default();
        let start = Timestamp::from_micros(0);
        flights.miss(topic("@demo"), Vec::new(), start);
        assert!(flights.is_missed(&topic("@demo"), start.plus(Duration::from_secs(299))));
        assert!(!flights.is_missed(&topic("@demo"), start.plus(MISS_LASTS)));
        flights.miss(topic("@other"), vec![(1, "flood wait".into())], start);
        assert_eq!(flights.unasked(&topic("@other"), start), [(1, "flood wait".into())]);
        assert!(!flights.is_missed(&topic("@other"), start.plus(DOUBTFUL_MISS_LASTS)));
        flights.forget_misses();
        assert!(!flights.is_missed(&topic("@demo"), start));
        flights.count(Looked::Nobody);
        assert_eq!(
            flights.looked(),
            [(Looked::WentOn, 0), (Looked::Nobody, 1), (Looked::Failed, 0), (Looked::NotYet, 0)]
        );
        for number in 0..=MISSES {
            flights.miss(topic(&number.saturating_add(1).to_string()), Vec::new(), start);
        }
        assert!(flights.misses.lock().expect("lock").len() <= MISSES);
    }
}
