//! Bringing a file up: its parts, several at once, from where an earlier attempt was.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::sync::Arc;
use std::time::Duration;

use domain::account::Operation;
use domain::media::Sha256;
use domain::outcome::Unclear;
use domain::{Outcome, Purpose, Timestamp};
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use grammers_tl_types::{Deserializable as _, enums, types};
use md5::{Digest as _, Md5};
use store::UploadState;

use super::file_state::Watched;
use super::parts::{Arrived, Cut, Window};
use crate::account::Account;
use crate::calls::classify::CallError;
use crate::line::health;
use crate::sending::part;

/// An upload on which no part was answered for so long is given up for now.
const PROGRESS: Duration = Duration::from_mins(1);

/// How long a wait that Telegram asks for is sat out; a longer one is a flood wait of the account.
const SHORT_WAIT: Duration = Duration::from_secs(20);

/// How long Telegram surely keeps parts of which nothing was made.
const PARTS_LAST: Duration = Duration::from_hours(12);

pub(super) struct Source<'a> {
    pub(super) file: Arc<File>,
    pub(super) size: u64,
    pub(super) sha256: Sha256,
    pub(super) name: &'a str,
}

/// Brings up what Telegram does not have of the file yet. No one sees anything of it.
pub(super) async fn upload(
    account: &Account,
    source: &Source<'_>,
    watched: &Watched<'_>,
) -> Result<enums::InputFile, Outcome> {
    let Some(cut) = Cut::of(source.size) else {
        return Err(Outcome::Rejected { code: "FILE_PARTS_INVALID".into() });
    };
    let mut state = begin(account, source, cut).await;
    if let Err(trouble) = bring(account, source, cut, &mut state, watched).await {
        match trouble {
            Trouble::Ended(outcome) => return Err(outcome),
            // Once: a file that is refused twice is refused.
            Trouble::StartOver(_) => {
                state = fresh(account, cut);
                bring(account, source, cut, &mut state, watched).await.map_err(|trouble| match trouble {
                    Trouble::Ended(outcome) => outcome,
                    Trouble::StartOver(code) => Outcome::Rejected { code: code.into() },
                })?;
            }
        }
    }
    let name = if source.name.is_empty() { "file" } else { source.name }.to_owned();
    let (id, parts) = (state.file_id, i32::try_from(cut.parts).unwrap_or(i32::MAX));
    if cut.is_big() {
        return Ok(types::InputFileBig { id, parts, name }.into());
    }
    let file = Arc::clone(&source.file);
    let md5_checksum = in_background(move || checksum(&file)).await.map_err(|error| unreadable(&error))?;
    Ok(types::InputFile { id, parts, name, md5_checksum }.into())
}

/// Forgets how far an upload is: Telegram does not take what it has of it.
pub(super) async fn forget(account: &Account, sha256: Sha256) {
    if let Err(error) = account.store.files().forget_upload(&account.name, sha256).await {
        tracing::warn!(account = %account.name, %error, "an upload could not be forgotten in the store");
    }
}

enum Trouble {
    Ended(Outcome),
    /// Telegram does not take the parts that it has.
    StartOver(String),
}

/// Where an earlier attempt was, or the beginning.
async fn begin(account: &Account, source: &Source<'_>, cut: Cut) -> UploadState {
    let fits = |state: &UploadState| {
        state.size == cut.size
            && state.part_size == cut.part
            && state.parts_done <= cut.parts
            && account.now().since(state.started_at) < PARTS_LAST
    };
    match account.store.files().upload(&account.name, source.sha256).await {
        Ok(known) => known.filter(fits).unwrap_or_else(|| fresh(account, cut)),
        Err(error) => {
            tracing::warn!(account = %account.name, %error, "how far an upload was could not be read");
            fresh(account, cut)
        }
    }
}

fn fresh(account: &Account, cut: Cut) -> UploadState {
    UploadState {
        file_id: account.health.chance.random_id(),
        size: cut.size,
        part_size: cut.part,
        parts_done: 0,
        started_at: account.now(),
    }
}

async fn bring(
    account: &Account,
    source: &Source<'_>,
    cut: Cut,
    state: &mut UploadState,
    watched: &Watched<'_>,
) -> Result<(), Trouble> {
    let clock = &account.health.clock;
    watched.is_at(cut.offset(state.parts_done));
    let (mut arrived, mut window) = (Arrived::from(state.parts_done), Window::of(cut));
    let (mut next, mut again) = (state.parts_done, Vec::new());
    let mut calls = FuturesUnordered::new();
    let mut progress = clock.now();
    let mut last_arrived = progress;
    let mut failures = 0;
    while arrived.done() < cut.parts {
        while calls.len() < window.size()
            && let Some(part) = again.pop().or_else(|| (next < cut.parts).then_some(next))
        {
            next = next.max(part + 1);
            let (mut body, start) = cut.call(state.file_id, part);
            let (file, length, offset) = (Arc::clone(&source.file), cut.length(part), cut.offset(part));
            let read = in_background(move || {
                let mut file = &*file;
                file.seek(SeekFrom::Start(offset))?;
                let end = start + length;
                file.read_exact(body.get_mut(start..end).unwrap_or_default())?;
                Ok(body)
            });
            let body = read.await.map_err(|error| Trouble::Ended(unreadable(&error)))?;
            calls.push(save(account, part, body));
        }
        let Some((part, took, result)) = calls.next().await else {
            // There is always a part on the way while one is missing.
            return Err(Trouble::Ended(Outcome::Unavailable("the upload came to a halt".to_owned())));
        };
        let error = match result {
            Ok(()) => {
                progress = clock.now();
                last_arrived = progress;
                failures = 0;
                window.answered(took);
                if arrived.note(part) {
                    state.parts_done = arrived.done();
                    watched.is_at(cut.offset(state.parts_done));
                    keep(account, source.sha256, *state).await;
                }
                continue;
            }
            Err(error) => error,
        };
        again.push(part);
        window.shrink();
        match verdict(account, &error, progress) {
            Verdict::Again => {
                clock.sleep(account.health.chance.jitter(health::back_off(failures))).await;
                failures += 1;
                wait_for_a_line(account, progress).await;
            }
            // One short wait after the other, and nothing arrives in between: that is a long one, and others go on meanwhile.
            Verdict::After(wait) if clock.now().since(last_arrived) >= PROGRESS => {
                return Err(Trouble::Ended(Outcome::held(clock.now().plus(wait))));
            }
            Verdict::After(wait) => {
                clock.sleep(wait).await;
                // It was Telegram that asked for the wait.
                progress = clock.now();
            }
            Verdict::Trouble(trouble) => return Err(trouble),
        }
    }
    Ok(())
}

