//! The clock: against Telegram's, and against what cannot be.

use std::time::Duration;

use domain::Timestamp;

use super::{finding, minute, span};
use crate::finding::{Code, Fix, Severity};
use crate::report::{Area, Section};

/// Telegram takes messages whose time is off by half a minute at most; the connection corrects it, people do not.
const WRONG: u64 = 30;
const OFF: u64 = 5;

/// Nothing of this program was written before: 2025-01-01.
const BEFORE_US: i64 = 1_735_689_600_000_000;

/// So much younger than the clock may a file be: file systems are coarse.
const COARSE: Duration = Duration::from_mins(5);

/// What is known of the time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Facts {
    pub(crate) now: Timestamp,
    /// How many seconds Telegram's is ahead, if someone asked.
    pub(crate) ahead: Option<i64>,
    /// When the store was written last.
    pub(crate) written: Option<Timestamp>,
}

pub(crate) fn check(facts: Facts) -> Section {
    let mut section = Section::new(Area::Clock);
    section.fact("now", minute(facts.now));
    match facts.ahead {
        Some(ahead) => section.fact("Telegram's clock", format!("{ahead:+} s from this one")),
        None => section.lacks("no account could ask Telegram for its time"),
    }
    let wrong = |severity, summary: String| {
        finding(
            Code::ClockWrong,
            severity,
            "clock",
            summary,
            Fix::command_and("timedatectl set-ntp true", "deadlines, backoffs and logs go by this clock"),
        )
    };
    let off = facts.ahead.unwrap_or(0).unsigned_abs();
    let side = if facts.ahead.is_some_and(|ahead| ahead > 0) { "behind" } else { "ahead of" };
    if off >= OFF {
        let severity = if off >= WRONG { Severity::Error } else { Severity::Warning };
        section.findings.push(wrong(severity, format!("The clock is {} {side} Telegram's.", span(off))));
    }
    if facts.now.as_micros() < BEFORE_US {
        section.findings.push(wrong(
            Severity::Error,
            format!("The clock says {}, which is in the past.", minute(facts.now)),
        ));
    } else if let Some(written) = facts.written.filter(|written| written.since(facts.now) > COARSE) {
        let summary =
            format!("The database was written at {}, which is in the future by this clock.", minute(written));
        section.findings.push(wrong(Severity::Error, summary));
    }
    section
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_893_456_000_000_000);

    proptest! {
        #[test]
        fn severity_follows_the_offset_in_both_directions(ahead in -100_000_i64..100_000) {
            let found = check(Facts { now: NOW, ahead: Some(ahead), written: Some(NOW) }).findings;
            let expected = match ahead.abs() {
                30.. => Some(Severity::Error),
                5.. => Some(Severity::Warning),
                _ => None,
            };
            prop_assert_eq!(found.first().map(|finding| finding.severity), expected);
        }
    }

    #[test]
    fn impossible_times_are_wrong() {
        let found = |now, written| check(Facts { now, ahead: None, written }).findings.len();
        assert_eq!(found(Timestamp::from_micros(0), None), 1);
        assert_eq!(found(NOW, Some(NOW.plus(Duration::from_hours(1)))), 1);
        assert_eq!(found(NOW, Some(NOW.plus(Duration::from_secs(1)))), 0);
    }
}
