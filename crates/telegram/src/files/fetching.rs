//! Fetching the files of messages that came in, as the rule of the account says: in the background, one after the other.
//!
//! What is to be fetched are rows of the store: none waits in memory, a restart forgets none, and updates never wait for it.

use std::sync::Arc;
use std::time::Duration;

use ambient::lock::Mutex;
use domain::Timestamp;
use domain::media::Sha256;
use futures::StreamExt as _;
use media::{Held, Outgoing, TakeError};
use serde::Serialize;
use store::{FetchedFile, StoreError, Switch, WantedFile};
use tokio::sync::{Notify, Semaphore};

use super::download::{self, DownloadError, DownloadRange};
use crate::account::Account;
use crate::peers::dialogs;

/// Between two files of one account.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a file is tried that does not come.
const TRIES: u32 = 6;

/// The wait after the first of these tries; each further one is four times as long.
const RETRY: Duration = Duration::from_mins(1);

/// How soon it is looked again after what is no fault of a file.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How far the fetching of files is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct FilesView {
    /// Files that are to be fetched.
    pub waiting: u64,
    /// Why none is fetched now: `disk_full`, `disk_failed`, `flood_wait`, `not_connected` or `paused`.
    pub stopped: Option<&'static str>,
}

/// The fetching of an account, as others see it.
#[derive(Default)]
pub(crate) struct Fetching {
    view: Mutex<FilesView>,
    wake: Notify,
}

impl Fetching {
    pub(crate) fn view(&self) -> FilesView {
        *self.view.lock()
    }

    /// There may be something to fetch, or another rule.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }
}

