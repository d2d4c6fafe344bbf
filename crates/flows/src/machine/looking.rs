//! Looking for what the step of a run presses or sends, and doing it. Pure.

use std::sync::Arc;

use domain::{Button, ButtonDeed, FlowRunState, FlowStage, TelegramMessageId};

use super::run::{Doing, Pressed};
use super::{Action, Machine, Now, SETTLE};
use crate::definition::{Deed, Flow};
use crate::limits::Skip;
use crate::pattern::{Choice, compared};
use crate::tracked_messages::TrackedMessage;

/// What was done with a button of one keyboard of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Barred {
    /// The number of the press; none where its label was sent or its address noted.
    number: Option<u32>,
    message_id: TelegramMessageId,
    order: u64,
    data: Vec<u8>,
}

impl Barred {
    fn is(&self, tracked: &TrackedMessage, button: &Button) -> bool {
        let (is_press, data) = match &button.deed {
            ButtonDeed::Callback(data) => (true, data.as_slice()),
            _ => (false, button.label.as_bytes()),
        };
        self.message_id == tracked.message_id
            && self.order == tracked.order
            && self.number.is_some() == is_press
            && self.data == data
    }
}

/// A button that is pressed, and where it is.
pub(super) struct Found {
    pub(super) message_id: TelegramMessageId,
    pub(super) version: i32,
    pub(super) order: u64,
    pub(super) data: Vec<u8>,
    pub(super) label: String,
}

impl Machine {
    /// Does all that can be done now, run by run.
    pub(super) fn advance_all(&mut self, now: Now, actions: &mut Vec<Action>) {
        let numbers: Vec<u32> = self.runs.iter().map(|run| run.number).collect();
        for number in numbers {
            self.advance(number, now, actions);
        }
    }

    fn advance(&mut self, number: u32, now: Now, actions: &mut Vec<Action>) {
        loop {
            let Some(index) = self.place_of(|run| run.number == number) else { return };
            let Some(run) = self.runs.get_mut(index) else { return };
            match run.doing {
                Doing::Settle if !run.awaits_an_answer() && run.said_no.is_none() => {
                    return self.end(index, FlowRunState::Done, None, now, actions);
                }
                Doing::Look if now.running < self.held_until => {
                    run.doing = Doing::Hold(self.held_until);
                    return;
                }
                Doing::Look => {}
                _ => return,
            }
            if !self.look(index, now, actions) {
                return;
            }
        }
    }

    /// Does the deed of the step, if it can be done now.
    fn look(&mut self, index: usize, now: Now, actions: &mut Vec<Action>) -> bool {
        let flow = Arc::clone(&self.flow);
        let Some(run) = self.runs.get_mut(index) else { return false };
        let step_index = run.step;
        let Some(step) = flow.steps.get(step_index) else { return false };
        let pattern = match &step.deed {
            Deed::Wait(_) => {
                run.doing = Doing::Read;
                return false;
            }
            Deed::Send(text) => {
                match config::filled(text, |name| run.captures.get(name).cloned()) {
                    Some(text) => self.send(index, text, now, actions),
                    None => self.fail(index, step_index, "nothing_to_send", None, now, actions),
                }
                return true;
            }
            Deed::Press(pattern) => pattern,
        };
        let Some(run) = self.runs.get(index) else { return false };
        let found = self.tracked.since(run.since).find_map(|known| {
            let may_look = self.is_for(known, run.number) && run.may_look_at(known.order, pattern);
            let keyboard = known.keyboard.as_deref().filter(|_| may_look)?;
            let barred = |button: &Button| self.is_barred(known, button);
            let choice = pattern.choose(keyboard, &run.captures, barred)?;
            Some((choice, known.message_id, known.version, known.order))
        });
        let Some((choice, message_id, version, order)) = found else { return false };
        let number = run.number;
        match choice {
            Choice::Press { data, label } => {
                let found = Found { message_id, version, order, data, label };
                self.press(index, found, now, actions);
            }
            Choice::Send(label) => {
                self.pass(index, message_id, order, &label);
                self.send(index, label, now, actions);
            }
            Choice::Url { url, label } => {
                self.pass(index, message_id, order, &label);
                if let Some(run) = self.runs.get_mut(index) {
                    run.note(FlowStage::Address, Some(step_index), Some(format!("{label}: {url}")), now);
                }
                self.next(index, now);
            }
            Choice::Refused { deed, label } => {
                self.tracked.give(message_id, number);
                let code = super::refusals::personal(deed);
                self.fail(index, step_index, code, Some(&label), now, actions);
            }
        }
        true
    }

    /// Whether a run may use this message: it is of the sender of its own, belongs to no other run, answers none of theirs,
    /// and did not wait for a run of its own when that one began.
    pub(super) fn is_for(&self, known: &TrackedMessage, number: u32) -> bool {
        let is_of_sender = self.runs.iter().any(|run| run.number == number && run.sender == known.sender);
        let owner = known.owner.or_else(|| known.reply_to.and_then(|replied| self.tracked.owner(replied)));
        is_of_sender
            && owner.is_none_or(|owner| owner == number)
            && !self.waits_since_before(known.message_id, number)
    }

    fn is_barred(&self, known: &TrackedMessage, button: &Button) -> bool {
        self.barred.iter().any(|barred| barred.is(known, button))
    }

    /// Whether the step that a run is at finds its button on a message.
    pub(super) fn is_awaited(&self, message_id: TelegramMessageId) -> bool {
        let Some(known) = self.tracked.get(message_id) else { return false };
        let Some(keyboard) = known.keyboard.as_deref() else { return false };
        self.runs.iter().any(|run| {
            let deed = self.flow.steps.get(run.step).map(|step| &step.deed);
            let (Doing::Look | Doing::Hold(_), Some(Deed::Press(pattern))) = (run.doing, deed) else {
                return false;
            };
            self.is_for(known, run.number)
                && run.may_look_at(known.order, pattern)
                && pattern.choose(keyboard, &run.captures, |_| false).is_some()
        })
    }

