//! An instant as a `<time>` element: the time of day, or the date when that is another day; the whole of it in its title.
//! Instants within a sentence of the API too.

use std::borrow::Cow;
use std::fmt;

use askama::filters::{Escaper, Html, HtmlSafe};
use domain::Timestamp;
use jiff::civil::DateTime;

use super::translate;
use crate::view::{Language, Zone};

const MONTHS: [[&str; 12]; 2] = [
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    ["янв.", "февр.", "марта", "апр.", "мая", "июня", "июля", "авг.", "сент.", "окт.", "нояб.", "дек."],
];

/// How instants are shown to a person: in which language and zone, and what time it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Wall {
    /// The language of the month.
    pub(crate) language: Language,
    /// Their offset from UTC.
    pub(crate) zone: Zone,
    /// The present.
    pub(crate) now: Timestamp,
}

/// An instant as a person sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    at: Timestamp,
    wall: Wall,
    seconds: bool,
}

impl Wall {
    /// The same without the present, to compare walls by.
    pub(crate) fn timeless(self) -> Self {
        Self { now: Timestamp::default(), ..self }
    }

    pub(crate) fn minute(self, at: Timestamp) -> Moment {
        Moment { at, wall: self, seconds: false }
    }

    pub(crate) fn second(self, at: Timestamp) -> Moment {
        Moment { at, wall: self, seconds: true }
    }

    /// The time of day to the millisecond, whatever day it was: for timelines and logs, which name the day elsewhere.
    pub(crate) fn milli(self, at: Timestamp) -> Milli {
        Milli(self.second(at))
    }

    /// A sentence of the API, with the instants in it as they are on this wall.
    pub(crate) fn sentence(self, text: &str) -> Sentence<'_> {
        Sentence { text: translate(self.language, text), wall: self }
    }

    /// The same of a text that is in the reader's language already.
    pub(crate) fn verbatim(self, text: Cow<'_, str>) -> Sentence<'_> {
        Sentence { text, wall: self }
    }

    pub(crate) fn date(self, at: Timestamp) -> String {
        self.second(at).day(self.zone.date_time(at), true)
    }
}

/// A time of day to the millisecond.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Milli(Moment);

/// Digits, words of this program and punctuation that needs no escaping.
impl HtmlSafe for Milli {}

impl fmt::Display for Milli {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Moment { at, wall, .. } = self.0;
        let there = wall.zone.date_time(at);
        let millis = there.subsec_nanosecond() / 1_000_000;
        let whole = self.0.whole();
        write!(f, "<time datetime=\"{at}\" title=\"{whole}\">{}.{millis:03}</time>", clock(there, true))
    }
}

impl super::number::Argument for Moment {
    fn count(self) -> u64 {
        0
    }

    fn shown(self) -> String {
        self.text()
    }
}

impl Moment {
    /// As text, for an attribute or a place where no element can be.
    pub(crate) fn text(self) -> String {
        let (there, today) = (self.wall.zone.date_time(self.at), self.wall.zone.date_time(self.wall.now));
        let clock = clock(there, self.seconds);
        let mark = if self.wall.zone.is_unknown() { "\u{a0}UTC" } else { "" };
        if there.date() == today.date() {
            return format!("{clock}{mark}");
        }
        format!("{}, {clock}{mark}", self.day(there, there.year() != today.year()))
    }

    fn day(self, there: DateTime, with_year: bool) -> String {
        let months = self.wall.language.of(&MONTHS[0], &MONTHS[1]);
        let month = usize::try_from(there.month() - 1).ok().and_then(|month| months.get(month));
        let day = format!("{}\u{a0}{}", there.day(), month.copied().unwrap_or_default());
        if with_year { format!("{day} {}", there.year()) } else { day }
    }

    fn whole(self) -> String {
        let there = self.wall.zone.date_time(self.at);
        let mark = if self.wall.zone.is_unknown() { " UTC" } else { "" };
        format!("{}, {}{mark}", self.day(there, true), clock(there, true))
    }
}

fn clock(there: DateTime, seconds: bool) -> String {
    if seconds {
        format!("{:02}:{:02}:{:02}", there.hour(), there.minute(), there.second())
    } else {
        format!("{:02}:{:02}", there.hour(), there.minute())
    }
}

/// Digits, words of this program and punctuation that needs no escaping.
impl HtmlSafe for Moment {}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<time datetime=\"{}\" title=\"{}\">{}</time>", self.at, self.whole(), self.text())
    }
}

/// A sentence with instants in it, such as "flood wait until 2026-11-20T11:07:31Z", and code between backticks.
#[derive(Debug, Clone)]
pub(crate) struct Sentence<'a> {
    text: Cow<'a, str>,
    wall: Wall,
}

