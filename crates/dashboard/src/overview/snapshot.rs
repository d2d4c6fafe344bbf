//! What one look at everything brought, in the shape the board is drawn from. Pure.

use std::sync::Arc;

use domain::Timestamp;
use health::{Card, CardKind, Causes, ClearingView, Counts, Facts, Lamp, Overview, Process};

use super::undelivered::Undelivered;

#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    /// When.
    pub(crate) at: Timestamp,
    /// How many cards there are, whatever is filtered.
    pub(crate) numbers: Numbers,
    /// How many are wanted, over all pages.
    pub(crate) matching: u64,
    pub(crate) process: Process,
    /// A few numbers about the work.
    pub(crate) facts: Facts,
    /// How many messages have not arrived today.
    pub(crate) undelivered: Undelivered,
    pub(crate) clearing: Option<ClearingView>,
    pub(crate) causes: Arc<Causes>,
    /// The cards of the page, by need.
    pub(crate) cards: Vec<Card>,
    /// The sessions of the accounts among them.
    pub(crate) lines: Vec<Card>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// How many cards there are. Sessions are listed in their accounts and are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Numbers {
    pub(crate) all: u64,
    /// Those that wait for something that comes by itself.
    pub(crate) waiting: u64,
    pub(crate) fine: u64,
    pub(crate) off: u64,
    pub(crate) kinds: [u64; CardKind::ALL.len()],
}

impl From<&Counts> for Numbers {
    fn from(counts: &Counts) -> Self {
        let kinds = || CardKind::ALL.into_iter().filter(|kind| *kind != CardKind::Line);
        let lamp = |lamp: Lamp| kinds().map(|kind| u64::from(counts.of(kind, lamp))).sum::<u64>();
        Self {
            all: kinds().map(|kind| u64::from(counts.kind(kind))).sum(),
            waiting: lamp(Lamp::Waiting),
            fine: lamp(Lamp::Good) + lamp(Lamp::Busy),
            off: lamp(Lamp::Off),
            kinds: CardKind::ALL.map(|kind| counts.kind(kind).into()),
        }
    }
}

impl Numbers {
    pub(crate) fn kind(&self, kind: CardKind) -> u64 {
        self.kinds.get(kind as usize).copied().unwrap_or_default()
    }
}

impl Snapshot {
    pub(crate) fn troubles(&self) -> u64 {
        self.causes.all().into()
    }
}

impl From<Overview> for Snapshot {
    fn from(overview: Overview) -> Self {
        Self {
            at: overview.at,
            numbers: Numbers::from(&overview.counts),
            matching: overview.matching.into(),
            process: overview.process,
            facts: overview.facts,
            undelivered: Undelivered::default(),
            clearing: overview.clearing,
            causes: overview.causes,
            cards: overview.cards,
            lines: overview.lines,
            next: overview.next.map(|next| next.to_string()),
        }
    }
}
