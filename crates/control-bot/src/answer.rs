//! What is said and done about what is asked. Pure.

use std::fmt::Write;

use channels::telegram_bot::{Button, Keyboard, LONGEST_TEXT};
use domain::Timestamp;
use flows::{FlowState, FlowView};
use store::StoredFlowRun;

use crate::ask::{Ask, Which};
use crate::report;
use crate::words::Language;

/// The most flows that have buttons in one message.
const MOST_BUTTONS: usize = 30;

/// What a control bot does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It says something.
    Say(Message),
    /// It starts or stops flows, and says what came of it.
    Switch { names: Vec<String>, on: bool },
}

/// A text with its buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) text: String,
    pub(crate) keyboard: Keyboard,
}

impl Message {
    pub(crate) fn new(text: impl Into<String>, rows: Vec<Vec<Button>>) -> Self {
        Self { text: cut(text.into(), LONGEST_TEXT), keyboard: Keyboard { rows } }
    }
}

/// The beginning of a text, of so many UTF-16 units at most.
pub(crate) fn cut(text: String, most: usize) -> String {
    if text.encode_utf16().count() <= most {
        return text;
    }
    let mut units = 0;
    let end = text.char_indices().find(|(_, letter)| {
        units += letter.len_utf16();
        units > most.saturating_sub(1)
    });
    match end.map(|(position, _)| position) {
        Some(position) => format!("{}…", &text[..position]),
        None => text,
    }
}

/// What an answer is made of.
#[derive(Clone, Copy)]
pub(crate) struct Snapshot<'a> {
    pub(crate) flows: &'a [FlowView],
    /// The latest runs, where they are asked for, the latest first.
    pub(crate) runs: &'a [StoredFlowRun],
    pub(crate) now: Timestamp,
}

/// How many of the latest runs an answer needs.
pub(crate) const fn runs_needed(ask: &Ask) -> usize {
    match ask {
        Ask::Stats => report::MOST_COUNTED,
        Ask::Log => report::MOST_SHOWN,
        _ => 0,
    }
}

/// Decides. Only [`Ask::Start`] and [`Ask::StopNow`] switch anything.
pub(crate) fn answer(ask: &Ask, snapshot: Snapshot<'_>, language: Language) -> Answer {
    let Snapshot { flows, runs, now } = snapshot;
    let say = |text: String, rows| Answer::Say(Message::new(text, rows));
    match ask {
        Ask::Help => say(language.help().to_owned(), vec![menu(language)]),
        Ask::Flows => list(flows, language, |_| true),
        Ask::WhichToStart => list(flows, language, is_stopped),
        Ask::WhichToStop => list(flows, language, |flow| !is_stopped(flow)),
        Ask::Status => say(lines(flows, language, |flow| status(flow, language)), vec![menu(language)]),
        Ask::Stats => say(report::stats(flows, runs, now, language), vec![menu(language)]),
        Ask::Log => say(report::log(runs, language), vec![menu(language)]),
        Ask::Keep => say(language.kept().to_owned(), vec![menu(language)]),
        Ask::Start(which) | Ask::Stop(which) | Ask::StopNow(which) => {
            let names = match named(which, flows) {
                Ok(names) => names,
                Err(name) => return say(language.unknown(name), vec![menu(language)]),
            };
            match ask {
                Ask::Stop(_) => {
                    let what = match which {
                        Which::One(name) => name.as_str(),
                        Which::All => language.all(),
                    };
                    let yes =
                        button(language.say("Yes, stop", "Да, остановить"), &Ask::StopNow(which.clone()));
                    let no = button(language.say("No", "Нет"), &Ask::Keep);
                    say(language.sure(what), vec![yes.into_iter().chain(no).collect()])
                }
                Ask::Start(_) => Answer::Switch { names, on: true },
                _ => Answer::Switch { names, on: false },
            }
        }
    }
}

/// The flows that are meant; an unknown name is the error.
fn named<'a>(which: &'a Which, flows: &[FlowView]) -> Result<Vec<String>, &'a str> {
    match which {
        Which::All => Ok(flows.iter().map(|flow| flow.name.clone()).collect()),
        Which::One(name) if flows.iter().any(|flow| flow.name == *name) => Ok(vec![name.clone()]),
        Which::One(name) => Err(name),
    }
}

fn is_stopped(flow: &FlowView) -> bool {
    flow.on.iter().all(|on| on.state == FlowState::Stopped)
}

fn button(text: &str, ask: &Ask) -> Option<Button> {
    Button::new(text, ask.data()?).ok()
}

/// The buttons under what is only said.
pub(crate) fn menu(language: Language) -> Vec<Button> {
    let all = [
        (language.say("Flows", "Сценарии"), Ask::Flows),
        (language.say("Status", "Состояние"), Ask::Status),
        (language.say("Stats", "Статистика"), Ask::Stats),
        (language.say("Log", "Журнал"), Ask::Log),
    ];
    all.iter().filter_map(|(text, ask)| button(text, ask)).collect()
}

