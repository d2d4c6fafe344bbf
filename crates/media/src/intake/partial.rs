//! A file while it is being written: under another name, hashed on its way, gone if it does not get whole.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::io::AsyncWriteExt;

use super::{PIECE, TakeError, Taken, in_background};
use crate::kind::{self, Facts};

/// How the names of files end that are not whole.
const ENDING: &str = ".part";

/// Removes a file when it goes out of scope, unless it was kept.
pub(crate) struct Doomed(Option<PathBuf>);

impl Doomed {
    /// Removes this file unless it is kept.
    pub(crate) const fn new(path: PathBuf) -> Self {
        Self(Some(path))
    }

    pub(crate) fn keep(mut self) {
        self.0 = None;
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            // What cannot be removed now is removed by `prepare` at the next start.
            let _ = fs::remove_file(path);
        }
    }
}

/// A file that is being written. Dropped before [`Partial::finish`] it leaves nothing.
pub(crate) struct Partial {
    file: tokio::fs::File,
    /// What is not written yet: a server that sends byte by byte must not cost a call to the system for each.
    held: Vec<u8>,
    hash: Sha256,
    size: u64,
    end: PathBuf,
    doomed: Doomed,
}

impl Partial {
    /// Begins a file that will be called `name`.
    pub(crate) fn create(folder: &Path, name: &str) -> Result<Self, TakeError> {
        let path = folder.join(format!("{name}{ENDING}"));
        // One call without an await: a caller that goes away meanwhile must not leave the file.
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path)?;
        let doomed = Doomed::new(path);
        let mut file = tokio::fs::File::from_std(file);
        file.set_max_buf_size(PIECE);
        Ok(Self {
            file,
            held: Vec::with_capacity(PIECE),
            hash: Sha256::new(),
            size: 0,
            end: folder.join(name),
            doomed,
        })
    }

    /// How much was taken, in bytes.
    pub(crate) const fn size(&self) -> u64 {
        self.size
    }

    pub(crate) async fn write(&mut self, piece: Bytes) -> Result<(), TakeError> {
        self.size = self.size.saturating_add(u64::try_from(piece.len()).unwrap_or(u64::MAX));
        let mut rest = &piece[..];
        while !rest.is_empty() {
            let (fits, later) = rest.split_at(rest.len().min(PIECE - self.held.len()));
            self.held.extend_from_slice(fits);
            rest = later;
            if self.held.len() == PIECE {
                self.write_held().await?;
            }
        }
        Ok(())
    }

    async fn write_held(&mut self) -> io::Result<()> {
        self.hash.update(&self.held);
        self.file.write_all(&self.held).await?;
        self.held.clear();
        Ok(())
    }

    /// Makes it last, looks at what it is, and gives it its name.
    pub(crate) async fn finish(mut self) -> Result<Taken, TakeError> {
        self.write_held().await?;
        self.file.flush().await?;
        self.file.sync_all().await?;
        let mut file = self.file.into_std().await;
        let size = self.size;
        let facts: Facts = in_background(move || kind::look(&mut file, size)).await?;
        // One call without an await, so that it is always known which of the two names there is.
        if let Some(path) = self.doomed.0.as_mut() {
            fs::rename(&path, &self.end)?;
            path.clone_from(&self.end);
        }
        sync_folder(&self.end).await?;
        self.doomed.keep();
        Ok(Taken { path: self.end, size, sha256: self.hash.finalize().into(), facts })
    }
}

/// Makes the names in a file's folder last.
pub(crate) async fn sync_folder(file: &Path) -> io::Result<()> {
    let Some(folder) = file.parent().map(Path::to_owned) else { return Ok(()) };
    in_background(move || fs::File::open(folder)?.sync_all()).await
}

/// Writes a small file so that it is there whole or not at all. Blocks.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(ENDING);
    let partial = path.with_file_name(name);
    let doomed = Doomed::new(partial.clone());
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&partial, path)?;
    doomed.keep();
    match path.parent() {
        Some(folder) => fs::File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// Makes a folder and clears it of files that are not whole. Blocks.
pub(super) fn prepare(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().ends_with(ENDING) && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
