//! The machine of a flow on one account: what is heard goes in, what is to be done comes out. Pure.
//!
//! Each message that fits begins a run of its own, as many at once as may be. A message belongs to one run at most, so no
//! run presses what another is at. The machine presses only a button of the newest keyboard that it knows of a message,
//! and none of one keyboard twice, whatever becomes of the first press. After something may have been missed it knows no
//! keyboard until it hears of one.

mod answers;
mod looking;
mod offers;
mod refusals;
mod run;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use domain::{ChatId, FlowRunId, FlowRunState, FlowStage, TelegramMessageId, Timestamp};
use telegram::{PressAnswer, Sighting};

use self::looking::Barred;
use self::offers::{RowsOfSkips, Waiting};
use self::run::{Doing, Run};
use crate::definition::{Deed, Flow};
use crate::limits::{EarlierRun, RunsCounted, Skip};
use crate::tracked_messages::TrackedMessages;

pub use self::run::RunRecord;

/// How long the answer to a last press is waited for before the run is taken for done.
const SETTLE: Duration = Duration::from_secs(15);

/// The same, once the expected text was read.
const SETTLE_SURE: Duration = Duration::from_secs(1);

/// Runs at most, with those that only wait for an answer to their last press.
const MOST_RUNS: usize = 64;

/// How soon after a press that was not written another is made.
const UNWRITTEN: Duration = Duration::from_millis(200);

/// How often a step looks for its button once more, because a press was refused.
const MOST_TRIES: u8 = 8;

/// How often a run begins again.
const MOST_RESTARTS: u8 = 3;

/// A moment, by both clocks: the one that says what time it is, and the one that no one sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    pub wall: Timestamp,
    pub running: Duration,
}