/// What is no instant is escaped.
impl HtmlSafe for Sentence<'_> {}

impl fmt::Display for Sentence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A backtick that is not closed stands for itself.
        let is_code = |piece: usize| piece % 2 == 1;
        let is_marked = self.text.matches('`').count().is_multiple_of(2);
        if !is_marked {
            return self.words(f, &self.text);
        }
        for (number, piece) in self.text.split('`').enumerate() {
            if is_code(number) {
                f.write_str("<code>")?;
                Html.write_escaped_str(&mut *f, piece)?;
                f.write_str("</code>")?;
            } else {
                self.words(f, piece)?;
            }
        }
        Ok(())
    }
}

impl Sentence<'_> {
    /// Words, with instants as they are on the wall.
    fn words(&self, f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
        for word in text.split_inclusive(char::is_whitespace) {
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | ':' | '.');
            let bare = word.trim_matches(|c| !is_part(c)).trim_end_matches([':', '.']);
            let instant = bare.parse::<Timestamp>().ok();
            // Where it is in the word: what is around it is punctuation.
            match instant.zip(word.split_once(bare)) {
                Some((at, (before, after))) => {
                    Html.write_escaped_str(&mut *f, before)?;
                    write!(f, "{}", self.wall.second(at))?;
                    Html.write_escaped_str(&mut *f, after)?;
                }
                None => Html.write_escaped_str(&mut *f, word)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wall() -> Wall {
        let now = "2026-11-20T11:07:31Z".parse().expect("a time");
        Wall { language: Language::English, zone: Zone::from_word("180").unwrap_or_default(), now }
    }

    #[test]
    fn a_sentence_is_escaped_and_its_instants_are_local_times() {
        let shown = |text: &str| wall().sentence(text).to_string();
        let time = |clock: &str, at: &str| {
            format!("<time datetime=\"{at}.000000Z\" title=\"20\u{a0}Nov 2026, {clock}\">{clock}</time>")
        };
        let noon = time("15:00:00", "2026-11-20T12:00:00");
        assert_eq!(shown("flood wait until 2026-11-20T12:00:00Z"), format!("flood wait until {noon}"));
        assert_eq!(shown("(2026-11-20T12:00:00Z), main"), format!("({noon}), main"));
        assert_eq!(shown("until 2026-11-20T12:00:00Z."), format!("until {noon}."));
        for plain in ["", "at 12:00:00", "2026-11-20", "main: 2 of 3.", "2026-11-20T12:00:00"] {
            assert_eq!(shown(plain), plain);
        }
        assert!(!shown("<b>2026-11-20T12:00:00Z</b>").contains("<b>"));
        assert_eq!(shown("run `a <b>`, then `c`"), "run <code>a &#60;b&#62;</code>, then <code>c</code>");
        assert_eq!(shown("a ` alone"), "a ` alone");
    }

    proptest! {
        #[test]
        fn any_sentence_is_harmless_and_whole(text in "[ -~а-я<>&\"'\t\n]{0,60}") {
            prop_assume!((!text.contains('T') || !text.contains('Z')) && !text.contains('`'));
            let mut escaped = String::new();
            Html.write_escaped_str(&mut escaped, &text).expect("a string takes all");
            prop_assert_eq!(wall().sentence(&text).to_string(), escaped);
        }
    }

    #[test]
    fn a_day_is_named_only_when_it_is_another() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let wall = |language, zone: &str, now: &str| Wall {
            language,
            zone: Zone::from_word(zone).unwrap_or_default(),
            now: at(now),
        };
        let here = wall(Language::English, "180", "2026-11-20T11:07:31Z");
        assert_eq!(here.minute(at("2026-11-20T11:31:08Z")).text(), "14:31");
        assert_eq!(here.second(at("2026-11-20T11:31:08Z")).text(), "14:31:08");
        assert_eq!(here.minute(at("2026-11-20T21:31:08Z")).text(), "21\u{a0}Nov, 00:31");
        assert_eq!(here.minute(at("2025-01-02T00:00:00Z")).text(), "2\u{a0}Jan 2025, 03:00");
        let there = wall(Language::Russian, "", "2026-11-20T11:07:31Z");
        assert_eq!(there.minute(at("2026-11-20T11:31:08Z")).text(), "11:31\u{a0}UTC");
        assert_eq!(
            here.minute(at("2026-11-20T11:31:08Z")).to_string(),
            "<time datetime=\"2026-11-20T11:31:08.000000Z\" title=\"20\u{a0}Nov 2026, 14:31:08\">14:31</time>"
        );
    }
}
