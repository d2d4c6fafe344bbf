//! The journal of the service manager, as `journalctl --output=json` writes it: which units were started again, how they
//! had ended, and whether an address was in use. Of what programs wrote there nothing else is kept.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ambient::Clock;
use domain::Timestamp;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, BufReader};

use super::Root;

/// Numbers of the service manager's messages, from its catalogue: a restart was scheduled, a main process has ended.
const RESTART_SCHEDULED: &str = "5eb03494b6584870a536b337290809b3";
const PROCESS_EXIT: &str = "98e322203f7a4ed290d09fe03c09fe15";

/// How much of a journal is read, and how long that may take.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
const MOST_LINES: usize = 200_000;
const TIMEOUT: Duration = Duration::from_secs(10);

/// The most units whose own lines are asked for.
const MOST_UNITS: usize = 20;

#[derive(Debug, Clone)]
pub enum Journal {
    /// This machine's, through `journalctl`.
    System,
    /// A file that `journalctl --output=json` wrote, perhaps on another machine.
    Export(PathBuf),
}

/// Why there is no journal to be seen.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// No service manager runs here.
    #[error(
        "no systemd runs here, so that it has no journal; give one that was exported with --journal FILE"
    )]
    NoManager,
    /// It cannot be asked.
    #[error("journalctl cannot be run ({0}); give a journal that was exported with --journal FILE")]
    NoJournalctl(std::io::Error),
    /// It did not answer.
    #[error("journalctl did not answer within {} s", TIMEOUT.as_secs())]
    Silent,
    #[error("journalctl shows nothing ({0}); run this as root, or as a member of the group systemd-journal")]
    Refused(String),
    /// The export cannot be read.
    #[error("the journal {} cannot be read: {source}", file.display())]
    Unreadable {
        file: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
}

/// Something that happened to a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub at: Timestamp,
    pub unit: String,
    pub event: Event,
}

/// What can happen to a unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// It is started again; the service manager's own count, where it gives one.
    Restarted(Option<u64>),
    /// Its main process ended: `exited with 1`, `killed by 9`.
    Ended(String),
    /// It wrote that an address is in use.
    AddressInUse,
}

impl Journal {
    /// What happened to units in the last day.
    pub async fn read(&self, root: &Root, clock: &Clock) -> Result<Vec<Entry>, JournalError> {
        match self {
            Self::Export(file) => {
                let unreadable = |source| JournalError::Unreadable { file: file.clone(), source };
                let open = tokio::fs::File::open(file).await.map_err(unreadable)?;
                entries(open).await.map_err(unreadable)
            }
            // The folder is there wherever systemd runs, and nowhere else.
            Self::System if !root.at("/run/systemd/system").is_dir() => Err(JournalError::NoManager),
            Self::System => {
                let messages = [
                    format!("MESSAGE_ID={RESTART_SCHEDULED}"),
                    "+".to_owned(),
                    format!("MESSAGE_ID={PROCESS_EXIT}"),
                ];
                let mut found = ask(clock, &messages).await?;
                let restarted: BTreeSet<&str> = found
                    .iter()
                    .filter(|entry| matches!(entry.event, Event::Restarted(_)))
                    .map(|entry| entry.unit.as_str())
                    .collect();
                let units: Vec<String> = restarted
                    .into_iter()
                    .take(MOST_UNITS)
                    .map(|unit| format!("_SYSTEMD_UNIT={unit}"))
                    .collect();
                if !units.is_empty() {
                    found.extend(ask(clock, &units).await?);
                }
                Ok(found)
            }
        }
    }
}

async fn ask(clock: &Clock, matches: &[String]) -> Result<Vec<Entry>, JournalError> {
    let mut journalctl = tokio::process::Command::new("journalctl")
        .args(["--output=json", "--no-pager", "--quiet", "--since=-1day", "--lines=20000"])
        .args(matches)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(JournalError::NoJournalctl)?;
    let (out, err) = (journalctl.stdout.take(), journalctl.stderr.take());
    let reading = async {
        let output = async {
            let mut output = String::new();
            if let Some(err) = err {
                // What cannot be read of a complaint is no complaint.
                let _ = err.take(1000).read_to_string(&mut output).await;
            }
            output
        };
        let found = async {
            match out {
                Some(out) => entries(out).await.map_err(JournalError::NoJournalctl),
                None => Ok(Vec::new()),
            }
        };
        let (output, found, status) = tokio::join!(output, found, journalctl.wait());
        let fine = status.is_ok_and(|status| status.success());
        let output = output.lines().next().unwrap_or_default().trim().to_owned();
        if fine || output.is_empty() { found } else { Err(JournalError::Refused(output)) }
    };
    clock.timeout(TIMEOUT, reading).await.unwrap_or(Err(JournalError::Silent))
}

