//! What a file or a text is, and whose.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use domain::secret::Zeroize;

use crate::private_copy::PrivateCopy;
use crate::session::Found;
use crate::sqlite::{Database, MAGIC, SMALLEST};
use crate::unreadable::{Foreign, Unreadable};
use crate::{grammers, pyrogram, strings, telethon};

/// The largest session file that is read. They grow by every person the account ever met.
const LARGEST_FILE_MB: u64 = 64;

/// The largest file that may be a session string, blanks around it counted.
const LARGEST_TEXT: u64 = 4096;

/// What Telegram Desktop's files begin with.
const TDATA_MAGIC: &[u8] = b"TDF$";

/// Files that lie in a folder of Telegram Desktop, and in one of `TDLib`.
const TDATA_NAMES: [&str; 2] = ["key_datas", "key_data"];
const TDLIB_NAMES: [&str; 2] = ["td.binlog", "td_test.binlog"];

/// Reads a session from a file: an SQLite file of Telethon, Pyrogram, Kurigram or grammers, or a text file with a string.
///
/// The file is only read: what is opened is a private copy, made with its journal and wiped afterwards. It must not be
/// a database that this process has open itself: closing a file gives up all the locks that its process has on it.
///
/// # Errors
///
/// [`Unreadable`] says what the file is instead, or what is wrong with it.
pub fn read(path: &Path) -> Result<Found, Unreadable> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir()
        && let Some(foreign) = foreign_folder(path)
    {
        return Err(Unreadable::Foreign(foreign));
    }
    if !metadata.is_file() {
        return Err(Unreadable::NotAFile);
    }
    if metadata.len() == 0 {
        return Err(Unreadable::Empty);
    }
    let mut head = Vec::new();
    File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut head)?;
    if head == MAGIC {
        let copy = PrivateCopy::take(path, LARGEST_FILE_MB)?;
        return read_database(&Database::open(&copy)?);
    }
    if head.starts_with(TDATA_MAGIC) {
        return Err(Unreadable::Foreign(Foreign::Tdata));
    }
    if path.file_name().is_some_and(|name| is_one_of(name, &TDLIB_NAMES)) {
        return Err(Unreadable::Foreign(Foreign::Tdlib));
    }
    if MAGIC.starts_with(&head) {
        return Err(Unreadable::HalfCopied { there: metadata.len(), wanted: SMALLEST });
    }
    read_text_file(path, metadata.len())
}

fn read_text_file(path: &Path, length: u64) -> Result<Found, Unreadable> {
    if length > LARGEST_TEXT {
        return Err(Unreadable::NotSqlite);
    }
    let mut bytes = Vec::with_capacity(usize::try_from(LARGEST_TEXT).unwrap_or_default());
    File::open(path)?.take(LARGEST_TEXT).read_to_end(&mut bytes)?;
    let found = str::from_utf8(&bytes).map_err(|_| Unreadable::NotSqlite).and_then(read_text);
    bytes.zeroize();
    found.map_err(|error| if matches!(error, Unreadable::NotAString) { Unreadable::NotSqlite } else { error })
}

/// Reads a session string of Telethon, Pyrogram or Kurigram. Blanks around it do not matter.
///
/// # Errors
///
/// [`Unreadable`] says what is wrong with it.
pub fn read_text(text: &str) -> Result<Found, Unreadable> {
    strings::read(text.trim())
}

fn read_database(database: &Database) -> Result<Found, Unreadable> {
    if database.has_columns("dc_home", &["dc_id"])? && database.has_columns("dc_option", &["auth_key"])? {
        return grammers::read(database);
    }
    if !database.has_columns("sessions", &["dc_id", "auth_key"])? {
        return Err(Unreadable::NotASession);
    }
    if database.has_columns("version", &["version"])? {
        return telethon::read(database);
    }
    if database.has_columns("version", &["number"])? {
        return pyrogram::read(database);
    }
    Err(Unreadable::NotASession)
}

/// Whose folder this is, if it is one of those that hold a session as a whole.
pub(crate) fn foreign_folder(path: &Path) -> Option<Foreign> {
    let has = |names: &[&str]| names.iter().any(|name| path.join(name).is_file());
    if has(&TDATA_NAMES) {
        Some(Foreign::Tdata)
    } else if has(&TDLIB_NAMES) {
        Some(Foreign::Tdlib)
    } else {
        None
    }
}

fn is_one_of(name: &OsStr, names: &[&str]) -> bool {
    names.iter().any(|known| name.eq_ignore_ascii_case(known))
}
