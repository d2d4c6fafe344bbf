//! What answers of bots and of Telegram mean for a run. Pure.

use std::time::Duration;

use domain::{ChatKind, FlowStage, PersonalDeed};
use telegram::{PressAnswer, Sighting};

use super::answers::{Says, says};
use super::run::{self, Pressed, SaidNo};
use super::{Action, MOST_TRIES, Machine, Now, SETTLE, UNWRITTEN};
use crate::tracked_messages::News;

/// So long before the step is over another button with the same label is pressed, if the bot answered with a text and changed nothing.
/// Where the text says no it is pressed at once.
const GRACE: Duration = Duration::from_secs(1);

impl Machine {
    pub(super) fn answered(&mut self, press: u32, answer: PressAnswer, now: Now, actions: &mut Vec<Action>) {
        // It holds for the account, also if the run has ended meanwhile.
        if let PressAnswer::Flood(wait) = &answer {
            self.held_until = self.held_until.max(now.running.saturating_add(*wait));
        }
        let is_its = |run: &run::Run| run.open.iter().any(|open| open.number == press);
        let Some(index) = self.place_of(is_its) else { return };
        let Some(run) = self.runs.get_mut(index) else { return };
        let Some(pressed) = run.close(press) else { return };
        let step_index = pressed.step;
        let (stage, note) = run::timeline_entry(&answer);
        run.note(stage, Some(step_index), note, now);
        match answer {
            PressAnswer::Answered { text, .. } => {
                let text = text.unwrap_or_default();
                // An answer speaks for the step that pressed.
                if run.step == step_index {
                    self.read_in(index, &text, now);
                }
                self.weigh(index, pressed, &text, now, actions);
            }
            PressAnswer::NoResponse | PressAnswer::Unknown(_) => {}
            PressAnswer::MessageGone => {
                self.take_back(index);
                self.tracked.drop_keyboard(pressed.message_id, pressed.order);
                self.again(index, &pressed, "message_gone", now, actions);
            }
            PressAnswer::DataInvalid => {
                self.take_back(index);
                self.again(index, &pressed, "button_gone", now, actions);
            }
            PressAnswer::Flood(_) => {
                self.unbar(press);
                self.take_back(index);
                self.again(index, &pressed, "flood_wait", now, actions);
            }
            PressAnswer::NotWritten(_) => {
                self.unbar(press);
                self.take_back(index);
                self.held_until = self.held_until.max(now.running.saturating_add(UNWRITTEN));
                self.again(index, &pressed, "not_connected", now, actions);
            }
            PressAnswer::Refused(code) => {
                if run.is_about(&pressed) {
                    self.fail(index, step_index, "refused", Some(&code), now, actions);
                }
            }
        }
    }

    /// Another flow pressed the button from the same account: it is not pressed twice.
    pub(super) fn taken(&mut self, press: u32, by: &str, now: Now, actions: &mut Vec<Action>) {
        let is_its = |run: &run::Run| run.open.iter().any(|open| open.number == press);
        let Some(index) = self.place_of(is_its) else { return };
        let Some(run) = self.runs.get_mut(index) else { return };
        let Some(pressed) = run.close(press) else { return };
        run.note(FlowStage::Refused, Some(pressed.step), Some(format!("pressed by flow {by}")), now);
        let is_about = run.is_about(&pressed);
        self.take_back(index);
        if is_about {
            self.fail(index, pressed.step, "pressed_by_another_flow", Some(by), now, actions);
        }
    }

    /// Weighs what a bot said to a press. If it is not what the step expects and nothing else happened since, the bot may
    /// have said no to this button alone: another one with its label is pressed.
    fn weigh(&mut self, index: usize, pressed: Pressed, text: &str, now: Now, actions: &mut Vec<Action>) {
        let said = says(text);
        let Some(run) = self.runs.get(index) else { return };
        if said == Says::Taken || text.trim().is_empty() || !run.is_about(&pressed) {
            return;
        }
        let (is_no, is_last) = (said == Says::No, run.is_settling());
        // Nothing that comes later says whether the last press without an expectation counted.
        let is_shown_later = self.flow.steps.get(pressed.step + 1).is_some()
            || self.flow.steps.get(pressed.step).is_some_and(|step| step.expect.is_some());
        let has_other = self.other_button(&pressed).is_some();
        let Some(run) = self.runs.get_mut(index) else { return };
        if is_no {
            run.refused = Some("said_no");
        }
        if has_other && run.tries < MOST_TRIES && (is_no || is_shown_later) {
            let last = run.deadline.saturating_sub(GRACE);
            let at = if is_no { now.running } else { last.max(now.running.saturating_add(GRACE)) };
            run.said_no = Some(SaidNo { pressed, at });
        } else if is_no && is_last {
            self.fail(index, pressed.step, "said_no", None, now, actions);
        }
    }

