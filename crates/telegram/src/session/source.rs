//! Where a session comes from: a file beside the settings, a string in them, or the store.

use std::path::PathBuf;
use std::sync::Arc;

use domain::SecretText;
use domain::secret::ExposeSecret;
use session_files::{Found, Reader, Unreadable};

use super::SignedIn;

/// A session, or why there is none.
pub(crate) type Loaded = Result<SignedIn, NoSession>;

#[derive(Debug, thiserror::Error)]
pub(crate) enum NoSession {
    #[error("the session file {path} cannot be used: {source}")]
    File { path: PathBuf, source: Unreadable },
    #[error("the session string cannot be used: {0}")]
    Text(Unreadable),
    #[error("the session is one of Telegram's data centres for tests, where no real account is")]
    ForTests,
}

#[derive(Clone)]
pub(crate) enum Source {
    File(PathBuf),
    Text(SecretText),
    Stored(Arc<SignedIn>),
}

/// Reads a session. Blocks on the disk.
pub(crate) fn load(source: &Source, reader: &Reader) -> Loaded {
    let found = match source {
        Source::File(path) => {
            reader.read(path).map_err(|source| NoSession::File { path: path.clone(), source })
        }
        Source::Text(text) => session_files::read_text(text.expose_secret()).map_err(NoSession::Text),
        Source::Stored(key) => return Ok(key.copy()),
    };
    signed_in(found?)
}

fn signed_in(found: Found) -> Loaded {
    let session = found.session;
    if session.test_mode {
        return Err(NoSession::ForTests);
    }
    Ok(SignedIn { dc_id: session.dc_id, key: session.key.into_secret(), user_id: session.user_id })
}

#[cfg(test)]
mod tests {
    use domain::Secret;
    use domain::UserId;
    use session_files::{Key, Session};

    use super::*;

    fn session() -> Session {
        Session::new(4, Key::new(Secret::new(Box::new([7; 256]))).expect("a key"))
    }

    fn text(session: &Session) -> Source {
        Source::Text(session_files::string_session(session).expect("a string"))
    }

    #[test]
    fn a_missing_file_and_one_that_is_no_session_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("main.session");
        let refusal = |path: &PathBuf| {
            load(&Source::File(path.clone()), &Reader::default()).err().expect("a refusal").to_string()
        };
        assert!(refusal(&path).contains("main.session"), "{}", refusal(&path));
        std::fs::write(&path, b"hello").expect("a file");
        assert!(refusal(&path).contains("main.session") && refusal(&path).contains("SQLite"));
    }

    #[test]
    fn files_and_strings_are_one_session() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("main.session");
        let mut session = session();
        session.user_id = UserId::new(777);
        session_files::write_telethon(&path, &session).expect("written");
        let file = load(&Source::File(path), &Reader::default()).expect("a session");
        let text = load(&text(&session), &Reader::default()).expect("a session");
        assert_eq!((file.dc_id, file.user_id, text.user_id), (4, UserId::new(777), None));
        assert_eq!(file.fingerprint(), text.fingerprint());
        // What distinguishes keys is the same wherever it is asked.
        assert_eq!(file.fingerprint().0, session.key.fingerprint().0);
    }

    #[test]
    fn a_session_for_tests_is_refused() {
        let mut session = session();
        (session.dc_id, session.test_mode) = (2, true);
        assert!(matches!(load(&text(&session), &Reader::default()), Err(NoSession::ForTests)));
    }
}
