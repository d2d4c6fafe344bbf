//! The files of messages that came in: fetched in the background and stored, before the links of providers end.
//!
//! What is to be fetched are rows of the store, written with their messages: none waits in memory, a kill forgets none, and no
//! provider waits for it.

mod next;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ambient::lock::Mutex;
use ambient::{Chance, Handle};
use domain::media::Sha256;
use domain::{InboundMedia, Timestamp};
use futures::StreamExt as _;
use media::{Content, Held, Outgoing, TakeError};
use outbound::Names;
use store::{
    FetchedInboundFile, InboundFile, InboundFileId, Store, StoreError, StoredInbound, StoredInboundFile,
    WantedInboundFile,
};
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::accounts::{Account, Channels};
use crate::error::CallError;
use crate::http::{Http, NoClient};

pub use next::FetchError;
use next::Next;

/// Files of one account that are fetched at once.
pub(crate) const AT_ONCE: usize = 2;

/// Files of all accounts that are fetched at once.
const AT_ONCE_IN_ALL: usize = 6;

/// Files that are fetched at once because they are asked for.
const CONCURRENT_REQUESTS: usize = 16;

/// How long one that is asked for waits for its turn.
const TURN: Duration = Duration::from_secs(30);

/// How soon it is looked again after what is no fault of a file.
const LOOK_AGAIN: Duration = Duration::from_mins(1);

/// How far the files of an account are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FilesStatus {
    /// Files that are to be fetched.
    pub waiting: u64,
    /// Why none is fetched now: `disk_full`, `disk_failed`, `limited` or `stopped`.
    pub stopped: Option<&'static str>,
}

/// The files of messages that came in. Cheap to clone.
#[derive(Clone)]
pub struct ReceivedFiles(Handle<Inner>);

struct Inner {
    channels: Channels,
    store: Store,
    folder: Outgoing,
    chance: Chance,
    /// Fetches the files that callers name.
    of_callers: Http,
    /// Those that are being fetched in the background.
    fetching: Mutex<HashSet<InboundFileId>>,
    turns: Semaphore,
    requests: Semaphore,
    /// Counts the messages that came in.
    came: watch::Sender<u64>,
}

/// A file in the folder of received files.
pub struct OpenedFile {
    pub file: StoredInboundFile,
    /// Of one that is stored for no longer than it is read.
    pub held: Option<Held>,
}

/// Why a file is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Its provider does not have it any more.
    #[error("{0}")]
    Gone(String),
    /// Too many are fetched already.
    #[error("too many files are fetched already")]
    Busy,
    /// It could not be fetched now.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How long to wait.
enum Wait {
    /// Whatever happens.
    Until(Timestamp),
    /// Or until a message comes in.
    Due(Option<Timestamp>),
}

/// Notes that a file is being fetched, for as long as it is.
struct Claim<'a>(&'a Mutex<HashSet<InboundFileId>>, InboundFileId);

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

impl ReceivedFiles {
    /// The files of these accounts, in this folder. None is fetched before [`crate::Reception::start`]. Files of messages that were
    /// handed in come from addresses that `names` lets pass.
    ///
    /// # Errors
    /// No client can be made.
    pub fn new(
        channels: Channels,
        store: Store,
        folder: Outgoing,
        chance: Chance,
        names: Names,
    ) -> Result<Self, NoClient> {
        let of_callers = Http::of_callers(channels.clock().clone(), names)?;
        Ok(Self(Handle::new(Inner {
            channels,
            store,
            folder,
            chance,
            of_callers,
            fetching: Mutex::default(),
            turns: Semaphore::new(AT_ONCE_IN_ALL),
            requests: Semaphore::new(CONCURRENT_REQUESTS),
            came: watch::Sender::new(0),
        })))
    }

    /// Messages came in.
    pub(crate) fn wake(&self) {
        self.0.came.send_modify(|count| *count += 1);
    }

    /// Fetches files of an account, one after the other, for as long as it is polled.
    pub(crate) async fn run(&self, account: &Arc<Account>) {
        let clock = self.0.channels.clock();
        let mut came = self.0.came.subscribe();
        loop {
            came.borrow_and_update();
            let wait = self.0.step(account).await.unwrap_or_else(|error| {
                tracing::debug!(account = %account.name(), %error, "files are not fetched now");
                Wait::Until(clock.now().plus(LOOK_AGAIN))
            });
            match wait {
                Wait::Until(at) => clock.sleep_until(at).await,
                // The sender lives in `self`.
                Wait::Due(None) => drop(came.changed().await),
                Wait::Due(Some(at)) => tokio::select! {
                    _ = came.changed() => {}
                    () = clock.sleep_until(at) => {}
                },
            }
        }
    }

