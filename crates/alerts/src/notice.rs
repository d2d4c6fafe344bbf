//! A notice of all that changed at one time, as text and as JSON. Pure.

use std::fmt::Write;
use std::time::Duration;

use domain::{AlertId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::{AlertState, StoredAlert};

/// How many changes of each kind are named; the others are counted.
const NAMED: usize = 15;
/// The longest detail, in characters.
const LONGEST_DETAIL: usize = 160;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) id: AlertId,
    pub(crate) card: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) reason: String,
    pub(crate) detail: Option<String>,
    pub(crate) raised_at: Timestamp,
    pub(crate) closed_at: Option<Timestamp>,
    /// The card is no more.
    pub(crate) gone: bool,
    /// How many of its parts are red too.
    pub(crate) parts: usize,
}

impl Line {
    pub(crate) fn new(alert: &StoredAlert, parts: usize) -> Self {
        Self {
            id: alert.id,
            card: alert.card.clone(),
            kind: alert.kind.clone(),
            name: alert.name.clone(),
            reason: alert.reason.clone(),
            detail: alert.detail.clone(),
            raised_at: alert.raised_at,
            closed_at: alert.closed_at,
            gone: alert.state == AlertState::Gone,
            parts,
        }
    }

    /// `account main`; the store and the queue are called after what they are.
    fn title(&self) -> String {
        if self.name.is_empty() || self.name == self.kind {
            self.kind.clone()
        } else {
            format!("{} {}", self.kind, self.name)
        }
    }
}

/// Some alerts: the first by name, and how many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lines {
    pub(crate) total: usize,
    pub(crate) first: Vec<Line>,
}

impl Lines {
    pub(crate) fn push(&mut self, line: Line) {
        self.total += 1;
        if self.first.len() < NAMED {
            self.first.push(line);
        }
    }

    fn is_empty(&self) -> bool {
        self.total == 0
    }

    /// Those that are not named.
    fn rest(&self) -> usize {
        self.total.saturating_sub(self.first.len())
    }
}

/// All changes of one time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Notice {
    /// The machine it comes from.
    pub(crate) server: String,
    pub(crate) raised: Lines,
    /// What is well again, or no more.
    pub(crate) cleared: Lines,
    pub(crate) still: Lines,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    /// By which a receiver knows a repeat.
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) json: Value,
}

impl Notice {
    pub(crate) fn is_empty(&self) -> bool {
        self.raised.is_empty() && self.cleared.is_empty() && self.still.is_empty()
    }

    /// The cards that are named in it as being in trouble.
    pub(crate) fn names_as_broken(&self, card: &str) -> bool {
        self.raised.first.iter().chain(&self.still.first).any(|line| line.card == card)
    }

    pub(crate) fn words(&self, id: String, at: Timestamp) -> Words {
        let subject = format!("Switchboard {}: {}", self.server, self.headline());
        let text = format!("{subject}\n{}", self.body());
        let data = json!({
            "notice": id,
            "server": self.server,
            "raised": self.raised.first, "raised_total": self.raised.total,
            "cleared": self.cleared.first, "cleared_total": self.cleared.total,
            "still": self.still.first, "still_total": self.still.total,
            "text": text,
        });
        let json = json!({ "type": "alerts.changed", "timestamp": at, "data": data });
        Words { id, at, subject, text, json }
    }

    fn headline(&self) -> String {
        let one = |lines: &Lines, single: &dyn Fn(&Line) -> String, many: &str| match lines.first.as_slice() {
            [line] if lines.total == 1 => single(line),
            _ => format!("{} {many}", lines.total),
        };
        if !self.raised.is_empty() {
            return one(
                &self.raised,
                &|line| format!("{} is in trouble ({})", line.title(), line.reason),
                "things are in trouble",
            );
        }
        if !self.cleared.is_empty() {
            return one(
                &self.cleared,
                &|line| {
                    format!("{} {}", line.title(), if line.gone { "is no more" } else { "is well again" })
                },
                "things are well again",
            );
        }
        one(
            &self.still,
            &|line| format!("{} is still in trouble ({})", line.title(), line.reason),
            "things are still in trouble",
        )
    }

    fn body(&self) -> String {
        let mut text = String::new();
        section(&mut text, "In trouble:", &self.raised, |line| {
            let since = format!(", since {}", minute(line.raised_at));
            format!("{}: {}{since}{}{}", line.title(), line.reason, parts(line), detail(line))
        });
        section(&mut text, "Well again:", &self.cleared, |line| {
            let after = line.closed_at.map_or(Duration::ZERO, |at| at.since(line.raised_at));
            let how = if line.gone { "is no more" } else { "was" };
            format!("{}: {how} {} for {}", line.title(), line.reason, span(after))
        });
        section(&mut text, "Still in trouble:", &self.still, |line| {
            format!("{}: {}, since {}{}", line.title(), line.reason, minute(line.raised_at), detail(line))
        });
        text
    }
}

