//! A saga in the hands of its task, and what this run knows about it beyond the store.

use domain::message::OnFlood;
use domain::outcome::Refusal;
use domain::saga::{Saga, SagaEntry, Step};
use domain::{AccountName, ChatRef, Timestamp};

use super::machine;
use crate::sender::RefusalKind;
use crate::worker::NotedWait;

/// A saga on its way.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) saga: Saga,
    /// The account that was chosen for the steps before anything was changed.
    pub(super) chosen: Option<AccountName>,
    /// The account that found who the people are.
    pub(super) people_by: Option<AccountName>,
    /// The first choice that the chosen account stands in for, and why; until it is written down.
    pub(super) stands_in_for: Option<(AccountName, String)>,
    /// The chat was bound to an account that is lost: the one who changes something in it takes it over.
    pub(super) takes_over: bool,
    /// Accounts that refused it.
    pub(super) tried: Vec<(Refusal, RefusalKind)>,
    /// Accounts whose calls could not be made, once for each time; the others go first.
    pub(super) unavailable: Vec<AccountName>,
    /// Accounts that must wait for a kind of call that the choice does not ask for, such as looking people up.
    pub(super) held: Vec<(AccountName, Timestamp)>,
    /// The begun step may have been done.
    pub(super) doubtful: bool,
    /// When the chat was last asked for, and when that call was given up.
    pub(super) requested: Option<(Timestamp, Timestamp)>,
    /// How often the account at work was asked for a chat that then was not there.
    pub(super) in_vain: u32,
    /// How often the present step came back without a result.
    pub(super) attempts: u32,
    /// Who was asked about in vain, once for each time.
    pub(super) fruitless_lookups: Vec<ChatRef>,
    /// The deadline last written into the history, so that one wait is one line.
    pub(super) noted_wait: NotedWait,
    /// What is to be written into the history with the next write.
    pub(super) entries: Vec<SagaEntry>,
    /// When someone was last removed.
    pub(super) removed_at: Option<Timestamp>,
}

impl InFlight {
    pub(super) fn new(mut saga: Saga) -> Self {
        // A step that an earlier run had begun may have been done; only the provider knows.
        let doubtful = saga.begun.is_some();
        let people_by = if doubtful || machine::is_settled(&saga) {
            saga.account.clone()
        } else {
            machine::forget_people(&mut saga);
            None
        };
        Self {
            saga,
            chosen: None,
            people_by,
            stands_in_for: None,
            takes_over: false,
            tried: Vec::new(),
            unavailable: Vec::new(),
            held: Vec::new(),
            doubtful,
            requested: None,
            in_vain: 0,
            attempts: 0,
            fruitless_lookups: Vec::new(),
            noted_wait: NotedWait::None,
            entries: Vec::new(),
            removed_at: None,
        }
    }

    /// Whether something was changed already, or may have been: it stays with its account.
    pub(super) fn is_bound(&self) -> bool {
        self.doubtful || machine::is_settled(&self.saga)
    }

    /// The account that takes the next step, if there is one already.
    pub(super) fn account(&self) -> Option<&AccountName> {
        let has_begun = self.saga.begun.is_some();
        if has_begun || self.is_bound() { self.saga.account.as_ref() } else { self.chosen.as_ref() }
    }

    /// Whether it ends when every account must wait.
    pub(super) fn fails_on_flood(&self) -> bool {
        self.saga.on_flood == OnFlood::Fail
    }

    /// How often this step came back without a result, this time included.
    pub(super) fn attempts_at(&self, step: &Step) -> u32 {
        let Step::Resolve { who } = step else { return self.attempts };
        let times = self.fruitless_lookups.iter().filter(|other| *other == who).count();
        u32::try_from(times).unwrap_or(u32::MAX)
    }

    /// A step has its result: the next one starts afresh.
    pub(super) fn step_over(&mut self) {
        self.saga.begun = None;
        self.doubtful = false;
        self.attempts = 0;
    }
}
