//! Texts and buttons as flows describe them. Pure.

use std::borrow::Cow;

use config::{FlowRegex, InvalidFlowRegex, filled, placeholders};
use domain::text::{folded_line, visible};
use domain::{Button, ButtonDeed, Keyboard, PersonalDeed};

use crate::definition::Captures;

/// An expression; one with placeholders is compiled when they are known.
#[derive(Debug, Clone)]
pub(crate) enum Expression {
    Whole(FlowRegex),
    WithPlaceholders(String),
}

impl Expression {
    fn of(text: &str) -> Result<Self, InvalidFlowRegex> {
        // Texts and labels are compared without what no reader sees.
        let text = &*visible(text);
        if placeholders(text).is_empty() {
            return Ok(Self::Whole(FlowRegex::new(text)?));
        }
        // Whatever takes its place is quoted and is no longer than a message.
        FlowRegex::new(&filled(text, |_| Some("x".to_owned())).unwrap_or_default())?;
        Ok(Self::WithPlaceholders(text.to_owned()))
    }

    /// Nothing when a placeholder has no value. One that is whole is lent: a clone would make its tables once more for each text.
    pub(crate) fn with(&self, captures: &Captures) -> Option<Cow<'_, FlowRegex>> {
        match self {
            Self::Whole(regex) => Some(Cow::Borrowed(regex)),
            Self::WithPlaceholders(text) => {
                let text = filled(text, |name| Some(regex_syntax::escape(&visible(value(captures, name)?))))?;
                FlowRegex::new(&text).ok().map(Cow::Owned)
            }
        }
    }
}

/// What a placeholder stands for. One that found nothing has no value: nothing is in every text.
fn value<'a>(captures: &'a Captures, name: &str) -> Option<&'a str> {
    captures.get(name).map(String::as_str).filter(|value| !value.trim().is_empty())
}

/// A text, a label or a word as it is compared: [`folded_line`], where ё is е as people write it.
pub(crate) fn compared(text: &str) -> String {
    let folded = folded_line(text);
    if folded.contains('ё') { folded.replace('ё', "е") } else { folded }
}

/// A text with its placeholders filled, as it is compared.
fn lower(text: &str, captures: &Captures) -> Option<String> {
    filled(text, |name| value(captures, name).map(str::to_owned)).map(|text| compared(&text))
}

/// A text that is looked for in messages.
#[derive(Debug, Clone)]
pub(crate) enum TextPattern {
    /// It has this in it, whatever the case.
    Has(String),
    Fits(Expression),
    /// It has one of these words.
    AnyWord(Vec<String>),
}

impl TextPattern {
    pub(crate) fn text(text: &str) -> Self {
        Self::Has(text.to_owned())
    }

    pub(crate) fn regex(text: &str) -> Result<Self, InvalidFlowRegex> {
        Expression::of(text).map(Self::Fits)
    }

    pub(crate) fn any_word(words: &[String]) -> Self {
        Self::AnyWord(words.to_vec())
    }

    /// What its named groups find in a text that fits.
    pub(crate) fn find(&self, text: &str, captures: &Captures) -> Option<Captures> {
        match self {
            Self::Has(wanted) => compared(text).contains(&lower(wanted, captures)?).then(Captures::new),
            Self::AnyWord(wanted) => {
                let text = compared(text);
                let is_in = |word: &String| has_word(&text, &compared(word));
                wanted.iter().any(is_in).then(Captures::new)
            }
            Self::Fits(expression) => {
                let regex = expression.with(captures)?;
                let text = visible(text);
                let found = regex.named(&text)?.into_iter();
                Some(found.map(|(name, value)| (name.to_owned(), value.trim().to_owned())).collect())
            }
        }
    }
}

/// Whether a word is in a text and no part of a longer one there. Both are in lower case.
fn has_word(text: &str, word: &str) -> bool {
    let word = word.trim();
    !word.is_empty()
        && text.match_indices(word).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            !before.ends_with(char::is_alphanumeric) && !after.starts_with(char::is_alphanumeric)
        })
}

