//! The tally of a test run: the closing lines of all test binaries added up.

use std::collections::BTreeSet;
use std::fmt;

/// What a test says of something that it does not try.
const NOT_TRIED: &str = "NOT TRIED: ";

/// Tests by how they ended.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) passed: u64,
    pub(super) failed: u64,
    pub(super) skipped: u64,
    /// What tests did not try, and why.
    pub(super) not_tried: BTreeSet<String>,
}

impl Tally {
    /// Adds the line if it closes a test binary: `test result: ok. 3 passed; 0 failed; 1 ignored; …`, with or without colours.
    pub(super) fn read(&mut self, line: &str) {
        if let Some((_, what)) = line.split_once(NOT_TRIED) {
            self.not_tried.insert(what.to_owned());
        }
        let Some(result) = line.strip_prefix("test result: ") else { return };
        let words: Vec<_> = result.split(|letter: char| letter == ';' || letter.is_whitespace()).collect();
        for pair in words.windows(2) {
            let Ok(count) = pair[0].parse::<u64>() else { continue };
            match pair[1] {
                "passed" => self.passed += count,
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
    }

    /// How many tests really ran.
    pub(super) fn executed(&self) -> u64 {
        self.passed + self.failed
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for what in &self.not_tried {
            writeln!(formatter, "{NOT_TRIED}{what}")?;
        }
        write!(formatter, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_are_added_up_and_others_are_not() {
        let mut tally = Tally::default();
        for line in [
            "running 4 tests",
            "test a ... ok",
            "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s",
            "test result: \u{1b}[31mFAILED\u{1b}[m. 5 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1s",
            "test b ... NOT TRIED: a full disk: no one may mount here",
            "NOT TRIED: a full disk: no one may mount here",
            "a test that says: 100 passed; 100 failed",
        ] {
            tally.read(line);
        }
        let not_tried = BTreeSet::from(["a full disk: no one may mount here".to_owned()]);
        assert_eq!(tally, Tally { passed: 8, failed: 2, skipped: 1, not_tried });
        assert_eq!(tally.executed(), 10);
        let shown = "NOT TRIED: a full disk: no one may mount here\n8 passed, 2 failed, 1 skipped";
        assert_eq!(tally.to_string(), shown);
    }
}
