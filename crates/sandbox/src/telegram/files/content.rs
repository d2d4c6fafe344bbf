//! The bytes of a file, on disk: a world with large files stays small in memory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use md5::{Digest, Md5};

/// The largest part of an upload; in the file on disk each part begins at a multiple of it.
pub(super) const STRIDE: u64 = 512 * 1024;

/// The folder where bytes are kept, numbered.
#[derive(Debug, Clone)]
pub(crate) struct Depot {
    folder: PathBuf,
    last: Arc<AtomicU64>,
}

impl Depot {
    /// Makes nothing yet: the folder comes with the first file.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, last: Arc::default() }
    }

    /// A place for a new file.
    pub(super) fn new_file(&self) -> io::Result<TemporaryFile> {
        crate::files::make_private_dir(&self.folder)?;
        let number = self.last.fetch_add(1, Ordering::Relaxed);
        Ok(TemporaryFile(self.folder.join(number.to_string())))
    }

    /// Keeps these bytes, again and again until there are so many.
    pub(crate) fn keep(&self, pattern: &[u8], size: u64) -> io::Result<Content> {
        let disk_file = self.new_file()?;
        let mut file = disk_file.open()?;
        let (mut digest, mut left) = (Md5::new(), size);
        while left > 0 && !pattern.is_empty() {
            let piece = &pattern[..usize::try_from(left).unwrap_or(usize::MAX).min(pattern.len())];
            file.write_all(piece)?;
            digest.update(piece);
            left -= piece.len() as u64;
        }
        Ok(Content { disk_file, size: size - left, md5: digest.finalize().into(), part: STRIDE })
    }
}

/// A file on disk that is removed when it is no longer held.
#[derive(Debug)]
pub(super) struct TemporaryFile(PathBuf);

impl TemporaryFile {
    /// Opens it for reading and writing; it is made when it is not there.
    pub(super) fn open(&self) -> io::Result<File> {
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&self.0)
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        // It may never have been made, and its folder is emptied at the next start anyway.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A whole file.
#[derive(Debug)]
pub(crate) struct Content {
    pub(super) disk_file: TemporaryFile,
    pub(crate) size: u64,
    pub(super) md5: [u8; 16],
    /// How long the parts are that it came in; each begins at a multiple of the stride.
    pub(super) part: u64,
}

impl Content {
    /// At most so many bytes from this offset; none behind the end.
    pub(crate) fn read(&self, offset: u64, limit: usize) -> io::Result<Vec<u8>> {
        let end = offset.saturating_add(limit as u64).min(self.size);
        let mut bytes = Vec::with_capacity(usize::try_from(end.saturating_sub(offset)).unwrap_or(0));
        let mut file = self.disk_file.open()?;
        let mut at = offset;
        while at < end {
            let inside = at % self.part;
            let length = (self.part - inside).min(end - at);
            file.seek(SeekFrom::Start(at / self.part * STRIDE + inside))?;
            let before = bytes.len();
            Read::by_ref(&mut file).take(length).read_to_end(&mut bytes)?;
            if (bytes.len() - before) as u64 != length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            at += length;
        }
        Ok(bytes)
    }

    /// The checksum as people write it.
    pub(crate) fn checksum(&self) -> String {
        hex::encode(self.md5)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_read_at_any_offset_and_deleted_on_drop() {
        let folder = tempfile::tempdir().unwrap();
        let depot = Depot::new(folder.path().join("files"));
        let content = depot.keep(b"abc", 7).unwrap();
        assert_eq!((content.size, content.checksum()), (7, hex::encode(Md5::digest(b"abcabca"))));
        assert_eq!(content.read(0, 100).unwrap(), b"abcabca");
        assert_eq!(content.read(2, 3).unwrap(), b"cab");
        assert_eq!(content.read(7, 3).unwrap(), b"");
        assert_eq!(content.read(700, 3).unwrap(), b"");
        let path = content.disk_file.0.clone();
        assert!(path.exists());
        drop(content);
        assert!(!path.exists());
    }
}
