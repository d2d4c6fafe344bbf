//! The checks: each decides over plain facts what of them is wrong. Pure.

pub(super) mod accounts;
pub(super) mod backups;
pub(super) mod callbacks;
pub(super) mod channels;
pub(super) mod clock;
pub(super) mod disk;
pub(super) mod errors;
pub(super) mod files;
pub(super) mod memory;
pub(super) mod network;
pub(super) mod ports;
pub(super) mod processes;
pub(super) mod program;
pub(super) mod queue;
pub(super) mod sessions;
pub(super) mod settings;
pub(super) mod store;
pub(super) mod units;
pub(super) mod webhooks;

use domain::Timestamp;

use super::finding::{Code, Finding, Fix, Severity};
use legacy_survey::{Running, StartedBy};
use machine::{Process, shown};

/// A finding; what shows it comes with [`Finding::shown_by`].
pub(crate) fn finding(
    code: Code,
    severity: Severity,
    subject: impl Into<String>,
    summary: impl Into<String>,
    fix: Fix,
) -> Finding {
    Finding { code, severity, subject: subject.into(), summary: summary.into(), evidence: Vec::new(), fix }
}

impl Finding {
    /// What shows it, a line each.
    pub(crate) fn shown_by(mut self, evidence: impl IntoIterator<Item = String>) -> Self {
        self.evidence.extend(evidence);
        self
    }
}

/// What stops an old script for good.
pub(crate) fn stop(running: &Running) -> Fix {
    match &running.by {
        StartedBy::Unit(unit) => Fix::command(format!("systemctl disable --now {unit}")),
        StartedBy::Orphaned => Fix::command(format!("kill {}", running.pid)),
        StartedBy::Process { pid, name } => Fix::command_and(
            format!("kill {}", running.pid),
            format!("{name} (process {pid}) started it and may start it again; end that first if it does"),
        ),
    }
}

/// A process in one line: number, command, since when.
pub(crate) fn in_a_line(pid: u32, command: &str, since: Option<Timestamp>) -> String {
    match since {
        Some(since) => format!("process {pid}: {command}, since {}", minute(since)),
        None => format!("process {pid}: {command}"),
    }
}

pub(super) fn process_line(process: &Process) -> String {
    in_a_line(process.pid, &shown(&process.arguments), process.started_at)
}

/// An instant to the second, in UTC.
pub(crate) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    text.split_once('.').map_or(text.clone(), |(seconds, _)| format!("{seconds}Z"))
}

/// A count of bytes in a few letters.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let mut unit = 0;
    let mut rest = count;
    let mut below = 0;
    while rest >= 1024 && unit + 1 < UNITS.len() {
        below = rest % 1024;
        rest /= 1024;
        unit += 1;
    }
    if unit == 0 || rest >= 10 {
        format!("{rest} {}", UNITS[unit])
    } else {
        format!("{rest}.{} {}", below * 10 / 1024, UNITS[unit])
    }
}

/// A length of time in its two largest units.
pub(super) fn span(seconds: u64) -> String {
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, ..) => format!("{hours} h {minutes} min"),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_in_a_few_letters() {
        for (count, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (64 << 20, "64 MiB"),
            (u64::MAX, "16777215 TiB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
        for (seconds, expected) in [(59, "59 s"), (61, "1 min 1 s"), (3660, "1 h 1 min"), (90_000, "1 d 1 h")]
        {
            assert_eq!(span(seconds), expected);
        }
        assert_eq!(minute(Timestamp::from_micros(1_893_456_000_000_007)), "2030-01-01T00:00:00Z");
    }
}
