//! A run: where it is in its steps, what it pressed, and what happened in it. Pure.

use std::time::Duration;

use domain::{ChatId, FlowMoment, FlowRunId, FlowRunState, FlowStage, TelegramMessageId, Timestamp};
use telegram::{PressAnswer, Sighting};

use super::Now;
use crate::definition::{Captures, Flow};
use crate::pattern::ButtonPattern;

/// Moments that are kept of one run; of more, the last ones are left out but for its end.
const MOST_MOMENTS: usize = 500;

/// Notes are cut to this many characters.
const LONGEST_NOTE: usize = 200;

/// The most messages that are kept while a text is handed over; later ones are left out.
const MOST_EARLY: usize = 16;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doing {
    /// It looks for what its step presses.
    Look,
    /// It may not press before this.
    Hold(Duration),
    /// It waits until the text of this number is accepted.
    Send(u32),
    /// It waits for a text.
    Read,
    /// All steps are done; the answer to the last press may still say otherwise.
    Settle,
}

/// A press that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pressed {
    pub(super) number: u32,
    pub(super) step: usize,
    pub(super) message_id: TelegramMessageId,
    /// Which keyboard of the message it was on.
    pub(super) order: u64,
    pub(super) label: String,
}

/// The bot said no to a press: at this time another button with its label is pressed, if nothing happens before.
#[derive(Debug)]
pub(super) struct SaidNo {
    pub(super) pressed: Pressed,
    pub(super) at: Duration,
}

#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: FlowRunId,
    /// No other run of the machine has it.
    pub(super) number: u32,
    pub(super) message_id: TelegramMessageId,
    /// Only messages of the sender of its message are looked at.
    pub(super) sender: ChatId,
    chat_id: ChatId,
    began: Now,
    /// What the trigger alone captured.
    pub(super) offered: Captures,
    /// The text of its message when it began.
    pub(super) text: String,
    /// The data of the first button that it pressed.
    pub(super) first_data: Option<Vec<u8>>,
    /// What the trigger and its steps captured.
    pub(super) captures: Captures,
    /// From 0.
    pub(super) step: usize,
    pub(super) doing: Doing,
    pub(super) deadline: Duration,
    /// Only what changed at or after this place in the order is looked at.
    pub(super) since: u64,
    pub(super) tries: u8,
    /// The step whose press Telegram last held back, and since when it does. A press without an expectation begins the next step, so
    /// that its tries count nothing.
    pub(super) flooded: Option<(usize, Duration)>,
    pub(super) restarts: u8,
    /// Deeds that may have counted, and when the first was done.
    pub(super) deeds: u32,
    pub(super) acted: Option<Duration>,
    /// Why its last press did not count.
    pub(super) refused: Option<&'static str>,
    pub(super) said_no: Option<SaidNo>,
    /// Presses without an answer.
    pub(super) open: Vec<Pressed>,
    /// The last press, answered or not.
    last_press: Option<Pressed>,
    /// The keyboards that were used, the last one last, each with the press on it.
    used: Vec<(u64, Option<u32>)>,
    /// The press after which the text was read that was expected of it: it counted, whatever its answer says.
    proved: Option<u32>,
    moments: Vec<FlowMoment>,
    /// Messages that came since a text was handed over, with their texts: a bot may answer before it is known here that the
    /// text was accepted.
    pub(super) early: Vec<(TelegramMessageId, String)>,
    /// Updates may have been missed since its step began: what it looks for may have been among them.
    is_interrupted: bool,
    pub(super) is_changed: bool,
}

/// A run as it is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RunRecord {
    pub id: FlowRunId,
    pub flow: String,
    pub chat_id: ChatId,
    pub message_id: TelegramMessageId,
    pub began_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub state: FlowRunState,
    /// Why it ended, where it did not come to its end.
    pub code: Option<&'static str>,
    /// The step that it is at, from 1.
    pub step: u16,
    pub moments: Vec<FlowMoment>,
}

