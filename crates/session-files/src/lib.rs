//! Session files as other programs leave them: found, read without touching them, and written for those programs.
//!
//! A session is an auth key and the data centre that knows it. Telethon, Pyrogram, Kurigram and grammers keep it in
//! SQLite files, the first three also in strings. [`read`] takes any of them, [`scan`] a whole folder,
//! [`write_telethon`], [`string_session`] and their like give one back. [`legacy_registry`] reads the registry of the
//! scripts that came before, [`add_assignments`] gives it chats that were made here.
//!
//! What is opened is a private copy. A [`Reader`] says where those are, and wipes what a killed program left of them.
//!
//! Nothing here speaks to Telegram: whether a key still works, and whose it is, only Telegram can say. All calls block
//! on the disk.

mod centre;
mod grammers;
mod hand_back;
mod private_copy;
mod private_folder;
mod pyrogram;
mod read;
mod registry;
mod scan;
mod session;
mod sqlite;
mod strings;
mod tables;
mod telethon;
mod unreadable;
mod write;

pub use centre::{builtin_address, test_address};
pub use hand_back::add_assignments;
pub use private_copy::COPIED;
pub use read::{Reader, read, read_text};
pub use registry::{
    Assignment, AssignmentStatus, Direction, FailedRequest, Failover, LoggedOperation, OddRow,
    OperationStatus, Registry, Table, legacy_registry,
};
pub use scan::{Entry, Limit, Scan, scan};
pub use session::{ChannelState, Fingerprint, Found, Key, Kind, Peer, PeerKind, Session, UpdateState};
pub use strings::{pyrogram_string, string_session};
pub use tables::{TableRows, TableText};
pub use unreadable::{Foreign, Unreadable, Unwritable};
pub use write::{write_kurigram, write_telethon};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as session_files;
#[cfg(test)]
mod it;
