//! A side of a move: it answers the one who conducts it, over whatever carries the bytes, and does what it is asked.

use std::fs::{DirBuilder, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::{Clock, FileLock};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::{Fence, Side};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader};

use crate::files::{self, FileEntry};
use crate::journal::{self, Journal};
use crate::ownership::adopt_journal;
use crate::place;
use crate::record::{RECORD, record};
use crate::step::Step;
use crate::wire::{self, Message};

/// How often a side that works says that it is there.
const ALIVE: Duration = Duration::from_secs(3);

/// How long a side waits for another process that serves it, and how often it looks.
const ALONE: Duration = Duration::from_secs(30);
const LOOK: Duration = Duration::from_millis(50);

/// The most blocks whose sums, or whose bytes, go in one message.
pub(crate) const SUMS: u64 = 1024;
pub(crate) const BLOCKS: usize = 64;

/// What the conductor asks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
pub(crate) enum Request {
    /// Who the side is, and what it knows of moves.
    Hello { version: String },
    /// Keep this as the journal.
    Journal { journal: Box<Journal> },
    /// Do a step.
    Do { step: Step, order: Box<Order> },
    /// The files that move.
    Files,
    /// Sums of blocks of a file: of the data directory, or of what came over.
    Sums { name: String, incoming: bool, from: u64 },
    /// The bytes of blocks.
    Read { name: String, blocks: Vec<u64> },
    /// Write blocks of a file that comes over.
    Write { name: String, blocks: Vec<u64> },
    /// A file came over: its size, and the sum of the whole.
    Settle { name: String, bytes: u64 },
    /// What comes over is all of this and nothing else.
    Only { files: Vec<FileEntry> },
}

/// What a side answers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub(crate) enum Answer {
    /// It works; the answer comes.
    Alive,
    Hello {
        hello: Box<Hello>,
    },
    Done {
        facts: Value,
    },
    Files {
        files: Vec<FileEntry>,
    },
    Settled {
        sum: String,
    },
    Failed {
        failed: Failed,
    },
}

/// Who a side is.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Hello {
    pub(crate) version: String,
    pub(crate) side: Side,
    pub(crate) journal: Option<Journal>,
    /// The largest number of a fence that it knows.
    pub(crate) number: i64,
}

/// What a step needs to know.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Order {
    pub journal: Journal,
    /// When it was asked for, by the clock of the one who conducts.
    pub at: Timestamp,
    /// What the step gets from the other side: facts of its audit, or a sealed parcel.
    #[serde(default)]
    pub given: Value,
}

/// Why a step was not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{what}")]
pub struct Failed {
    pub code: FailedCode,
    pub what: String,
}

/// What kind of reason.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailedCode {
    /// It may be done later: another process is in the way, or something does not answer.
    Passing,
    /// It cannot be done as things are.
    Refused,
}

domain::enum_words!(FailedCode);

impl Failed {
    pub fn refused(what: impl Into<String>) -> Self {
        Self { code: FailedCode::Refused, what: what.into() }
    }

    pub fn passing(what: impl Into<String>) -> Self {
        Self { code: FailedCode::Passing, what: what.into() }
    }
}

/// What does the steps of a side; the rest of a side is here.
pub trait Performer {
    /// Does a step; done again it does what is left. What it returns goes into the journal and is never a secret, but that of
    /// [`Step::Environment`] asked of the old side, which is a sealed parcel.
    fn perform(&mut self, step: Step, order: &Order) -> impl Future<Output = Result<Value, Failed>>;

    /// The settings file, if it is in the data directory: it moves in another way.
    fn settings_file(&self) -> Option<PathBuf>;
}

