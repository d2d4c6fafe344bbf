//! What the alerts are fed with: what each card answered, round by round.

use std::sync::Arc;

/// A thing that works or does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Card {
    /// Its id, such as `account:main`; the same after a restart.
    pub id: Arc<str>,
    /// What it is, such as `account`.
    pub kind: Arc<str>,
    /// What people call it.
    pub name: String,
    /// The card that it is a part of, such as the account of a line.
    pub parent: Option<Arc<str>>,
}

/// What a card answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProbeResult {
    Green,
    Red {
        /// Why, as a stable word: `session_revoked`, `no_answer`, `disk_full` …
        reason: String,
        detail: Option<String>,
    },
    /// It is red, and was looked at more than once before it was said: one such answer raises an alert.
    Confirmed {
        reason: String,
        detail: Option<String>,
    },
    /// It was not asked: it is switched off, or was just started.
    Grey,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub card: Card,
    pub result: ProbeResult,
}

/// One probe of every card there is. A card that is missing from a few rounds is taken to be no more.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Round {
    pub probes: Vec<Probe>,
}
