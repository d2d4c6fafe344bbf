//! Copies in a folder, such as one on another disk or on the disk of another machine.

use std::io;
use std::path::{Path, PathBuf};

use bytes::{Bytes, BytesMut};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{CopyName, DestinationError, PIECE};

#[derive(Debug)]
pub(super) struct CopyFolder(PathBuf);

/// A copy on its way into the folder, under another name until it is whole.
pub(crate) struct FolderCopy {
    folder: PathBuf,
    partial: PathBuf,
    whole: PathBuf,
    file: File,
}

fn failed(file: &Path) -> impl FnOnce(io::Error) -> DestinationError {
    let file = file.to_owned();
    move |source| DestinationError::File { file, source }
}

impl CopyFolder {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    fn file(&self, name: &CopyName) -> PathBuf {
        self.0.join(name.to_string())
    }

    pub(super) async fn begin(&self, name: &CopyName) -> Result<FolderCopy, DestinationError> {
        if !fs::metadata(&self.0).await.is_ok_and(|found| found.is_dir()) {
            return Err(DestinationError::NoFolder { folder: self.0.clone() });
        }
        let partial = self.0.join(format!("{name}.partial"));
        // What an earlier attempt left; never what a link leads to.
        match fs::remove_file(&partial).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&partial)(error)),
            _ => {}
        }
        let opened = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&partial).await;
        let file = opened.map_err(failed(&partial))?;
        Ok(FolderCopy { folder: self.0.clone(), whole: self.file(name), partial, file })
    }

    pub(super) async fn open(&self, name: &CopyName) -> Result<File, DestinationError> {
        let file = self.file(name);
        File::open(&file).await.map_err(failed(&file))
    }

    /// The next piece; an empty one at the end.
    pub(super) async fn read(&self, name: &CopyName, file: &mut File) -> Result<Bytes, DestinationError> {
        let mut piece = BytesMut::with_capacity(PIECE);
        file.read_buf(&mut piece).await.map_err(failed(&self.file(name)))?;
        Ok(piece.freeze())
    }

    pub(super) async fn remove(&self, name: &CopyName) -> Result<(), DestinationError> {
        let file = self.file(name);
        match fs::remove_file(&file).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&file)(error)),
            // Not the copy alone is gone where its disk is not mounted.
            Err(_) if fs::metadata(&self.0).await.is_err() => {
                Err(DestinationError::NoFolder { folder: self.0.clone() })
            }
            _ => Ok(()),
        }
    }
}

impl FolderCopy {
    pub(super) async fn write(&mut self, piece: &[u8]) -> Result<(), DestinationError> {
        self.file.write_all(piece).await.map_err(failed(&self.partial))
    }

    pub(super) async fn finish(mut self, bytes: u64) -> Result<(), DestinationError> {
        let whole = async {
            self.file.flush().await?;
            self.file.sync_all().await?;
            let found = self.file.metadata().await?.len();
            if found == bytes {
                fs::rename(&self.partial, &self.whole).await?;
                File::open(&self.folder).await?.sync_all().await?;
            }
            Ok(found)
        };
        let wrong = match whole.await {
            Ok(found) if found == bytes => return Ok(()),
            Ok(found) => {
                DestinationError::Short { name: self.whole.display().to_string(), sent: bytes, found }
            }
            Err(error) => failed(&self.whole)(error),
        };
        // What stays in the way is overwritten by the next attempt.
        let _ = fs::remove_file(&self.partial).await;
        Err(wrong)
    }

    pub(super) async fn abort(self) -> Result<(), DestinationError> {
        fs::remove_file(&self.partial).await.map_err(failed(&self.partial))
    }
}
