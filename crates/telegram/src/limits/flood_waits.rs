//! What one account must wait for or may not do: floods by operation, slow modes and missing rights by chat.

use std::collections::HashMap;
use std::time::Duration;

use ambient::Clock;
use domain::account::{Flood, Operation};
use domain::{ChatId, Timestamp};

use ambient::lock::RwLock;

/// How long a refusal stands before the next caller asks Telegram again: rights come back without any notice.
const MARK_LASTS: Duration = Duration::from_mins(1);

/// How long a wait of an earlier run may be at most: a longer one was written by a clock that was set wrong.
const LONGEST_RESTORED: Duration = Duration::from_hours(7 * 24);

/// The account's holds. What was asked to wait waits that long, whatever is done to the time of day meanwhile.
#[derive(Default)]
pub(crate) struct FloodWaits {
    table: RwLock<Table>,
    steady: Option<Steady>,
}

/// A monotonic time of day: it goes on from when it was made.
struct Steady {
    clock: Clock,
    begun: Timestamp,
    running: Duration,
}

/// The time of day, and the same by the monotonic clock, by which deadlines are kept.
#[derive(Clone, Copy)]
struct Now {
    shown: Timestamp,
    steady: Timestamp,
}

/// Between two readings of the two clocks they differ by no more, unless one was set.
const READINGS_DIFFER: Duration = Duration::from_secs(1);

/// A deadline, as it was received and by the monotonic clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    steady: Timestamp,
    reported_until: Timestamp,
}

impl Now {
    fn keep(self, until: Timestamp) -> Deadline {
        Deadline { steady: self.steady.plus(until.since(self.shown)), reported_until: until }
    }

    /// The time of day at which it ends; nothing if it has.
    fn show(self, kept: Deadline) -> Option<Timestamp> {
        if kept.steady <= self.steady {
            return None;
        }
        let shown = self.shown.plus(kept.steady.since(self.steady));
        let differs = shown.since(kept.reported_until).max(kept.reported_until.since(shown));
        Some(if differs < READINGS_DIFFER && kept.reported_until > self.shown {
            kept.reported_until
        } else {
            shown
        })
    }
}

#[derive(Default)]
struct Table {
    floods: Vec<Running>,
    slow_modes: HashMap<ChatId, Deadline>,
    marks: HashMap<ChatId, Mark>,
}

#[derive(Debug, Clone, Copy)]
struct Running {
    operation: Operation,
    until: Deadline,
    since: Timestamp,
}

#[derive(Debug)]
struct Mark {
    why: String,
    since: Timestamp,
}

impl Mark {
    fn age(&self, now: Now) -> Duration {
        now.steady.since(self.since)
    }
}

/// What stands between an account and a chat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) until: Option<Timestamp>,
    pub(crate) marked: bool,
}

impl FloodWaits {
    /// None yet, with deadlines by a monotonic clock.
    pub(crate) fn new(clock: &Clock) -> Self {
        let steady = Steady { clock: clock.clone(), begun: clock.now(), running: clock.running() };
        Self { table: RwLock::default(), steady: Some(steady) }
    }

    fn now(&self, shown: Timestamp) -> Now {
        let steady = self
            .steady
            .as_ref()
            .map_or(shown, |steady| steady.begun.plus(steady.clock.running().saturating_sub(steady.running)));
        Now { shown, steady }
    }

    /// Takes over a wait that an earlier run kept.
    pub(crate) fn restore_flood(&self, operation: Operation, until: Timestamp, now: Timestamp) {
        self.keep_flood(operation, until.min(now.plus(LONGEST_RESTORED)), now);
    }

    /// What holds this kind of call in this chat. Slow mode and the right to write are about messages alone.
    pub(crate) fn of(&self, chat_id: ChatId, operation: Operation, now: Timestamp) -> Held {
        let table = self.table.read();
        let writes = operation == Operation::SendMessage;
        let flood = table.flood(operation);
        let slow = table.slow_modes.get(&chat_id).copied().filter(|_| writes);
        let now = self.now(now);
        Held {
            until: flood.max(slow).and_then(|until| now.show(until)),
            marked: writes && table.marks.get(&chat_id).is_some_and(|mark| mark.age(now) < MARK_LASTS),
        }
    }

