//! Message ids: what the server gives out, what it takes, and which it has seen.

use std::collections::VecDeque;
use std::time::{SystemTime, UNIX_EPOCH};

/// A client's id may lie this far in the past…
const OLDEST: i64 = 300;
/// …and this far ahead, in seconds.
const NEWEST: i64 = 30;
/// How many received ids a session remembers.
const REMEMBERED: usize = 4096;

/// Why a message is not taken: codes of `bad_msg_notification`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The id is too old.
    TooLow = 16,
    /// The id lies in the future.
    TooHigh = 17,
    /// The id does not look like a client's.
    Parity = 18,
    /// A container with the id of an earlier message.
    Repeated = 19,
    /// So old that it is unknown whether it came before.
    Forgotten = 20,
    /// The salt is not right.
    Salt = 48,
    /// A container that cannot be read.
    Container = 64,
}

/// Which kind of message a server's id is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Answer = 1,
    Notification = 3,
}

/// The time of the machine: message ids must agree with the clock of the client on the other side.
#[expect(clippy::disallowed_methods, reason = "the one place where the wire asks the system for the time")]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

/// Seconds since 1970.
pub(crate) fn seconds(now: SystemTime) -> i64 {
    now.duration_since(UNIX_EPOCH).ok().and_then(|since| i64::try_from(since.as_secs()).ok()).unwrap_or(0)
}

/// Seconds since 1970, as TL writes dates.
pub(crate) fn date(now: SystemTime) -> i32 {
    i32::try_from(seconds(now)).unwrap_or(i32::MAX)
}

/// Whether a client's id is one to take now.
pub(crate) fn check(id: i64, now: SystemTime) -> Result<(), Refusal> {
    let age = seconds(now) - (id >> 32);
    match id {
        _ if id & 3 != 0 => Err(Refusal::Parity),
        _ if age > OLDEST => Err(Refusal::TooLow),
        _ if age < -NEWEST => Err(Refusal::TooHigh),
        _ => Ok(()),
    }
}

/// Gives out the server's ids: by the clock, and each larger than the one before.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    last: i64,
}

impl Ids {
    pub(crate) fn next(&mut self, now: SystemTime, purpose: Purpose) -> i64 {
        let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let fraction = (u64::from(since.subsec_nanos()) << 32) / 1_000_000_000;
        let clock = i64::try_from(since.as_secs() << 32 | fraction).unwrap_or(0) & !3;
        self.last = clock.max((self.last & !3) + 4) | purpose as i64;
        self.last
    }
}

/// The ids a session has received lately.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// In order.
    ids: VecDeque<i64>,
    /// Nothing is known of ids up to this one.
    forgotten: i64,
}

/// What is known of an id that comes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdStatus {
    New,
    Before,
    Unknowable,
}

impl Received {
    /// Remembers an id, and returns whether it was there.
    pub(crate) fn note(&mut self, id: i64) -> IdStatus {
        if id <= self.forgotten {
            return IdStatus::Unknowable;
        }
        if self.ids.back().is_none_or(|last| id > *last) {
            self.ids.push_back(id);
        } else if let Err(place) = self.ids.binary_search(&id) {
            self.ids.insert(place, id);
        } else {
            return IdStatus::Before;
        }
        if self.ids.len() > REMEMBERED {
            self.forgotten = self.ids.pop_front().unwrap_or(self.forgotten);
        }
        IdStatus::New
    }

    /// The byte of `msgs_state_info` for this id.
    pub(crate) fn state(&self, id: i64) -> u8 {
        if self.ids.binary_search(&id).is_ok() {
            4
        } else if self.ids.back().is_none_or(|last| id > *last) {
            3
        } else if id > self.forgotten && self.ids.front().is_some_and(|first| id > *first) {
            2
        } else {
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn at(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    #[test]
    fn ids_are_checked_against_the_clock() {
        let now = at(1_000_000);
        let id = |second: i64| second << 32 | 8;
        assert_eq!(check(id(1_000_000), now), Ok(()));
        assert_eq!(check(id(999_700), now), Ok(()));
        assert_eq!(check(id(999_699), now), Err(Refusal::TooLow));
        assert_eq!(check(id(1_000_030), now), Ok(()));
        assert_eq!(check(id(1_000_031), now), Err(Refusal::TooHigh));
        assert_eq!(check(id(1_000_000) + 1, now), Err(Refusal::Parity));
    }

    proptest! {
        #[test]
        fn given_ids_grow_and_keep_their_kind(steps in proptest::collection::vec((0..3_u64, any::<bool>()), 1..200)) {
            let (mut ids, mut clock, mut last) = (Ids::default(), 1_000, 0);
            for (step, answer) in steps {
                clock += step;
                let purpose = if answer { Purpose::Answer } else { Purpose::Notification };
                let id = ids.next(at(clock), purpose);
                prop_assert!(id > last);
                prop_assert_eq!(id & 3, purpose as i64);
                prop_assert_eq!(id >> 32, i64::try_from(clock).unwrap());
                last = id;
            }
        }

        #[test]
        fn an_id_is_new_only_once(ids in proptest::collection::vec(1..200_i64, 1..400)) {
            let (mut received, mut known) = (Received::default(), std::collections::HashSet::new());
            for id in ids {
                let expected = if known.insert(id) { IdStatus::New } else { IdStatus::Before };
                prop_assert_eq!(received.note(id), expected);
            }
        }
    }

    #[test]
    fn a_clock_that_goes_back_does_not_repeat_ids() {
        let mut ids = Ids::default();
        let first = ids.next(at(100), Purpose::Notification);
        assert!(ids.next(at(50), Purpose::Answer) > first);
    }

    #[test]
    fn forgotten_ids_are_not_reported_as_new() {
        let mut received = Received::default();
        for id in 1..=5000 {
            assert_eq!(received.note(id * 4), IdStatus::New);
        }
        assert_eq!(received.note(4), IdStatus::Unknowable);
        assert_eq!(received.note(5000 * 4), IdStatus::Before);
        assert_eq!(received.note(4999 * 4 + 1), IdStatus::New);
        assert_eq!([4, 4998 * 4 + 1, 5000 * 4, 5001 * 4].map(|id| received.state(id)), [1, 2, 4, 3]);
    }
}
