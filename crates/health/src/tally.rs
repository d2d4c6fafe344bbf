//! How much each card sent: hour by hour for a day, minute by minute for the last hour; the program as a whole minute by
//! minute for a day. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use store::StoredTally;

use crate::card::CardId;

/// How many minutes the long spans have.
const HOUR: u32 = 60;
/// How many minutes the short ones have.
const MINUTE: u32 = 1;
/// How many minutes the last hour has, the one that runs included.
pub(crate) const LAST_HOUR: i64 = 60;
const HOURS: i64 = 24;
/// How many minutes are known of the program as a whole: all of today, whenever it began.
pub(crate) const DAY: i64 = 24 * 60;

/// What was sent and what failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Amount {
    pub sent: u32,
    pub failed: u32,
}

/// Counters since the start as someone else counts them; they may start over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Reading {
    pub(crate) sent: u64,
    pub(crate) failed: u64,
}

impl Reading {
    /// What was added since an earlier reading. A smaller number has started over.
    fn since(self, before: Self) -> Amount {
        let added = |now: u64, before: u64| {
            u32::try_from(if now >= before { now - before } else { now }).unwrap_or(u32::MAX)
        };
        Amount { sent: added(self.sent, before.sent), failed: added(self.failed, before.failed) }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Tallies {
    hours: HashMap<CardId, BTreeMap<i64, Amount>>,
    minutes: HashMap<CardId, BTreeMap<i64, Amount>>,
    last: HashMap<CardId, Reading>,
    changed: HashSet<(CardId, u32, i64)>,
}

/// The card that the minutes of the whole program are kept under.
fn whole() -> CardId {
    CardId::queue()
}

pub(crate) fn add(amount: &mut Amount, more: Amount) {
    amount.sent = amount.sent.saturating_add(more.sent);
    amount.failed = amount.failed.saturating_add(more.failed);
}

impl Tallies {
    /// Takes in what an earlier run kept.
    pub(crate) fn restore(&mut self, tallies: Vec<StoredTally>) {
        for stored in tallies {
            let Ok(card) = stored.card.parse::<CardId>() else { continue };
            let amount = Amount { sent: stored.sent, failed: stored.failed };
            match stored.span {
                HOUR => add(self.hours.entry(card).or_default().entry(stored.number).or_default(), amount),
                MINUTE => {
                    add(self.minutes.entry(card).or_default().entry(stored.number).or_default(), amount);
                }
                _ => {}
            }
        }
    }

    /// Replaces what rounds counted of a card from a minute on by what the store says: a round counts in its own minute what
    /// ended before it, and what came after the last one is not kept. `failed_too` is false where the card counts other
    /// failures than the store.
    pub(crate) fn correct(
        &mut self,
        card: &CardId,
        from: i64,
        stored: &BTreeMap<i64, Amount>,
        failed_too: bool,
    ) {
        let minutes = self.minutes.entry(card.clone()).or_default();
        let hours = self.hours.entry(card.clone()).or_default();
        let all: BTreeSet<i64> =
            minutes.range(from..).chain(stored.range(from..)).map(|(minute, _)| *minute).collect();
        for minute in all {
            let known = minutes.get(&minute).copied().unwrap_or_default();
            let stored = stored.get(&minute).copied().unwrap_or_default();
            let failed = if failed_too { stored.failed } else { known.failed };
            let right = Amount { failed, ..stored };
            if right == known {
                continue;
            }
            minutes.insert(minute, right);
            let hour = minute.div_euclid(i64::from(HOUR));
            let total = hours.entry(hour).or_default();
            total.sent = total.sent.saturating_sub(known.sent).saturating_add(right.sent);
            total.failed = total.failed.saturating_sub(known.failed).saturating_add(right.failed);
            self.changed.insert((card.clone(), HOUR, hour));
            self.changed.insert((card.clone(), MINUTE, minute));
        }
    }

    /// Adds what the store has sent within the last hour beyond what rounds counted of a service. A service counts calls, and
    /// a message is one or several of them, so only what is missing is added, to the last minute in which the store has any.
    pub(crate) fn make_up(&mut self, card: &CardId, minute: i64, stored: &BTreeMap<i64, Amount>) {
        let mut within = stored.range(minute - (LAST_HOUR - 1)..);
        let sent: u64 = within.clone().map(|(_, amount)| u64::from(amount.sent)).sum();
        let missing = sent.saturating_sub(self.sent_last_hour(card, minute));
        if let Some((last, _)) = within.rfind(|(_, amount)| amount.sent > 0) {
            let missing = u32::try_from(missing).unwrap_or(u32::MAX);
            self.count(card, *last, Amount { sent: missing, failed: 0 });
        }
    }

    /// Takes a card's counters in as they are in this minute.
    pub(crate) fn read(&mut self, card: &CardId, minute: i64, reading: Reading) {
        let before = self.last.insert(card.clone(), reading).unwrap_or_default();
        self.count(card, minute, reading.since(before));
    }

    fn count(&mut self, card: &CardId, minute: i64, amount: Amount) {
        if amount == Amount::default() {
            return;
        }
        let hour = minute.div_euclid(i64::from(HOUR));
        add(self.hours.entry(card.clone()).or_default().entry(hour).or_default(), amount);
        add(self.minutes.entry(card.clone()).or_default().entry(minute).or_default(), amount);
        self.changed.insert((card.clone(), HOUR, hour));
        self.changed.insert((card.clone(), MINUTE, minute));
    }

    /// What a card sent within the last hour: in this minute and the 59 before it.
    pub(crate) fn sent_last_hour(&self, card: &CardId, minute: i64) -> u64 {
        self.since(card, minute - (LAST_HOUR - 1)).0
    }

    /// What a card sent in each of the last 24 hours, oldest first; the last one is the hour of this minute.
    pub(crate) fn sends(&self, card: &CardId, minute: i64) -> [u32; 24] {
        self.by_hour(card, minute).map(|amount| amount.sent)
    }

    /// What the whole program sent and what failed in each of the last 24 hours, in the same order.
    pub(crate) fn hours(&self, minute: i64) -> [Amount; 24] {
        self.by_hour(&whole(), minute)
    }

    fn by_hour(&self, card: &CardId, minute: i64) -> [Amount; 24] {
        let mut found = [Amount::default(); 24];
        let first = minute.div_euclid(i64::from(HOUR)) - (HOURS - 1);
        if let Some(hours) = self.hours.get(card) {
            for (hour, amount) in hours.range(first..first + HOURS) {
                if let Some(place) = usize::try_from(hour - first).ok().and_then(|place| found.get_mut(place))
                {
                    *place = *amount;
                }
            }
        }
        found
    }

    /// What a card sent and what failed in all minutes from this one on: of the queue a day is known, of others an hour.
    pub(crate) fn since(&self, card: &CardId, minute: i64) -> (u64, u64) {
        let minutes = self.minutes.get(card).into_iter().flat_map(|minutes| minutes.range(minute..));
        minutes.fold((0, 0), |(sent, failed), (_, amount)| {
            (sent + u64::from(amount.sent), failed + u64::from(amount.failed))
        })
    }

    /// What changed since it was last kept.
    pub(crate) fn to_keep(&self) -> Vec<StoredTally> {
        let stored = |(card, span, number): &(CardId, u32, i64)| {
            let kept = if *span == HOUR { &self.hours } else { &self.minutes };
            let amount = *kept.get(card)?.get(number)?;
            let card: Arc<str> = card.text();
            Some(StoredTally { card, span: *span, number: *number, sent: amount.sent, failed: amount.failed })
        };
        self.changed.iter().filter_map(stored).collect()
    }

    /// What there was to keep is kept.
    pub(crate) fn saved(&mut self) {
        self.changed.clear();
    }

    /// Forgets what is not shown any more.
    pub(crate) fn forget_before(&mut self, minute: i64) {
        let hour = minute.div_euclid(i64::from(HOUR)) - HOURS;
        for hours in self.hours.values_mut() {
            *hours = hours.split_off(&hour);
        }
        self.hours.retain(|_, hours| !hours.is_empty());
        for (card, minutes) in &mut self.minutes {
            let known = if *card == whole() { DAY } else { LAST_HOUR };
            *minutes = minutes.split_off(&(minute - known));
        }
        self.minutes.retain(|_, minutes| !minutes.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hours_are_counted_apart_and_survive_a_restart() {
        let (mut tallies, card) = (Tallies::default(), CardId::queue());
        tallies.read(&card, 59, Reading { sent: 3, failed: 1 });
        tallies.read(&card, 60, Reading { sent: 5, failed: 1 });
        tallies.read(&card, 61, Reading { sent: 5, failed: 1 });
        assert_eq!(tallies.sends(&card, 61)[22..], [3, 2]);
        assert_eq!((tallies.since(&card, 0), tallies.since(&card, 60)), ((5, 1), (2, 0)));
        let port = CardId::port("main");
        tallies.read(&port, 61, Reading { sent: 4, failed: 0 });
        assert_eq!([61, 120, 121].map(|minute| tallies.sent_last_hour(&port, minute)), [4, 4, 0]);
        let mut again = Tallies::default();
        again.restore(tallies.to_keep());
        // The next run counts from nothing.
        again.read(&card, 62, Reading { sent: 1, failed: 0 });
        assert_eq!(again.sends(&card, 62)[22..], [3, 3]);
        assert_eq!(again.hours(62)[22..], [Amount { sent: 3, failed: 1 }, Amount { sent: 3, failed: 0 }]);
        assert_eq!(again.since(&card, 60), (3, 0));
        assert_eq!(
            (again.to_keep().len(), again.sent_last_hour(&port, 62)),
            (2, 4),
            "only what changed is written again"
        );
        // A kill lost what came after the last round, and a round counts late: the store knows better.
        let stored = [(60, Amount { sent: 1, failed: 0 }), (62, Amount { sent: 6, failed: 2 })].into();
        for _ in 0..2 {
            again.correct(&card, 60, &stored, true);
        }
        assert_eq!((again.since(&card, 60), again.sends(&card, 62)[23]), ((7, 2), 7));
        again.saved();
        assert_eq!(again.to_keep(), []);
        again.forget_before(62 + 24 * 60);
        assert_eq!((again.since(&card, 0), again.since(&port, 0)), ((6, 2), (0, 0)));
    }

    proptest! {
        /// In whatever minutes rounds counted what ended, hours and minutes are what the store says afterwards.
        #[test]
        fn the_store_replaces_what_rounds_counted(
            counted in prop::collection::vec((0_i64..180, 0_u64..9), 0..20),
            stored in prop::collection::btree_map(0_i64..180, (0_u32..9, 0_u32..9), 0..20),
        ) {
            let (mut tallies, card, mut reading) = (Tallies::default(), CardId::queue(), Reading::default());
            for (minute, sent) in counted {
                reading.sent += sent;
                tallies.read(&card, minute, reading);
            }
            let stored: BTreeMap<_, _> =
                stored.into_iter().map(|(minute, (sent, failed))| (minute, Amount { sent, failed })).collect();
            tallies.correct(&card, 0, &stored, true);
            let (sent, failed) = tallies.since(&card, 0);
            let hours = tallies.hours(179);
            let total = |amounts: &mut dyn Iterator<Item = &Amount>| {
                amounts.fold((0, 0), |(sent, failed), one| (sent + u64::from(one.sent), failed + u64::from(one.failed)))
            };
            prop_assert_eq!((sent, failed), total(&mut stored.values()));
            prop_assert_eq!((sent, failed), total(&mut hours.iter()));
        }

        /// Whatever is counted in whatever minutes: all of it is in the hours, once.
        #[test]
        fn each_send_is_counted_once(steps in prop::collection::vec((0_u64..50, 0_i64..30, any::<bool>()), 1..60)) {
            let (mut tallies, card) = (Tallies::default(), CardId::queue());
            let (mut minute, mut reading, mut all) = (1_000, Reading::default(), 0);
            for (sent, pause, is_restart) in steps {
                minute += pause;
                if is_restart {
                    // Someone restarted the service: its counters are at nothing, and it is looked at then.
                    reading = Reading::default();
                    tallies.read(&card, minute, reading);
                }
                reading.sent += sent;
                all += sent;
                tallies.read(&card, minute, reading);
            }
            let shown: u64 = (0..3).map(|day| {
                tallies.sends(&card, minute - day * 24 * 60).iter().map(|sent| u64::from(*sent)).sum::<u64>()
            }).sum();
            prop_assert_eq!(shown, all);
            prop_assert_eq!(tallies.since(&card, 0).0, all);
        }
    }
}
