//! The last errors by their kind, as the running server has them.

use super::minute;
use crate::doctor::inside::ErrorFact;
use crate::doctor::report::{Area, Section};

/// How many kinds are told.
const MOST: usize = 10;

pub(in crate::doctor) fn check(errors: &[ErrorFact]) -> Section {
    let mut section = Section::new(Area::Errors);
    for error in errors.iter().take(MOST) {
        let last: String = error.last.chars().filter(|letter| !letter.is_control()).take(200).collect();
        section.fact(
            error.kind.clone(),
            format!("{} times, last {}: {last}", error.count, minute(error.last_at)),
        );
    }
    if errors.is_empty() {
        section.fact("errors", "none");
    }
    section
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn ten_kinds_are_told_and_no_control_letters() {
        let error = |kind: usize| ErrorFact {
            kind: format!("kind_{kind}"),
            count: 2,
            last_at: Timestamp::default(),
            last: "a\u{1b}[31m b\n".to_owned(),
        };
        let section = check(&(0..12).map(error).collect::<Vec<_>>());
        assert_eq!(section.facts.len(), 10);
        assert_eq!(section.facts[0].value, "2 times, last 1970-01-01T00:00:00Z: a[31m b");
        assert_eq!(check(&[]).facts[0].value, "none");
    }
}