impl Run {
    pub(super) fn new(
        id: FlowRunId,
        number: u32,
        sighting: &Sighting,
        captures: Captures,
        since: u64,
        began: Now,
    ) -> Self {
        let seen = FlowMoment { at_us: 0, stage: FlowStage::Seen, step: None, note: None };
        Self {
            id,
            number,
            message_id: sighting.message_id,
            sender: sighting.sender.id,
            chat_id: sighting.chat_id,
            began,
            offered: captures.clone(),
            text: sighting.text.clone(),
            first_data: None,
            captures,
            step: 0,
            doing: Doing::Look,
            deadline: began.running,
            since,
            tries: 0,
            flooded: None,
            restarts: 0,
            deeds: 0,
            acted: None,
            refused: None,
            said_no: None,
            open: Vec::new(),
            last_press: None,
            used: Vec::new(),
            proved: None,
            moments: vec![seen],
            early: Vec::new(),
            is_interrupted: false,
            is_changed: true,
        }
    }

    pub(super) fn note(&mut self, stage: FlowStage, step: Option<usize>, note: Option<String>, now: Now) {
        self.is_changed = true;
        if self.moments.len() >= MOST_MOMENTS && stage != FlowStage::Ended {
            return;
        }
        let at = now.running.saturating_sub(self.began.running);
        self.moments.push(FlowMoment {
            at_us: u64::try_from(at.as_micros()).unwrap_or(u64::MAX),
            stage,
            step: step.and_then(|step| u16::try_from(step + 1).ok()),
            note: note.map(|note| note.chars().take(LONGEST_NOTE).collect()),
        });
    }

    pub(super) fn begin_step(&mut self, step: usize, within: Duration, now: Now) {
        self.step = step;
        self.tries = 0;
        self.is_interrupted = false;
        self.refused = None;
        self.wait(Doing::Look, within, now);
    }

    pub(super) fn wait(&mut self, doing: Doing, within: Duration, now: Now) {
        self.doing = doing;
        self.deadline = now.running.saturating_add(within);
    }

    /// Keeps a message that may be the answer to a text that is on its way.
    pub(super) fn keep(&mut self, message_id: TelegramMessageId, text: &str) {
        if self.early.len() < MOST_EARLY {
            self.early.push((message_id, text.to_owned()));
        }
    }

    /// The text was read that the step expects.
    pub(super) fn prove(&mut self) {
        self.proved = self.used.last().and_then(|(_, press)| *press);
    }

    pub(super) fn is_proved(&self) -> bool {
        self.proved.is_some() && self.proved == self.used.last().and_then(|(_, press)| *press)
    }

    pub(super) fn interrupt(&mut self, now: Now) {
        self.is_interrupted = true;
        self.note(FlowStage::Interrupted, None, None, now);
    }

    /// How it ends when a step fails for this reason.
    pub(super) fn failure(&self, code: &'static str) -> (FlowRunState, &'static str) {
        if self.is_interrupted && matches!(code, "no_button" | "no_text") {
            (FlowRunState::Cut, "interrupted")
        } else {
            (FlowRunState::Failed, code)
        }
    }

    pub(super) fn restart(&mut self, within: Duration, now: Now) {
        self.restarts += 1;
        self.used.clear();
        (self.said_no, self.flooded) = (None, None);
        self.begin_step(0, within, now);
    }

    pub(super) fn press(&mut self, pressed: Pressed, now: Now) {
        self.note(FlowStage::Pressed, Some(pressed.step), Some(pressed.label.clone()), now);
        self.used.push((pressed.order, Some(pressed.number)));
        (self.said_no, self.refused) = (None, None);
        self.last_press = Some(pressed.clone());
        self.open.push(pressed);
    }

    /// The last press, while nothing says that it counted.
    pub(super) fn unproved_press(&self) -> Option<&Pressed> {
        self.last_press.as_ref().filter(|pressed| self.is_about(pressed))
    }

