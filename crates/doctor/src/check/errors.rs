//! The last errors by their kind, as the kept log lines report them.

use std::path::Path;

use domain::Timestamp;

use super::{minute, span};
use crate::report::{Area, Section};

/// How many kinds are listed.
const MOST: usize = 10;

/// The most of what the last one said, in letters.
const LONGEST: usize = 200;

/// What the log lines say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorTally {
    /// How far back was looked, in seconds.
    pub(crate) within: u64,
    /// The kinds, the latest first.
    pub(crate) kinds: Vec<Kind>,
    /// Whether some of that time was not looked at, because it took long.
    pub(crate) cut: bool,
    /// Blocks of damaged lines.
    pub(crate) damaged: u32,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kind {
    /// The kind: a stable word; none for errors that name none.
    pub(crate) word: Option<&'static str>,
    pub(crate) count: u64,
    pub(crate) last_at: Timestamp,
    /// What the last one said.
    pub(crate) last: String,
}

/// `tally` is what the lines say, or why they cannot be read.
pub(crate) fn check(tally: Result<&ErrorTally, &str>) -> Section {
    let tally = match tally {
        Ok(tally) => tally,
        Err(why) => return Section::unseen(Area::Errors, why),
    };
    let mut section = Section::new(Area::Errors);
    let within = span(tally.within);
    for Kind { word, count, last_at, last } in tally.kinds.iter().take(MOST) {
        let times = if *count == 1 { "once".to_owned() } else { format!("{count} times") };
        let last = harmless(last);
        section.fact_and(
            word.unwrap_or("other"),
            format!("{times} within {within}, last {}: {last}", minute(*last_at)),
            command(*word),
        );
    }
    match tally.kinds.len() {
        0 => section.fact("errors", format!("none within {within}")),
        all if all > MOST => section.fact("more kinds", (all - MOST).to_string()),
        _ => {}
    }
    if tally.cut {
        section.lacks("there are too many log lines; the older ones were left out");
    }
    if tally.damaged > 0 {
        section
            .lacks(format!("{} blocks of log lines cannot be read: they are damaged on disk", tally.damaged));
    }
    section
}

/// Why nothing is seen where no lines are kept.
pub(crate) fn no_lines(folder: &Path) -> String {
    format!("no log lines are kept in {}", folder.display())
}

/// What shows the lines.
fn command(word: Option<&str>) -> String {
    word.map_or_else(
        || "switchboard logs --level error".to_owned(),
        |word| format!("switchboard logs --level warn --error {word}"),
    )
}

/// A text that may come from anywhere, short and without control letters.
fn harmless(text: &str) -> String {
    let plain: String =
        text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() { format!("{plain}…") } else { plain }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tally(kinds: Vec<Kind>) -> ErrorTally {
        ErrorTally { within: 86_400, kinds, cut: false, damaged: 0 }
    }

    fn kind(word: Option<&'static str>, count: u64, last: &str) -> Kind {
        Kind { word, count, last_at: Timestamp::default(), last: last.to_owned() }
    }

    #[test]
    fn each_kind_is_listed_with_its_last_line_and_command() {
        let section = check(Ok(&tally(vec![
            kind(Some("flood_wait"), 2, "attempted account=main"),
            kind(None, 1, "a lane's worker broke"),
        ])));
        let facts: Vec<_> =
            section.facts.iter().map(|fact| (fact.name.as_str(), fact.value.as_str())).collect();
        assert_eq!(
            facts,
            [
                ("flood_wait", "2 times within 1 d 0 h, last 1970-01-01T00:00:00Z: attempted account=main"),
                ("other", "once within 1 d 0 h, last 1970-01-01T00:00:00Z: a lane's worker broke"),
            ]
        );
        let commands: Vec<_> = section.facts.iter().filter_map(|fact| fact.command.as_deref()).collect();
        assert_eq!(
            commands,
            ["switchboard logs --level warn --error flood_wait", "switchboard logs --level error"]
        );
        assert_eq!(check(Ok(&tally(Vec::new()))).facts[0].value, "none within 1 d 0 h");
    }

    #[test]
    fn an_incomplete_look_is_never_reported_as_clean() {
        use crate::report::Looked;
        let part = ErrorTally { cut: true, damaged: 3, ..tally(Vec::new()) };
        let section = check(Ok(&part));
        assert_eq!((section.looked, section.unseen.len()), (Looked::Partly, 2));
        let section = check(Err("no log lines are kept"));
        assert_eq!((section.looked, section.facts.len()), (Looked::Not, 0));
    }

    proptest! {
        #[test]
        fn at_most_ten_kinds_are_listed_without_control_letters(
            texts in prop::collection::vec(any::<String>(), 0..30),
        ) {
            let kinds = texts.iter().map(|text| kind(Some("broken"), 3, text)).collect();
            let section = check(Ok(&tally(kinds)));
            prop_assert!(section.facts.len() <= MOST + 1);
            for fact in &section.facts {
                prop_assert!(!fact.value.chars().any(char::is_control));
                prop_assert!(fact.value.chars().count() < LONGEST + 80);
            }
        }
    }
}
