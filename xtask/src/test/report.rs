//! The report of a run: how many tests passed, which took longest, what was not tried. Read from the files that nextest writes for `JUnit`.

use std::collections::BTreeSet;
use std::path::Path;
use std::{fmt, fs};

use anyhow::{Context, Result};

/// How many of the longest tests are shown.
const LONGEST: usize = 15;

/// The file in which tests note what the kernel does not let them try.
const NOT_TRIED: &str = "not-tried";

/// What all runs of a command came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    tests: u64,
    failed: u64,
    /// Seconds, the program and the name.
    times: Vec<(f64, String)>,
    not_tried: BTreeSet<String>,
}

impl Report {
    /// Adds the `JUnit` file of a run.
    pub(super) fn read(&mut self, junit: &str) {
        for line in junit.lines().map(str::trim_start) {
            if line.starts_with("<testsuites ") {
                let number = |name| attribute(line, name).and_then(|text| text.parse::<u64>().ok());
                self.tests += number("tests").unwrap_or_default();
                self.failed += number("failures").unwrap_or_default() + number("errors").unwrap_or_default();
            } else if line.starts_with("<testcase ")
                && let (Some(name), Some(program), Some(time)) =
                    (attribute(line, "name"), attribute(line, "classname"), attribute(line, "time"))
            {
                self.times.push((time.parse().unwrap_or_default(), format!("{program} {name}")));
            }
        }
    }

    /// Adds what the tests noted in the folder that they share.
    pub(super) fn read_not_tried(&mut self, shared: &Path) -> Result<()> {
        let file = shared.join(NOT_TRIED);
        if file.exists() {
            let text =
                fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
            self.not_tried.extend(text.lines().map(str::to_owned));
        }
        Ok(())
    }
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    let (_, value) = tag.split_once(&format!(" {name}=\""))?;
    value.split('"').next()
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut times: Vec<_> = self.times.iter().collect();
        times.sort_by(|one, other| other.0.total_cmp(&one.0));
        for (seconds, name) in times.into_iter().take(LONGEST) {
            writeln!(formatter, "{seconds:>8.1} s  {name}")?;
        }
        for what in &self.not_tried {
            writeln!(formatter, "NOT TRIED: {what}")?;
        }
        // The line by which readers of many runners know the result.
        write!(formatter, "{} passed, {} failed", self.tests.saturating_sub(self.failed), self.failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_added_up_and_the_longest_come_first() {
        let mut report = Report::default();
        report.read(
            r#"<?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="nextest-run" tests="3" failures="1" errors="0" uuid="a" time="9.5">
                <testsuite name="store::it" tests="3" disabled="0" errors="0" failures="1">
                    <testcase name="a::b" classname="store::it" timestamp="2026" time="0.125">
                    </testcase>
                    <testcase name="a::c" classname="store::it" timestamp="2026" time="9.25">
                        <failure type="test failure">thread 'a::c' panicked</failure>
                    </testcase>"#,
        );
        report.read(r#"<testsuites name="nextest-run" tests="1" failures="0" errors="0">"#);
        report.not_tried.insert("a full disk".to_owned());
        assert_eq!(
            report.to_string(),
            "     9.2 s  store::it a::c\n     0.1 s  store::it a::b\nNOT TRIED: a full disk\n3 passed, 1 failed"
        );
    }
}