    /// A file of a message: the stored one, or fetched now; none of a message without such a file.
    ///
    /// # Errors
    /// It is gone at its provider, or cannot be fetched now.
    pub async fn open(&self, stored: &StoredInbound, place: u32) -> Result<Option<OpenedFile>, OpenError> {
        let inner = &self.0;
        let Some(media) = named(stored, place) else { return Ok(None) };
        let id = InboundFileId { message: stored.id, place };
        let files = inner.store.channels().files(stored.id).await?;
        let row = files.into_iter().find(|(known, _)| *known == place).map(|(_, file)| file);
        let is_stored = row.is_some();
        match row {
            Some(InboundFile::Stored(file)) if inner.is_here(&file).await => {
                return Ok(Some(OpenedFile { file, held: None }));
            }
            Some(InboundFile::Gone(why)) => return Err(OpenError::Gone(why)),
            _ => {}
        }
        let name = &stored.address.account;
        let account = inner.channels.get(name).ok_or(FetchError::NoAccount)?;
        let turn = inner.channels.clock().timeout(TURN, inner.requests.acquire()).await;
        let _turn = turn.ok().and_then(Result::ok).ok_or(OpenError::Busy)?;
        let (held, mime) = match inner.fetch(account, media).await {
            Ok(fetched) => fetched,
            Err(error) if error.is_gone() => return Err(OpenError::Gone(error.to_string())),
            Err(error) => return Err(error.into()),
        };
        let file = stored_file(&held, mime);
        if !is_stored {
            return Ok(Some(OpenedFile { file, held: Some(held) }));
        }
        let is_noted = inner.keep(account, id, &file, held).await?;
        Ok(is_noted.then_some(OpenedFile { file, held: None }))
    }

    /// Where a file is.
    pub fn path(&self, opened: &OpenedFile) -> PathBuf {
        self.0.folder.path(&opened.file.key)
    }
}

impl Inner {
    /// Fetches one file, where one is due.
    async fn step(&self, account: &Arc<Account>) -> Result<Wait, StoreError> {
        let (clock, store) = (self.channels.clock(), self.store.channels());
        let (channel, name) = (&account.channel, account.name());
        let is_stopped = account.status().stopped.is_some();
        let claimed = if is_stopped { None } else { self.claim(account).await? };
        // The count comes after the claim, so that it includes the claimed file.
        let waiting = store.files_waiting(channel, name).await?;
        let show =
            |waiting, stopped| account.change(|status| status.files = FilesStatus { waiting, stopped });
        if is_stopped {
            show(waiting, Some("stopped").filter(|_| waiting > 0));
            return Ok(Wait::Until(clock.now().plus(LOOK_AGAIN)));
        }
        let Some((wanted, _claim)) = claimed else {
            // What keeps those that are being fetched from coming is not known here, and may be shown meanwhile.
            account.change(|status| {
                let stopped = status.files.stopped.filter(|_| waiting > 0);
                status.files = FilesStatus { waiting, stopped };
            });
            return Ok(Wait::Due(None));
        };
        if wanted.due_at > clock.now() {
            show(waiting, None);
            return Ok(Wait::Due(Some(wanted.due_at)));
        }
        let _turn = self.turn().await;
        let id = wanted.id;
        // It may have been stored since it was read that it is wanted.
        let files = store.files(id.message).await?;
        if !files.contains(&(id.place, InboundFile::Wanted)) {
            return Ok(Wait::Until(clock.now()));
        }
        let stored = store.get(id.message).await?;
        let Some(media) = stored.as_ref().and_then(|stored| named(stored, id.place)) else {
            store.note_file(id, FetchedInboundFile::Gone("its message is gone".to_owned())).await?;
            return Ok(Wait::Until(clock.now()));
        };
        let error = match self.fetch(account, media).await {
            Ok((held, mime)) => {
                let file = stored_file(&held, mime);
                self.keep(account, id, &file, held).await?;
                show(waiting.saturating_sub(1), None);
                return Ok(Wait::Until(clock.now()));
            }
            Err(error) => error,
        };
        let (now, why) = (clock.now(), error.to_string());
        let (mut stopped, mut until) = (None, now);
        match error.next(wanted.tries, now.since(Timestamp::from_micros(id.message.get()))) {
            Next::Retry(after) => {
                let (tries, due_at) = (wanted.tries + 1, now.plus(self.chance.jitter(after)));
                tracing::debug!(account = %name, message = %id.message, why, "a file is fetched again later");
                store.note_file(id, FetchedInboundFile::PutOff { tries, due_at }).await?;
            }
            next @ (Next::Gone | Next::TooLarge) => {
                tracing::warn!(account = %name, message = %id.message, why, "the file of a message is not stored");
                let fetched = match next {
                    Next::TooLarge => FetchedInboundFile::TooLarge(why),
                    _ => FetchedInboundFile::Gone(why),
                };
                store.note_file(id, fetched).await?;
            }
            Next::Rest(reason, wait) => {
                if account.status().files.stopped != Some(reason) {
                    tracing::warn!(account = %name, reason, why, waiting, "no files are fetched for now");
                }
                stopped = Some(reason);
                until = now.plus(wait.unwrap_or(LOOK_AGAIN));
            }
        }
        show(waiting, stopped);
        Ok(Wait::Until(until))
    }