    /// A bot may say no in a message instead of its answer to the press: in an edit of the message that was pressed, or in an
    /// answer to a message of the run. In a chat with the bot alone a new message is the answer to the only run under way.
    pub(super) fn hear_no(&mut self, sighting: &Sighting, news: &News, now: Now, actions: &mut Vec<Action>) {
        if says(&sighting.text) != Says::No {
            return;
        }
        let owner = self.tracked.owner(sighting.message_id);
        let owner = owner.or_else(|| sighting.reply_to.and_then(|replied| self.tracked.owner(replied)));
        let is_private = sighting.chat_id.kind() == ChatKind::User;
        let is_plain = news.is_first
            && sighting.reply_to.is_none()
            && is_private
            && self.flow.trigger.fits(&sighting.text, sighting.keyboard.as_deref()).is_none();
        let only = match self.runs.as_slice() {
            [run] if is_plain => Some(run.number),
            _ => None,
        };
        let Some(number) = owner.or(only) else { return };
        let is_it = |run: &run::Run| run.number == number && run.sender == sighting.sender.id;
        let Some(index) = self.place_of(is_it) else { return };
        let Some(run) = self.runs.get(index) else { return };
        let Some(mut pressed) = run.unproved_press().cloned() else { return };
        // In a group or a channel an edit may say that this very press took the last place.
        if run.is_settling() && !is_private && sighting.reply_to.is_none() {
            return;
        }
        if pressed.message_id == sighting.message_id {
            self.carry_barred(&pressed, news.order);
            pressed.order = news.order;
        }
        self.weigh(index, pressed, &sighting.text, now, actions);
    }

    /// Presses other buttons with the label of those to which bots said no, once it is time and Telegram lets the account
    /// press.
    pub(super) fn press_others(&mut self, now: Now, actions: &mut Vec<Action>) {
        let is_due = |run: &run::Run| run.said_no.as_ref().is_some_and(|no| no.at <= now.running);
        let numbers: Vec<u32> = self.runs.iter().filter(|run| is_due(run)).map(|run| run.number).collect();
        for number in numbers {
            let Some(index) = self.place_of(|run| run.number == number) else { continue };
            let Some(run) = self.runs.get_mut(index) else { continue };
            let Some(SaidNo { pressed, .. }) = run.said_no.take() else { continue };
            if !run.is_about(&pressed) {
                continue;
            }
            let is_no = run.refused == Some("said_no");
            let is_over = is_no && run.is_settling();
            let within = self.flow.steps.get(pressed.step).map_or(SETTLE, |step| step.within);
            let deadline = now.running.saturating_add(within);
            if now.running < self.held_until {
                if self.held_until <= deadline {
                    run.deadline = run.deadline.max(self.held_until);
                    run.said_no = Some(SaidNo { pressed, at: self.held_until });
                } else if is_no {
                    self.fail(index, pressed.step, "flood_wait", None, now, actions);
                }
            } else if let Some(found) = self.other_button(&pressed) {
                let Some(run) = self.runs.get_mut(index) else { continue };
                run.look_again(&pressed, deadline);
                self.press(index, found, now, actions);
            } else if is_over {
                // Its keyboard is no longer the newest.
                self.fail(index, pressed.step, "said_no", None, now, actions);
            }
        }
    }

    /// Looks for the button of a step once more: what was pressed is proved not to have counted.
    fn again(
        &mut self,
        index: usize,
        pressed: &Pressed,
        code: &'static str,
        now: Now,
        actions: &mut Vec<Action>,
    ) {
        let Some(run) = self.runs.get_mut(index) else { return };
        if !run.is_about(pressed) {
            return;
        }
        let within = self.flow.steps.get(pressed.step).map_or(SETTLE, |step| step.within);
        // All waits of a step take no longer than the step may.
        let mut since = now.running;
        if code == "flood_wait" {
            since = run.flooded.filter(|(step, _)| *step == pressed.step).map_or(since, |(_, since)| since);
            run.flooded = Some((pressed.step, since));
        }
        let deadline = since.saturating_add(within);
        if run.tries >= MOST_TRIES || self.held_until > deadline {
            return self.fail(index, pressed.step, code, None, now, actions);
        }
        run.look_again(pressed, deadline);
        run.refused = Some(code);
    }
}

/// The code of a step that came to a button which only a person can press.
pub(super) const fn personal(deed: PersonalDeed) -> &'static str {
    use PersonalDeed as Deed;
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