    /// Why it fails if its step has waited too long.
    pub(super) fn lateness(&self) -> &'static str {
        match self.doing {
            Doing::Send(_) => "not_accepted",
            // The wait may be of another run.
            Doing::Hold(_) => self.refused.unwrap_or("flood_wait"),
            Doing::Read => self.refused.unwrap_or("no_text"),
            Doing::Look | Doing::Settle => self.refused.unwrap_or("no_button"),
        }
    }

    /// The step was done with a button that is not pressed.
    pub(super) fn pass(&mut self, order: u64) {
        self.used.push((order, None));
    }

    /// Whether a step may press on a keyboard: one that is newer than the last press; or an older one, once that press
    /// was answered and if the button is recognized by its label.
    pub(super) fn may_look_at(&self, order: u64, pattern: &ButtonPattern) -> bool {
        match self.used.last().copied() {
            None => true,
            Some((last, _)) if order > last => true,
            Some((_, press)) => {
                let is_open = press.is_some_and(|press| self.open.iter().any(|open| open.number == press));
                !is_open && !pattern.is_by_position()
            }
        }
    }

    /// When it is to be given the time next.
    pub(super) fn due(&self) -> Duration {
        let due = match self.doing {
            Doing::Hold(until) => until.min(self.deadline),
            _ => self.deadline,
        };
        self.said_no.as_ref().map_or(due, |no| due.min(no.at))
    }

    /// Whether all its steps are done: it waits for answers alone.
    pub(super) fn is_settling(&self) -> bool {
        self.doing == Doing::Settle
    }

    /// Whether it takes the place of another run. It takes none while it settles, nor once the bot said no and there is no
    /// other button to press: then it only waits in case the expected text comes all the same.
    pub(super) fn takes_a_place(&self) -> bool {
        let is_refused = self.refused == Some("said_no") && self.said_no.is_none();
        !(self.is_settling() || self.doing == Doing::Read && is_refused)
    }

    /// Whether its last press has no answer yet. Answers to earlier presses change nothing.
    pub(super) fn awaits_an_answer(&self) -> bool {
        let last = self.used.last().and_then(|(_, press)| *press);
        last.is_some_and(|last| self.open.iter().any(|open| open.number == last))
    }

    /// Takes the answer of a press.
    pub(super) fn close(&mut self, press: u32) -> Option<Pressed> {
        let place = self.open.iter().position(|open| open.number == press)?;
        Some(self.open.swap_remove(place))
    }

    /// Whether the run only waited since this press, and nothing says that the press counted.
    pub(super) fn is_about(&self, pressed: &Pressed) -> bool {
        let is_last = self.used.last().is_some_and(|(_, press)| *press == Some(pressed.number));
        let is_last = is_last && self.proved != Some(pressed.number);
        is_last && (self.step == pressed.step || self.step == pressed.step + 1)
    }

    pub(super) fn look_again(&mut self, pressed: &Pressed, deadline: Duration) {
        self.step = pressed.step;
        self.tries += 1;
        self.doing = Doing::Look;
        self.deadline = deadline;
        self.said_no = None;
        self.used.pop();
    }

    pub(super) fn record(
        &self,
        flow: &Flow,
        state: FlowRunState,
        code: Option<&'static str>,
        ended: Option<Now>,
    ) -> RunRecord {
        RunRecord {
            id: self.id,
            flow: flow.name.clone(),
            chat_id: self.chat_id,
            message_id: self.message_id,
            began_at: self.began.wall,
            ended_at: ended.map(|ended| ended.wall),
            state,
            code,
            step: u16::try_from(self.step + 1).unwrap_or(u16::MAX),
            moments: self.moments.clone(),
        }
    }
}

/// What an answer says, for the timeline.
pub(super) fn timeline_entry(answer: &PressAnswer) -> (FlowStage, Option<String>) {
    let refused = |note: &str| (FlowStage::Refused, Some(note.to_owned()));
    match answer {
        PressAnswer::Answered { is_alert: true, .. } => (FlowStage::Answered, Some("alert".to_owned())),
        PressAnswer::Answered { url: Some(url), .. } => {
            (FlowStage::Answered, Some(format!("address: {url}")))
        }
        PressAnswer::Answered { .. } => (FlowStage::Answered, None),
        PressAnswer::NoResponse => (FlowStage::Answered, Some("the bot did not answer in time".to_owned())),
        PressAnswer::Unknown(why) => (FlowStage::Answered, Some(format!("not known: {why}"))),
        PressAnswer::MessageGone => refused("MESSAGE_ID_INVALID"),
        PressAnswer::DataInvalid => refused("DATA_INVALID"),
        PressAnswer::Flood(wait) => refused(&format!("flood wait of {} s", wait.as_secs())),
        PressAnswer::NotWritten(why) => refused(&format!("not written: {why}")),
        PressAnswer::Refused(code) => refused(code),
    }
}
