//! A move in words: the record that stays on both sides, and the report that the alert targets get. Pure.

use std::fmt::Write;

use serde_json::Value;

use crate::journal::Journal;
use crate::measure::{Compared, OtherPackage, other_packages};
use crate::progress::Direction;
use crate::report::downtime;
use crate::step::Step;

/// The file of the record, in the folder of moves.
pub const RECORD: &str = "record.md";

/// The report: one line with the result, then the measures.
pub fn report(journal: &Journal, compared: &[Compared]) -> (String, String) {
    let subject = match journal.progress.direction {
        Direction::Forward => format!("moved from {} to {}", journal.old.name, journal.new.name),
        Direction::Back => format!("the move from {} to {} was undone", journal.old.name, journal.new.name),
    };
    let mut text = String::new();
    if let Some(down) = downtime(journal) {
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "Requests were taken in again {} after the stop, the last account was open after {}.",
            seconds(down.not_serving_ms),
            seconds(down.ms)
        );
    }
    for Compared { what, unit, old, new, is_worse } in compared {
        let worse = if *is_worse { " (worse than before)" } else { "" };
        let _ = writeln!(text, "{what}: {} before, {} now{worse}", shown(*old, unit), shown(*new, unit));
    }
    for OtherPackage { package, old, new } in packages_that_differ(journal) {
        let shown = |version: Option<String>| version.unwrap_or_else(|| "not there".to_owned());
        let _ = writeln!(text, "{package}: {} before, {} now", shown(old), shown(new));
    }
    for pressed in journal.facts(Step::Validate)["pressed"].as_array().into_iter().flatten() {
        let flow = pressed["flow"].as_str().unwrap_or_default();
        let _ =
            writeln!(text, "In a simulation the flow {flow} pressed {} buttons.", pressed["presses"]["new"]);
    }
    if journal.progress.direction == Direction::Forward {
        text.push_str(
            "To go back: switchboard move rollback. To retire the old side: switchboard move finish.\n",
        );
    } else if let Some(why) = &journal.why_back {
        let _ = writeln!(text, "Why: {why}");
    }
    (subject, text)
}

/// What the audits of the two sides found of the packages.
pub fn packages_that_differ(journal: &Journal) -> Vec<OtherPackage> {
    let of = |step: Step| serde_json::from_value(journal.facts(step)["packages"].clone()).unwrap_or_default();
    other_packages(&of(Step::AuditOld), &of(Step::AuditNew))
}

fn seconds(ms: Option<u64>) -> String {
    ms.map_or_else(|| "an unknown time".to_owned(), |ms| format!("{}.{} s", ms / 1000, ms % 1000 / 100))
}

fn shown(value: Option<u64>, unit: &str) -> String {
    match (value, unit) {
        (None, _) => "not known".to_owned(),
        (Some(bytes), "bytes") => format!("{} MB", bytes >> 20),
        (Some(value), "") => value.to_string(),
        (Some(value), unit) => format!("{value} {unit}"),
    }
}

/// The record: what was moved, when each step was done, what was found, and how the installation is operated from now on.
pub fn record(journal: &Journal) -> String {
    let mut text = format!("# Move {}\n\nFrom {} to {}.\n\n", journal.id, journal.old.name, journal.new.name);
    if let Some(why) = &journal.why_back {
        let _ = writeln!(text, "It was undone: {why}\n");
    }
    text.push_str("| stage | step | begun | done |\n|---|---|---|---|\n");
    let back: &[Step] =
        if journal.progress.direction == Direction::Back { journal.progress.rollback_steps() } else { &[] };
    for step in Step::FORWARD.iter().chain(back) {
        let Some(record) = journal.records.get(step) else { continue };
        let at = |at: Option<domain::Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            step.stage(),
            step.title(),
            at(record.begun_at),
            at(record.done_at)
        );
    }
    if let Some(down) = downtime(journal) {
        let _ = writeln!(
            text,
            "\nRequests were taken in again {} after the stop, the last account was open after {}.",
            seconds(down.not_serving_ms),
            seconds(down.ms)
        );
    }
    let facts = |step: Step, of: &str| match &journal.facts(step)[of] {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let _ = write!(
        text,
        "\n## Archive\n\n* Backup at rest on the old side: {}\n* Data of the old side: {}\n* Wiped there: {}\n\
         * Kept there, as the new side uses it: {}\n\
         \n## Operating\n\n* Service: {}, started at boot: {}, memory limit: {}\n* Data: {}\n\
         * Logs are kept for {}: `switchboard logs`\n* Alert targets: {}; `switchboard alert targets test NAME`\n\
         * Health: `switchboard doctor`, accounts: `switchboard account list`, backups: `switchboard backup create`\n",
        facts(Step::LastBackup, "file"),
        facts(Step::AuditOld, "data_dir"),
        facts(Step::Retire, "wiped"),
        facts(Step::Retire, "kept"),
        facts(Step::Install, "unit"),
        facts(Step::Monitor, "at_boot"),
        facts(Step::Monitor, "memory_limit"),
        facts(Step::AuditNew, "data_dir"),
        facts(Step::Monitor, "log_kept_for"),
        facts(Step::Monitor, "alert_targets"),
    );
    text
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;
    use serde_json::json;
    use store::Side;

    use super::*;
    use crate::measure::{Measured, compare};

    fn journal() -> Journal {
        let side = |name: &str| Side { id: name.into(), name: name.into() };
        let mut journal = Journal::new("01".into(), side("old.example.com"), side("new.example.com"), 1);
        let at = |second: i64| Timestamp::from_micros(1_893_456_000_000_000 + second * 1_000_000);
        journal.begin(Step::Stop, at(0));
        journal.end(Step::Start, json!({}), at(4));
        journal.end(Step::Open, json!({}), at(9));
        journal.end(Step::LastBackup, json!({ "file": "/old/backups/a.tar.gz" }), at(2));
        journal
    }

    #[test]
    fn the_report_names_the_gap_and_what_is_worse() {
        let (old, new) = (
            Measured { answer_us: Some(1_000), ..Measured::default() },
            Measured { answer_us: Some(9_000), ..Measured::default() },
        );
        let (mut journal, at) = (journal(), Timestamp::default());
        journal.end(Step::AuditOld, json!({ "packages": { "OpenSSH": "9.2", "systemd": "252" } }), at);
        journal.end(Step::AuditNew, json!({ "packages": { "OpenSSH": "10.0", "systemd": "252" } }), at);
        let pressed = json!([{ "flow": "trip", "presses": { "old": 3, "new": 3 } }]);
        journal.end(Step::Validate, json!({ "pressed": pressed }), at);
        let (subject, text) = report(&journal, &compare(&old, &new));
        assert!(text.contains("OpenSSH: 9.2 before, 10.0 now\n") && !text.contains("systemd"), "{text}");
        assert!(text.contains("In a simulation the flow trip pressed 3 buttons.\n"), "{text}");
        assert_eq!(subject, "moved from old.example.com to new.example.com");
        assert!(text.contains("4.0 s after the stop, the last account was open after 9.0 s"), "{text}");
        assert!(
            text.contains("an answer of the API: 1000 µs before, 9000 µs now (worse than before)"),
            "{text}"
        );
        assert!(text.contains("memory: not known before, not known now\n"), "{text}");
    }

    #[test]
    fn the_record_has_each_step_and_where_the_archive_is() {
        let text = record(&journal());
        assert!(text.contains("| 6 | accounts opened one by one |  | 2030-01-01T00:00:09"), "{text}");
        assert!(text.contains("Backup at rest on the old side: /old/backups/a.tar.gz"), "{text}");
    }
}
