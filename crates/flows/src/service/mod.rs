//! The flows of the running program: machines fed by what comes in, and what they want done.
//!
//! A machine is asked in the task of the connection that brought the message, so that a press leaves before anything else is
//! done. Rows are written afterwards, by a task of their own.

mod alarms;
mod arming;
mod counters;
mod editing;
mod instance;
mod presses;
mod recorder;
mod switching;
mod watching;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ambient::{Clock, Ids};
use config::FlowSettings;
use delivery::{Delivery, Submission};
use domain::{AccountName, ChatId, ChatRef, FlowRunId, Timestamp};
use store::{FlowSwitch, Store, StoreError};
use telegram::{LiveLine, Pool};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::alarms::Alarms;
use self::counters::Counters;
use self::instance::{Instance, Missed};
use self::presses::{Came, Presses};
use self::recorder::Records;
use crate::control::LastRun;
use crate::definition::{Flow, InvalidFlow};
use crate::limits::EarlierRun;
use crate::machine::{Action, Input, Machine, Now};
use ambient::lock::{Mutex, RwLock};
use std::sync::MutexGuard;

pub use self::alarms::FlowAlarm;
pub use self::counters::{FlowsCounted, OneFlowCounted, PressOutcome};
pub use self::editing::{EditError, StoredDefinition};
pub use self::switching::DryRunError;

/// The name of flows among those who ask for messages.
const LISTENER: &str = "flows";

/// What flows are made of.
pub struct FlowsParts {
    pub store: Store,
    pub pool: Arc<Pool>,
    pub delivery: Delivery,
    pub clock: Clock,
    pub ids: Ids,
}

