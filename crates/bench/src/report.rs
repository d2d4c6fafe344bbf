//! The report: a section a scenario with its tables, and whether the goals were reached.

use std::fmt::{Display, Write as _};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::latency::Summary;
use crate::ledger::Audit;
use crate::machine::Machine;

/// What a scenario measured.
pub(crate) trait Measured: Serialize {
    /// Its section, as Markdown.
    fn text(&self) -> String;

    /// What Switchboard promises over the baseline here.
    fn goals(&self) -> Vec<Goal> {
        Vec::new()
    }

    /// Methods that the pretend Telegram did not know.
    fn unknown_methods(&self) -> Vec<&Value> {
        Vec::new()
    }
}

/// One goal and what became of it.
#[derive(Debug, Serialize)]
pub(crate) struct Goal {
    pub(crate) what: String,
    pub(crate) wanted: String,
    pub(crate) measured: String,
    pub(crate) met: bool,
}

impl Goal {
    pub(crate) fn new(
        what: impl Into<String>,
        wanted: impl Display,
        measured: impl Display,
        met: bool,
    ) -> Self {
        Self { what: what.into(), wanted: wanted.to_string(), measured: measured.to_string(), met }
    }

    /// Memory below a limit, both in kilobytes.
    pub(crate) fn memory(what: impl Into<String>, limit: u64, most: u64) -> Self {
        let wanted = format!("< {} MB", megabytes(limit));
        Self::new(what, wanted, format!("{} MB", megabytes(most)), most < limit)
    }

    /// Each answer of "sent" is in the ledger exactly once.
    pub(crate) fn once(what: &str, audit: &Audit) -> Self {
        let measured =
            if audit.is_clean() { format!("all {}", audit.confirmed) } else { format!("{audit:?}") };
        Self::new(what, "all", measured, audit.is_clean() && audit.confirmed > 0)
    }

    /// Everything that was looked for was found.
    pub(crate) fn all(what: &str, is_right: bool) -> Self {
        Self::new(what, "all", if is_right { "all" } else { "not all" }, is_right)
    }
}

/// All that a run found out.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The command that made it.
    pub(crate) command: String,
    pub(crate) machine: Machine,
    /// The versions of what the baseline is made of.
    pub(crate) baseline: String,
    pub(crate) rounds: usize,
    pub(crate) round_seconds: u64,
    /// The numbers of each scenario, by its name.
    #[serde(flatten)]
    pub(crate) numbers: Map<String, Value>,
    #[serde(skip)]
    pub(crate) sections: Vec<String>,
    /// Scenarios that did not come to their end, with why.
    pub(crate) broken_off: Vec<String>,
    pub(crate) goals: Vec<Goal>,
}

impl Report {
    /// Adds what a scenario measured, and judges it.
    pub(crate) fn add(&mut self, name: &str, measured: &impl Measured) -> serde_json::Result<()> {
        self.numbers.insert(name.to_owned(), serde_json::to_value(measured)?);
        self.sections.push(measured.text());
        self.goals.extend(measured.goals());
        let unknown = measured.unknown_methods();
        if !unknown.is_empty() {
            let names: Vec<_> = unknown.iter().map(ToString::to_string).collect();
            let what = format!("methods of {name} that the pretend Telegram does not know");
            self.goals.push(Goal::new(what, "none", names.join(", "), false));
        }
        Ok(())
    }

    /// Everything was measured that was asked for, and it is good enough.
    pub(crate) fn is_good(&self) -> bool {
        self.broken_off.is_empty() && self.goals.iter().all(|goal| goal.met)
    }

    pub(crate) fn markdown(&self) -> String {
        let machine = &self.machine;
        let [p50, p99] = [machine.append_to_disk.p50, machine.append_to_disk.p99].map(milliseconds);
        let mut text = format!(
            "# Benchmarks\n\nMade by `{}` on {} cores ({}), Linux {}. The data directory is on {}, where a 4 KiB append that waits \
             for the disk (`fdatasync`) takes {p50} ms at p50 and {p99} ms at p99.\n\n\
             Both sides talk MTProto to the same pretend Telegram (`switchboard sandbox`), which shares the cores with \
             them and with the load. They are loaded by turns in one run, {} × {} s each, so the ratios hold even where \
             the machine wobbles. The baseline is what Switchboard replaces, written again without its bookkeeping: \
             {}, 1 worker × 32 threads. Nothing in it is kept on disk; Switchboard has each message on disk before it \
             sends.\n\n",
            self.command,
            machine.cores,
            machine.processor,
            machine.kernel,
            machine.file_system,
            self.rounds,
            self.round_seconds,
            self.baseline,
        );
        if !self.goals.is_empty() {
            let rows = self.goals.iter().map(|goal| {
                let Goal { what, wanted, measured, met } = goal;
                format!("| {what} | {wanted} | {measured} | {} |", if *met { "✓" } else { "✗" })
            });
            text.extend(["## Goals\n\n".to_owned(), table("| | goal | measured | |", rows)]);
        }
        text.extend(self.sections.iter().map(String::as_str));
        for scenario in &self.broken_off {
            // Writing to a string does not fail.
            let _ = writeln!(text, "**Not measured:** {scenario}\n");
        }
        text
    }
}

