//! What there is to import: session files, folders of them, strings, and registries of the old scripts, each known by what
//! it holds. Blocks on the disk; originals are only read.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use domain::SecretText;
use domain::secret::ExposeSecret;
use session_files::{Fingerprint, Found, Limit, Reader, Registry, Unreadable};

/// How a string or an uploaded file is called, which have no place on the disk.
const GIVEN_TEXT: &str = "the string";
const GIVEN_FILE: &str = "the file that was sent";

/// What a registry's file may be called inside a folder that is looked through.
const DATABASE_NAMES: [&str; 3] = ["db", "sqlite", "sqlite3"];

/// How many such files of one folder are looked at.
const MOST_DATABASES: usize = 64;

pub enum Input {
    /// A file or a folder on this machine.
    Path(PathBuf),
    /// A file that was sent and is on this machine for a while, and what its sender calls it.
    Sent(PathBuf, String),
    Text(SecretText),
    /// A session file's bytes.
    File(Vec<u8>),
}

#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) sessions: Vec<FoundSession>,
    /// What cannot be used, and why.
    pub(super) unreadable: Vec<(String, String)>,
    pub(super) registries: Vec<(String, Registry)>,
    /// What was not looked at.
    pub(super) limits: Vec<String>,
}

/// A session, and every place where it is.
#[derive(Debug)]
pub(super) struct FoundSession {
    /// The first is the one that was read: of several, that which knows the most peers.
    pub(super) files: Vec<String>,
    pub(super) found: Found,
}

/// Looks at everything. `database` is the file of this program's own store, which is not to be opened.
pub(super) fn find(inputs: &[Input], database: &Path, reader: &Reader) -> Findings {
    let mut findings = Findings::default();
    for input in inputs {
        match input {
            Input::Path(path) => at(path, database, reader, &mut findings),
            Input::Sent(path, name) => file(path, name.clone(), reader, &mut findings),
            Input::Text(text) => {
                note(GIVEN_TEXT.to_owned(), session_files::read_text(text.expose_secret()), &mut findings);
            }
            Input::File(bytes) => note(GIVEN_FILE.to_owned(), reader.read_bytes(bytes), &mut findings),
        }
    }
    findings.sessions = without_doubles(std::mem::take(&mut findings.sessions));
    findings
}

fn at(path: &Path, database: &Path, reader: &Reader, findings: &mut Findings) {
    let shown = path.display().to_string();
    if is_off_limits(path, database) {
        let why = "the database of this program lies there, and is in use; name the session files or their own folder";
        findings.unreadable.push((shown, why.to_owned()));
    } else if path.is_dir() {
        folder(path, reader, findings);
    } else {
        file(path, shown, reader, findings);
    }
}

/// Whether looking there would open the database of this program: closing a file gives up all locks on it.
fn is_off_limits(path: &Path, database: &Path) -> bool {
    let (Ok(path), Ok(database)) = (fs::canonicalize(path), fs::canonicalize(database)) else { return false };
    // The files beside the database have its name with something behind it.
    let text = |path: &Path| path.as_os_str().as_encoded_bytes().to_vec();
    database.starts_with(&path) || text(&path).starts_with(&text(&database))
}

fn file(path: &Path, shown: String, reader: &Reader, findings: &mut Findings) {
    match reader.read(path) {
        Err(Unreadable::NotASession) => match reader.legacy_registry(path) {
            Ok(registry) => findings.registries.push((shown, registry)),
            Err(Unreadable::NotTheRegistry) => {
                let why = format!("{}, and not the old registry either", Unreadable::NotASession);
                findings.unreadable.push((shown, why));
            }
            Err(other) => findings.unreadable.push((shown, other.to_string())),
        },
        // A registry may be larger than any session.
        Err(why @ Unreadable::TooLarge(_)) => match reader.legacy_registry(path) {
            Ok(registry) => findings.registries.push((shown, registry)),
            Err(_) => findings.unreadable.push((shown, why.to_string())),
        },
        outcome => note(shown, outcome, findings),
    }
}

fn folder(path: &Path, reader: &Reader, findings: &mut Findings) {
    match reader.scan(path) {
        Ok(scan) => {
            for entry in scan.entries {
                note(entry.path.display().to_string(), entry.outcome, findings);
            }
            findings.limits.extend(scan.limits.iter().map(in_words));
        }
        Err(error) => {
            findings.unreadable.push((path.display().to_string(), Unreadable::from(error).to_string()));
        }
    }
    for database in databases(path) {
        if let Ok(registry) = reader.legacy_registry(&database) {
            findings.registries.push((database.display().to_string(), registry));
        }
    }
}

/// Files right in a folder that could be a registry.
fn databases(folder: &Path) -> Vec<PathBuf> {
    let named = |path: &PathBuf| {
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        extension.is_some_and(|extension| DATABASE_NAMES.contains(&extension.as_str()))
    };
    let Ok(listing) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        listing.flatten().map(|entry| entry.path()).filter(named).take(MOST_DATABASES).collect();
    found.sort();
    found
}

fn note(file: String, outcome: Result<Found, Unreadable>, findings: &mut Findings) {
    match outcome {
        Ok(found) if found.session.test_mode => findings.unreadable.push((
            file,
            "it is a session of Telegram's data centres for tests, where no real account is".to_owned(),
        )),
        Ok(found) => findings.sessions.push(FoundSession { files: vec![file], found }),
        Err(why) => findings.unreadable.push((file, why.to_string())),
    }
}

fn without_doubles(found: Vec<FoundSession>) -> Vec<FoundSession> {
    let mut indexes: HashMap<Fingerprint, usize> = HashMap::new();
    let mut sessions: Vec<FoundSession> = Vec::new();
    for session in found {
        let key = session.found.session.key.fingerprint();
        let Some(known) = indexes.get(&key).and_then(|index| sessions.get_mut(*index)) else {
            indexes.insert(key, sessions.len());
            sessions.push(session);
            continue;
        };
        let knows_more = session.found.session.peers.len() > known.found.session.peers.len();
        let other = if knows_more { std::mem::replace(known, session) } else { session };
        // The same file that was named twice is no double.
        let others = other.files.into_iter().filter(|file| !known.files.contains(file)).collect::<Vec<_>>();
        known.files.extend(others);
    }
    sessions
}

fn in_words(limit: &Limit) -> String {
    match limit {
        Limit::Depth(folder) => {
            format!("{} lies too deep and was not looked into; name it", folder.display())
        }
        Limit::Files => {
            "there are more than 20,000 files; the rest was not looked at; name single folders".to_owned()
        }
        Limit::Sessions => {
            "there are more than 1,000 sessions; the rest was not looked at; name single folders".to_owned()
        }
        Limit::Closed(folder) => format!("{} cannot be read; check its rights", folder.display()),
    }
}
