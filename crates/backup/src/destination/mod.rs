//! Where copies of backups go: a folder on another disk, or a bucket. Copies there are whole or not there.

mod bucket;
mod folder;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use bytes::Bytes;
use config::BackupCopySettings;
use tokio::time::timeout;

use self::bucket::{Bucket, BucketCopy};
use self::folder::{CopyFolder, FolderCopy};
use super::name::BackupName;
use super::seal::{InvalidRecipient, Recipient};

/// How much is written and read at a time, in bytes: of a bucket one part, of which there are 10,000 at most.
pub(crate) const PIECE: usize = 8 << 20;

/// How long one piece may take. Disks and networks have their own time, so it is not the clock's.
const SILENCE: Duration = Duration::from_mins(5);

/// What names of encrypted copies end with.
pub(crate) const ENCRYPTED: &str = ".age";

/// Why something could not be done at the destination.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// Its disk is not mounted.
    #[error("there is no folder {}; is its disk mounted? It is not made by itself", folder.display())]
    NoFolder { folder: PathBuf },
    /// A file there cannot be read or written.
    #[error("{}: {source}", file.display())]
    File {
        file: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    #[error("{bucket}: {what}")]
    Bucket { bucket: String, what: String },
    #[error("{0} did not answer for five minutes")]
    Silent(String),
    #[error("of {name}, {found} bytes of {sent} arrived")]
    Short { name: String, sent: u64, found: u64 },
    #[error(transparent)]
    Recipient(#[from] InvalidRecipient),
}

/// The name of a copy: that of its backup, and whether it is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CopyName {
    pub(crate) backup: BackupName,
    pub(crate) is_encrypted: bool,
}

impl fmt::Display for CopyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.backup, if self.is_encrypted { ENCRYPTED } else { "" })
    }
}

#[derive(Debug)]
enum Backend {
    Folder(CopyFolder),
    Bucket(Bucket),
}

#[derive(Debug)]
pub(crate) struct Destination {
    backend: Backend,
    pub(crate) recipient: Option<Recipient>,
}

/// A copy on its way. Dropped, it leaves something behind that is no copy.
pub(crate) enum Upload {
    Folder(FolderCopy),
    Bucket(BucketCopy),
}

impl fmt::Debug for Recipient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Recipient")
    }
}

impl Destination {
    /// The destination of the settings, where they name one. Nothing is asked there yet.
    pub(crate) fn of(
        settings: &BackupCopySettings,
        data_dir: &Path,
    ) -> Result<Option<Self>, DestinationError> {
        let backend = match (&settings.folder, &settings.bucket) {
            (Some(folder), _) => Backend::Folder(CopyFolder::new(data_dir.join(folder))),
            (None, Some(bucket)) => Backend::Bucket(Bucket::new(bucket, settings)?),
            (None, None) => return Ok(None),
        };
        let recipient = settings.recipient.as_deref().map(Recipient::from_str).transpose()?;
        Ok(Some(Self { backend, recipient }))
    }

    /// Where it is: a path, or `s3://bucket/prefix`.
    pub(crate) fn address(&self) -> String {
        match &self.backend {
            Backend::Folder(folder) => folder.path().display().to_string(),
            Backend::Bucket(bucket) => bucket.address().to_owned(),
        }
    }

    pub(crate) fn name(&self, backup: &BackupName) -> CopyName {
        CopyName { backup: backup.clone(), is_encrypted: self.recipient.is_some() }
    }

    pub(crate) async fn begin(&self, name: &CopyName) -> Result<Upload, DestinationError> {
        let begun = async {
            match &self.backend {
                Backend::Folder(folder) => folder.begin(name).await.map(Upload::Folder),
                Backend::Bucket(bucket) => bucket.begin(name).await.map(Upload::Bucket),
            }
        };
        self.limited(begun).await
    }

    pub(crate) async fn write(&self, upload: &mut Upload, piece: Bytes) -> Result<(), DestinationError> {
        self.limited(async {
            match upload {
                Upload::Folder(copy) => copy.write(&piece).await,
                Upload::Bucket(copy) => copy.write(piece).await,
            }
        })
        .await
    }

    /// Makes a copy of so many bytes whole: from now on it has its name.
    pub(crate) async fn finish(&self, upload: Upload, bytes: u64) -> Result<(), DestinationError> {
        self.limited(async {
            match upload {
                Upload::Folder(copy) => copy.finish(bytes).await,
                Upload::Bucket(copy) => copy.finish(bytes).await,
            }
        })
        .await
    }

    /// Removes what was written of a copy that does not become whole.
    pub(crate) async fn abort(&self, upload: Upload) {
        let aborted = self.limited(async {
            match upload {
                Upload::Folder(copy) => copy.abort().await,
                Upload::Bucket(copy) => copy.abort().await,
            }
        });
        if let Err(error) = aborted.await {
            tracing::warn!(%error, "half a copy of a backup cannot be removed");
        }
    }

    /// Reads a copy, piece by piece, and hands each on as long as that is wanted.
    pub(crate) async fn read(
        &self,
        name: &CopyName,
        pieces: &tokio::sync::mpsc::Sender<Bytes>,
    ) -> Result<(), DestinationError> {
        match &self.backend {
            Backend::Folder(folder) => {
                let mut file = self.limited(folder.open(name)).await?;
                loop {
                    let piece = self.limited(folder.read(name, &mut file)).await?;
                    if piece.is_empty() || pieces.send(piece).await.is_err() {
                        return Ok(());
                    }
                }
            }
            Backend::Bucket(bucket) => {
                let mut stream = self.limited(bucket.open(name)).await?;
                while let Some(piece) = self.limited(bucket.read(&mut stream)).await? {
                    if pieces.send(piece).await.is_err() {
                        return Ok(());
                    }
                }
                Ok(())
            }
        }
    }

    /// Removes a copy; one that is gone already is removed.
    pub(crate) async fn remove(&self, name: &CopyName) -> Result<(), DestinationError> {
        self.limited(async {
            match &self.backend {
                Backend::Folder(folder) => folder.remove(name).await,
                Backend::Bucket(bucket) => bucket.remove(name).await,
            }
        })
        .await
    }

    async fn limited<T>(
        &self,
        work: impl Future<Output = Result<T, DestinationError>>,
    ) -> Result<T, DestinationError> {
        timeout(SILENCE, work).await.unwrap_or_else(|_| Err(DestinationError::Silent(self.address())))
    }
}
