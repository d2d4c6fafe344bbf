//! The messages that a flow hopes for, made of its own trigger and steps: all of it is tried without its bot. Pure.

use std::iter::repeat_n;

use config::FlowRegex;
use domain::{Button, ButtonDeed, Keyboard, TelegramMessageId};
use regex_syntax::hir::{Class, ClassUnicodeRange, Hir, HirKind};

use crate::definition::{Captures, Deed, Flow};
use crate::pattern::{ButtonPattern, Expression, TextPattern};
use crate::simulation::Shown;

/// The longest text that is made for an expression, in bytes: no message is longer.
const LONGEST: usize = 4096;

/// The label of buttons that no step presses.
const OTHER: &str = "—";

/// The messages, each an edit of the one before. Nothing where we find no text for an expression.
pub fn rehearsal(flow: &Flow) -> Option<Vec<Shown>> {
    let message_id = TelegramMessageId::new(1)?;
    let mut shown = Vec::new();
    let mut show = |text: String, keyboard: Option<Keyboard>| {
        shown.push(Shown { message_id, text, keyboard });
    };
    let (texts, has_button) = flow.trigger.parts();
    let none = Captures::new();
    let texts: Option<Vec<_>> = texts.iter().map(|pattern| text_for(pattern, &none)).collect();
    let begins = texts?.join("\n");
    let offered = has_button.map(|label| Keyboard { rows: vec![vec![button(label, 0)]] });
    let mut captures = flow.trigger.fits(&begins, offered.as_ref())?;
    show(begins, offered);
    for (step, number) in flow.steps.iter().zip(1..) {
        match &step.deed {
            Deed::Press(pattern) => {
                show(format!("Step {number}"), Some(keyboard_for(pattern, &captures, number)?));
            }
            Deed::Wait(pattern) => {
                let text = text_for(pattern, &captures)?;
                captures.extend(pattern.find(&text, &captures)?);
                show(text, None);
            }
            Deed::Send(_) => {}
        }
        if let Some((pattern, _)) = &step.expect {
            let text = text_for(pattern, &captures)?;
            captures.extend(pattern.find(&text, &captures)?);
            show(text, None);
        }
    }
    Some(shown)
}

fn button(label: &str, number: usize) -> Button {
    Button {
        label: label.to_owned(),
        deed: ButtonDeed::Callback(format!("rehearsal {number} {label}").into_bytes()),
    }
}

/// A keyboard with the button that is meant.
fn keyboard_for(pattern: &ButtonPattern, captures: &Captures, number: usize) -> Option<Keyboard> {
    let filled = |text: &str| config::filled(text, |name| captures.get(name).cloned());
    let label = match pattern {
        ButtonPattern::Label(text) | ButtonPattern::Contains(text) => filled(text)?,
        ButtonPattern::Fits(expression) => text_of(expression, captures)?,
        ButtonPattern::Words(words) => {
            words.iter().map(|word| filled(word)).collect::<Option<Vec<_>>>()?.join(" ")
        }
        ButtonPattern::Position(..) | ButtonPattern::First => format!("Button {number}"),
    };
    let other = || button(OTHER, number);
    let (row, column) = match pattern {
        ButtonPattern::Position(row, column) => (*row, *column),
        _ => (1, 1),
    };
    let mut rows: Vec<_> = repeat_n(vec![other()], row.saturating_sub(1)).collect();
    let mut last: Vec<_> = repeat_n(other(), column.saturating_sub(1)).collect();
    last.push(button(&label, number));
    rows.push(last);
    let keyboard = Keyboard { rows };
    pattern.choose(&keyboard, captures, |_| false).is_some().then_some(keyboard)
}

/// A text in which a pattern is found.
fn text_for(pattern: &TextPattern, captures: &Captures) -> Option<String> {
    match pattern {
        TextPattern::Has(text) => config::filled(text, |name| captures.get(name).cloned()),
        TextPattern::AnyWord(words) => words.first().cloned(),
        TextPattern::Fits(expression) => text_of(expression, captures),
    }
}

fn text_of(expression: &Expression, captures: &Captures) -> Option<String> {
    let regex = expression.with(captures)?;
    let parsed = regex_syntax::parse(regex.as_str()).ok()?;
    // What may be there is, or is not: a word boundary may want either.
    [1, 0].into_iter().find_map(|optional| sample(&parsed, optional, &regex))
}