/// Flows with a button each.
fn list(flows: &[FlowView], language: Language, shown: impl Fn(&FlowView) -> bool) -> Answer {
    let shown: Vec<&FlowView> = flows.iter().filter(|flow| shown(flow)).collect();
    let mut rows: Vec<Vec<Button>> = shown
        .iter()
        .take(MOST_BUTTONS)
        .filter_map(|flow| {
            let which = Which::One(flow.name.clone());
            let (word, ask) = if is_stopped(flow) {
                (language.say("Start", "Запустить"), Ask::Start(which))
            } else {
                (language.say("Stop", "Остановить"), Ask::Stop(which))
            };
            Some(vec![button(&format!("{word} {}", flow.name), &ask)?])
        })
        .collect();
    if shown.len() > 1 && shown.iter().any(|flow| !is_stopped(flow)) {
        let word = language.say("Stop all", "Остановить все");
        rows.extend(button(word, &Ask::Stop(Which::All)).map(|one| vec![one]));
    }
    rows.push(menu(language));
    let text = if shown.is_empty() && !flows.is_empty() {
        language.help().to_owned()
    } else {
        lines(shown, language, |flow| language.done(flow))
    };
    Answer::Say(Message::new(text, rows))
}

fn lines<'a>(
    flows: impl IntoIterator<Item = &'a FlowView>,
    language: Language,
    line: impl Fn(&FlowView) -> String,
) -> String {
    let all: Vec<String> = flows.into_iter().map(line).collect();
    if all.is_empty() { language.no_flows().to_owned() } else { all.join("\n") }
}

fn status(flow: &FlowView, language: Language) -> String {
    let mut text = format!("{} ({})", flow.name, flow.watch);
    for on in &flow.on {
        let _ = write!(text, "\n  {}: {}", on.account, language.state(on.state));
        if let Some(reason) = &on.reason {
            let _ = write!(text, " ({reason})");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use flows::FlowOnAccount;
    use proptest::prelude::*;

    use super::*;

    fn flow(name: &str, state: FlowState) -> FlowView {
        let on = FlowOnAccount {
            account: "main".parse().unwrap(),
            state,
            reason: None,
            done: 2,
            acted: 1,
            skipped: std::collections::BTreeMap::new(),
            failed: std::collections::BTreeMap::new(),
            last_run: None,
        };
        FlowView { name: name.to_owned(), watch: "@demo_trips_bot".parse().unwrap(), steps: 3, on: vec![on] }
    }

    fn snapshot(flows: &[FlowView]) -> Snapshot<'_> {
        Snapshot { flows, runs: &[], now: Timestamp::from_micros(0) }
    }

    fn message_of(answer: Answer) -> Message {
        let Answer::Say(message) = answer else { panic!("{answer:?}") };
        message
    }

    #[test]
    fn stopping_is_confirmed_and_starting_is_not() {
        let flows = [flow("trip", FlowState::Watching), flow("other", FlowState::Stopped)];
        let ask = |text: &str| answer(&Ask::of_text(text), snapshot(&flows), Language::Russian);
        let sure = message_of(ask("/stop trip"));
        assert!(sure.text.contains("Остановить trip?"), "{}", sure.text);
        assert_eq!(
            sure.keyboard.rows[0],
            [Button::new("Да, остановить", "now:trip").unwrap(), Button::new("Нет", "keep").unwrap(),]
        );
        let names = vec!["trip".to_owned()];
        let now = answer(&Ask::of_data("now:trip").unwrap(), snapshot(&flows), Language::English);
        assert_eq!(now, Answer::Switch { names, on: false });
        assert_eq!(ask("/start other"), Answer::Switch { names: vec!["other".to_owned()], on: true });
        assert!(message_of(ask("/stop nothing")).text.contains("nothing"));
    }

    #[test]
    fn opening_the_bot_starts_nothing() {
        let flows = [flow("trip", FlowState::Stopped)];
        let message = message_of(answer(&Ask::of_text("/start"), snapshot(&flows), Language::English));
        assert_eq!(message.keyboard.rows[0], [Button::new("Start trip", "start:trip").unwrap()]);
        assert!(message.text.contains("trip – main: stopped"), "{}", message.text);
    }

    proptest! {
        #[test]
        fn every_answer_fits_in_one_message(names in prop::collection::vec("[a-z]{1,64}", 0..200), text in ".{0,20}") {
            let flows: Vec<FlowView> = names.iter().map(|name| flow(name, FlowState::Watching)).collect();
            let runs: Vec<StoredFlowRun> = names.iter().map(|name| report::tests::run(name)).collect();
            let snapshot = Snapshot { flows: &flows, runs: &runs, now: Timestamp::from_micros(1) };
            for command in ["/flows", "/status", "/stats", "/log", "/stop", "/help", "/stop *", &text] {
                let answer = answer(&Ask::of_text(command), snapshot, Language::Russian);
                if let Answer::Say(message) = answer {
                    let (text, _) = crate::numbered::numbered(&message, Language::Russian);
                    prop_assert!((1..=LONGEST_TEXT).contains(&text.encode_utf16().count()));
                    prop_assert!((1..=LONGEST_TEXT).contains(&message.text.encode_utf16().count()));
                    prop_assert!(message.keyboard.rows.len() <= MOST_BUTTONS + 2);
                }
            }
        }
    }
}
