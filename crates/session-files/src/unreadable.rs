//! Why a session cannot be read or written, and what to do about it.

use std::fmt;
use std::io;

use rusqlite::ErrorCode;

use crate::session::Kind;

/// Why there is no session to be had from a file or a text. Says what to do; never quotes what was read.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    #[error("it cannot be opened: {0}")]
    Io(#[from] io::Error),
    #[error("it is no file; name a session file, or a folder to look through")]
    NotAFile,
    #[error("it is larger than {0} MB; session files are not")]
    TooLarge(u64),
    #[error("it is empty (0 bytes); copy it again from where it was used")]
    Empty,
    #[error("another program is using it; stop that program, wait a minute, and try again")]
    Locked,
    #[error(
        "it was copied only in part ({there} of {wanted} bytes); stop the program that uses it and copy it again"
    )]
    HalfCopied {
        there: u64,
        /// Bytes that the file says it has.
        wanted: u64,
    },
    #[error("the database inside is damaged ({0}); take another copy, or sign in again")]
    Damaged(String),
    #[error("it is a database, but no session of Telethon, Pyrogram, Kurigram or grammers")]
    NotASession,
    #[error("it is a database, but not the old registry: it has none of its tables")]
    NotTheRegistry,
    #[error("it is neither an SQLite database nor a session string")]
    NotSqlite,
    #[error(
        "it is no session string: Telethon's begins with 1 and has 353 or 369 characters, Pyrogram's has 351, 356 or 362"
    )]
    NotAString,
    /// A version of the schema that came after this program, or never was.
    #[error(
        "{kind} of version {version}, and only 1 to {newest} are known; \
         export it as a string with the program that wrote it"
    )]
    OtherVersion {
        kind: Kind,
        version: i64,
        /// The newest version that can be read.
        newest: u32,
    },
    #[error("it is not signed in: it has no key; sign in again")]
    NotSignedIn,
    #[error("it is not signed in: its key is all zeros; sign in again")]
    ZeroKey,
    #[error("its key has {0} bytes instead of 256; take another copy, or sign in again")]
    KeyLength(usize),
    #[error("it names data centre {0}, which does not exist; take another copy, or sign in again")]
    ImpossibleDataCentre(i64),
    #[error("{0}")]
    Foreign(Foreign),
}

/// Sessions that are known for what they are and cannot be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Foreign {
    Tdata,
    /// `TDLib`, and what is built on it.
    Tdlib,
    /// `GramJS`, and what came of it.
    GramJs,
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match self {
            Self::Tdata => "Telegram Desktop (tdata)",
            Self::Tdlib => "TDLib",
            Self::GramJs => "GramJS",
        };
        write!(
            f,
            "it is a session of {whose}, which cannot be taken over; sign in again, by phone or QR code"
        )
    }
}

impl From<rusqlite::Error> for Unreadable {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Locked,
            _ => Self::Damaged(error.to_string()),
        }
    }
}

/// Why a session was not written.
#[derive(Debug, thiserror::Error)]
pub enum Unwritable {
    /// Sessions are never written over: the other one may be the only copy of a key.
    #[error("there is a file of that name already; nothing was written")]
    Exists,
    #[error("it cannot be written: {0}")]
    Io(#[from] io::Error),
    #[error("it cannot be written: {0}")]
    Database(#[from] rusqlite::Error),
    #[error("data centre {0} is not one of Telegram's, and no address for it is known")]
    NoAddress(i32),
    #[error("a session string cannot name data centre {0}")]
    DataCentre(i32),
    #[error("a string of Pyrogram names the api_id and the user, and this session knows only one or none")]
    MissingIdentity,
}