fn sample(parsed: &Hir, optional: u32, regex: &FlowRegex) -> Option<String> {
    let mut text = String::new();
    write(parsed, optional, &mut text)?;
    // A named group that finds nothing has no value for a later step.
    let is_full = regex.named(&text).is_some_and(|found| {
        found.len() == regex.names().count() && found.iter().all(|(_, value)| !value.trim().is_empty())
    });
    is_full.then_some(text)
}

/// Adds a text that an expression fits: of what repeats as little as it may be, but `optional` of it at least.
fn write(part: &Hir, optional: u32, text: &mut String) -> Option<()> {
    match part.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let has =
                |wanted: &char| class.iter().any(|range| range.start() <= *wanted && *wanted <= range.end());
            let usual = ['a', 'A', '7', ' ', '-'].into_iter().find(has);
            text.push(usual.or_else(|| class.iter().next().map(ClassUnicodeRange::start))?);
        }
        HirKind::Class(Class::Bytes(class)) => text.push(char::from(class.iter().next()?.start())),
        HirKind::Repetition(repeated) => {
            let times = repeated.min.max(optional).min(repeated.max.unwrap_or(u32::MAX));
            for _ in 0..times {
                write(&repeated.sub, optional, text)?;
            }
        }
        HirKind::Capture(capture) => write(&capture.sub, optional, text)?,
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| write(part, optional, text))?,
        HirKind::Alternation(parts) => write(parts.first()?, optional, text)?,
    }
    (text.len() <= LONGEST).then_some(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use domain::{FlowRunState, FlowStage};
    use proptest::prelude::*;

    use super::*;
    use crate::simulation::simulate;

    fn flow(trigger: &str, steps: &str) -> Flow {
        let text = format!(
            "[[flows]]\nname = \"trip\"\naccount = \"main\"\nwatch = \"@demo_trips_bot\"\n\
             limits = {{ cooldown = \"1h\" }}\nactive = \"06:00-06:01 UTC\"\ntrigger = {trigger}\nsteps = {steps}\n"
        );
        let settings = config::read_flows(&text, Path::new("/flows.toml")).expect("a flow");
        Flow::of(&settings[0]).expect("a flow")
    }

    fn presses(flow: &Flow) -> (Vec<String>, Option<FlowRunState>) {
        let simulation = simulate(flow, &rehearsal(flow).expect("messages"));
        let moments = simulation.messages.into_iter().flatten();
        let pressed = moments.filter(|moment| moment.stage == FlowStage::Pressed);
        (pressed.filter_map(|moment| moment.note).collect(), simulation.state)
    }

    #[test]
    fn a_flow_presses_all_its_buttons_in_its_rehearsal() {
        let trip = flow(
            r#"{ regex = "^New trip .* (?P<from>\\w+)$" }"#,
            r#"[{ press = { text = "Book" } }, { press = { contains = "{from}" } },
                { press = { regex = "\\bConfirm\\b|Yes" }, expect = { text = "booked", within = "20s" } }]"#,
        );
        let (pressed, state) = presses(&trip);
        assert_eq!((pressed.len(), state), (3, Some(FlowRunState::Done)), "{pressed:?}");
        let every = flow(
            r#"{ keywords = ["trip", "tour"], has_button = "Details" }"#,
            r#"[{ press = { position = [2, 3] } }, { press = { first = true } }, { press = { keywords = ["by", "window"] } },
                { wait = { regex = "at (?P<time>\\d\\d:\\d\\d)" } }, { send = "Thanks for {time}" },
                { press = { regex = "^{time}$" }, expect = { regex = "(?i)seat \\d{1,3}[a-f]?" } }]"#,
        );
        let (pressed, state) = presses(&every);
        assert_eq!((pressed.len(), state), (4, Some(FlowRunState::Done)), "{pressed:?}");
    }

    #[test]
    fn no_text_is_made_up_for_what_fits_none() {
        let none = flow(r#"{ regex = "a\\bb" }"#, r"[{ press = { first = true } }]");
        assert!(rehearsal(&none).is_none());
    }

    proptest! {
        #[test]
        fn a_text_made_of_an_expression_matches_it(text in r"[a-c.\\wd*+?{}()|\[\]0-9^$-]{0,12}") {
            if let Ok(pattern) = TextPattern::regex(&text)
                && let Some(made) = text_for(&pattern, &Captures::new())
            {
                prop_assert!(pattern.find(&made, &Captures::new()).is_some(), "{made:?}");
                prop_assert!(made.len() <= LONGEST + 4);
            }
        }
    }
}