/// A button that is looked for on a keyboard.
#[derive(Debug, Clone)]
pub(crate) enum ButtonPattern {
    Label(String),
    Contains(String),
    Fits(Expression),
    /// Row and column, both from 1.
    Position(usize, usize),
    /// Of all labels its has most of these words.
    Words(Vec<String>),
    First,
}

/// What was found on a keyboard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Choice {
    /// Press it, with the data that the bot receives.
    Press { data: Vec<u8>, label: String },
    /// Send its label.
    Send(String),
    /// It leads to an address.
    Url { url: String, label: String },
    /// Only a person can press it.
    Refused { deed: PersonalDeed, label: String },
}

impl ButtonPattern {
    pub(crate) fn regex(text: &str) -> Result<Self, InvalidFlowRegex> {
        Expression::of(text).map(Self::Fits)
    }

    /// Whether it says where a button is and not what is on it: such a button is another one once the keyboard changes.
    pub(crate) const fn is_by_position(&self) -> bool {
        matches!(self, Self::Position(..) | Self::First)
    }

    /// The button that is meant, passing over those that `is_barred`: of several that fit the first that can be pressed, else
    /// the first that leads somewhere, else one that only a person can press.
    pub(crate) fn choose(
        &self,
        keyboard: &Keyboard,
        captures: &Captures,
        is_barred: impl Fn(&Button) -> bool,
    ) -> Option<Choice> {
        let fitting = self.fitting(keyboard, captures);
        let rank = |button: &Button| match button.deed {
            ButtonDeed::Callback(_) | ButtonDeed::Text => 0,
            ButtonDeed::Url(_) => 1,
            ButtonDeed::Personal(_) => 2,
        };
        let best =
            fitting.into_iter().filter(|button| !is_barred(button)).min_by_key(|button| rank(button))?;
        let label = best.label.clone();
        Some(match &best.deed {
            ButtonDeed::Callback(data) => Choice::Press { data: data.clone(), label },
            ButtonDeed::Text => Choice::Send(label),
            ButtonDeed::Url(url) => Choice::Url { url: url.clone(), label },
            ButtonDeed::Personal(deed) => Choice::Refused { deed: *deed, label },
        })
    }

    /// A label whose letters and digits are those of the one that is looked for, or have them.
    pub(crate) fn near_miss(&self, keyboard: &Keyboard, captures: &Captures) -> Option<String> {
        let (Self::Label(wanted) | Self::Contains(wanted)) = self else { return None };
        let letters = |text: &str| text.chars().filter(|one| one.is_alphanumeric()).collect::<String>();
        let whole = lower(wanted, captures)?;
        let wanted = letters(&whole);
        let is_near = |label: &str| {
            let folded = compared(label);
            let label = letters(&folded);
            folded != whole
                && !wanted.is_empty()
                && !label.is_empty()
                && (label.contains(&wanted) || wanted.contains(&label))
        };
        keyboard.buttons().map(|(_, _, button)| &button.label).find(|label| is_near(label)).cloned()
    }