/// Why a file was not fetched.
#[derive(Debug, thiserror::Error)]
enum FetchError {
    #[error(transparent)]
    Download(#[from] DownloadError),
    #[error(transparent)]
    Take(#[from] TakeError),
}

/// What comes after a file that was not fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Next {
    /// It is tried again after this.
    Retry(Duration),
    GiveUp,
    /// Nothing is fetched for a while, or until this.
    Rest(&'static str, Option<Timestamp>),
}

/// Decides it, by how often the file was tried before.
fn next(error: &FetchError, tries: u32) -> Next {
    match error {
        FetchError::Download(
            DownloadError::NoSuchMessage
            | DownloadError::NoMedia
            | DownloadError::NotFound { .. }
            | DownloadError::NoRights { .. }
            | DownloadError::HandedOutElsewhere
            | DownloadError::OutOfRange { .. },
        )
        | FetchError::Take(TakeError::Empty | TakeError::TooLarge { .. }) => Next::GiveUp,
        FetchError::Download(DownloadError::FloodWait { until }) => Next::Rest("flood_wait", Some(*until)),
        FetchError::Download(DownloadError::NoAccount { .. }) => Next::Rest("not_connected", None),
        FetchError::Take(TakeError::NoSpace) => Next::Rest("disk_full", None),
        FetchError::Take(TakeError::Disk(_)) => Next::Rest("disk_failed", None),
        FetchError::Download(DownloadError::Failed(_)) | FetchError::Take(_) if tries + 1 < TRIES => {
            Next::Retry(RETRY.saturating_mul(4_u32.saturating_pow(tries)))
        }
        FetchError::Download(DownloadError::Failed(_)) | FetchError::Take(_) => Next::GiveUp,
    }
}

/// How long to wait.
enum Wait {
    /// Whatever happens.
    Until(Timestamp),
    /// Or until a message comes.
    Due(Option<Timestamp>),
}

/// Fetches files for as long as the account lives. `turns` keeps many accounts from fetching at once.
pub(crate) async fn run(account: &Arc<Account>, folder: &Outgoing, turns: &Semaphore) {
    let clock = account.health.clock.clone();
    loop {
        dialogs::until_up(account).await;
        let wait = step(account, folder, turns).await.unwrap_or_else(|error| {
            tracing::debug!(account = %account.name, %error, "files are not fetched now");
            Wait::Until(clock.now().plus(LOOK_AGAIN))
        });
        match wait {
            Wait::Until(at) => clock.sleep_until(at).await,
            Wait::Due(None) => account.fetching.wake.notified().await,
            Wait::Due(Some(at)) => tokio::select! {
                () = account.fetching.wake.notified() => {}
                () = clock.sleep_until(at) => {}
            },
        }
    }
}

/// Fetches one file, where one is due.
async fn step(account: &Arc<Account>, folder: &Outgoing, turns: &Semaphore) -> Result<Wait, StoreError> {
    if account.definition().keep.files.kinds.is_empty() {
        show(account, 0, None);
        return Ok(Wait::Due(None));
    }
    let received = account.store.received();
    let waiting = received.files_waiting(&account.name).await?;
    if account.switch() != Switch::On {
        show(account, waiting, Some("paused").filter(|_| waiting > 0));
        return Ok(Wait::Due(Some(account.now().plus(LOOK_AGAIN))));
    }
    let Some(wanted) = received.next_file(&account.name).await? else {
        show(account, 0, None);
        return Ok(Wait::Due(None));
    };
    if wanted.due_at > account.now() {
        show(account, waiting, None);
        return Ok(Wait::Due(Some(wanted.due_at)));
    }
    let _turn = dialogs::turn(account, turns).await;
    let (mut stopped, mut until) = (None, account.now().plus(PAUSE));
    let error = match fetch(account, folder, &wanted).await {
        Ok(held) => {
            keep(account, folder, wanted.seq, held).await?;
            show(account, waiting.saturating_sub(1), None);
            return Ok(Wait::Until(until));
        }
        Err(error) => error,
    };
    let why = error.to_string();
    match next(&error, wanted.tries) {
        Next::Retry(after) => {
            let due_at = account.now().plus(account.health.chance.jitter(after));
            tracing::debug!(account = %account.name, chat_id = %wanted.chat_id, why, "a file is fetched again later");
            received.note_file(wanted.seq, FetchedFile::PutOff { tries: wanted.tries + 1, due_at }).await?;
        }
        Next::GiveUp => {
            tracing::warn!(
                account = %account.name, chat_id = %wanted.chat_id, message_id = %wanted.message_id, why,
                "the file of a message is not fetched"
            );
            received.note_file(wanted.seq, FetchedFile::GivenUp { why }).await?;
        }
        Next::Rest(reason, at) => {
            if account.fetching.view().stopped != Some(reason) {
                tracing::warn!(account = %account.name, reason, why, waiting, "no files are fetched for now");
            }
            stopped = Some(reason);
            until = at.unwrap_or_else(|| account.now().plus(LOOK_AGAIN));
        }
    }
    show(account, waiting, stopped);
    Ok(Wait::Until(until))
}

fn show(account: &Account, waiting: u64, stopped: Option<&'static str>) {
    *account.fetching.view.lock() = FilesView { waiting, stopped };
}

/// Brings the file into the folder.
async fn fetch(account: &Arc<Account>, folder: &Outgoing, wanted: &WantedFile) -> Result<Held, FetchError> {
    let range = DownloadRange::default();
    let download = download::begin(Arc::clone(account), wanted.chat_id, wanted.message_id, range).await?;
    let mut broke = None;
    let pieces = download.stream.map(|piece| {
        piece.inspect_err(|error| {
            broke = error.get_ref().and_then(|inner| inner.downcast_ref::<DownloadError>()).cloned();
        })
    });
    let taken = folder.intake().stream(Some(download.size), pieces).await;
    match (taken, broke) {
        (Ok(taken), _) => Ok(folder.hold(taken).map_err(TakeError::Disk)?),
        (Err(_), Some(error)) => Err(error.into()),
        (Err(error), None) => Err(error.into()),
    }
}

/// Notes that it is stored. It stays first: what comes of a write that is cut short is not known, and a file without a
/// row is swept away.
async fn keep(account: &Account, folder: &Outgoing, seq: i64, held: Held) -> Result<(), StoreError> {
    let (key, sha256) = (held.key().clone(), Sha256(held.taken().sha256));
    held.keep();
    let fetched = FetchedFile::Stored { key: key.clone(), sha256 };
    // The message may have another file by now.
    if !account.store.received().note_file(seq, fetched).await?
        && let Err(error) = folder.remove(&key).await
    {
        tracing::debug!(account = %account.name, %error, "a file that is not wanted any more is left to the sweep");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_failing_file_is_tried_a_limited_number_of_times(tries in 0..20_u32) {
            let failed = FetchError::Download(DownloadError::Failed("no answer".to_owned()));
            match next(&failed, tries) {
                Next::Retry(wait) => {
                    prop_assert!(tries + 1 < TRIES && wait >= RETRY && wait <= Duration::from_hours(24));
                }
                other => prop_assert!(other == Next::GiveUp && tries + 1 >= TRIES),
            }
        }

        #[test]
        fn errors_unrelated_to_the_file_give_up_none(tries: u32) {
            let until = Timestamp::from_micros(7);
            for (error, rest) in [
                (TakeError::NoSpace.into(), Next::Rest("disk_full", None)),
                (DownloadError::FloodWait { until }.into(), Next::Rest("flood_wait", Some(until))),
                (DownloadError::NoAccount { asked: Vec::new() }.into(), Next::Rest("not_connected", None)),
            ] {
                prop_assert_eq!(next(&error, tries), rest);
            }
        }
    }

    #[test]
    fn missing_files_are_given_up_at_once() {
        for error in [DownloadError::NoSuchMessage, DownloadError::NoMedia, DownloadError::HandedOutElsewhere]
        {
            assert_eq!(next(&error.into(), 0), Next::GiveUp);
        }
        assert_eq!(next(&TakeError::TooLarge { most: 1 }.into(), 0), Next::GiveUp);
    }
}
