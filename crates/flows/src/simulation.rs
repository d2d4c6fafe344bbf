//! A flow tried on messages that are handed in: what it would press, without anything being pressed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::{ChatId, FlowMoment, FlowRunId, FlowRunState, Keyboard, TelegramMessageId, Timestamp};
use telegram::{PressAnswer, Sender, Sighting};

use crate::definition::Flow;
use crate::machine::{Action, Input, Machine, Now};

/// What passes between two messages.
const BETWEEN: Duration = Duration::from_millis(100);

/// A message that a bot would show, new or edited.
#[derive(Debug, Clone)]
pub struct Shown {
    pub message_id: TelegramMessageId,
    pub text: String,
    pub keyboard: Option<Keyboard>,
}

/// What a flow would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulation {
    /// On each message.
    pub messages: Vec<Vec<FlowMoment>>,
    /// How the last run is then.
    pub state: Option<FlowRunState>,
}

/// Shows messages to a flow, one after the other; each press is answered at once, with nothing. Limits and hours do not count.
pub fn simulate(flow: &Flow, shown: &[Shown]) -> Simulation {
    let limits = config::FlowLimits::default();
    let flow = Flow { active: None, senders: Vec::new(), limits, ..flow.clone() };
    let mut machine = Machine::new(Arc::new(flow));
    let mut now = Now { wall: Timestamp::from_micros(0), running: Duration::ZERO };
    let mut simulation = Simulation { messages: Vec::new(), state: None };
    // Any chat.
    let Some(chat_id) = ChatId::user(1) else { return simulation };
    // How many moments of a run are shown already, by when it began.
    let mut reported = BTreeMap::<Timestamp, usize>::new();
    for (shown, version) in shown.iter().zip(1..) {
        let sighting = Sighting {
            chat_id,
            message_id: shown.message_id,
            version,
            written_at: now.wall,
            arrived: now.running,
            is_own: false,
            sender: Sender { id: chat_id, is_in_group: false, is_bot: true },
            reply_to: None,
            text: shown.text.clone(),
            keyboard: shown.keyboard.clone().map(Arc::new),
        };
        let mut actions = machine.step(Input::Sighted(&sighting), now, &mut || FlowRunId::MIN);
        let mut moments = Vec::new();
        // Bounded: each round does a step of the flow.
        while !actions.is_empty() {
            let mut next = Vec::new();
            for action in actions {
                match action {
                    Action::Press { number, .. } => {
                        let answer = PressAnswer::Answered { text: None, is_alert: false, url: None };
                        next.extend(machine.step(
                            Input::Answered { press: number, answer },
                            now,
                            &mut || FlowRunId::MIN,
                        ));
                    }
                    Action::Send { number, .. } => {
                        let sent = Input::Sent { number, refusal: None };
                        next.extend(machine.step(sent, now, &mut || FlowRunId::MIN));
                    }
                    Action::Record(record) => {
                        let shown = reported.entry(record.began_at).or_default();
                        moments.extend(record.moments.iter().skip(*shown).cloned());
                        *shown = record.moments.len().max(*shown);
                        if reported.last_key_value().is_some_and(|(latest, _)| *latest == record.began_at) {
                            simulation.state = Some(record.state);
                        }
                    }
                    Action::Alert { .. } | Action::Stop { .. } => {}
                }
            }
            actions = next;
        }
        simulation.messages.push(moments);
        now = Now { wall: now.wall.plus(BETWEEN), running: now.running + BETWEEN };
    }
    simulation
}

#[cfg(test)]
mod tests {
    use domain::{Button, ButtonDeed};

    use super::*;

    #[test]
    fn a_flow_is_tried_on_messages() {
        let text = "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@demo_trips_bot\"\n\
            trigger = { text = \"trip\" }\nsteps = [{ press = { text = \"Book\" } }, { press = { first = true } }]\n";
        let settings = config::read_flows(text, std::path::Path::new("/flows.toml")).expect("a flow");
        let flow = Flow::of(&settings[0]).expect("a flow");
        let shown = |text: &str, label: &str| {
            let button = Button { label: label.to_owned(), deed: ButtonDeed::Callback(vec![1]) };
            let keyboard = Some(Keyboard { rows: vec![vec![button]] });
            let message_id = TelegramMessageId::new(1).expect("an id");
            Shown { message_id, text: text.to_owned(), keyboard }
        };
        let tried =
            simulate(&flow, &[shown("Hello", "Book"), shown("A trip", "Book"), shown("Where to?", "Tver")]);
        let notes: Vec<Vec<_>> = tried
            .messages
            .iter()
            .map(|moments| moments.iter().filter_map(|moment| moment.note.as_deref()).collect())
            .collect();
        assert_eq!(notes, [vec![], vec!["Book"], vec!["Tver", "done"]]);
        assert_eq!(tried.state, Some(FlowRunState::Done));
    }
}
