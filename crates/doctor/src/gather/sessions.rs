//! Session files: those that the settings name, and others in the same folders.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use config::{SessionSource, Settings};
use session_files::Unreadable;

use crate::check::sessions::{Lying, Named};

/// The most files of one folder that are opened.
const MOST: usize = 200;

pub(crate) fn named(settings: &Settings) -> Vec<Named> {
    let accounts = settings.telegram.accounts.iter();
    accounts
        .flat_map(|account| account.sessions.iter().map(move |session| (account, session)))
        .filter_map(|(account, session)| match &session.source {
            SessionSource::File(file) => {
                let found = if file.exists() { fingerprint(file).map(Some) } else { Ok(None) };
                Some(Named {
                    account: account.name.clone(),
                    file: file.clone(),
                    found: found.map_err(|why| why.to_string()),
                })
            }
            SessionSource::Text(_) => None,
        })
        .collect()
}

pub(crate) fn files(settings: &Settings) -> Vec<PathBuf> {
    let sessions = settings.telegram.accounts.iter().flat_map(|account| &account.sessions);
    sessions
        .filter_map(|session| match &session.source {
            SessionSource::File(file) => Some(file.clone()),
            SessionSource::Text(_) => None,
        })
        .collect()
}

/// What is beside the named ones and in the folder for sessions of the data directory. Only files with the name of a
/// session are opened: closing a file gives up the locks that its process has on it, and the store may be there too.
pub(crate) fn lying(named: &[Named], data_dir: &Path) -> Vec<Lying> {
    let mut folders: BTreeSet<PathBuf> =
        named.iter().filter_map(|one| one.file.parent().map(Path::to_owned)).collect();
    folders.insert(data_dir.join("sessions"));
    let mut found = Vec::new();
    for folder in folders {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let sessions =
            entries.filter(|path| path.extension().is_some_and(|extension| extension == "session"));
        found.extend(sessions.take(MOST).map(|file| Lying { fingerprint: fingerprint(&file).ok(), file }));
    }
    found.sort_by(|one, other| one.file.cmp(&other.file));
    found
}

/// What names the key of a session file without showing it.
pub(crate) fn fingerprint(file: &Path) -> Result<String, Unreadable> {
    Ok(session_files::read(file)?.session.key.fingerprint().to_string())
}