/// Why the flows cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum FlowsError {
    #[error("what is stored of the flows cannot be read: {0}")]
    Store(#[from] StoreError),
    #[error(transparent)]
    Invalid(#[from] InvalidFlow),
}

/// All flows. Cheap to clone.
#[derive(Clone)]
pub struct Flows(Arc<Inner>);

pub(crate) struct Inner {
    parts: FlowsParts,
    roster: RwLock<Arc<Roster>>,
    of_settings: Mutex<Vec<FlowSettings>>,
    /// When a machine is to be given the time next, by the number of its instance.
    due: Mutex<HashMap<u64, Duration>>,
    due_changed: Notify,
    records: Records,
    alarms: Alarms,
    presses: Presses,
    counters: Counters,
    /// There are instances without a target.
    unarmed: Notify,
    numbers: Mutex<u64>,
    reloading: tokio::sync::Mutex<()>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

/// Who has something to do after something was heard.
#[derive(Debug, Clone, Copy, Default)]
struct Wake {
    /// A run is to be written down.
    is_record: bool,
    /// A machine wants to know the time sooner.
    is_time: bool,
}

/// Which instances there are, in the order of the settings, and whose chats are known.
#[derive(Default)]
pub(crate) struct Roster {
    pub(crate) all: Vec<Arc<Instance>>,
    by_chat: HashMap<AccountName, HashMap<ChatId, Vec<Arc<Instance>>>>,
}

impl Roster {
    fn of(all: Vec<Arc<Instance>>) -> Self {
        let mut by_chat: HashMap<_, HashMap<_, Vec<_>>> = HashMap::new();
        for instance in &all {
            if let Some(chat_id) = instance.chat_id() {
                let chats = by_chat.entry(instance.account.clone()).or_default();
                chats.entry(chat_id).or_default().push(Arc::clone(instance));
            }
        }
        Self { all, by_chat }
    }

    fn watching(&self, account: &AccountName, chat_id: ChatId) -> &[Arc<Instance>] {
        let watching = self.by_chat.get(account).and_then(|chats| chats.get(&chat_id));
        watching.map(Vec::as_slice).unwrap_or_default()
    }
}

impl Flows {
    /// Marks the runs that the end of the program cut, and begins to watch.
    pub async fn start(settings: &[FlowSettings], parts: FlowsParts) -> Result<Self, FlowsError> {
        let cut = parts.store.flow_runs().cut(parts.clock.now()).await?;
        if cut > 0 {
            tracing::warn!(
                cut,
                "runs of flows were cut by the end of the program; what they pressed is not pressed again"
            );
        }
        let flows = Self::at_rest(settings, parts).await?;
        let inner = &flows.0;
        let watcher: Arc<dyn telegram::Watcher> = inner.clone();
        inner.parts.pool.watch(Arc::downgrade(&watcher));
        inner.tasks.spawn(Arc::clone(inner).tell_time());
        inner.tasks.spawn(recorder::run(Arc::clone(inner)));
        inner.tasks.spawn(arming::run(Arc::clone(inner)));
        Ok(flows)
    }

    /// The same flows, none of which watches: for a command that looks at them or switches them while no server runs.
    pub async fn at_rest(settings: &[FlowSettings], parts: FlowsParts) -> Result<Self, FlowsError> {
        let flows = Self(Arc::new(Inner {
            parts,
            roster: RwLock::default(),
            of_settings: Mutex::default(),
            due: Mutex::default(),
            due_changed: Notify::new(),
            records: Records::default(),
            alarms: Alarms::default(),
            presses: Presses::default(),
            counters: Counters::default(),
            unarmed: Notify::new(),
            numbers: Mutex::default(),
            reloading: tokio::sync::Mutex::default(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
        }));
        flows.reload(settings).await?;
        Ok(flows)
    }

    /// Takes over the flows of settings that were read again.
    pub async fn reload(&self, settings: &[FlowSettings]) -> Result<(), FlowsError> {
        let inner = &self.0;
        let _turn = inner.reloading.lock().await;
        *inner.of_settings.lock() = settings.to_vec();
        self.arrange().await
    }

    /// Takes in use all flows that there are now. One that is the same goes on undisturbed.
    async fn arrange(&self) -> Result<(), FlowsError> {
        let inner = &self.0;
        let settings = inner.in_use().await?;
        let switches = inner.parts.store.flow_runs().switches().await?;
        let before = inner.roster();
        let mut all = Vec::new();
        for settings in &settings {
            let flow = Arc::new(Flow::of(settings)?);
            for account in &flow.accounts {
                let same = |instance: &&Arc<Instance>| {
                    instance.account == *account && instance.settings == *settings
                };
                if let Some(instance) = before.all.iter().find(same) {
                    all.push(Arc::clone(instance));
                    continue;
                }
                let is_earlier = |instance: &&Arc<Instance>| {
                    instance.account == *account && instance.flow_name == flow.name
                };
                let earlier = before.all.iter().find(is_earlier);
                all.push(inner.instance(settings, &flow, account, &switches, earlier).await?);
            }
        }
        let is_kept = |instance: &Arc<Instance>| all.iter().any(|kept| Arc::ptr_eq(kept, instance));
        let gone: Vec<_> = before.all.iter().filter(|instance| !is_kept(instance)).cloned().collect();
        inner.counters.retain(&all);
        *inner.roster.write() = Arc::new(Roster::of(all));
        for instance in gone {
            inner.carry_out(&instance, None, |machine, now| machine.stop("changed", now));
            inner.alarms.clear(&instance.flow_name, &instance.account);
            // Rows of its last runs may not be written yet.
            if let Some(changed) = inner.roster().all.iter().find(|changed| changed.replaces(&instance)) {
                changed.machine.lock().take_over(&instance.machine.lock());
            }
        }
        inner.unarmed.notify_one();
        Ok(())
    }

    /// Ends all tasks; runs that are under way are shown as cut after the next start.
    pub async fn drain(&self, limit: Duration) {
        let inner = &self.0;
        inner.closing.cancel();
        inner.tasks.close();
        if tokio::time::timeout(limit, inner.tasks.wait()).await.is_err() {
            tracing::warn!("some presses were not answered in time");
        }
    }
}

impl Inner {
    pub(crate) fn roster(&self) -> Arc<Roster> {
        Arc::clone(&self.roster.read())
    }

    fn now(&self) -> Now {
        Now { wall: self.parts.clock.now(), running: self.parts.clock.running() }
    }

    async fn instance(
        &self,
        settings: &FlowSettings,
        flow: &Arc<Flow>,
        account: &AccountName,
        switches: &[FlowSwitch],
        earlier: Option<&Arc<Instance>>,
    ) -> Result<Arc<Instance>, StoreError> {
        let switch = switches.iter().find(|switch| switch.flow == flow.name && switch.account == *account);
        let since = switch.map_or(Timestamp::from_micros(0), |switch| switch.changed_at);
        let now = self.now();
        let counted = self.parts.store.flow_runs().counted(&flow.name, account, since, now.wall).await?;
        let mut machine = Machine::new(Arc::clone(flow));
        let ago = |at: &Timestamp| now.wall.since(*at);
        let of_row = |run: &store::FlowRunBegun| EarlierRun {
            begun_ago: ago(&run.at),
            message: (run.chat_id, run.message_id),
            has_acted: run.has_acted,
        };
        let begun: Vec<_> = counted.begun.iter().map(of_row).collect();
        let missed = if let Some(earlier) = earlier {
            earlier.missed()
        } else {
            self.restore_alarms(&flow.name, account, since).await?;
            let mut missed = Missed::default();
            for (state, code, count) in &counted.missed {
                missed.add(*state, code, *count);
            }
            Arc::new(Mutex::new(missed))
        };
        machine.restore(&begun, counted.last_ended.as_ref().map(ago), counted.done, now);
        let stopped = switch.and_then(|switch| switch.stopped.clone());
        if stopped.is_some() {
            machine.stop("stopped", now);
        }
        let number = {
            let mut numbers = self.numbers.lock();
            *numbers += 1;
            *numbers
        };
        let last = counted.latest.map(|run| LastRun {
            id: run.id,
            began_at: run.began_at,
            state: run.state,
            code: run.code,
        });
        let counters = self.counters.of(&flow.name);
        let (settings, account) = (settings.clone(), account.clone());
        Ok(Arc::new(Instance::new(number, settings, account, machine, counters, stopped, (last, missed))))
    }

    /// Feeds a machine, and does what it wants done. `line` is the one that something came by.
    pub(crate) fn feed(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
        line: Option<&LiveLine<'_>>,
        input: Input<'_>,
    ) {
        self.carry_out(instance, line, |machine, now| {
            machine.step(input, now, &mut || FlowRunId::from_uuid(self.parts.ids.next()))
        });
    }

    /// What a machine wants done is done before another thing is heard: its press is written before an edit that came later
    /// is looked at.
    fn carry_out(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
        line: Option<&LiveLine<'_>>,
        hear: impl FnOnce(&mut Machine, Now) -> Vec<Action>,
    ) {
        let mut machine = instance.machine.lock();
        let actions = hear(&mut machine, self.now());
        self.perform(instance, line, machine, actions);
    }

    fn perform(
        self: &Arc<Self>,
        instance: &Arc<Instance>,
        line: Option<&LiveLine<'_>>,
        machine: MutexGuard<'_, Machine>,
        actions: Vec<Action>,
    ) {
        let (mut presses, mut wake) = (Vec::new(), Wake::default());
        for action in actions {
            match action {
                Action::Press { number, message_id, version, data } => {
                    let button = presses::Button { message_id, version, data };
                    presses.push((number, self.press(instance, line, button)));
                }
                Action::Send { number, run, text } => {
                    let (inner, instance) = (Arc::clone(self), Arc::clone(instance));
                    self.tasks.spawn(async move {
                        let refusal = inner.send(&instance, run, text).await;
                        inner.feed(&instance, None, Input::Sent { number, refusal });
                    });
                }
                Action::Alert { reason, detail } => {
                    self.alarms.raise(&instance.flow_name, &instance.account, reason, detail);
                }
                Action::Stop { reason } => {
                    instance.set_stopped(Some(reason.to_owned()));
                    let (inner, instance) = (Arc::clone(self), Arc::clone(instance));
                    self.tasks.spawn(async move { inner.keep_stopped(&instance, reason).await });
                }
                Action::Record(record) => {
                    instance.note(&record);
                    if record.ended_at.is_some() && record.state != domain::FlowRunState::Skipped {
                        instance.counters.end(record.state);
                        self.counters.time(&record.moments);
                    }
                    if record.state == domain::FlowRunState::Done {
                        self.alarms.clear(&instance.flow_name, &instance.account);
                    }
                    let run = (record.state, record.code.unwrap_or_default());
                    self.alarms.note(&instance.flow_name, &instance.account, run, self.parts.clock.now());
                    self.records.put(*record, &instance.account);
                    wake.is_record = true;
                }
            }
        }
        let due = machine.due();
        let mut all = self.due.lock();
        let before = match due {
            Some(due) => all.insert(instance.number, due),
            None => all.remove(&instance.number),
        };
        drop(all);
        drop(machine);
        // Where it is later than it was, the time is looked at in vain once.
        wake.is_time = due.is_some_and(|due| before.is_none_or(|before| due < before));
        if presses.is_empty() {
            self.wake(wake);
        }
        for (number, pressing) in presses {
            let (inner, instance) = (Arc::clone(self), Arc::clone(instance));
            self.tasks.spawn(async move {
                inner.wake(wake);
                let came = tokio::select! {
                    came = pressing => came,
                    // The run is shown as cut.
                    () = inner.closing.cancelled() => return,
                };
                match came {
                    Came::Answer(answer) => {
                        instance.counters.press(&answer);
                        inner.feed(&instance, None, Input::Answered { press: number, answer });
                    }
                    Came::Taken { by } => {
                        inner.feed(&instance, None, Input::Taken { press: number, by: &by });
                    }
                }
            });
        }
    }

    /// Wakes those who have something to do now. Beside a press a task does it: to wake others takes longer than to write the
    /// press, and they would take the processor from it.
    fn wake(&self, wake: Wake) {
        if wake.is_record {
            self.records.wake();
        }
        if wake.is_time {
            self.due_changed.notify_one();
        }
    }

    /// Gives machines the time when they want to know it.
    async fn tell_time(self: Arc<Self>) {
        while !self.closing.is_cancelled() {
            let (now, next) = (self.parts.clock.running(), self.due.lock().values().min().copied());
            if next.is_some_and(|next| next <= now) {
                let due: Vec<u64> = {
                    let due = self.due.lock();
                    due.iter().filter(|(_, at)| **at <= now).map(|(number, _)| *number).collect()
                };
                let roster = self.roster();
                for number in due {
                    match roster.all.iter().find(|instance| instance.number == number) {
                        Some(instance) => self.feed(instance, None, Input::Time),
                        None => drop(self.due.lock().remove(&number)),
                    }
                }
                continue;
            }
            let wait = next.map_or(Duration::from_hours(1), |next| next.saturating_sub(now));
            tokio::select! {
                () = self.closing.cancelled() => {}
                () = self.due_changed.notified() => {}
                () = self.parts.clock.sleep(wait) => {}
            }
        }
    }

    /// Sends a text as any other: within the limits of the account, and to no one who is not to be written to. Says why not.
    async fn send(&self, instance: &Instance, run: FlowRunId, text: String) -> Option<String> {
        let Some(chat_id) = instance.chat_id() else { return Some("the chat is not known".to_owned()) };
        let submission = Submission {
            pin: Some(instance.account.clone()),
            ..Submission::plain(ChatRef::Id(chat_id), &text, LISTENER)
        };
        match self.parts.delivery.submit(submission).await {
            Ok(submitted) => {
                tracing::debug!(%run, message = %submitted.id, "a flow sends a text");
                None
            }
            Err(error) => Some(error.to_string()),
        }
    }
}
