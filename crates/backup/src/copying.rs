//! One copy on its way to its destination: read, encrypted where that is wanted, hashed, and handed on piece by piece.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::destination::{CopyName, Destination, DestinationError, PIECE};
use super::seal::{self, Recipient};

/// Why a copy came to nothing. The backup itself is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CopyError {
    #[error(transparent)]
    Destination(#[from] DestinationError),
    /// A file on this side cannot be read or written.
    #[error("{}: {source}", file.display())]
    File {
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    #[error("the program is stopping")]
    Stopping,
    #[error("it broke down: {0}")]
    BrokeDown(String),
}

/// What was written, or read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
}

/// Copies a file to its destination. Half a copy is removed.
pub(crate) async fn send(
    file: PathBuf,
    to: &Destination,
    name: &CopyName,
    stopping: &CancellationToken,
) -> Result<Passed, CopyError> {
    let (pieces, mut handed) = mpsc::channel(1);
    let mut upload = tokio::select! {
        begun = to.begin(name) => begun?,
        () = stopping.cancelled() => return Err(CopyError::Stopping),
    };
    let recipient = to.recipient.clone();
    let reading = tokio::task::spawn_blocking(move || {
        read(&file, recipient.as_ref(), pieces).map_err(|source| CopyError::File { file, source })
    });
    let handing = async {
        while let Some(piece) = handed.recv().await {
            to.write(&mut upload, piece).await?;
        }
        Ok::<_, CopyError>(())
    };
    let handed_on = tokio::select! {
        handed_on = handing => handed_on,
        () = stopping.cancelled() => Err(CopyError::Stopping),
    };
    // A reader whose pieces are wanted no more ends with an error of its own.
    drop(handed);
    let read = reading.await.unwrap_or_else(|error| Err(CopyError::BrokeDown(error.to_string())));
    match handed_on.and(read) {
        Ok(passed) => {
            to.finish(upload, passed.bytes).await?;
            Ok(passed)
        }
        Err(error) => {
            to.abort(upload).await;
            Err(error)
        }
    }
}

/// Fetches a copy into a file that is not there yet.
pub(crate) async fn fetch(from: &Destination, name: &CopyName, into: PathBuf) -> Result<Passed, CopyError> {
    let (pieces, mut handed) = mpsc::channel::<Bytes>(1);
    let writing = tokio::task::spawn_blocking(move || {
        let failed = |source| CopyError::File { file: into.clone(), source };
        let mut hashing = Hashing::new(super::folder::create_fresh(&into).map_err(failed)?);
        while let Some(piece) = handed.blocking_recv() {
            hashing.write_all(&piece).map_err(failed)?;
        }
        Ok(hashing.end())
    });
    let read = from.read(name, &pieces).await;
    drop(pieces);
    let written = writing.await.unwrap_or_else(|error| Err(CopyError::BrokeDown(error.to_string())));
    read?;
    written
}

/// Blocks on the disk and on the receiver of the pieces.
fn read(file: &Path, recipient: Option<&Recipient>, pieces: mpsc::Sender<Bytes>) -> io::Result<Passed> {
    let mut file = File::open(file)?;
    let to = Hashing::new(Pieces { buffer: BytesMut::with_capacity(PIECE), pieces });
    let mut written = match recipient {
        None => {
            let mut to = to;
            io::copy(&mut file, &mut to)?;
            to
        }
        Some(recipient) => {
            let mut sealing = seal::sealing(to, recipient)?;
            io::copy(&mut file, &mut sealing)?;
            sealing.finish()?
        }
    };
    written.flush()?;
    Ok(written.end())
}

/// Gathers what is written into pieces of one size, and hands them on.
struct Pieces {
    buffer: BytesMut,
    pieces: mpsc::Sender<Bytes>,
}

impl Write for Pieces {
    fn write(&mut self, some: &[u8]) -> io::Result<usize> {
        let taken = some.len().min(PIECE - self.buffer.len());
        self.buffer.extend_from_slice(some.get(..taken).unwrap_or_default());
        if self.buffer.len() == PIECE {
            self.flush()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.buffer, BytesMut::with_capacity(PIECE)).freeze();
        self.pieces.blocking_send(piece).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

/// Hashes and counts what is written through it.
struct Hashing<W> {
    inner: W,
    hash: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), bytes: 0 }
    }

    fn end(self) -> Passed {
        Passed { bytes: self.bytes, sha256: hex::encode(self.hash.finalize()) }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, some: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(some)?;
        self.hash.update(some.get(..written).unwrap_or_default());
        self.bytes += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
