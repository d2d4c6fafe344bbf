//! Logs as files by the names that people of the old tool know: a line for each end of an attempt, never what a message says.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use domain::{AttemptState, CampaignLog};
use store::{AttemptEnd, StoredAttempt};

/// A file that is larger is put aside, in the place of the one before.
const LARGEST: u64 = 1 << 20;

/// An end of an attempt, as it is written.
pub(super) struct Line {
    state: AttemptState,
    code: Option<String>,
    text: String,
}

impl Line {
    pub(super) fn of(attempt: &StoredAttempt, end: &AttemptEnd) -> Self {
        let AttemptEnd { state, code, now, .. } = end;
        let StoredAttempt { campaign, cycle, chat, sender, .. } = attempt;
        let why = code.as_deref().unwrap_or("-");
        let text = format!("{now} {campaign} cycle={cycle} {chat} {sender} {} {why}\n", state.as_str());
        Self { state: *state, code: code.clone(), text }
    }
}

/// The files of a folder. Two of each name at most, a MiB each.
#[derive(Debug, Clone)]
pub(super) struct LogFiles {
    folder: Option<PathBuf>,
    /// One line after the other.
    turn: Arc<Mutex<()>>,
}

impl LogFiles {
    pub(super) fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, turn: Arc::default() }
    }

    /// Writes a line to each log that it belongs to. What cannot be written is said in the program's own log: the row is what counts.
    pub(super) async fn write(&self, line: Line) {
        let Some(folder) = self.folder.clone() else { return };
        let turn = Arc::clone(&self.turn);
        let written = tokio::task::spawn_blocking(move || {
            let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            append(&folder, &line)
        });
        match written.await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "a log file of campaigns cannot be written"),
            Err(error) => tracing::warn!(%error, "a log file of campaigns was not written"),
        }
    }
}

fn append(folder: &Path, line: &Line) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for log in CampaignLog::ALL.into_iter().filter(|log| log.has(line.state, line.code.as_deref())) {
        let path = folder.join(format!("{}.log", log.as_str()));
        if fs::metadata(&path).is_ok_and(|found| found.len() + line.text.len() as u64 > LARGEST) {
            fs::rename(&path, folder.join(format!("{}.log.1", log.as_str())))?;
        }
        File::options().append(true).create(true).mode(0o600).open(path)?.write_all(line.text.as_bytes())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(state: AttemptState, code: Option<&str>, text: String) -> Line {
        Line { state, code: code.map(str::to_owned), text }
    }

    #[test]
    fn each_end_stands_in_its_logs_which_stay_small() {
        let folder = std::env::temp_dir().join(format!("campaign-logs-{}", std::process::id()));
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap_or_default();
        append(&folder, &line(AttemptState::Sent, None, "a\n".to_owned())).expect("written");
        append(&folder, &line(AttemptState::Failed, Some("chat_not_found"), "b\n".to_owned()))
            .expect("written");
        append(&folder, &line(AttemptState::Failed, Some("provider_error"), "c\n".to_owned()))
            .expect("written");
        append(&folder, &line(AttemptState::Skipped, Some("opt_out"), "d\n".to_owned())).expect("written");
        assert_eq!([read("main.log"), read("success.log")], ["a\nb\nc\nd\n", "a\n"]);
        assert_eq!([read("failed_chats.log"), read("failed_send.log")], ["b\n", "c\n"]);
        let long = || line(AttemptState::Skipped, None, "x".repeat(700_000));
        for _ in 0..4 {
            append(&folder, &long()).expect("written");
        }
        let size = |name: &str| fs::metadata(folder.join(name)).expect("a file").len();
        assert!(size("main.log") <= LARGEST && size("main.log.1") <= LARGEST);
        assert_eq!(fs::read_dir(&folder).expect("a folder").count(), 5);
        fs::remove_dir_all(&folder).expect("removed");
    }
}