/// What is heard.
#[derive(Debug)]
pub enum Input<'a> {
    /// A message or an edit came in, live.
    Sighted(&'a Sighting),
    /// Messages were deleted.
    Gone { message_ids: &'a [TelegramMessageId], version: i32 },
    /// A message came or changed in an absence, then.
    Missed { message_id: TelegramMessageId, written_at: Timestamp },
    /// A press came to its end.
    Answered { press: u32, answer: PressAnswer },
    /// A press was not made: this other flow pressed the button from the same account.
    Taken { press: u32, by: &'a str },
    /// A text was accepted, or not.
    Sent { number: u32, refusal: Option<String> },
    /// Updates may have been missed.
    Interrupted,
    /// Time has passed.
    Time,
}

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Press a button of this version of the message. The number comes back with the answer.
    Press { number: u32, message_id: TelegramMessageId, version: i32, data: Vec<u8> },
    /// Send a text to the chat.
    Send { number: u32, run: FlowRunId, text: String },
    /// Notify the alert targets.
    Alert { reason: &'static str, detail: String },
    /// The flow stops on this account, for this reason.
    Stop { reason: &'static str },
    /// Keep how the run is.
    Record(Box<RunRecord>),
}

/// A flow on one account.
#[derive(Debug)]
pub struct Machine {
    flow: Arc<Flow>,
    /// The senders that the flow names, by their ids.
    senders: BTreeSet<ChatId>,
    tracked: TrackedMessages,
    counted: RunsCounted,
    is_stopped: bool,
    /// Those under way, the first that began first.
    runs: Vec<Run>,
    /// Messages that begin a run once there is room, the first that came first.
    waiting: VecDeque<Waiting>,
    /// What was pressed, and is not pressed again.
    barred: Vec<Barred>,
    /// Until when Telegram asked not to press.
    held_until: Duration,
    /// Of presses and texts, and of runs.
    numbers: u32,
    run_numbers: u32,
    skipped: [u64; Skip::ALL.len()],
    last_skip: Option<Skip>,
    rows: RowsOfSkips,
}

impl Machine {
    pub fn new(flow: Arc<Flow>) -> Self {
        Self {
            flow,
            senders: BTreeSet::new(),
            tracked: TrackedMessages::default(),
            counted: RunsCounted::default(),
            is_stopped: false,
            runs: Vec::new(),
            waiting: VecDeque::new(),
            barred: Vec::new(),
            held_until: Duration::ZERO,
            numbers: 0,
            run_numbers: 0,
            skipped: [0; Skip::ALL.len()],
            last_skip: None,
            rows: RowsOfSkips::default(),
        }
    }

    /// Takes in what an earlier run of the program wrote down of its runs; see [`RunsCounted::restore`].
    pub(crate) fn restore(
        &mut self,
        earlier: &[EarlierRun],
        ended_ago: Option<Duration>,
        done: u32,
        now: Now,
    ) {
        self.counted.restore(earlier, ended_ago, done, now.running);
    }

    /// Takes over what the limits count of the flow as it was before a change, and its flood wait.
    pub(crate) fn take_over(&mut self, earlier: &Self) {
        self.counted = earlier.counted.clone();
        self.held_until = self.held_until.max(earlier.held_until);
    }

    /// Sets the ids of the senders that the flow names.
    pub(crate) fn set_senders(&mut self, senders: BTreeSet<ChatId>) {
        self.senders = senders;
    }

    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// When it is to be given the time next.
    pub fn due(&self) -> Option<Duration> {
        self.runs.iter().map(Run::due).chain(self.next_offer_due()).min()
    }

    pub fn is_running(&self) -> bool {
        !self.runs.is_empty()
    }

    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Runs that came to their end since it was started.
    pub const fn done(&self) -> u32 {
        self.counted.done()
    }

    /// Runs that pressed or sent something within the last hour.
    pub(crate) fn acted(&mut self, now: Now) -> usize {
        self.counted.acted(now.running)
    }

    /// How often a message that begins a run began none, by why; and why the last time.
    pub fn skipped(&self) -> (Vec<(Skip, u64)>, Option<Skip>) {
        let counts = Skip::ALL.into_iter().zip(self.skipped).filter(|(_, count)| *count > 0);
        (counts.collect(), self.last_skip)
    }

    /// Lets it begin runs again; those that were done count no more.
    pub fn start(&mut self) {
        self.is_stopped = false;
        self.counted.start();
    }

    /// Ends its runs; none begins until it is started.
    pub fn stop(&mut self, reason: &'static str, now: Now) -> Vec<Action> {
        self.is_stopped = true;
        self.end_all(FlowRunState::Stopped, reason, now)
    }

    /// The chat has become another one: what was known of its messages says nothing of those there, and runs are cut.
    pub(crate) fn forget(&mut self, now: Now) -> Vec<Action> {
        self.tracked = TrackedMessages::default();
        self.barred.clear();
        self.end_all(FlowRunState::Cut, "interrupted", now)
    }

    fn end_all(&mut self, state: FlowRunState, reason: &'static str, now: Now) -> Vec<Action> {
        let mut actions = Vec::new();
        self.end_waiting((state == FlowRunState::Stopped).then_some(Skip::Stopped), now, &mut actions);
        while !self.runs.is_empty() {
            self.end(0, state, Some(reason), now, &mut actions);
        }
        actions
    }

    /// Takes in what is heard. `id` names a run that begins with it.
    pub fn step(&mut self, input: Input<'_>, now: Now, id: &mut dyn FnMut() -> FlowRunId) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Sighted(sighting) => self.see(sighting, now, id, &mut actions),
            Input::Gone { message_ids, version } => {
                for message_id in message_ids {
                    self.tracked.gone(*message_id, version);
                    if let Some((_, gone)) = self.take_waiting(*message_id) {
                        self.skip(&gone, gone.why, now, id, &mut actions);
                    }
                }
            }
            Input::Missed { message_id, written_at } => self.tracked.missed(message_id, written_at),
            Input::Answered { press, answer } => self.answered(press, answer, now, &mut actions),
            Input::Taken { press, by } => self.taken(press, by, now, &mut actions),
            Input::Sent { number, refusal } => self.sent(number, refusal, now, &mut actions),
            Input::Interrupted => {
                self.tracked.doubt();
                self.runs.iter_mut().for_each(|run| run.interrupt(now));
            }
            Input::Time => self.pass_time(now, &mut actions),
        }
        self.press_others(now, &mut actions);
        self.advance_all(now, &mut actions);
        while self.begin_waiting(now, id, &mut actions) {
            self.advance_all(now, &mut actions);
        }
        self.record(&mut actions);
        actions
    }

    fn see(
        &mut self,
        sighting: &Sighting,
        now: Now,
        id: &mut dyn FnMut() -> FlowRunId,
        actions: &mut Vec<Action>,
    ) {
        let is_fresh = now.wall.since(sighting.written_at) <= self.flow.fresh;
        // What is too old to be acted upon says no more than that what was known is the newest no longer.
        let keyboard = sighting.keyboard.clone().filter(|_| is_fresh);
        let waits = |message_id| self.waiting.iter().any(|waiting| waiting.sighting.message_id == message_id);
        let Some(news) = self.tracked.take(sighting, keyboard, waits) else { return };
        if sighting.is_own {
            return;
        }
        let is_expected = is_fresh && self.read(sighting, now);
        if is_fresh && !is_expected {
            self.hear_no(sighting, &news, now, actions);
        }
        self.offer(sighting, &news, (is_fresh, is_expected), now, id, actions);
    }

    /// Where a run is among those under way.
    fn place_of(&self, is_it: impl Fn(&Run) -> bool) -> Option<usize> {
        self.runs.iter().position(is_it)
    }

    /// Looks in a message for what the steps of runs wait for; whether one of them expected it. The run that the message
    /// belongs to reads it, or that whose message it answers; else the runs in their order, until one expects it.
    fn read(&mut self, sighting: &Sighting, now: Now) -> bool {
        let owner = self.tracked.owner(sighting.message_id);
        let owner = owner.or_else(|| sighting.reply_to.and_then(|replied| self.tracked.owner(replied)));
        let mut is_expected = false;
        for index in 0..self.runs.len() {
            let Some(run) = self.runs.get(index) else { break };
            if run.sender != sighting.sender.id || owner.is_some_and(|owner| owner != run.number) {
                continue;
            }
            is_expected |= self.will_expect(run, &sighting.text);
            if self.read_message(index, sighting.message_id, &sighting.text, now) {
                return true;
            }
        }
        is_expected
    }

    /// Whether a text is what a run waits for once its own text is accepted.
    fn will_expect(&self, run: &Run, text: &str) -> bool {
        if !matches!(run.doing, Doing::Send(_)) {
            return false;
        }
        let expected = self.flow.steps.get(run.step).and_then(|step| step.expect.as_ref());
        let next = self.flow.steps.get(run.step + 1).map(|step| &step.deed);
        match (expected, next) {
            (Some((pattern, _)), _) | (None, Some(Deed::Wait(pattern))) => {
                pattern.find(text, &run.captures).is_some()
            }
            _ => false,
        }
    }

    /// Looks in a message for what the step of a run waits for. If it is there, the message belongs to this run alone.
    fn read_message(&mut self, index: usize, message_id: TelegramMessageId, text: &str, now: Now) -> bool {
        match self.runs.get_mut(index) {
            Some(run) if matches!(run.doing, Doing::Send(_)) => run.keep(message_id, text),
            Some(run) => {
                let number = run.number;
                if self.read_in(index, text, now) {
                    self.tracked.give(message_id, number);
                    self.runs.iter_mut().for_each(|run| run.early.retain(|(early, _)| *early != message_id));
                    return true;
                }
            }
            None => {}
        }
        false
    }

    /// Looks in a text for what the step of a run waits for; whether it is there.
    fn read_in(&mut self, index: usize, text: &str, now: Now) -> bool {
        let flow = Arc::clone(&self.flow);
        let Some(run) = self.runs.get_mut(index) else { return false };
        if run.doing != Doing::Read {
            return false;
        }
        let Some(step) = flow.steps.get(run.step) else { return false };
        let ((Some((pattern, _)), _) | (None, Deed::Wait(pattern))) = (&step.expect, &step.deed) else {
            return false;
        };
        let Some(found) = pattern.find(text, &run.captures) else { return false };
        run.captures.extend(found);
        run.note(FlowStage::Expected, Some(run.step), None, now);
        run.prove();
        self.next(index, now);
        true
    }

    /// Goes on behind the step that is done.
    fn next(&mut self, index: usize, now: Now) {
        let Some(run) = self.runs.get_mut(index) else { return };
        let step_index = run.step + 1;
        match self.flow.steps.get(step_index) {
            Some(step) => run.begin_step(step_index, step.within, now),
            None => run.wait(Doing::Settle, if run.is_proved() { SETTLE_SURE } else { SETTLE }, now),
        }
    }

    fn sent(&mut self, number: u32, refusal: Option<String>, now: Now, actions: &mut Vec<Action>) {
        let flow = Arc::clone(&self.flow);
        let Some(index) = self.place_of(|run| run.doing == Doing::Send(number)) else { return };
        let Some(run) = self.runs.get_mut(index) else { return };
        let (run_number, step_index) = (run.number, run.step);
        let early = std::mem::take(&mut run.early);
        match (refusal, flow.steps.get(step_index).and_then(|step| step.expect.as_ref())) {
            (Some(why), _) => {
                self.take_back(index);
                return self.fail(index, step_index, "not_accepted", Some(&why), now, actions);
            }
            (None, Some((_, within))) => run.wait(Doing::Read, *within, now),
            (None, None) => self.next(index, now),
        }
        for (message_id, text) in early {
            self.advance_all(now, actions);
            let Some(index) = self.place_of(|run| run.number == run_number) else { return };
            self.read_message(index, message_id, &text, now);
        }
    }

    fn pass_time(&mut self, now: Now, actions: &mut Vec<Action>) {
        for run in &mut self.runs {
            if let Doing::Hold(until) = run.doing
                && until <= now.running
            {
                run.doing = Doing::Look;
            }
        }
        self.press_others(now, actions);
        // It may be found at the last moment.
        self.advance_all(now, actions);
        let late = |run: &Run| run.deadline <= now.running;
        let numbers: Vec<u32> = self.runs.iter().filter(|run| late(run)).map(|run| run.number).collect();
        for number in numbers {
            let Some(index) = self.place_of(|run| run.number == number && late(run)) else { continue };
            let Some(run) = self.runs.get(index) else { continue };
            let (step_index, code) = (run.step, run.lateness());
            let detail = match run.doing {
                Doing::Settle => {
                    self.end(index, FlowRunState::Done, None, now, actions);
                    continue;
                }
                Doing::Look if run.refused.is_none() => self.near_miss(index, step_index),
                Doing::Send(_) => Some("no answer in time".to_owned()),
                Doing::Look | Doing::Hold(_) | Doing::Read => None,
            };
            self.fail(index, step_index, code, detail.as_deref(), now, actions);
        }
    }

    /// A label that has the letters of the one that a step looks for, and other signs.
    fn near_miss(&self, index: usize, step_index: usize) -> Option<String> {
        let run = self.runs.get(index)?;
        let Deed::Press(pattern) = &self.flow.steps.get(step_index)?.deed else { return None };
        let known = self.tracked.since(run.since).filter(|known| self.is_for(known, run.number));
        let mut keyboards = known.filter_map(|known| known.keyboard.as_deref());
        keyboards.find_map(|keyboard| pattern.near_miss(keyboard, &run.captures))
    }

    fn fail(
        &mut self,
        index: usize,
        step_index: usize,
        code: &'static str,
        detail: Option<&str>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        use config::OnFail;
        let flow = Arc::clone(&self.flow);
        let Some(run) = self.runs.get_mut(index) else { return };
        let note = detail.map_or_else(|| code.to_owned(), |detail| format!("{code}: {detail}"));
        run.note(FlowStage::Failed, Some(step_index), Some(note.clone()), now);
        let (state, code) = run.failure(code);
        match flow.steps.get(step_index).map_or(OnFail::Stop, |step| step.on_fail) {
            OnFail::Restart if run.restarts < MOST_RESTARTS => {
                run.note(FlowStage::Restarted, None, None, now);
                run.restart(flow.steps.first().map_or(SETTLE, |step| step.within), now);
            }
            OnFail::Next => {
                run.step = step_index;
                self.next(index, now);
            }
            OnFail::Alert => {
                let detail = format!("step {} of flow {} failed: {note}", step_index + 1, flow.name);
                actions.push(Action::Alert { reason: code, detail });
                self.end(index, state, Some(code), now, actions);
            }
            OnFail::Stop | OnFail::Restart => self.end(index, state, Some(code), now, actions),
        }
    }

    fn end(
        &mut self,
        index: usize,
        state: FlowRunState,
        code: Option<&'static str>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        if index >= self.runs.len() {
            return;
        }
        let mut run = self.runs.remove(index);
        self.tracked.release(run.number);
        run.note(FlowStage::Ended, None, Some(code.unwrap_or(state.as_str()).to_owned()), now);
        actions.push(Action::Record(Box::new(run.record(&self.flow, state, code, Some(now)))));
        let was_done = state == FlowRunState::Done;
        let is_enough = self.counted.end(&self.flow.limits, run.acted.is_some(), was_done, now.running);
        if is_enough && !self.is_stopped {
            self.is_stopped = true;
            actions.push(Action::Stop { reason: "stop_after" });
        }
    }

    /// Has runs kept as they are, if something happened in them.
    fn record(&mut self, actions: &mut Vec<Action>) {
        for run in self.runs.iter_mut().filter(|run| run.is_changed) {
            run.is_changed = false;
            actions.push(Action::Record(Box::new(run.record(&self.flow, FlowRunState::Running, None, None))));
        }
    }
}