    /// Why it may not write there, and how old that knowledge is.
    pub(crate) fn why(&self, chat_id: ChatId, now: Timestamp) -> Option<String> {
        let table = self.table.read();
        let mark = table.marks.get(&chat_id)?;
        Some(format!("{} ({} s ago)", mark.why, mark.age(self.now(now)).as_secs()))
    }

    pub(crate) fn flood(&self, operation: Operation, now: Timestamp) -> Option<Timestamp> {
        let table = self.table.read();
        table.flood(operation).and_then(|until| self.now(now).show(until))
    }

    pub(crate) fn floods(&self, now: Timestamp) -> Vec<Flood> {
        let table = self.table.read();
        let now = self.now(now);
        let shown =
            |running: &Running| Some(Flood { operation: running.operation, until: now.show(running.until)? });
        table.floods.iter().filter_map(shown).collect()
    }

    pub(crate) fn flooded_since(&self, now: Timestamp) -> Option<Timestamp> {
        let table = self.table.read();
        let now = self.now(now);
        table
            .floods
            .iter()
            .filter(|running| running.until.steady > now.steady)
            .map(|running| running.since)
            .min()
    }

    pub(crate) fn keep_flood(&self, operation: Operation, until: Timestamp, now: Timestamp) {
        let mut table = self.table.write();
        let both = self.now(now);
        let until = both.keep(until);
        table.floods.retain(|running| running.until.steady > both.steady);
        match table.floods.iter_mut().find(|running| running.operation == operation) {
            Some(running) => running.until = running.until.max(until),
            None => table.floods.push(Running { operation, until, since: now }),
        }
    }

    pub(crate) fn keep_slow_mode(&self, chat_id: ChatId, until: Timestamp, now: Timestamp) {
        let mut table = self.table.write();
        let now = self.now(now);
        table.slow_modes.retain(|_, until| until.steady > now.steady);
        table.slow_modes.insert(chat_id, now.keep(until));
    }

    /// It may not write there. What only a kind of media is refused for says nothing about texts.
    pub(crate) fn mark(&self, chat_id: ChatId, why: String, now: Timestamp) {
        if why.starts_with("CHAT_SEND_") && why != "CHAT_SEND_PLAIN_FORBIDDEN" {
            return;
        }
        self.restore_mark(chat_id, why, now, now);
    }

    /// Takes over a refusal that an earlier run kept. One that has ended is left out.
    pub(crate) fn restore_mark(&self, chat_id: ChatId, why: String, at: Timestamp, now: Timestamp) {
        let now = self.now(now);
        let since = now.steady.minus(now.shown.since(at));
        let mark = Mark { why, since };
        let mut table = self.table.write();
        table.marks.retain(|_, mark| mark.age(now) < MARK_LASTS);
        if mark.age(now) < MARK_LASTS {
            table.marks.insert(chat_id, mark);
        }
    }

    /// It can be written in after all. Returns whether there was a mark.
    pub(crate) fn lift_mark(&self, chat_id: ChatId) -> bool {
        // Nearly always there is none, and reading does not stop other readers.
        let marked = self.table.read().marks.contains_key(&chat_id);
        marked && self.table.write().marks.remove(&chat_id).is_some()
    }
}