    /// The next file of an account that is not being fetched, which may be due later.
    async fn claim(&self, account: &Account) -> Result<Option<(WantedInboundFile, Claim<'_>)>, StoreError> {
        let most = u32::try_from(AT_ONCE).unwrap_or(u32::MAX);
        let wanted = self.store.channels().wanted_files(&account.channel, account.name(), most).await?;
        let mut fetching = self.fetching.lock();
        let free = wanted.into_iter().find(|wanted| !fetching.contains(&wanted.id));
        Ok(free.map(|wanted| {
            fetching.insert(wanted.id);
            let claim = Claim(&self.fetching, wanted.id);
            (wanted, claim)
        }))
    }

    async fn turn(&self) -> Option<SemaphorePermit<'_>> {
        // Never closed; each turn ends with the limits of one file.
        self.turns.acquire().await.ok()
    }

    /// Brings a file into the folder; with its type, as far as it is known.
    async fn fetch(
        &self,
        account: &Account,
        media: &InboundMedia,
    ) -> Result<(Held, Option<String>), FetchError> {
        let intake = self.folder.intake().clone().up_to(account.fields.media_up_to);
        let most = intake.limits().most;
        if media.size.is_some_and(|size| size > most) {
            return Err(TakeError::TooLarge { most }.into());
        }
        let fetched = if media.is_handed_in {
            let url = media.url.as_deref();
            let url = url.ok_or_else(|| CallError::NotFound("the file has no address".to_owned()))?;
            self.of_callers.download(self.of_callers.get(url), most).await?
        } else {
            account.provider.fetch(media, most).await?
        };
        let mut broke: Option<CallError> = None;
        let pieces = fetched.content.map(|piece| piece.inspect_err(|error| broke = Some(error.clone())));
        let taken = intake.stream(fetched.size, pieces).await;
        let taken = match (taken, broke) {
            (Ok(taken), _) => taken,
            (Err(_), Some(error)) => return Err(error.into()),
            (Err(error), None) => return Err(error.into()),
        };
        // What its content shows counts more than what is said of it.
        let sniffed = media::kind::mime(taken.facts.content, media.name.as_deref().unwrap_or_default());
        let shown = Some(sniffed).filter(|sniffed| *sniffed != Content::Unknown.mime()).map(str::to_owned);
        let mime = shown.or_else(|| media.mime.clone()).or(fetched.mime);
        let held = self.folder.hold(taken).map_err(TakeError::Disk)?;
        Ok((held, mime))
    }

    /// Notes that a file is stored; says whether its message is kept. The file stays first: what comes of a write that is cut short
    /// is not known, and a file without a row is swept away.
    async fn keep(
        &self,
        account: &Account,
        id: InboundFileId,
        file: &StoredInboundFile,
        held: Held,
    ) -> Result<bool, StoreError> {
        held.keep();
        let stored = FetchedInboundFile::Stored(file.clone());
        let is_noted = self.store.channels().note_file(id, stored).await?;
        if !is_noted && let Err(error) = self.folder.remove(&file.key).await {
            tracing::debug!(account = %account.name(), %error, "a file that is not wanted any more is left to the sweep");
        }
        Ok(is_noted)
    }

    async fn is_here(&self, file: &StoredInboundFile) -> bool {
        tokio::fs::try_exists(self.folder.path(&file.key)).await.unwrap_or(false)
    }
}

fn named(stored: &StoredInbound, place: u32) -> Option<&InboundMedia> {
    stored.message.media.get(usize::try_from(place).ok()?).filter(|media| media.kind.is_file())
}

fn stored_file(held: &Held, mime: Option<String>) -> StoredInboundFile {
    StoredInboundFile { key: held.key().clone(), sha256: Sha256(held.taken().sha256), mime }
}
