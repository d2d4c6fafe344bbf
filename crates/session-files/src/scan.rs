//! A folder full of sessions: all that are there, what the others are, and which of them are one and the same.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::read::{Reader, foreign_folder, passing};
use crate::session::{Fingerprint, Found};
use crate::unreadable::Unreadable;

/// How deep folders in folders are looked into, how many files are looked at, and how many sessions are kept.
const DEEPEST: usize = 8;
const MOST_FILES: usize = 20_000;
const MOST_SESSIONS: usize = 1_000;

/// What is beside a database and belongs to it.
const BESIDE: [&str; 4] = ["-journal", "-wal", "-shm", ".part"];

/// What Telethon and Pyrogram call their files: whatever has this in its name was meant to be a session.
const NAME: &str = ".session";

/// All that a folder has of sessions.
#[derive(Debug)]
pub struct Scan {
    /// In the order of their paths.
    pub entries: Vec<Entry>,
    /// What was not looked at, because the folder holds more than anyone's sessions.
    pub limits: Vec<Limit>,
}

/// A file that is a session, or was meant to be one.
#[derive(Debug)]
pub struct Entry {
    pub path: PathBuf,
    /// The session, or why there is none.
    pub outcome: Result<Found, Unreadable>,
}

/// Where a scan stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limit {
    /// This folder is eight folders deep.
    Depth(PathBuf),
    /// There are more than 20,000 files.
    Files,
    /// There are more than 1,000 sessions.
    Sessions,
    /// This folder cannot be read.
    Closed(PathBuf),
}

impl Scan {
    /// The sessions that are in more than one file, by the fingerprint of their key, with the places in
    /// [`entries`](Self::entries). Of each, one may be used and no more.
    pub fn duplicates(&self) -> BTreeMap<Fingerprint, Vec<usize>> {
        let mut by_key: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, entry) in self.entries.iter().enumerate() {
            if let Ok(found) = &entry.outcome {
                by_key.entry(found.session.key.fingerprint()).or_default().push(index);
            }
        }
        by_key.retain(|_, indices| indices.len() > 1);
        by_key
    }
}

/// As [`Reader::scan`], with private copies in the system's temporary folder.
pub fn scan(folder: &Path) -> io::Result<Scan> {
    passing().scan(folder)
}

impl Reader {
    /// Looks through a folder and the folders in it. Links are not followed; files that are no one's session are passed
    /// over.
    pub fn scan(&self, folder: &Path) -> io::Result<Scan> {
        let mut walk = Walk::new(self);
        // The folder itself may be reached over a link: it was named.
        let listing = fs::read_dir(folder)?;
        if foreign_folder(folder).is_some() {
            walk.judge(folder.to_owned());
        } else {
            walk.folder(folder, listing, 0);
        }
        let mut scan = walk.scan;
        scan.entries.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(scan)
    }
}

struct Walk<'a> {
    reader: &'a Reader,
    scan: Scan,
    files: usize,
    full: bool,
}

impl<'a> Walk<'a> {
    fn new(reader: &'a Reader) -> Self {
        Self { reader, scan: Scan { entries: Vec::new(), limits: Vec::new() }, files: 0, full: false }
    }

    fn folder(&mut self, folder: &Path, listing: fs::ReadDir, depth: usize) {
        for entry in listing {
            if self.full {
                return;
            }
            let Ok(entry) = entry else { return self.scan.limits.push(Limit::Closed(folder.to_owned())) };
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_file() {
                self.file(entry.path());
            } else if kind.is_dir() {
                self.deeper(entry.path(), depth + 1);
            }
        }
    }

    fn deeper(&mut self, folder: PathBuf, depth: usize) {
        if foreign_folder(&folder).is_some() {
            return self.judge(folder);
        }
        if depth > DEEPEST {
            return self.scan.limits.push(Limit::Depth(folder));
        }
        match fs::read_dir(&folder) {
            Ok(listing) => self.folder(&folder, listing, depth),
            Err(_) => self.scan.limits.push(Limit::Closed(folder)),
        }
    }

    fn file(&mut self, path: PathBuf) {
        if self.files == MOST_FILES {
            return self.stop(Limit::Files);
        }
        self.files += 1;
        let name = path.as_os_str().to_string_lossy();
        if !BESIDE.iter().any(|suffix| name.ends_with(suffix)) {
            drop(name);
            self.judge(path);
        }
    }

    fn judge(&mut self, path: PathBuf) {
        let outcome = self.reader.read(&path);
        let meant = path.file_name().is_some_and(|name| name.to_string_lossy().to_lowercase().contains(NAME));
        if !meant && outcome.as_ref().is_err_and(is_something_else) {
            return;
        }
        if self.scan.entries.len() == MOST_SESSIONS {
            return self.stop(Limit::Sessions);
        }
        self.scan.entries.push(Entry { path, outcome });
    }

    fn stop(&mut self, limit: Limit) {
        self.full = true;
        self.scan.limits.push(limit);
    }
}

/// Whether a file that has not the name of a session is simply none.
fn is_something_else(why: &Unreadable) -> bool {
    !matches!(
        why,
        Unreadable::OtherVersion { .. }
            | Unreadable::NotSignedIn
            | Unreadable::ZeroKey
            | Unreadable::KeyLength(_)
            | Unreadable::ImpossibleDataCentre(_)
            | Unreadable::Foreign(_)
    )
}