    fn fitting<'k>(&self, keyboard: &'k Keyboard, captures: &Captures) -> Vec<&'k Button> {
        let all = || keyboard.buttons().map(|(_, _, button)| button);
        let by_label =
            |fits: &dyn Fn(&str) -> bool| all().filter(|button| fits(&compared(&button.label))).collect();
        match self {
            Self::Label(wanted) => match lower(wanted, captures) {
                Some(wanted) => by_label(&|label| label == wanted),
                None => Vec::new(),
            },
            Self::Contains(wanted) => match lower(wanted, captures) {
                Some(wanted) => by_label(&|label| label.contains(&wanted)),
                None => Vec::new(),
            },
            Self::Fits(expression) => match expression.with(captures) {
                Some(regex) => all().filter(|button| regex.is_match(&visible(&button.label))).collect(),
                None => Vec::new(),
            },
            Self::Position(row, column) => keyboard.at(*row, *column).into_iter().collect(),
            Self::Words(words) => {
                let words: Vec<_> = words.iter().filter_map(|word| lower(word, captures)).collect();
                let count = |button: &Button| {
                    let label = compared(&button.label);
                    words.iter().filter(|word| has_word(&label, word)).count()
                };
                let most = all().map(count).max().filter(|most| *most > 0);
                most.map(|most| all().filter(|button| count(button) == most).collect()).unwrap_or_default()
            }
            Self::First => {
                let can_be_pressed =
                    |button: &&Button| matches!(button.deed, ButtonDeed::Callback(_) | ButtonDeed::Text);
                all().filter(can_be_pressed).take(1).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn button(label: &str, deed: ButtonDeed) -> Button {
        Button { label: label.to_owned(), deed }
    }

    fn pressed(label: &str) -> Button {
        button(label, ButtonDeed::Callback(label.as_bytes().to_vec()))
    }

    fn keyboard(rows: &[&[&str]]) -> Keyboard {
        Keyboard { rows: rows.iter().map(|row| row.iter().map(|label| pressed(label)).collect()).collect() }
    }

    fn chosen(pattern: &ButtonPattern, keyboard: &Keyboard, captures: &Captures) -> Option<String> {
        match pattern.choose(keyboard, captures, |_| false)? {
            Choice::Press { label, .. } => Some(label),
            other => Some(format!("{other:?}")),
        }
    }

    #[test]
    fn what_no_reader_sees_makes_no_difference() {
        let captures = Captures::from([("name".to_owned(), "Чаи\u{306}".to_owned())]);
        let shown =
            keyboard(&[&["✅\u{fe0f} Забронировать\u{a0}🚗", "Домои\u{306}"], &["Ча\u{200b}й  зелёный"]]);
        let find = |pattern: ButtonPattern| chosen(&pattern, &shown, &captures);
        let booked = find(ButtonPattern::Label("✅ Забронировать 🚗".into()));
        assert!(booked.is_some());
        assert_eq!(find(ButtonPattern::Contains("\u{feff}забронировать 🚗\u{fe0f}".into())), booked);
        assert_eq!(find(ButtonPattern::regex("^✅\u{fe0f} \\w+ 🚗$").expect("one")), booked);
        assert_eq!(find(ButtonPattern::Words(vec!["бронь".into(), "🚗\u{fe0f}".into()])), booked);
        assert!(find(ButtonPattern::Label("домой".into())).is_some());
        assert!(find(ButtonPattern::Label("чай зеленый".into())).is_some());
        assert!(find(ButtonPattern::Contains("{name} зелёный".into())).is_some());
        assert!(find(ButtonPattern::Label("Домой!".into())).is_none());
        let near = |pattern: ButtonPattern| pattern.near_miss(&shown, &captures);
        assert_eq!(near(ButtonPattern::Label("Домой!".into())).as_deref(), Some("Домои\u{306}"));
        assert!(
            near(ButtonPattern::Label("🔥 Забронировать".into())).is_some_and(|label| label.contains('🚗'))
        );
        assert_eq!(near(ButtonPattern::Label("Отмена".into())), None);
        for (pattern, text) in [
            (TextPattern::text("Где мой заказ"), "где\u{a0}мои\u{306} за\u{ad}каз?"),
            (TextPattern::any_word(&["мой".into()]), "где мои\u{306} заказ"),
            (TextPattern::regex("мой (?P<what>\\w+)").expect("one"), "мои\u{306}\u{202f}заказ"),
        ] {
            assert!(pattern.find(text, &captures).is_some(), "{text}");
        }
    }

    #[test]
    fn each_description_of_a_button_finds_it() {
        let captures = Captures::from([("from".to_owned(), "Тверь".to_owned())]);
        let shown = keyboard(&[&["✅ Book", "book"], &["ТВЕРЬ 07:40", "Morning by the window", "window"]]);
        let find = |pattern: ButtonPattern| chosen(&pattern, &shown, &captures);
        assert_eq!(find(ButtonPattern::Label("BOOK".into())).as_deref(), Some("book"));
        assert_eq!(find(ButtonPattern::Contains("book".into())).as_deref(), Some("✅ Book"));
        assert_eq!(find(ButtonPattern::Contains("{from}".into())).as_deref(), Some("ТВЕРЬ 07:40"));
        assert_eq!(
            find(ButtonPattern::regex(r"^\w+ \d\d:\d\d$").expect("one")).as_deref(),
            Some("ТВЕРЬ 07:40")
        );
        assert_eq!(find(ButtonPattern::regex("(?i)^{from}").expect("one")).as_deref(), Some("ТВЕРЬ 07:40"));
        assert_eq!(find(ButtonPattern::Position(2, 3)).as_deref(), Some("window"));
        assert_eq!(find(ButtonPattern::Position(3, 1)), None);
        let words = ButtonPattern::Words(vec!["window".into(), "morning".into()]);
        assert_eq!(find(words).as_deref(), Some("Morning by the window"));
        assert_eq!(find(ButtonPattern::Words(vec!["wind".into()])), None);
        assert_eq!(find(ButtonPattern::First).as_deref(), Some("✅ Book"));
    }

    #[test]
    fn a_placeholder_that_found_nothing_fits_no_button() {
        let captures = Captures::from([("from".to_owned(), " ".to_owned())]);
        let shown = keyboard(&[&["Book"]]);
        for pattern in [
            ButtonPattern::Contains("{from}".into()),
            ButtonPattern::Label("{from}".into()),
            ButtonPattern::regex("{from}").expect("one"),
        ] {
            assert_eq!(chosen(&pattern, &shown, &captures), None);
        }
        // What was found is no expression.
        let captures = Captures::from([("from".to_owned(), ".*".to_owned())]);
        assert_eq!(chosen(&ButtonPattern::regex("{from}").expect("one"), &shown, &captures), None);
    }

    #[test]
    fn buttons_only_a_person_can_press_are_named() {
        let shown = Keyboard {
            rows: vec![vec![
                button("Pay", ButtonDeed::Personal(PersonalDeed::Buy)),
                button("Pay here", ButtonDeed::Url("https://example.com/pay".into())),
            ]],
        };
        let find = |pattern: ButtonPattern| pattern.choose(&shown, &Captures::new(), |_| false);
        assert_eq!(
            find(ButtonPattern::Label("pay".into())),
            Some(Choice::Refused { deed: PersonalDeed::Buy, label: "Pay".into() })
        );
        assert!(matches!(find(ButtonPattern::Contains("pay".into())), Some(Choice::Url { .. })));
        assert_eq!(find(ButtonPattern::First), None);
    }

    #[test]
    fn named_groups_of_a_text_are_found() {
        let pattern = TextPattern::regex(r"New trip .* (?P<from>\w+)").expect("one");
        let found = pattern.find("New trip tomorrow 07:40 from Tver", &Captures::new()).expect("fits");
        assert_eq!(found.get("from").map(String::as_str), Some("Tver"));
        assert!(TextPattern::text("NEW trip").find("a new Trip!", &Captures::new()).is_some());
        let words = TextPattern::any_word(&["ride".into(), "trip".into()]);
        assert!(words.find("One trip.", &Captures::new()).is_some());
        assert!(words.find("Tripod", &Captures::new()).is_none());
    }

    #[test]
    fn an_expression_that_others_take_for_ever_for_is_linear() {
        let pattern = TextPattern::regex("(a+)+$").expect("one");
        let text = format!("{}b", "a".repeat(100_000));
        assert!(pattern.find(&text, &Captures::new()).is_none());
    }

    proptest! {
        #[test]
        fn a_chosen_button_is_on_the_keyboard(
            labels in prop::collection::vec(prop::collection::vec("[ab ]{0,4}", 0..4), 0..4),
            wanted in "[ab]{1,2}", row in 0_usize..5, column in 0_usize..5,
        ) {
            let rows = labels.iter().map(|row| row.iter().map(|label| pressed(label)).collect()).collect();
            let shown = Keyboard { rows };
            for pattern in [
                ButtonPattern::Label(wanted.clone()), ButtonPattern::Contains(wanted.clone()), ButtonPattern::First,
                ButtonPattern::Position(row, column), ButtonPattern::Words(vec![wanted.clone()]),
                ButtonPattern::regex(&wanted).unwrap(),
            ] {
                if let Some(label) = chosen(&pattern, &shown, &Captures::new()) {
                    prop_assert!(shown.buttons().any(|(_, _, button)| button.label == label));
                    // Barred buttons are not chosen.
                    let none = pattern.choose(&shown, &Captures::new(), |_| true);
                    prop_assert_eq!(none, None);
                }
            }
        }
    }
}
