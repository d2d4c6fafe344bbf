//! What one look at everything brought, in the shape the board is drawn from. Pure.

use domain::Timestamp;
use health::{Card, CardKind, ClearingView, Counts, Facts, Lamp, Overview, Process};

/// One look at everything.
#[derive(Debug, Clone)]
pub(crate) struct Sight {
    /// When.
    pub(crate) at: Timestamp,
    /// How many cards there are, whatever is filtered.
    pub(crate) numbers: Numbers,
    /// How many are wanted, over all pages.
    pub(crate) matching: u64,
    /// The program itself.
    pub(crate) process: Process,
    /// A few numbers about the work.
    pub(crate) facts: Facts,
    /// A clearing that runs.
    pub(crate) clearing: Option<ClearingView>,
    /// The cards of the page, by need.
    pub(crate) cards: Vec<Card>,
    /// Where the next page begins.
    pub(crate) next: Option<String>,
}

/// How many cards there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Numbers {
    /// All.
    pub(crate) all: u64,
    /// Those that need somebody.
    pub(crate) trouble: u64,
    /// Those that wait for something that comes by itself.
    pub(crate) waiting: u64,
    /// Those that are fine or coming up.
    pub(crate) fine: u64,
    /// Those that are switched off.
    pub(crate) off: u64,
    /// Those of each kind.
    pub(crate) kinds: [u64; CardKind::ALL.len()],
}

impl From<&Counts> for Numbers {
    fn from(counts: &Counts) -> Self {
        Self {
            all: counts.all().into(),
            trouble: counts.lamp(Lamp::Trouble).into(),
            waiting: counts.lamp(Lamp::Waiting).into(),
            fine: u64::from(counts.lamp(Lamp::Good)) + u64::from(counts.lamp(Lamp::Busy)),
            off: counts.lamp(Lamp::Off).into(),
            kinds: CardKind::ALL.map(|kind| counts.kind(kind).into()),
        }
    }
}

impl Numbers {
    /// Those of one kind.
    pub(crate) fn kind(&self, kind: CardKind) -> u64 {
        self.kinds.get(kind as usize).copied().unwrap_or_default()
    }
}

impl From<Overview> for Sight {
    fn from(overview: Overview) -> Self {
        Self {
            at: overview.at,
            numbers: Numbers::from(&overview.counts),
            matching: overview.matching.into(),
            process: overview.process,
            facts: overview.facts,
            clearing: overview.clearing,
            cards: overview.cards,
            next: overview.next.map(|next| next.to_string()),
        }
    }
}
