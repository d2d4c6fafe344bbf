//! The errors of opening and reading a log store.

use std::io;
use std::path::PathBuf;

/// A log store that cannot be opened for writing. The program can do without: its lines go to standard error alone then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("another process writes the logs in {}; end it, or name another data directory", folder.display())]
    Held { folder: PathBuf },
    /// The folder or a file in it cannot be used.
    #[error("the logs in {} cannot be written: {source}; check the folder's owner and rights", folder.display())]
    Io { folder: PathBuf, source: io::Error },
}

/// Logs that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("the logs in {} cannot be read: {source}", folder.display())]
    Io { folder: PathBuf, source: io::Error },
    #[error("the logs are being searched by others; try again in a moment")]
    Busy,
    #[error("the search broke down; the log says why")]
    Broken,
}
