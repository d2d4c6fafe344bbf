//! A flow on one account, with what it needs to press.

use std::sync::Arc;

use config::FlowSettings;
use domain::{AccountName, ChatId};
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
}

impl Instance {
    pub(super) fn new(
        number: u64,
        settings: FlowSettings,
        account: AccountName,
        machine: Machine,
        counters: Arc<FlowCounters>,
        stopped: Option<String>,
        last: Option<LastRun>,
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

    pub(super) fn set_last(&self, run: &RunRecord) {
        let code = run.code.map(str::to_owned);
        *self.last.lock() = Some(LastRun { id: run.id, began_at: run.began_at, state: run.state, code });
    }

    pub(super) fn view(&self, now: Now) -> FlowOnAccount {
        let mut machine = self.machine.lock();
        let (skipped, done, begun) = (machine.skipped().0, machine.done(), machine.begun(now));
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
        FlowOnAccount { account: self.account.clone(), state, reason, done, begun, skipped, last_run }
    }
}
