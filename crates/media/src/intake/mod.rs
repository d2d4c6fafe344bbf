//! Intake: bytes from wherever become one file, whose size, hash and content are known.

mod disk;
mod inside;
mod partial;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::{Clock, Ids};
use bytes::{Bytes, BytesMut};
use futures::{Stream, StreamExt, pin_mut, stream};
use tokio::io::{AsyncRead, AsyncReadExt};

pub use disk::Disk;
pub use inside::{Opened, PathError, inside};
pub(crate) use partial::{Doomed, write_whole};
use partial::{Partial, sync_folder};

use crate::kind::Facts;

/// How much is read or written at once, in bytes.
pub(crate) const PIECE: usize = 64 * 1024;

/// After how many bytes the disk is asked again whether there is room.
const ASK_EVERY: u64 = 4 << 20;

/// What taking a file in may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The largest file, in bytes.
    pub most: u64,
    /// The longest wait for the next bytes.
    pub idle: Duration,
    /// The longest that one file may take.
    pub total: Duration,
}

/// A file that is on disk, whole and synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Where it is stored. No one but its taker removes it.
    pub path: PathBuf,
    /// Its size in bytes; never 0.
    pub size: u64,
    pub sha256: [u8; 32],
    pub facts: Facts,
}

#[derive(strum::Display, Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wait {
    /// A connection, the look-up of the name and TLS included.
    #[strum(to_string = "a connection")]
    Connection,
    /// The first line of the answer and its headers.
    #[strum(to_string = "the answer")]
    Answer,
    /// The next bytes.
    #[strum(to_string = "further bytes")]
    NextBytes,
    #[strum(to_string = "the whole file")]
    WholeFile,
}

/// Why a file was not taken. Nothing of it is left on disk.
#[derive(Debug, thiserror::Error)]
pub enum TakeError {
    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// The bound, in bytes.
        most: u64,
    },
    #[error("the file was to have {declared} bytes and had {received}")]
    OtherLength {
        /// What was said before, in bytes.
        declared: u64,
        /// What came, in bytes.
        received: u64,
    },
    #[error("the file broke off: {0}")]
    Broken(String),
    #[error("no longer waiting for {wait}: {} s were the limit", .limit.as_secs())]
    TooSlow { wait: Wait, limit: Duration },
    #[error("the uploads kept may not have more than {most} bytes; try again when older ones have expired")]
    ShelfFull {
        /// The bound, in bytes.
        most: u64,
    },
    #[error("no space is left on the disk")]
    NoSpace,
    #[error("the file could not be written: {0}")]
    Disk(io::Error),
}

impl From<io::Error> for TakeError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Disk(error),
        }
    }
}

