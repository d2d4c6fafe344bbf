//! A flow on one account, with what it needs to press.

use std::collections::BTreeMap;
use std::sync::Arc;

use config::FlowSettings;
use domain::{AccountName, ChatId, FlowRunState, FlowStage};
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
    /// Shared with the same flow as it was before a change.
    missed: Arc<Mutex<Missed>>,
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
        (last, missed): (Option<LastRun>, Arc<Mutex<Missed>>),
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
            missed,
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

    pub(super) fn missed(&self) -> Arc<Mutex<Missed>> {
        Arc::clone(&self.missed)
    }

    /// Whether the other is the same flow on the same account, as it was before a change or is after it.
    pub(super) fn replaces(&self, other: &Self) -> bool {
        self.flow_name == other.flow_name && self.account == other.account
    }

    /// Notes how a run is now.
    pub(super) fn note(&self, run: &RunRecord) {
        if run.ended_at.is_some() {
            self.missed.lock().add(run.state, run.code.unwrap_or_default(), 1);
        }
        let mut last = self.last.lock();
        let is_known = last.as_ref().is_some_and(|last| last.id == run.id);
        let is_latest = last.as_ref().is_none_or(|last| last.began_at <= run.began_at);
        // A message that waits has a row too, and is no run yet.
        let has_begun = run.moments.iter().any(|moment| moment.stage == FlowStage::Matched);
        if is_known || (is_latest && has_begun && run.state != FlowRunState::Skipped) {
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

#[cfg(test)]
mod tests {
    use domain::{FlowMoment, FlowRunId, TelegramMessageId, Timestamp};

    use super::*;
    use crate::definition::Flow;

    #[test]
    fn a_message_that_waits_is_no_last_run_and_a_skipped_run_is_under_way_no_longer() {
        let text = "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@demo_trips_bot\"\n\
            trigger = { text = \"trip\" }\nsteps = [{ press = { text = \"Book\" } }]\n";
        let settings =
            config::read_flows(text, std::path::Path::new("/flows.toml")).expect("a flow").remove(0);
        let machine = Machine::new(Arc::new(Flow::of(&settings).expect("a flow")));
        let account = "main".parse().expect("a name");
        let instance =
            Instance::new(1, settings, account, machine, Arc::default(), None, (None, Arc::default()));
        let row = |state, stages: &[FlowStage], ended_at| RunRecord {
            id: FlowRunId::MIN,
            flow: "trip".to_owned(),
            chat_id: ChatId::user(7).expect("an id"),
            message_id: TelegramMessageId::new(5).expect("an id"),
            began_at: Timestamp::from_micros(1),
            ended_at,
            state,
            code: None,
            step: 1,
            moments: stages
                .iter()
                .map(|stage| FlowMoment { at_us: 0, stage: *stage, step: None, note: None })
                .collect(),
        };
        let last = || instance.last.lock().as_ref().map(|last| last.state);
        instance.note(&row(FlowRunState::Running, &[FlowStage::Seen], None));
        assert_eq!(last(), None);
        instance.note(&row(FlowRunState::Running, &[FlowStage::Seen, FlowStage::Matched], None));
        assert_eq!(last(), Some(FlowRunState::Running));
        let ended = Some(Timestamp::from_micros(2));
        instance.note(&row(FlowRunState::Skipped, &[FlowStage::Seen, FlowStage::Matched], ended));
        assert_eq!(last(), Some(FlowRunState::Skipped));
        let counts = instance.missed().lock().skipped.values().sum::<u64>();
        assert_eq!(counts, 1);
    }
}
