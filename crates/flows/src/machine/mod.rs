//! The machine of a flow on one account: what is heard goes in, what is to be done comes out. Pure.
//!
//! It presses only a button of the newest keyboard that it knows of a message, and none of one keyboard twice, whatever
//! becomes of the first press. After something may have been missed it knows no keyboard until it hears of one.

mod run;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use domain::{FlowRunId, FlowRunState, FlowStage, TelegramMessageId, Timestamp};
use telegram::{PressAnswer, Sighting};

use self::run::{Doing, Pressed, Run};
use crate::definition::{Deed, Flow};
use crate::limits::{RunMessage, RunsCounted, Skip};
use crate::pattern::Choice;
use crate::tracked_messages::TrackedMessages;

pub use self::run::RunRecord;

/// How long the answer to a last press is waited for before the run is taken for done.
const SETTLE: Duration = Duration::from_secs(15);

/// The same, once the expected text was read.
const SETTLE_SURE: Duration = Duration::from_secs(1);

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
    /// Press a button. The number comes back with the answer.
    Press { number: u32, message_id: TelegramMessageId, data: Vec<u8> },
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
    tracked: TrackedMessages,
    counted: RunsCounted,
    is_stopped: bool,
    run: Option<Run>,
    /// Until when Telegram asked not to press.
    held_until: Duration,
    numbers: u32,
    skipped: [u64; Skip::ALL.len()],
    last_skip: Option<Skip>,
}

impl Machine {
    pub fn new(flow: Arc<Flow>) -> Self {
        Self {
            flow,
            tracked: TrackedMessages::default(),
            counted: RunsCounted::default(),
            is_stopped: false,
            run: None,
            held_until: Duration::ZERO,
            numbers: 0,
            skipped: [0; Skip::ALL.len()],
            last_skip: None,
        }
    }

    /// What an earlier run of the program knows of its runs; see [`RunsCounted::restore`].
    pub(crate) fn restore(
        &mut self,
        begun_ago: &[(Duration, RunMessage)],
        ended_ago: Option<Duration>,
        done: u32,
        now: Now,
    ) {
        self.counted.restore(begun_ago, ended_ago, done, now.running);
    }

    pub fn flow(&self) -> &Arc<Flow> {
        &self.flow
    }

    /// When it is to be given the time next.
    pub fn due(&self) -> Option<Duration> {
        self.run.as_ref().map(|run| match run.doing {
            Doing::Hold(until) => until.min(run.deadline),
            _ => run.deadline,
        })
    }

    pub fn is_running(&self) -> bool {
        self.run.is_some()
    }

    pub const fn is_stopped(&self) -> bool {
        self.is_stopped
    }

    /// Runs that came to their end since it was started.
    pub const fn done(&self) -> u32 {
        self.counted.done()
    }

