//! Notices of a crash, sent without the program, its store and its outbox.

use std::time::Duration;

use ambient::Clock;
use config::{AlertTargetFields, AlertTargetKind};
use domain::{AlertNoticeId, Timestamp};
use futures::future::join_all;
use outbound::Allowed;
use serde_json::json;

use crate::notice::{self, Words};
use crate::targets::{DeliveryError, LIMIT, Target};

/// The waits between attempts.
const WAITS: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(10), Duration::from_secs(30)];
/// The most lines of the log in a notice.
const MOST_LINES: usize = 20;
/// The longest of them, in characters.
const LONGEST_LINE: usize = 300;

/// A target that is notified without a store.
#[derive(Debug)]
pub struct OfflineTarget {
    /// As it was written down.
    pub fields: AlertTargetFields,
    /// Whether the settings have it; else it was made while the program ran.
    pub of_settings: bool,
}

/// A program that has crashed.
#[derive(Debug, Clone)]
pub struct CrashNotice {
    /// The unit, such as `switchboard.service`.
    pub unit: String,
    pub server: String,
    /// How it ended, where that is known: `exit-code`, `oom-kill`, `watchdog` …
    pub result: Option<String>,
    /// The last lines of its log, oldest first.
    pub lines: Vec<String>,
    /// When the notice is sent.
    pub at: Timestamp,
    /// By which a receiver knows a repeat.
    pub id: AlertNoticeId,
}

/// What became of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetReport {
    pub name: String,
    /// Nothing when it has it, else why not.
    pub result: Result<(), String>,
}

/// Notifies all webhooks and mailboxes at the same time, with retries. Chats cannot be notified without the program, and
/// are reported so.
pub async fn notify_offline(
    targets: &[OfflineTarget],
    notice: &CrashNotice,
    allowed: &Allowed,
    clock: &Clock,
) -> Vec<TargetReport> {
    let words = notice.words();
    let telling = targets.iter().map(|target| async {
        TargetReport { name: target.fields.name.clone(), result: tell(target, &words, allowed, clock).await }
    });
    join_all(telling).await
}

async fn tell(target: &OfflineTarget, words: &Words, allowed: &Allowed, clock: &Clock) -> Result<(), String> {
    if target.fields.kind == AlertTargetKind::Telegram {
        return Err("a chat is notified through the program, which is dead; name a webhook or a mailbox too"
            .to_owned());
    }
    let made = if target.of_settings {
        Target::of_settings(&target.fields)
    } else {
        Target::of_store(&target.fields, allowed, (words.at, String::new()))
    };
    let target = made.map_err(|wrong| {
        wrong
            .into_iter()
            .map(|wrong| format!("{} {}", wrong.field, wrong.message))
            .collect::<Vec<_>>()
            .join("; ")
    })?;
    let mut waits = WAITS.into_iter();
    loop {
        match target.tell(clock, words, LIMIT).await {
            Ok(()) => return Ok(()),
            Err(DeliveryError::Off(error)) => return Err(error),
            Err(DeliveryError::Failed(error)) => match waits.next() {
                Some(wait) => clock.sleep(wait).await,
                None => return Err(error),
            },
        }
    }
}

impl CrashNotice {
    fn words(&self) -> Words {
        let Self { unit, server, at, .. } = self;
        let subject = format!("Switchboard {server}: {unit} is dead");
        let result = self.result.as_deref().map_or_else(String::new, |result| format!(" ({result})"));
        let mut text = format!(
            "{subject}\n\n{unit} failed at {}{result} and is not started again by itself. Nothing is sent meanwhile; \
             what was accepted is kept.\n\nsystemctl status {unit}\njournalctl -u {unit} -n 100\n\
             systemctl reset-failed {unit} && systemctl start {unit}\n",
            notice::minute(*at)
        );
        let last: Vec<String> = self
            .lines
            .iter()
            .skip(self.lines.len().saturating_sub(MOST_LINES))
            .map(|line| {
                line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_LINE).collect()
            })
            .collect();
        if !last.is_empty() {
            text.push_str("\nIts last lines:\n");
            for line in &last {
                text.push_str(line);
                text.push('\n');
            }
        }
        let data = json!({
            "server": server, "unit": unit, "result": self.result, "last_lines": last, "text": text,
        });
        let json = json!({ "type": "program.dead", "timestamp": at, "data": data });
        Words { id: self.id.to_string(), at: *at, subject, text, json }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_died_how_and_what_to_do() {
        let notice = CrashNotice {
            unit: "switchboard.service".into(),
            server: "demo".into(),
            result: Some("exit-code".into()),
            lines: (0..50).map(|number| format!("line {number}\u{1b}[31m")).collect(),
            at: Timestamp::from_micros(1_893_456_000_000_000),
            id: AlertNoticeId::MIN,
        };
        let words = notice.words();
        assert!(words.text.contains("failed at 2030-01-01 00:00 UTC (exit-code)"), "{}", words.text);
        assert!(words.text.contains("systemctl start switchboard.service"), "{}", words.text);
        assert!(words.text.contains("line 49") && !words.text.contains("line 29\n"), "{}", words.text);
        assert!(!words.text.contains('\u{1b}'));
        assert_eq!(words.json["type"], "program.dead");
        assert_eq!(words.json["data"]["last_lines"].as_array().unwrap().len(), MOST_LINES);
    }
}