/// Answers until the line ends.
///
/// # Errors
/// The line or the data directory cannot be used.
pub async fn serve(
    data_dir: &Path,
    side: Side,
    version: &str,
    performer: &mut impl Performer,
    clock: &Clock,
    line: (impl AsyncRead + Unpin + Send, impl AsyncWrite + Unpin + Send),
) -> io::Result<()> {
    let (from, mut to) = line;
    let mut from = BufReader::new(from);
    wire::greet(&mut to).await?;
    let mut lock = None;
    loop {
        let message = match wire::receive(&mut from).await {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            message => message?,
        };
        let request: Request = serde_json::from_slice(&message.head)?;
        if matches!(request, Request::Journal { .. }) && lock.is_none() {
            match alone(data_dir, clock).await {
                Ok(taken) => lock = Some(taken),
                Err(failed) => {
                    say(&mut to, &Answer::Failed { failed }, Vec::new()).await?;
                    continue;
                }
            }
        }
        let mut body = Vec::new();
        let mut is_waited_for = true;
        let answer = {
            let mut work =
                std::pin::pin!(answer(data_dir, &side, version, performer, request, message.body, &mut body));
            loop {
                tokio::select! {
                    biased;
                    answer = &mut work => break answer,
                    () = clock.sleep(ALIVE) => say(&mut to, &Answer::Alive, Vec::new()).await?,
                    // The one who asked is gone: what is half done is done again when it is asked for again.
                    more = from.fill_buf(), if is_waited_for => {
                        if more?.is_empty() {
                            return Ok(());
                        }
                        is_waited_for = false;
                    }
                }
            }
        };
        say(&mut to, &answer, body).await?;
    }
}

/// Keeps other processes from serving the same side at once: one whose line was cut may not know it yet.
async fn alone(data_dir: &Path, clock: &Clock) -> Result<FileLock, Failed> {
    let deadline = clock.now().plus(ALONE);
    loop {
        let taken = on_disk(data_dir, |dir| {
            let folder = dir.join(journal::FOLDER);
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            let mut options = OpenOptions::new();
            let file = options
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(folder.join("serving.lock"))?;
            match FileLock::take(file) {
                Ok(lock) => Ok(Some(lock)),
                Err(TryLockError::WouldBlock) => Ok(None),
                Err(TryLockError::Error(error)) => Err(error),
            }
        })
        .await?;
        match taken {
            Some(lock) => return Ok(lock),
            None if clock.now() > deadline => {
                let what = format!("another move works on {}; let it end first", data_dir.display());
                return Err(Failed::refused(what));
            }
            None => clock.sleep(LOOK).await,
        }
    }
}

async fn say(to: &mut (impl AsyncWrite + Unpin), answer: &Answer, body: Vec<u8>) -> io::Result<()> {
    wire::send(to, &Message { head: serde_json::to_vec(answer)?, body }).await
}

