//! Choosing among a thousand accounts: the router alone, over plain facts.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::report::{Goal, Measured, microseconds, table};
use domain::account::{AccountState, Reason};
use domain::{ChatKind, Timestamp};
use serde::Serialize;
use telegram::router::{Facts, PeerRelation, Usable, choose};

pub(crate) const ACCOUNTS: usize = 1_000;

/// So many choices are timed together: one is too short for a clock.
const TOGETHER: u32 = 50;

/// One choice takes less than this at p50, in nanoseconds.
const CHOICE: u64 = 20_000;

/// What was measured, in nanoseconds for one choice.
#[derive(Debug, Serialize)]
pub(crate) struct Choosing {
    pub(crate) chats: Vec<OneKind>,
}

/// One kind of chat.
#[derive(Debug, Serialize)]
pub(crate) struct OneKind {
    pub(crate) what: &'static str,
    /// Of the middle stretch.
    pub(crate) p50: u64,
    /// Of the slowest stretch but one in a hundred.
    pub(crate) p99: u64,
}

impl Measured for Choosing {
    fn text(&self) -> String {
        let rows = self.chats.iter().map(|kind| {
            format!("| {} | {} | {} |", kind.what, microseconds(kind.p50), microseconds(kind.p99))
        });
        format!("## Choosing among {ACCOUNTS} accounts\n\n{}", table("| | p50, µs | p99, µs |", rows))
    }

    fn goals(&self) -> Vec<Goal> {
        let slowest = self.chats.iter().map(|kind| kind.p50).max().unwrap_or(0);
        vec![Goal::new(
            "one choice among 1,000 accounts, p50 of the slowest kind",
            format!("< {} µs", microseconds(CHOICE)),
            format!("{} µs", microseconds(slowest)),
            slowest > 0 && slowest < CHOICE,
        )]
    }
}

/// Runs the scenario: so many stretches of each kind.
pub(crate) fn run(stretches: usize) -> Choosing {
    let all_in_it = accounts(|_| PeerRelation::Dialog);
    let ten_in_it = accounts(|index| if index % 100 == 7 { PeerRelation::Dialog } else { PeerRelation::No });
    let chats = vec![
        measure("a group that all are in", stretches, ChatKind::Channel, None, None, &all_in_it),
        measure(
            "the same, bound to the last",
            stretches,
            ChatKind::Channel,
            None,
            Some(ACCOUNTS - 1),
            &all_in_it,
        ),
        measure("a group that ten are in", stretches, ChatKind::Channel, None, None, &ten_in_it),
        measure("a private chat", stretches, ChatKind::User, None, None, &ten_in_it),
        measure("a pinned account", stretches, ChatKind::Channel, Some(500), None, &all_in_it),
    ];
    Choosing { chats }
}

/// Accounts of which some are flooded, busy, offline or outside the pool, in the order of their names.
fn accounts(relation: impl Fn(usize) -> PeerRelation) -> Vec<Facts> {
    let one = |index: usize| Facts {
        index,
        priority: u16::try_from(index % 7).unwrap_or(0),
        in_pool: !index.is_multiple_of(11),
        load: u32::try_from(index % 5).unwrap_or(0),
        usable: match index % 13 {
            0 => Usable::Connecting,
            1 => Usable::No(AccountState::Banned, Some(Reason::Banned)),
            _ => Usable::Now,
        },
        relation: relation(index),
        is_reading: false,
        peer_flood: index.is_multiple_of(17),
        hampered: false,
        held_until: index.is_multiple_of(19).then_some(Timestamp::from_micros(2_000)),
        limited_until: None,
        marked: index.is_multiple_of(23),
    };
    (0..ACCOUNTS).map(one).collect()
}

fn measure(
    what: &'static str,
    stretches: usize,
    kind: ChatKind,
    pin: Option<usize>,
    bound: Option<usize>,
    facts: &[Facts],
) -> OneKind {
    let now = Timestamp::from_micros(1_000);
    let stretch = || {
        let began = Instant::now();
        for _ in 0..TOGETHER {
            black_box(choose(kind, pin, bound, black_box(facts).iter().copied(), now));
        }
        nanoseconds(began.elapsed() / TOGETHER)
    };
    for _ in 0..stretches / 10 {
        stretch();
    }
    let mut times: Vec<u64> = (0..stretches.max(1)).map(|_| stretch()).collect();
    times.sort_unstable();
    let at = |part: usize| times.get((times.len() - 1) * part / 100).copied().unwrap_or(0);
    OneKind { what, p50: at(50), p99: at(99) }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::assert_missed;

    #[test]
    fn there_is_someone_to_choose_in_each_kind() {
        let now = Timestamp::from_micros(1_000);
        let facts = accounts(|index| if index % 100 == 7 { PeerRelation::Dialog } else { PeerRelation::No });
        let choice = choose(ChatKind::Channel, None, None, facts, now);
        assert!(choice.able.len() > 3 && choice.refused.len() > 800, "{}", choice.able.len());
        let measured = run(1);
        assert!(measured.chats.len() == 5 && measured.chats.iter().all(|kind| kind.p50 > 0));
    }

    #[test]
    fn the_slowest_kind_counts() {
        let choosing = |p50| Choosing {
            chats: vec![OneKind { what: "a", p50, p99: 12_340 }, OneKind { what: "b", p50: 1, p99: 0 }],
        };
        assert_missed(&choosing(19_999), 0);
        assert_missed(&choosing(20_000), 1);
        assert!(choosing(9_870).text().contains("| a | 9.8 | 12.3 |"));
    }
}