async fn entries(from: impl AsyncRead + Unpin) -> std::io::Result<Vec<Entry>> {
    let mut reader = BufReader::new(from.take(MOST_BYTES));
    let (mut found, mut line) = (Vec::new(), Vec::new());
    for _ in 0..MOST_LINES {
        line.clear();
        if reader.read_until(b'\n', &mut line).await? == 0 {
            break;
        }
        found.extend(parse(&line));
    }
    Ok(found)
}

/// Reads one line; one that is none, or has nothing of interest, is passed over.
fn parse(line: &[u8]) -> Option<Entry> {
    let entry: Value = serde_json::from_slice(line).ok()?;
    let text = |field: &str| entry[field].as_str();
    let at = Timestamp::from_micros(text("__REALTIME_TIMESTAMP")?.parse().ok()?);
    let (unit, event) = match text("MESSAGE_ID") {
        Some(RESTART_SCHEDULED) => {
            (text("UNIT"), Event::Restarted(text("N_RESTARTS").and_then(|count| count.parse().ok())))
        }
        Some(PROCESS_EXIT) => {
            let status: u16 = text("EXIT_STATUS")?.parse().ok()?;
            let how = if text("EXIT_CODE") == Some("exited") { "exited with" } else { "killed by" };
            (text("UNIT"), Event::Ended(format!("{how} {status}")))
        }
        _ => {
            let message = text("MESSAGE")?.to_ascii_lowercase();
            let in_use = message.contains("address already in use") || message.contains("address in use");
            (text("_SYSTEMD_UNIT"), in_use.then_some(Event::AddressInUse)?)
        }
    };
    let unit = unit?;
    let named =
        unit.len() <= 256 && !unit.contains(|letter: char| letter.is_control() || letter.is_whitespace());
    named.then(|| Entry { at, unit: unit.to_owned(), event })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_of_units_are_read() {
        let read = |line: &str| parse(line.as_bytes()).map(|entry| (entry.unit, entry.event));
        let restart = format!(
            r#"{{"__REALTIME_TIMESTAMP":"1000000","MESSAGE_ID":"{RESTART_SCHEDULED}","UNIT":"monitor.service","N_RESTARTS":"111"}}"#
        );
        assert_eq!(read(&restart), Some(("monitor.service".to_owned(), Event::Restarted(Some(111)))));
        let exit = format!(
            r#"{{"__REALTIME_TIMESTAMP":"1","MESSAGE_ID":"{PROCESS_EXIT}","UNIT":"a.service","EXIT_CODE":"exited","EXIT_STATUS":"1"}}"#
        );
        assert_eq!(read(&exit), Some(("a.service".to_owned(), Event::Ended("exited with 1".to_owned()))));
        let entry = r#"{"__REALTIME_TIMESTAMP":"1","_SYSTEMD_UNIT":"a.service","MESSAGE":"OSError: [Errno 98] Address already in use"}"#;
        assert_eq!(read(entry), Some(("a.service".to_owned(), Event::AddressInUse)));
        for nothing in [
            r#"{"__REALTIME_TIMESTAMP":"1","_SYSTEMD_UNIT":"a.service","MESSAGE":"a secret"}"#,
            r#"{"__REALTIME_TIMESTAMP":"1","_SYSTEMD_UNIT":"a.service","MESSAGE":[1,2]}"#,
            r#"{"MESSAGE_ID":"x"}"#,
            "no json",
            "",
        ] {
            assert_eq!(read(nothing), None, "{nothing}");
        }
    }

    #[tokio::test]
    async fn an_export_is_read_and_one_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("journal.json");
        let clock = Clock::system();
        let refused =
            Journal::Export(file.clone()).read(&Root::default(), &clock).await.expect_err("nothing there");
        assert!(refused.to_string().contains("journal.json"), "{refused}");
        let nowhere = Root { files: folder.path().to_owned(), processes: folder.path().to_owned() };
        let absent = Journal::System.read(&nowhere, &clock).await;
        assert!(matches!(absent, Err(JournalError::NoManager)), "{absent:?}");
        let line = format!(
            "{{\"__REALTIME_TIMESTAMP\":\"5\",\"MESSAGE_ID\":\"{RESTART_SCHEDULED}\",\"UNIT\":\"a.service\"}}\nhalf a li"
        );
        std::fs::write(&file, line).expect("written");
        let found = Journal::Export(file).read(&Root::default(), &clock).await.expect("read");
        assert_eq!(found.iter().map(|entry| entry.unit.as_str()).collect::<Vec<_>>(), ["a.service"]);
    }
}