/// A Markdown table below its header row; numbers are aligned to the right.
pub(crate) fn table(header: &str, rows: impl IntoIterator<Item = String>) -> String {
    let columns = header.matches('|').count() - 1;
    let rule = format!("|---{}|", "|---:".repeat(columns - 1));
    let lines: Vec<_> = [header.to_owned(), rule].into_iter().chain(rows).collect();
    lines.join("\n") + "\n\n"
}

/// Cells of a row: p50, p90 and p99 in milliseconds.
pub(crate) fn quantiles(times: Summary) -> String {
    [times.p50, times.p90, times.p99].map(milliseconds).join(" | ")
}

pub(crate) fn microseconds(nanoseconds: u64) -> String {
    format!("{}.{}", nanoseconds / 1000, nanoseconds % 1000 / 100)
}

/// A ratio as it is read: `12×`, `0.08×`.
pub(crate) fn times(ours: f64, baseline: f64) -> String {
    if baseline <= 0.0 {
        return "–".to_owned();
    }
    let ratio = ours / baseline;
    if ratio >= 10.0 { format!("{ratio:.0}×") } else { format!("{ratio:.2}×") }
}

pub(crate) fn milliseconds(microseconds: u32) -> String {
    let value = f64::from(microseconds) / 1000.0;
    if value < 10.0 { format!("{value:.2}") } else { format!("{value:.1}") }
}

pub(crate) fn megabytes(kilobytes: u64) -> String {
    format!("{}.{}", kilobytes / 1024, kilobytes % 1024 * 10 / 1024)
}

/// Asserts how many goals of these numbers are missed.
#[cfg(test)]
pub(crate) fn assert_missed(measured: &impl Measured, count: usize) {
    let missed: Vec<_> = measured.goals().into_iter().filter(|goal| !goal.met).collect();
    assert_eq!(missed.len(), count, "{missed:#?}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Invented(bool);

    impl Measured for Invented {
        fn text(&self) -> String {
            format!("## Invented\n\n{}", table("| | ours | baseline |", ["| a | 1 | 2 |".to_owned()]))
        }

        fn goals(&self) -> Vec<Goal> {
            vec![Goal::memory("memory", 2048, if self.0 { 2047 } else { 2048 })]
        }
    }

    fn report() -> Report {
        Report {
            command: "cargo xtask bench".to_owned(),
            machine: Machine {
                cores: 2,
                processor: "A Fine Chip".to_owned(),
                kernel: "6.1".to_owned(),
                file_system: "ext4".to_owned(),
                append_to_disk: Summary { count: 10, p50: 400, p99: 1_200, ..Summary::default() },
            },
            baseline: "Flask 3".to_owned(),
            rounds: 3,
            round_seconds: 15,
            numbers: Map::new(),
            sections: Vec::new(),
            broken_off: Vec::new(),
            goals: Vec::new(),
        }
    }

    #[test]
    fn a_report_has_goals_sections_and_what_broke_off() {
        let mut report = report();
        report.add("invented", &Invented(true)).unwrap();
        assert!(report.is_good());
        report.broken_off.push("idle: the world did not start".to_owned());
        assert!(!report.is_good());
        let text = report.markdown();
        for part in [
            "takes 0.40 ms at p50 and 1.20 ms at p99",
            "| | goal | measured | |\n|---|---:|---:|---:|\n| memory | < 2.0 MB | 1.9 MB | ✓ |\n\n## Invented\n\n",
            "| | ours | baseline |\n|---|---:|---:|\n| a | 1 | 2 |\n\n",
            "**Not measured:** idle: the world did not start",
        ] {
            assert!(text.contains(part), "{part} is not in\n{text}");
        }
        assert_eq!(serde_json::to_value(&report).unwrap()["invented"], true);
    }

    #[test]
    fn a_missed_goal_fails_the_run() {
        let mut report = report();
        report.add("invented", &Invented(false)).unwrap();
        assert!(!report.is_good());
        assert!(report.markdown().contains("| memory | < 2.0 MB | 2.0 MB | ✗ |"));
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            (times(120.0, 10.0), times(1.0, 8.0), times(1.0, 0.0)),
            ("12×".into(), "0.12×".into(), "–".into())
        );
        assert_eq!((milliseconds(812), milliseconds(12_340)), ("0.81".into(), "12.3".into()));
        assert_eq!(megabytes(1_536), "1.5");
    }
}