async fn answer(
    data_dir: &Path,
    side: &Side,
    version: &str,
    performer: &mut impl Performer,
    request: Request,
    body: Vec<u8>,
    out: &mut Vec<u8>,
) -> Answer {
    let answered = match request {
        Request::Hello { .. } => hello(data_dir, side, version).await,
        Request::Journal { journal } => {
            let side = side.clone();
            on_disk(data_dir, move |dir| {
                DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
                let side = store::side_of(dir, || side).map_err(io::Error::other)?;
                if side.id == journal.new.id {
                    // From here on no server starts on this side before it is given the sessions.
                    store::remember_fence(dir, &journal.fence_before()).map_err(io::Error::other)?;
                    if journal.is_back() && !journal.progress.is_begun(Step::Place) {
                        // On a disk that is full there may be no room for the journal else.
                        place::clear(dir).map_err(io::Error::other)?;
                    }
                }
                journal::write(dir, &journal)?;
                std::fs::write(dir.join(journal::FOLDER).join(RECORD), record(&journal))?;
                adopt_journal(dir)
            })
            .await
            .map(|()| Answer::Done { facts: Value::Null })
        }
        Request::Do { step, order } => {
            performer.perform(step, &order).await.map(|facts| Answer::Done { facts })
        }
        Request::Files => {
            let but = performer.settings_file();
            on_disk(data_dir, move |dir| files::list(dir, but.as_deref()))
                .await
                .map(|files| Answer::Files { files })
        }
        Request::Sums { name, incoming, from } => {
            let file = match named(data_dir, &name, incoming) {
                Ok(file) => file,
                Err(failed) => return Answer::Failed { failed },
            };
            match on_disk(data_dir, move |_| files::sums(&file, from, SUMS)).await {
                Ok(sums) => {
                    *out = sums.concat();
                    Ok(Answer::Done { facts: Value::Null })
                }
                Err(failed) => Err(failed),
            }
        }
        Request::Read { name, blocks } => {
            let file = match named(data_dir, &name, false) {
                Ok(file) => file,
                Err(failed) => return Answer::Failed { failed },
            };
            let blocks: Vec<u64> = blocks.into_iter().take(BLOCKS).collect();
            match on_disk(data_dir, move |_| files::read_blocks(&file, &blocks)).await {
                Ok(bytes) => {
                    *out = bytes;
                    Ok(Answer::Done { facts: Value::Null })
                }
                Err(failed) => Err(failed),
            }
        }
        Request::Write { name, blocks } => match named(data_dir, &name, true) {
            Ok(file) => on_disk(data_dir, move |_| files::write_blocks(&file, &blocks, &body))
                .await
                .map(|()| Answer::Done { facts: Value::Null }),
            Err(failed) => Err(failed),
        },
        Request::Settle { name, bytes } => match named(data_dir, &name, true) {
            Ok(file) => on_disk(data_dir, move |_| files::settle(&file, bytes))
                .await
                .map(|sum| Answer::Settled { sum }),
            Err(failed) => Err(failed),
        },
        Request::Only { files } => {
            if let Some(wrong) = files.iter().find(|entry| !files::belongs(&entry.name)) {
                return Answer::Failed { failed: foreign(&wrong.name) };
            }
            on_disk(data_dir, move |dir| {
                files::keep_only(dir, &files)?;
                files::seed(dir, &files)
            })
            .await
            .map(|()| Answer::Done { facts: Value::Null })
        }
    };
    answered.unwrap_or_else(|failed| Answer::Failed { failed })
}

async fn hello(data_dir: &Path, side: &Side, version: &str) -> Result<Answer, Failed> {
    let (journal, remembered) = on_disk(data_dir, |dir| {
        let journal = journal::read(dir)?;
        let fence: Option<Fence> = store::remembered_fence(dir).map_err(io::Error::other)?;
        Ok((journal, fence))
    })
    .await?;
    let number =
        remembered.map_or(0, |fence| fence.number).max(journal.as_ref().map_or(0, Journal::last_number));
    let hello = Hello { version: version.to_owned(), side: side.clone(), journal, number };
    Ok(Answer::Hello { hello: Box::new(hello) })
}

/// The path of a file that the other side names.
fn named(data_dir: &Path, name: &str, incoming: bool) -> Result<PathBuf, Failed> {
    if !files::belongs(name) {
        return Err(foreign(name));
    }
    Ok(if incoming { files::incoming(data_dir).join(name) } else { data_dir.join(name) })
}

fn foreign(name: &str) -> Failed {
    let name: String = name.chars().take(100).collect();
    Failed::refused(format!("{name:?} is no file that moves"))
}

/// Works on the disk, on a thread that may block.
async fn on_disk<T: Send + 'static>(
    data_dir: &Path,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> Result<T, Failed> {
    let dir = data_dir.to_owned();
    let done = tokio::task::spawn_blocking(move || work(&dir)).await;
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) if error.kind() == io::ErrorKind::StorageFull => {
            Err(Failed::refused(format!("the disk of {} is full; free some space", data_dir.display())))
        }
        Ok(Err(error)) => Err(Failed::refused(format!("{}: {error}", data_dir.display()))),
        Err(error) => Err(Failed::passing(error.to_string())),
    }
}
