//! What a file or a text is, and whose; and where the private copies are that this takes.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use domain::secret::Zeroize;

use crate::private_copy::PrivateCopy;
use crate::private_folder::{self, PrivateFolder};
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

/// Files that are in a folder of Telegram Desktop, and in one of `TDLib`.
const TDATA_NAMES: [&str; 2] = ["key_datas", "key_data"];
const TDLIB_NAMES: [&str; 2] = ["td.binlog", "td_test.binlog"];

/// The folder of a data directory that private copies are in.
const COPIES: &str = "session-copies";

/// Reads the files of other programs. What is opened is a private copy, made with its journal, and wiped afterwards; when
/// the program is killed meanwhile, [`Self::sweep`] wipes it later.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    /// Where copies are; the system's temporary folder when there is none.
    copies: Option<PathBuf>,
}

impl Reader {
    /// One whose copies are in a data directory, so that the next program on it finds them there.
    pub fn within(data_dir: &Path) -> Self {
        Self { copies: Some(data_dir.join(COPIES)) }
    }

    /// Wipes and removes what killed programs of this user left, here and in the system's temporary folder; how many copies
    /// that were.
    pub fn sweep(&self) -> io::Result<usize> {
        let here = self.copies.as_deref().map_or(Ok(0), private_folder::sweep);
        let passing = private_folder::sweep(&env::temp_dir());
        Ok(here? + passing?)
    }

    pub(crate) fn copy(&self, path: &Path, largest_mb: u64) -> Result<PrivateCopy, Unreadable> {
        if let Some(copies) = &self.copies {
            match Self::copy_into(copies, path, largest_mb) {
                // A disk that is full must not cost an account its session while there is another.
                Err(Unreadable::Io(_)) => {}
                taken => return taken,
            }
        }
        PrivateCopy::take(path, largest_mb, &env::temp_dir())
    }

    fn copy_into(copies: &Path, path: &Path, largest_mb: u64) -> Result<PrivateCopy, Unreadable> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(copies)?;
        PrivateCopy::take(path, largest_mb, copies)
    }

    /// Reads a session that came as bytes: they are in a private folder for that long.
    ///
    /// # Errors
    ///
    /// As [`Self::read`].
    pub fn read_bytes(&self, bytes: &[u8]) -> Result<Found, Unreadable> {
        let here = self.copies.as_deref().and_then(|copies| written(copies, bytes).ok());
        let (_folder, path) = match here {
            Some(here) => here,
            None => written(&env::temp_dir(), bytes)?,
        };
        self.read(&path)
    }

    /// Reads a session from a file: an SQLite file of Telethon, Pyrogram, Kurigram or grammers, or a text file with a
    /// string. The file itself is only read.
    ///
    /// It must not be a database that this process has open itself: closing a file gives up all the locks that its process
    /// has on it.
    ///
    /// # Errors
    ///
    /// [`Unreadable`] says what the file is instead, or what is wrong with it.
    pub fn read(&self, path: &Path) -> Result<Found, Unreadable> {
        read_with(self, path)
    }
}

/// Writes bytes into a private folder below another.
fn written(parent: &Path, bytes: &[u8]) -> io::Result<(PrivateFolder, PathBuf)> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
    let folder = PrivateFolder::make(parent)?;
    let path = folder.path().join("sent");
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?.write_all(bytes)?;
    Ok((folder, path))
}

/// One whose copies are in the system's temporary folder, where what killed programs left is swept first.
pub(crate) fn passing() -> Reader {
    let reader = Reader::default();
    // What cannot be swept now is in no one's way.
    let _ = reader.sweep();
    reader
}

/// As [`Reader::read`], with the private copy in the system's temporary folder.
///
/// # Errors
///
/// [`Unreadable`] says what the file is instead, or what is wrong with it.
pub fn read(path: &Path) -> Result<Found, Unreadable> {
    passing().read(path)
}

fn read_with(reader: &Reader, path: &Path) -> Result<Found, Unreadable> {
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
        let copy = reader.copy(path, LARGEST_FILE_MB)?;
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