fn section(text: &mut String, heading: &str, lines: &Lines, tell: impl Fn(&Line) -> String) {
    if lines.is_empty() {
        return;
    }
    // Writing to a text cannot fail.
    let _ = write!(text, "\n{heading}\n");
    for line in &lines.first {
        let _ = writeln!(text, "- {}", tell(line));
    }
    if lines.rest() > 0 {
        let _ = writeln!(text, "- and {} more", lines.rest());
    }
}

fn parts(line: &Line) -> String {
    match line.parts {
        0 => String::new(),
        1 => " (with 1 part of it)".to_owned(),
        several => format!(" (with {several} parts of it)"),
    }
}

fn detail(line: &Line) -> String {
    let Some(detail) = line.detail.as_deref().filter(|detail| !detail.is_empty()) else {
        return String::new();
    };
    let mut shown: String =
        detail.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_DETAIL).collect();
    if detail.chars().count() > LONGEST_DETAIL {
        shown.push('…');
    }
    format!(". {shown}")
}

/// `2030-01-31 12:00 UTC`.
pub(crate) fn minute(at: Timestamp) -> String {
    let text = at.to_string();
    match text.get(..16) {
        Some(minute) => format!("{} UTC", minute.replace('T', " ")),
        None => text,
    }
}

/// `40 s`, `12 min`, `3 h 5 min`, `2 days 3 h`.
fn span(time: Duration) -> String {
    let seconds = time.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match () {
        () if minutes == 0 => format!("{seconds} s"),
        () if hours == 0 => format!("{minutes} min"),
        () if days == 0 => format!("{hours} h {} min", minutes % 60),
        () => format!("{days} days {} h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize) -> Line {
        Line {
            id: AlertId::MIN,
            card: format!("account:a{number}"),
            kind: "account".into(),
            name: format!("a{number}"),
            reason: "no_answer".into(),
            detail: Some("no answer\nfor 10 s".into()),
            raised_at: Timestamp::from_micros(1_893_456_000_000_000),
            closed_at: Some(Timestamp::from_micros(1_893_456_750_000_000)),
            gone: false,
            parts: 4,
        }
    }

    #[test]
    fn one_alert_reads_like_a_sentence() {
        let mut notice = Notice { server: "demo".into(), ..Notice::default() };
        notice.raised.push(line(1));
        let words = notice.words("notice_1".into(), Timestamp::default());
        assert_eq!(words.subject, "Switchboard demo: account a1 is in trouble (no_answer)");
        assert_eq!(
            words.text,
            "Switchboard demo: account a1 is in trouble (no_answer)\n\nIn trouble:\n\
             - account a1: no_answer, since 2030-01-01 00:00 UTC (with 4 parts of it). no answer for 10 s\n"
        );
        let well = Notice { cleared: notice.raised, raised: Lines::default(), ..notice };
        assert!(well.words(String::new(), Timestamp::default()).text.ends_with("was no_answer for 12 min\n"));
    }

    #[test]
    fn two_thousand_are_one_message_of_a_readable_length() {
        let mut notice = Notice::default();
        for number in 0..2_000 {
            notice.raised.push(line(number));
        }
        let words = notice.words(String::new(), Timestamp::default());
        assert!(words.text.contains("2000 things are in trouble") && words.text.contains("and 1985 more"));
        assert!(words.text.chars().count() < 4_000, "{}", words.text.len());
        assert_eq!(words.json["data"]["raised_total"], 2_000);
        assert_eq!(words.json["data"]["raised"].as_array().unwrap().len(), NAMED);
    }

    #[test]
    fn a_notice_is_read_as_it_was_kept() {
        let mut notice = Notice::default();
        notice.still.push(line(1));
        let kept = serde_json::to_string(&notice).unwrap();
        assert_eq!(serde_json::from_str::<Notice>(&kept).unwrap(), notice);
        assert!(notice.names_as_broken("account:a1") && !notice.names_as_broken("account:a2"));
    }

    #[test]
    fn spans_are_shown_in_their_two_largest_units() {
        let shown: Vec<String> =
            [40, 720, 11_100, 183_600].map(|seconds| span(Duration::from_secs(seconds))).to_vec();
        assert_eq!(shown, ["40 s", "12 min", "3 h 5 min", "2 days 3 h"]);
    }
}
