//! Where a session comes from: a file beside the settings, or a string in them.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use domain::SecretText;
use domain::secret::ExposeSecret;

use super::{SignedIn, telethon};

/// The largest session file that is read. Telethon's grow by every person the account ever met.
const LARGEST: u64 = 64 << 20;

/// A session, or why there is none.
pub(crate) type Loaded = Result<SignedIn, NoSession>;

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSession {
    #[error("the session file {path} cannot be read: {source}")]
    File { path: PathBuf, source: io::Error },
    #[error("the session file {path} is larger than 64 MB")]
    TooLarge { path: PathBuf },
    #[error("{path} lies beside the session file: another program uses it, or was killed while it did")]
    InUse { path: PathBuf },
    #[error("the session file is not SQLite; Telethon's .session files are")]
    NotSqlite,
    #[error("the session file is damaged: {0}")]
    Unreadable(#[from] rusqlite::Error),
    #[error("the session file is not Telethon's")]
    Unfamiliar,
    #[error("this is a Pyrogram session; only Telethon's are read so far")]
    Pyrogram,
    #[error("the session is not signed in: its key is empty")]
    NotSignedIn,
    #[error("the key in the session has {0} bytes instead of 256")]
    KeyLength(usize),
    #[error("the session names no data centre")]
    NoCentre,
    #[error("the session string is not Telethon's: it begins with 1 and has 353 or 369 characters")]
    BadString,
}

/// Where the settings say a session is.
#[derive(Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Text(SecretText),
}

/// Reads a session. Blocks on the disk.
pub(crate) fn load(source: &Source) -> Loaded {
    match source {
        Source::File(path) => read(path).and_then(telethon::read_file),
        Source::Text(text) => telethon::read_string(text.expose_secret()),
    }
}

fn read(path: &Path) -> Result<Vec<u8>, NoSession> {
    let failed = |source| NoSession::File { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(failed(io::ErrorKind::IsADirectory.into()));
    }
    for suffix in ["-journal", "-wal"] {
        let mut beside = path.as_os_str().to_owned();
        beside.push(suffix);
        let beside = PathBuf::from(beside);
        if beside.metadata().is_ok_and(|metadata| metadata.len() > 0) {
            return Err(NoSession::InUse { path: beside });
        }
    }
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > LARGEST {
        return Err(NoSession::TooLarge { path: path.to_owned() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_file_and_one_in_use_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("main.session");
        assert!(matches!(load(&Source::File(path.clone())), Err(NoSession::File { .. })));
        assert!(matches!(load(&Source::File(folder.path().into())), Err(NoSession::File { .. })));
        std::fs::write(&path, b"hello").expect("a file");
        assert!(matches!(load(&Source::File(path.clone())), Err(NoSession::NotSqlite)));
        std::fs::write(folder.path().join("main.session-journal"), b"x").expect("a file");
        let refused = load(&Source::File(path)).err().expect("a refusal");
        assert!(refused.to_string().contains("main.session-journal"), "{refused}");
    }
}