impl Table {
    fn flood(&self, operation: Operation) -> Option<Deadline> {
        self.floods.iter().find(|running| running.operation == operation).map(|running| running.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn the_later_of_flood_and_slow_mode_counts_and_both_end() {
        let (flood_waits, chat, writing) =
            (FloodWaits::default(), ChatId::user(7).expect("id"), Operation::SendMessage);
        flood_waits.keep_flood(Operation::SendMessage, at(30), at(1));
        flood_waits.keep_flood(Operation::SendMessage, at(20), at(2));
        flood_waits.keep_flood(Operation::ResolvePeer, at(99), at(3));
        flood_waits.keep_slow_mode(chat, at(40), at(0));
        assert_eq!(flood_waits.of(chat, writing, at(10)).until, Some(at(40)));
        assert_eq!(flood_waits.of(chat, Operation::Leave, at(10)).until, None);
        assert_eq!(flood_waits.of(ChatId::user(8).expect("id"), writing, at(10)).until, Some(at(30)));
        assert_eq!(flood_waits.of(chat, writing, at(40)).until, None);
        assert_eq!(flood_waits.flood(Operation::ResolvePeer, at(50)), Some(at(99)));
        assert_eq!(flood_waits.floods(at(50)).len(), 1);
        assert_eq!(flood_waits.flooded_since(at(10)), Some(at(1)));
        assert_eq!(flood_waits.flooded_since(at(50)), Some(at(3)));
        assert_eq!(flood_waits.flooded_since(at(99)), None);
    }

    #[test]
    fn a_clock_that_jumps_ends_no_flood_early_and_lengthens_none() {
        let clock = Clock::system();
        let flood_waits = FloodWaits::new(&clock);
        let left =
            || flood_waits.flood(Operation::SendMessage, clock.now()).map(|until| until.since(clock.now()));
        let about = |wanted: u64| {
            let left = left().expect("it runs").as_secs();
            assert!(left <= wanted && left + 30 >= wanted, "{left} of {wanted}");
        };
        flood_waits.keep_flood(
            Operation::SendMessage,
            clock.now().plus(Duration::from_mins(10)),
            clock.now(),
        );
        about(600);
        clock.set_back(Duration::from_hours(72));
        about(600);
        clock.advance(Duration::from_mins(4));
        about(360);
        // Forward: the time of day is ahead while no time went by.
        let ahead = clock.now().plus(Duration::from_hours(1));
        let until = flood_waits.flood(Operation::SendMessage, ahead).expect("it still runs");
        assert!((330..=360).contains(&until.since(ahead).as_secs()));
        clock.advance(Duration::from_mins(6));
        assert_eq!(left(), None);
        // What an earlier run wrote by a clock that was years ahead is no wait of years.
        flood_waits.restore_flood(
            Operation::Leave,
            clock.now().plus(Duration::from_hours(24 * 900)),
            clock.now(),
        );
        let until = flood_waits.flood(Operation::Leave, clock.now()).expect("it is kept");
        assert!(until.since(clock.now()) <= LONGEST_RESTORED);
    }

    #[test]
    fn a_refusal_has_an_age_and_ends_after_a_minute() {
        let (flood_waits, chat) = (FloodWaits::default(), ChatId::user(7).expect("id"));
        let marked = |operation, seconds| flood_waits.of(chat, operation, at(seconds)).marked;
        for why in ["USER_IS_BLOCKED", "CHAT_WRITE_FORBIDDEN", "PRIVACY_PREMIUM_REQUIRED", "TOPIC_CLOSED"] {
            flood_waits.mark(chat, why.into(), at(0));
            assert!(marked(Operation::SendMessage, 59) && !marked(Operation::SendMessage, 60), "{why}");
            assert!(!marked(Operation::Leave, 1));
            assert_eq!(flood_waits.why(chat, at(40)), Some(format!("{why} (40 s ago)")));
        }
        // A restart makes it no younger.
        flood_waits.restore_mark(chat, "TOPIC_CLOSED".into(), at(100), at(130));
        assert!(marked(Operation::SendMessage, 159) && !marked(Operation::SendMessage, 160));
        flood_waits.restore_mark(ChatId::user(8).expect("id"), "TOPIC_CLOSED".into(), at(100), at(170));
        assert_eq!(flood_waits.why(ChatId::user(8).expect("id"), at(170)), None);
        flood_waits.mark(chat, "TOPIC_CLOSED".into(), at(200));
        assert!(flood_waits.lift_mark(chat) && !flood_waits.lift_mark(chat));
    }
}
