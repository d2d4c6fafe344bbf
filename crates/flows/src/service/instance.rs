//! A flow on one account, with what it needs to press.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::FlowSettings;
use domain::{AccountName, ChatId, FlowRunState};
use telegram::Target;

use super::counters::FlowCounters;
use crate::control::{FlowOnAccount, FlowState, LastRun};
use crate::machine::{Machine, Now, RunRecord};
use ambient::lock::{Mutex, RwLock};

pub(crate) struct Instance {
    /// No other has it.
    pub(super) number: u64,
    pub(super) settings: FlowSettings,
    pub(super) flow_name: String,
    pub(super) account: AccountName,
    pub(super) machine: Mutex<Machine>,
    /// Of the flow, on all its accounts.
    pub(super) counters: Arc<FlowCounters>,
    /// The chat, or why it is not known.
    target: RwLock<Result<Target, String>>,
    /// Why it is stopped.
    stopped: Mutex<Option<String>>,
    last: Mutex<Option<LastRun>>,
    missed: Mutex<Missed>,
}

/// What was offered and not booked, by why: as rows have it, and since.
#[derive(Debug, Default, Clone)]
pub(super) struct Missed {
    pub(super) skipped: BTreeMap<String, u64>,
    pub(super) failed: BTreeMap<String, u64>,
}

impl Missed {
    pub(super) fn add(&mut self, state: FlowRunState, code: &str, count: u64) {
        let counts = match state {
            FlowRunState::Skipped => &mut self.skipped,
            FlowRunState::Failed | FlowRunState::Cut => &mut self.failed,
            FlowRunState::Running | FlowRunState::Done | FlowRunState::Stopped => return,
        };
        *counts.entry(code.to_owned()).or_default() += count;
    }
}

impl Instance {
    pub(super) fn new(
        number: u64,
        settings: FlowSettings,
        account: AccountName,
        machine: Machine,
        counters: Arc<FlowCounters>,
        stopped: Option<String>,
        (last, missed): (Option<LastRun>, Missed),
    ) -> Self {
        Self {
            number,
            flow_name: settings.name.clone(),
            settings,
            account,
            machine: Mutex::new(machine),
            counters,
            target: RwLock::new(Err("its chat is being looked for".to_owned())),
            stopped: Mutex::new(stopped),
            last: Mutex::new(last),
            missed: Mutex::new(missed),
        }
    }

    pub(super) fn target(&self) -> Option<Target> {
        self.target.read().as_ref().ok().cloned()
    }

    pub(super) fn chat_id(&self) -> Option<ChatId> {
        self.target.read().as_ref().ok().map(|target| target.chat_id)
    }

    pub(super) fn set_target(&self, target: Result<Target, String>) {
        *self.target.write() = target;
    }

    pub(super) fn set_stopped(&self, reason: Option<String>) {
        *self.stopped.lock() = reason;
    }

    /// Notes how a run is now.
    pub(super) fn note(&self, run: &RunRecord) {
        if run.ended_at.is_some() {
            self.missed.lock().add(run.state, run.code.unwrap_or_default(), 1);
        }
        let mut last = self.last.lock();
        let is_last = last.as_ref().is_none_or(|last| last.id == run.id || last.began_at <= run.began_at);
        if is_last && run.state != FlowRunState::Skipped {
            let code = run.code.map(str::to_owned);
            *last = Some(LastRun { id: run.id, began_at: run.began_at, state: run.state, code });
        }
    }

    pub(super) fn view(&self, now: Now) -> FlowOnAccount {
        let mut machine = self.machine.lock();
        let (done, acted) = (machine.done(), machine.acted(now));
        let (is_stopped, is_running) = (machine.is_stopped(), machine.is_running());
        drop(machine);
        let waits = self.target.read().as_ref().err().cloned();
        let (state, reason) = if is_stopped {
            (FlowState::Stopped, self.stopped.lock().clone())
        } else if is_running {
            (FlowState::Running, None)
        } else if waits.is_some() {
            (FlowState::Waiting, waits)
        } else {
            (FlowState::Watching, None)
        };
        let last_run = self.last.lock().clone();
        let Missed { skipped, failed } = self.missed.lock().clone();
        FlowOnAccount { account: self.account.clone(), state, reason, done, acted, skipped, failed, last_run }
    }
}