/// Why a file of the server was not taken.
#[derive(Debug, thiserror::Error)]
pub enum TakePathError {
    #[error(transparent)]
    Path(#[from] PathError),
    #[error(transparent)]
    Take(#[from] TakeError),
}

/// Takes files into one folder.
#[derive(Clone)]
pub struct Intake {
    folder: PathBuf,
    ids: Ids,
    clock: Clock,
    limits: Limits,
    disk: Disk,
}

impl Intake {
    /// Makes the folder (mode 0700) if it is not there, and removes what a crash left half written. Call it before
    /// anything is taken into the folder: it is the folder's only user.
    pub async fn open(folder: PathBuf, ids: Ids, clock: Clock, limits: Limits) -> io::Result<Self> {
        let made = folder.clone();
        in_background(move || partial::prepare(&made)).await?;
        Ok(Self { folder, ids, clock, limits, disk: Disk::default() })
    }

    /// The same on a disk that is asked in another way.
    #[must_use]
    pub fn on(self, disk: Disk) -> Self {
        Self { disk, ..self }
    }

    /// The same for files of at most so many bytes, where that is less.
    #[must_use]
    pub fn up_to(self, most: u64) -> Self {
        let limits = Limits { most: most.min(self.limits.most), ..self.limits };
        Self { limits, ..self }
    }

    pub const fn limits(&self) -> Limits {
        self.limits
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Takes a stream of bytes. `declared` is the length that was said before, where one was.
    pub async fn stream<S, E>(&self, declared: Option<u64>, bytes: S) -> Result<Taken, TakeError>
    where
        S: Stream<Item = Result<Bytes, E>>,
        E: fmt::Display,
    {
        self.named(&self.fresh_name(), declared, bytes.map(|piece| piece.map_err(broken))).await
    }

    pub async fn reader<R: AsyncRead>(&self, declared: Option<u64>, reader: R) -> Result<Taken, TakeError> {
        self.stream(declared, pieces(reader)).await
    }

    /// Takes a copy of a file of the server, named by a caller, which is inside `media`: see [`inside`]. What is sent
    /// is the copy, so that a file that changes later is not sent in two versions.
    pub async fn path(&self, media: &Path, path: &Path) -> Result<Taken, TakePathError> {
        let (media, path) = (media.to_owned(), path.to_owned());
        let opened = tokio::task::spawn_blocking(move || inside(&media, &path))
            .await
            .map_err(|_| PathError::Unreadable(io::Error::other("the reader stopped")))??;
        let file = tokio::fs::File::from_std(opened.file);
        Ok(self.reader(Some(opened.size), file).await?)
    }

    /// Takes a file that was taken elsewhere, and leaves it there: a second name for the same bytes where the disk can do
    /// that, else a copy.
    pub async fn adopt(&self, other: &Taken) -> Result<Taken, TakeError> {
        let path = self.folder.join(self.fresh_name());
        match tokio::fs::hard_link(&other.path, &path).await {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error.into()),
            Err(_) => {
                let file = tokio::fs::File::open(&other.path).await?;
                return self.reader(Some(other.size), file).await;
            }
        }
        let doomed = Doomed::new(path.clone());
        sync_folder(&path).await?;
        doomed.keep();
        Ok(Taken { path, ..other.clone() })
    }

    fn fresh_name(&self) -> String {
        format!("file_{}", self.ids.next().simple())
    }

    /// Takes a stream under a name that is new in the folder, within the limits of time.
    pub(crate) async fn named<S>(
        &self,
        name: &str,
        declared: Option<u64>,
        bytes: S,
    ) -> Result<Taken, TakeError>
    where
        S: Stream<Item = Result<Bytes, TakeError>>,
    {
        let limit = self.limits.total;
        let taking = Box::pin(self.pour(name, declared, bytes));
        let slow = |_| TakeError::TooSlow { wait: Wait::WholeFile, limit };
        self.clock.timeout(limit, taking).await.map_err(slow)?
    }

    async fn pour<S>(&self, name: &str, declared: Option<u64>, bytes: S) -> Result<Taken, TakeError>
    where
        S: Stream<Item = Result<Bytes, TakeError>>,
    {
        let Limits { most, idle, .. } = self.limits;
        match declared {
            Some(0) => return Err(TakeError::Empty),
            Some(declared) if declared > most => return Err(TakeError::TooLarge { most }),
            _ => {}
        }
        self.disk.has_room(&self.folder, declared.unwrap_or(0))?;
        let mut partial = Partial::create(&self.folder, name)?;
        let mut last_checked = 0;
        pin_mut!(bytes);
        loop {
            let next = self.clock.timeout(idle, bytes.next()).await;
            let slow = TakeError::TooSlow { wait: Wait::NextBytes, limit: idle };
            let piece = match next.map_err(|_| slow)? {
                None => break,
                Some(Ok(piece)) => piece,
                Some(Err(error)) => return Err(cut_short(error, declared, partial.size())),
            };
            let received = partial.size().saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
            if received > most {
                return Err(TakeError::TooLarge { most });
            }
            if let Some(declared) = declared.filter(|declared| received > *declared) {
                return Err(TakeError::OtherLength { declared, received });
            }
            if received - last_checked >= ASK_EVERY {
                last_checked = received;
                self.disk.has_room(&self.folder, 0)?;
            }
            partial.write(piece).await?;
        }
        match (partial.size(), declared) {
            (received, Some(declared)) if received != declared => {
                Err(TakeError::OtherLength { declared, received })
            }
            (0, _) => Err(TakeError::Empty),
            _ => partial.finish().await,
        }
    }
}

/// A stream that ends before its declared length has lied about it, or was cut; the caller is given the numbers.
fn cut_short(error: TakeError, declared: Option<u64>, received: u64) -> TakeError {
    match (error, declared) {
        (TakeError::Broken(_), Some(declared)) if received < declared => {
            TakeError::OtherLength { declared, received }
        }
        (error, _) => error,
    }
}

fn broken<E: fmt::Display>(error: E) -> TakeError {
    TakeError::Broken(error.to_string())
}

fn pieces<R: AsyncRead>(reader: R) -> impl Stream<Item = io::Result<Bytes>> {
    stream::try_unfold(Box::pin(reader), |mut reader| async move {
        let mut piece = BytesMut::with_capacity(PIECE);
        let read = reader.read_buf(&mut piece).await?;
        Ok((read > 0).then(|| (piece.freeze(), reader)))
    })
}

/// Runs what blocks on a thread for such things.
pub(crate) async fn in_background<T, F>(work: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