async fn save(account: &Account, part: u32, body: Vec<u8>) -> (u32, Duration, Result<(), CallError>) {
    let started = account.now();
    let Some(line) = account.line_for(Purpose::SendMedia) else {
        return (part, Duration::ZERO, Err(CallError::NotConnected("no line is up".to_owned())));
    };
    let answer = line.call_raw(Operation::SendMessage, body, PROGRESS).await;
    let taken = answer.and_then(|body| match bool::from_bytes(&body) {
        Ok(true) => Ok(()),
        Ok(false) => Err(CallError::NotConnected("Telegram did not take a part".to_owned())),
        Err(error) => Err(CallError::Failed(error.into())),
    });
    (part, account.now().since(started), taken)
}

enum Verdict {
    Again,
    After(Duration),
    Trouble(Trouble),
}

/// What an error of one part means for the upload. Every part may be sent again: the same bytes in the same place.
fn verdict(account: &Account, error: &CallError, progress: Timestamp) -> Verdict {
    if let Some(wait) = error.flood().filter(|wait| *wait <= SHORT_WAIT) {
        return Verdict::After(wait);
    }
    if let Some(code) = error.name().filter(|name| is_about_parts(name)) {
        return Verdict::Trouble(Trouble::StartOver(code.to_owned()));
    }
    let outcome = part::judged_before(account, None, error);
    if outcome == Outcome::InProgress {
        return Verdict::Again;
    }
    if !matches!(outcome, Outcome::Unknown(_) | Outcome::Unavailable(_)) {
        return Verdict::Trouble(Trouble::Ended(outcome));
    }
    if account.now().since(progress) < PROGRESS {
        return Verdict::Again;
    }
    let why = outcome.detail().unwrap_or_default();
    let why = format!("no part of the file came through for {} s: {why}", PROGRESS.as_secs());
    Verdict::Trouble(Trouble::Ended(match outcome {
        Outcome::Unknown(Unclear::ServerError(_)) => Outcome::Unknown(Unclear::ServerError(why)),
        _ => Outcome::Unavailable(why),
    }))
}

/// Whether Telegram says that the parts it has do not make the file.
pub(super) fn is_about_parts(name: &str) -> bool {
    name.starts_with("FILE_PART") || name == "MD5_CHECKSUM_INVALID" || name == "FILE_ID_INVALID"
}

/// Waits until the account has a connection, but not longer than the upload may go without progress.
async fn wait_for_a_line(account: &Account, progress: Timestamp) {
    let mut changes = account.health.changes.subscribe();
    let up =
        async { while account.line_for(Purpose::SendMedia).is_none() && changes.changed().await.is_ok() {} };
    // Whether it came up shows when the part is sent.
    let _ = account.health.clock.timeout_at(progress.plus(PROGRESS), up).await;
}

async fn keep(account: &Account, sha256: Sha256, state: UploadState) {
    if let Err(error) = account.store.files().save_upload(&account.name, sha256, state).await {
        tracing::warn!(account = %account.name, %error, "how far an upload is could not be stored");
    }
}

fn checksum(file: &File) -> io::Result<String> {
    let (mut file, mut digest) = (file, Md5::new());
    file.seek(SeekFrom::Start(0))?;
    let mut piece = vec![0; 64 * 1024];
    loop {
        match file.read(&mut piece)? {
            0 => break,
            read => digest.update(piece.get(..read).unwrap_or_default()),
        }
    }
    let mut text = String::with_capacity(32);
    for byte in digest.finalize() {
        // Writing into a text does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    Ok(text)
}

/// The file was there and cannot be read now. One that has become shorter is not the file any more.
pub(super) fn unreadable(error: &io::Error) -> Outcome {
    match error.kind() {
        io::ErrorKind::NotFound => {
            Outcome::MediaGone("the file is no longer in the data directory".to_owned())
        }
        io::ErrorKind::UnexpectedEof => {
            Outcome::MediaGone("the file in the data directory was cut off".to_owned())
        }
        _ => Outcome::Unavailable(format!("the file cannot be read from disk: {error}")),
    }
}

/// Runs what blocks on the disk elsewhere.
pub(super) async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|_| Err(io::Error::other("the reading broke down")))
}
