//! One question at a time about one chat: anyone who asks the same meanwhile waits for the answer.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use domain::{ChatRef, Timestamp};
use std::time::Duration;
use tokio::sync::watch;

use ambient::lock::Mutex;

/// How long it is remembered that no one knows a chat.
const MISS_LASTS: Duration = Duration::from_mins(5);

/// The same, when not all who might know it could be asked.
const DOUBTFUL_MISS_LASTS: Duration = Duration::from_secs(30);

const MISSES: usize = 4_096;

/// What a question is about: the chat, and the account if only one may carry the message.
pub(crate) type Topic = (ChatRef, Option<usize>);

/// What came of asking for a chat that memory did not know.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LookupResult {
    /// Something was learned, or there are others to ask.
    WentOn,
    #[strum(serialize = "nobody")]
    NotFound,
    /// No one could be asked.
    Failed,
    /// The accounts are still connecting, or still reading their dialogs.
    NotYet,
}

domain::enum_words!(LookupResult);

/// Questions in the air, and answers that were "no one knows".
#[derive(Debug, Default)]
pub(crate) struct SingleFlight {
    in_flight: Mutex<HashMap<Topic, watch::Receiver<()>>>,
    misses: Mutex<HashMap<Topic, Miss>>,
    results: [AtomicU64; LookupResult::ALL.len()],
}

#[derive(Debug)]
struct Miss {
    until: Timestamp,
    /// Accounts that could not be asked, and why.
    unasked: Vec<(usize, String)>,
}

/// Either the right to ask, or someone else's question to wait for.
pub(crate) enum Flight<'a> {
    Lead(Lead<'a>),
    Follow(watch::Receiver<()>),
}

/// The right to ask; given back when dropped.
pub(crate) struct Lead<'a> {
    lookups: &'a SingleFlight,
    topic: Topic,
    // Dropped with the flight: that is what the others wait for.
    _landed: watch::Sender<()>,
}

impl SingleFlight {
    pub(crate) fn join(&self, topic: Topic) -> Flight<'_> {
        let mut in_flight = self.in_flight.lock();
        if let Some(waiting) = in_flight.get(&topic) {
            return Flight::Follow(waiting.clone());
        }
        let (landed, waiting) = watch::channel(());
        in_flight.insert(topic.clone(), waiting);
        Flight::Lead(Lead { lookups: self, topic, _landed: landed })
    }

    pub(crate) fn count(&self, result: LookupResult) {
        let place = LookupResult::ALL.iter().position(|known| *known == result);
        if let Some(counter) = place.and_then(|place| self.results.get(place)) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many questions there were since the start.
    pub(crate) fn results(&self) -> Vec<(LookupResult, u64)> {
        LookupResult::ALL
            .into_iter()
            .zip(self.results.iter().map(|count| count.load(Ordering::Relaxed)))
            .collect()
    }

    pub(crate) fn is_missed(&self, topic: &Topic, now: Timestamp) -> bool {
        let misses = self.misses.lock();
        misses.get(topic).is_some_and(|miss| miss.until > now)
    }

    /// The accounts that could not be asked when no one else knew the chat, and why.
    pub(crate) fn unasked(&self, topic: &Topic, now: Timestamp) -> Vec<(usize, String)> {
        let misses = self.misses.lock();
        misses.get(topic).filter(|miss| miss.until > now).map_or_else(Vec::new, |miss| miss.unasked.clone())
    }

    pub(crate) fn forget_misses(&self) {
        self.misses.lock().clear();
    }

    pub(crate) fn miss(&self, topic: Topic, unasked: Vec<(usize, String)>, now: Timestamp) {
        let mut misses = self.misses.lock();
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

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        self.lookups.in_flight.lock().remove(&self.topic);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> Topic {
        (name.parse().expect("a chat"), None)
    }

    #[tokio::test]
    async fn a_second_lookup_waits_for_the_first() {
        let lookups = SingleFlight::default();
        let Flight::Lead(flight) = lookups.join(topic("@demo")) else { panic!("free") };
        let Flight::Follow(mut waiting) = lookups.join(topic("@demo")) else { panic!("taken") };
        assert!(matches!(lookups.join(topic("@other")), Flight::Lead(_)));
        drop(flight);
        assert!(waiting.changed().await.is_err());
        assert!(matches!(lookups.join(topic("@demo")), Flight::Lead(_)));
    }

    #[test]
    fn misses_expire_and_their_number_is_bounded() {
        let lookups = SingleFlight::default();
        let start = Timestamp::from_micros(0);
        lookups.miss(topic("@demo"), Vec::new(), start);
        assert!(lookups.is_missed(&topic("@demo"), start.plus(Duration::from_secs(299))));
        assert!(!lookups.is_missed(&topic("@demo"), start.plus(MISS_LASTS)));
        lookups.miss(topic("@other"), vec![(1, "flood wait".into())], start);
        assert_eq!(lookups.unasked(&topic("@other"), start), [(1, "flood wait".into())]);
        assert!(!lookups.is_missed(&topic("@other"), start.plus(DOUBTFUL_MISS_LASTS)));
        lookups.forget_misses();
        assert!(!lookups.is_missed(&topic("@demo"), start));
        lookups.count(LookupResult::NotFound);
        assert_eq!(
            lookups.results(),
            [
                (LookupResult::WentOn, 0),
                (LookupResult::NotFound, 1),
                (LookupResult::Failed, 0),
                (LookupResult::NotYet, 0)
            ]
        );
        for number in 0..=MISSES {
            lookups.miss(topic(&number.saturating_add(1).to_string()), Vec::new(), start);
        }
        assert!(lookups.misses.lock().len() <= MISSES);
    }
}