    /// A run is about to do its first deed: whether the limits let it. If not, it ends.
    fn may_act(&mut self, index: usize, now: Now, actions: &mut Vec<Action>) -> bool {
        let is_full = self.counted.is_hour_full(&self.flow.limits, now.running);
        let Some(run) = self.runs.get_mut(index) else { return false };
        run.deeds += 1;
        if run.acted.is_some() {
            return true;
        }
        if is_full {
            self.count_skip(Skip::PerHour);
            self.end(index, FlowRunState::Skipped, Some(Skip::PerHour.as_str()), now, actions);
            return false;
        }
        run.acted = Some(now.running);
        self.counted.act(now.running);
        true
    }

    /// A deed of a run is proved not to have been done.
    pub(super) fn take_back(&mut self, index: usize) {
        let Some(run) = self.runs.get_mut(index) else { return };
        run.deeds = run.deeds.saturating_sub(1);
        if run.deeds == 0
            && let Some(acted) = run.acted.take()
        {
            self.counted.take_back(acted);
        }
    }

    pub(super) fn press(&mut self, index: usize, found: Found, now: Now, actions: &mut Vec<Action>) {
        if !self.may_act(index, now, actions) {
            return;
        }
        let flow = Arc::clone(&self.flow);
        let Found { message_id, version, order, data, label } = found;
        self.numbers = self.numbers.wrapping_add(1);
        let number = self.numbers;
        self.bar(Barred { number: Some(number), message_id, order, data: data.clone() });
        if let Some((_, waited)) = self.take_waiting(message_id) {
            self.skip_waiting(&waited, Skip::OtherRun, now, actions);
        }
        let Some(run) = self.runs.get_mut(index) else { return };
        self.tracked.give(message_id, run.number);
        run.first_data.get_or_insert_with(|| data.clone());
        actions.push(Action::Press { number, message_id, version, data });
        let step = run.step;
        run.press(Pressed { number, step, message_id, order, label }, now);
        match flow.steps.get(step).and_then(|step| step.expect.as_ref()) {
            Some((_, within)) => run.wait(Doing::Read, *within, now),
            None => self.next(index, now),
        }
    }

    /// The step is done with a button that is not pressed.
    fn pass(&mut self, index: usize, message_id: TelegramMessageId, order: u64, label: &str) {
        self.bar(Barred { number: None, message_id, order, data: label.as_bytes().to_vec() });
        if let Some(run) = self.runs.get_mut(index) {
            run.pass(order);
            self.tracked.give(message_id, run.number);
        }
    }

    /// Of keyboards that are the newest no longer nothing is pressed, so they need not be remembered.
    fn bar(&mut self, barred: Barred) {
        let tracked = &self.tracked;
        self.barred
            .retain(|barred| tracked.get(barred.message_id).is_some_and(|known| known.order == barred.order));
        self.barred.push(barred);
    }

    /// A message was edited into the bot's answer to a press: what was pressed on its keyboard is not pressed on the new one.
    pub(super) fn carry_barred(&mut self, pressed: &Pressed, order: u64) {
        let is_its = |barred: &&Barred| {
            barred.message_id == pressed.message_id
                && barred.order == pressed.order
                && barred.number.is_some()
        };
        let carried: Vec<Barred> =
            self.barred.iter().filter(is_its).map(|barred| Barred { order, ..barred.clone() }).collect();
        self.barred.extend(carried);
    }

    /// It is proved that this press was not made.
    pub(super) fn unbar(&mut self, press: u32) {
        self.barred.retain(|barred| barred.number != Some(press));
    }

    fn send(&mut self, index: usize, text: String, now: Now, actions: &mut Vec<Action>) {
        if !self.may_act(index, now, actions) {
            return;
        }
        self.numbers = self.numbers.wrapping_add(1);
        let number = self.numbers;
        let Some(run) = self.runs.get_mut(index) else { return };
        run.early.clear();
        run.note(FlowStage::Sent, Some(run.step), None, now);
        actions.push(Action::Send { number, run: run.id, text });
        let within = self.flow.steps.get(run.step).map_or(SETTLE, |step| step.within);
        run.wait(Doing::Send(number), within, now);
    }

    /// Another button of the keyboard that was pressed, with the same label, that was not pressed yet.
    pub(super) fn other_button(&self, pressed: &Pressed) -> Option<Found> {
        let known = self.tracked.get(pressed.message_id).filter(|known| known.order == pressed.order)?;
        let label = compared(&pressed.label);
        let same = |other: &str| compared(other) == label;
        let buttons = known.keyboard.as_deref()?.buttons().map(|(_, _, button)| button);
        let mut others = buttons.filter(|button| same(&button.label) && !self.is_barred(known, button));
        others.find_map(|button| match &button.deed {
            ButtonDeed::Callback(data) => Some(Found {
                message_id: known.message_id,
                version: known.version,
                order: known.order,
                data: data.clone(),
                label: button.label.clone(),
            }),
            _ => None,
        })
    }
}

/// The button of a message that the first step of a flow presses.
pub(super) fn first_button(
    flow: &Flow,
    keyboard: Option<&domain::Keyboard>,
    captures: &crate::definition::Captures,
) -> Option<Choice> {
    let Deed::Press(pattern) = &flow.steps.first()?.deed else { return None };
    pattern.choose(keyboard?, captures, |_| false)
}