    /// Runs that began within the last hour.
    pub(crate) fn begun(&mut self, now: Now) -> usize {
        self.counted.begun(now.running)
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

    /// Ends the run, if there is one; none begins until it is started.
    pub fn stop(&mut self, reason: &'static str, now: Now) -> Vec<Action> {
        self.is_stopped = true;
        let mut actions = Vec::new();
        self.end(FlowRunState::Stopped, Some(reason), now, &mut actions);
        self.record(&mut actions);
        actions
    }

    /// The chat has become another one: what was known of its messages says nothing of those there, and a run is cut.
    pub(crate) fn forget(&mut self, now: Now) -> Vec<Action> {
        self.tracked = TrackedMessages::default();
        let mut actions = Vec::new();
        self.end(FlowRunState::Cut, Some("interrupted"), now, &mut actions);
        actions
    }

    /// Takes in what is heard. `id` names a run that begins with it.
    pub fn step(&mut self, input: Input<'_>, now: Now, id: &mut dyn FnMut() -> FlowRunId) -> Vec<Action> {
        let mut actions = Vec::new();
        match input {
            Input::Sighted(sighting) => self.see(sighting, now, id),
            Input::Gone { message_ids, version } => {
                for message_id in message_ids {
                    self.tracked.gone(*message_id, version);
                }
            }
            Input::Missed { message_id, written_at } => self.tracked.missed(message_id, written_at),
            Input::Answered { press, answer } => self.answered(press, answer, now, &mut actions),
            Input::Sent { number, refusal } => self.sent(number, refusal, now, &mut actions),
            Input::Interrupted => {
                self.tracked.doubt();
                if let Some(run) = &mut self.run {
                    run.interrupt(now);
                }
            }
            Input::Time => self.pass_time(now, &mut actions),
        }
        self.advance(now, &mut actions);
        self.record(&mut actions);
        actions
    }

    fn see(&mut self, sighting: &Sighting, now: Now, id: &mut dyn FnMut() -> FlowRunId) {
        let is_fresh = now.wall.since(sighting.written_at) <= self.flow.fresh;
        // What is too old to be acted upon says no more than that what was known is the newest no longer.
        let keyboard = sighting.keyboard.clone().filter(|_| is_fresh);
        let Some(news) = self.tracked.take(sighting, keyboard) else { return };
        if sighting.is_own {
            return;
        }
        if is_fresh {
            self.read(&sighting.text, now);
        }
        let Some(captures) = self.flow.trigger.fits(&sighting.text, sighting.keyboard.as_deref()) else {
            return;
        };
        self.tracked.mark(&sighting.text);
        if self.is_stopped || news.fitted.as_deref() == Some(&*sighting.text) {
            return;
        }
        let message = (sighting.chat_id, sighting.message_id);
        // How the text was is not known: it is an edit of a message that a run began with.
        if news.is_first && self.counted.has_begun_with(message, now.running) {
            return;
        }
        let running = sighting.arrived.min(now.running);
        if let Some(skip) = self.skip(is_fresh, now) {
            // Within a run its own message may be one that would begin another.
            let is_its_own = skip == Skip::Busy
                && self.run.as_ref().is_some_and(|run| run.message_id == sighting.message_id);
            if !is_its_own {
                self.skipped[skip as usize] += 1;
                self.last_skip = Some(skip);
            }
            return;
        }
        self.counted.begin(message, now.running);
        let mut run = Run::new(id(), sighting, captures, news.order, Now { running, ..now });
        run.note(FlowStage::Matched, None, None, now);
        run.begin_step(0, self.flow.steps.first().map_or(SETTLE, |step| step.within), now);
        self.run = Some(run);
    }

    /// Why this message begins no run, if so.
    fn skip(&mut self, is_fresh: bool, now: Now) -> Option<Skip> {
        if !is_fresh {
            Some(Skip::Stale)
        } else if self.run.is_some() {
            Some(Skip::Busy)
        } else if self.flow.active.as_ref().is_some_and(|hours| !hours.cover(now.wall)) {
            Some(Skip::Hours)
        } else {
            self.counted.refusal(&self.flow.limits, now.running)
        }
    }

    /// Looks in a text for what the step waits for.
    fn read(&mut self, text: &str, now: Now) {
        let flow = Arc::clone(&self.flow);
        let Some(run) = &mut self.run else { return };
        match run.doing {
            Doing::Read => {}
            Doing::Send(_) => return run.keep(text),
            _ => return,
        }
        let Some(step) = flow.steps.get(run.step) else { return };
        let ((Some((pattern, _)), _) | (None, Deed::Wait(pattern))) = (&step.expect, &step.deed) else {
            return;
        };
        if let Some(found) = pattern.find(text, &run.captures) {
            run.captures.extend(found);
            run.note(FlowStage::Expected, Some(run.step), None, now);
            run.prove();
            self.next(now);
        }
    }

    /// Goes on behind the step that is done.
    fn next(&mut self, now: Now) {
        let Some(run) = &mut self.run else { return };
        let step_index = run.step + 1;
        match self.flow.steps.get(step_index) {
            Some(step) => run.begin_step(step_index, step.within, now),
            None => run.wait(Doing::Settle, if run.is_proved() { SETTLE_SURE } else { SETTLE }, now),
        }
    }

    /// Does all that can be done now.
    fn advance(&mut self, now: Now, actions: &mut Vec<Action>) {
        loop {
            let Some(run) = &mut self.run else { return };
            match run.doing {
                Doing::Settle if run.open.is_empty() => {
                    return self.end(FlowRunState::Done, None, now, actions);
                }
                Doing::Look if now.running < self.held_until => {
                    run.doing = Doing::Hold(self.held_until);
                    return;
                }
                Doing::Look => {}
                _ => return,
            }
            if !self.look(now, actions) {
                return;
            }
        }
    }

    /// Does the deed of the step, if it can be done now.
    fn look(&mut self, now: Now, actions: &mut Vec<Action>) -> bool {
        let flow = Arc::clone(&self.flow);
        let Some(run) = &mut self.run else { return false };
        let Some(step) = flow.steps.get(run.step) else { return false };
        let pattern = match &step.deed {
            Deed::Wait(_) => {
                run.doing = Doing::Read;
                return false;
            }
            Deed::Send(text) => {
                let step_index = run.step;
                match config::filled(text, |name| run.captures.get(name).cloned()) {
                    Some(text) => self.send(text, now, actions),
                    None => self.fail(step_index, "nothing_to_send", None, now, actions),
                }
                return true;
            }
            Deed::Press(pattern) => pattern,
        };
        let found = self.tracked.since(run.since).find_map(|known| {
            let keyboard = known.keyboard.as_deref().filter(|_| run.may_look_at(known.order, pattern))?;
            let barred = |button: &domain::Button| run.is_barred(known, button);
            Some((pattern.choose(keyboard, &run.captures, barred)?, known.message_id, known.order))
        });
        let Some((choice, message_id, order)) = found else { return false };
        let step_index = run.step;
        match choice {
            Choice::Press { data, label } => {
                self.numbers = self.numbers.wrapping_add(1);
                let number = self.numbers;
                actions.push(Action::Press { number, message_id, data: data.clone() });
                run.press(Pressed { number, step: step_index, message_id, order, data }, &label, now);
                match &step.expect {
                    Some((_, within)) => run.wait(Doing::Read, *within, now),
                    None => self.next(now),
                }
            }
            Choice::Send(label) => {
                run.pass(message_id, order, &label);
                self.send(label, now, actions);
            }
            Choice::Url { url, label } => {
                run.pass(message_id, order, &label);
                run.note(FlowStage::Address, Some(step_index), Some(format!("{label}: {url}")), now);
                self.next(now);
            }
            Choice::Refused { deed, label } => {
                self.fail(step_index, refusal_code(deed), Some(&label), now, actions);
            }
        }
        true
    }

    fn send(&mut self, text: String, now: Now, actions: &mut Vec<Action>) {
        self.numbers = self.numbers.wrapping_add(1);
        let number = self.numbers;
        let Some(run) = &mut self.run else { return };
        run.early.clear();
        run.note(FlowStage::Sent, Some(run.step), None, now);
        actions.push(Action::Send { number, run: run.id, text });
        let within = self.flow.steps.get(run.step).map_or(SETTLE, |step| step.within);
        run.wait(Doing::Send(number), within, now);
    }

    fn sent(&mut self, number: u32, refusal: Option<String>, now: Now, actions: &mut Vec<Action>) {
        let flow = Arc::clone(&self.flow);
        let Some(run) = &mut self.run else { return };
        let step_index = run.step;
        if run.doing != Doing::Send(number) {
            return;
        }
        let early = std::mem::take(&mut run.early);
        match (refusal, flow.steps.get(step_index).and_then(|step| step.expect.as_ref())) {
            (Some(why), _) => return self.fail(step_index, "not_accepted", Some(&why), now, actions),
            (None, Some((_, within))) => run.wait(Doing::Read, *within, now),
            (None, None) => self.next(now),
        }
        for text in early {
            self.advance(now, actions);
            self.read(&text, now);
        }
    }

    fn answered(&mut self, press: u32, answer: PressAnswer, now: Now, actions: &mut Vec<Action>) {
        let Some(run) = &mut self.run else { return };
        let Some(pressed) = run.close(press) else { return };
        let step_index = pressed.step;
        let (stage, note) = run::timeline_entry(&answer);
        run.note(stage, Some(step_index), note, now);
        match answer {
            PressAnswer::Answered { text, .. } => {
                let text = text.unwrap_or_default();
                // An answer speaks for the step that pressed.
                if run.step == step_index {
                    self.read(&text, now);
                }
            }
            PressAnswer::NoResponse | PressAnswer::Unknown(_) => {}
            PressAnswer::MessageGone => {
                self.tracked.drop_keyboard(pressed.message_id, pressed.order);
                self.again(&pressed, "message_gone", now, actions);
            }
            PressAnswer::DataInvalid => self.again(&pressed, "button_gone", now, actions),
            PressAnswer::Flood(wait) => {
                run.unbar(&pressed);
                self.held_until = self.held_until.max(now.running.saturating_add(wait));
                self.again(&pressed, "flood_wait", now, actions);
            }
            PressAnswer::NotWritten(_) => {
                run.unbar(&pressed);
                self.held_until = self.held_until.max(now.running.saturating_add(UNWRITTEN));
                self.again(&pressed, "not_connected", now, actions);
            }
            PressAnswer::Refused(code) => {
                if run.is_about(&pressed) {
                    self.fail(step_index, "refused", Some(&code), now, actions);
                }
            }
        }
    }

    /// Looks for the button of a step once more: what was pressed is proved not to have counted.
    fn again(&mut self, pressed: &Pressed, code: &'static str, now: Now, actions: &mut Vec<Action>) {
        let Some(run) = &mut self.run else { return };
        if !run.is_about(pressed) {
            return;
        }
        let within = self.flow.steps.get(pressed.step).map_or(SETTLE, |step| step.within);
        let deadline = now.running.saturating_add(within);
        if run.tries >= MOST_TRIES || self.held_until > deadline {
            return self.fail(pressed.step, code, None, now, actions);
        }
        run.look_again(pressed, deadline);
    }

    fn pass_time(&mut self, now: Now, actions: &mut Vec<Action>) {
        let Some(run) = &mut self.run else { return };
        if let Doing::Hold(until) = run.doing
            && until <= now.running
        {
            run.doing = Doing::Look;
            // It may be found at the last moment.
            self.advance(now, actions);
        }
        let Some(run) = &mut self.run else { return };
        if now.running < run.deadline {
            return;
        }
        let step_index = run.step;
        match run.doing {
            Doing::Settle => self.end(FlowRunState::Done, None, now, actions),
            Doing::Look => {
                let near = self.near_miss(step_index);
                self.fail(step_index, "no_button", near.as_deref(), now, actions);
            }
            Doing::Hold(_) => self.fail(step_index, "flood_wait", None, now, actions),
            Doing::Read => self.fail(step_index, "no_text", None, now, actions),
            Doing::Send(_) => {
                self.fail(step_index, "not_accepted", Some("no answer in time"), now, actions);
            }
        }
    }

    /// A label that has the letters of the one that a step looks for, and other signs.
    fn near_miss(&self, step_index: usize) -> Option<String> {
        let run = self.run.as_ref()?;
        let Deed::Press(pattern) = &self.flow.steps.get(step_index)?.deed else { return None };
        let keyboards = self.tracked.since(run.since).filter_map(|known| known.keyboard.as_deref());
        keyboards.flat_map(|keyboard| pattern.near_miss(keyboard, &run.captures)).next()
    }

    fn fail(
        &mut self,
        step_index: usize,
        code: &'static str,
        detail: Option<&str>,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        use config::OnFail;
        let flow = Arc::clone(&self.flow);
        let Some(run) = &mut self.run else { return };
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
                self.next(now);
            }
            OnFail::Alert => {
                let detail = format!("step {} of flow {} failed: {note}", step_index + 1, flow.name);
                actions.push(Action::Alert { reason: code, detail });
                self.end(state, Some(code), now, actions);
            }
            OnFail::Stop | OnFail::Restart => self.end(state, Some(code), now, actions),
        }
    }

    fn end(&mut self, state: FlowRunState, code: Option<&'static str>, now: Now, actions: &mut Vec<Action>) {
        let Some(mut run) = self.run.take() else { return };
        run.note(FlowStage::Ended, None, Some(code.unwrap_or(state.as_str()).to_owned()), now);
        actions.push(Action::Record(Box::new(run.record(&self.flow, state, code, Some(now)))));
        if self.counted.end(&self.flow.limits, state == FlowRunState::Done, now.running) && !self.is_stopped {
            self.is_stopped = true;
            actions.push(Action::Stop { reason: "stop_after" });
        }
    }

    /// Has the run kept as it is, if something happened in it.
    fn record(&mut self, actions: &mut Vec<Action>) {
        if let Some(run) = self.run.as_mut().filter(|run| run.is_changed) {
            run.is_changed = false;
            actions.push(Action::Record(Box::new(run.record(&self.flow, FlowRunState::Running, None, None))));
        }
    }
}

/// The code of a step that came to a button which only a person can press.
const fn refusal_code(deed: domain::PersonalDeed) -> &'static str {
    use domain::PersonalDeed as Deed;
    match deed {
        Deed::Password => "password_button",
        Deed::WebApp => "web_app_button",
        Deed::Contact => "contact_button",
        Deed::Location => "location_button",
        Deed::Poll => "poll_button",
        Deed::ChoosePeer => "choose_peer_button",
        Deed::Buy => "buy_button",
        Deed::SwitchInline => "switch_inline_button",
        Deed::Login => "login_button",
        Deed::Game => "game_button",
        Deed::Profile => "profile_button",
        Deed::Copy => "copy_button",
        Deed::Disabled => "disabled_button",
        Deed::Unknown => "unknown_button",
    }
}
