//! Backups: one file each, made while the program runs, proven by a trial, copied elsewhere, kept by number and age, put back
//! by `restore`, which is practised now and then.
//!
//! A backup holds the database as it was at one moment, and the files of messages and uploads that wait. It holds neither
//! the master key nor the settings, which would make it the accounts themselves; secrets in it are sealed with that key.

mod archive;
mod bundle;
mod copies;
mod copying;
mod destination;
mod drills;
mod due;
mod fetched;
mod folder;
mod history;
mod keep;
mod making;
mod manifest;
mod name;
mod owner;
mod proof;
mod restore;
#[cfg(test)]
mod restore_tests;
mod room;
mod seal;
mod service;
#[cfg(test)]
mod tests;
mod verify;

pub use copies::{CopiesView, CopyTrouble};
pub use copying::CopyError;
pub use destination::DestinationError;
pub use drills::DrillsView;
pub use due::{due, oldest};
pub use fetched::{FetchError, FetchedCopy, fetch_copy};
pub use folder::{HistoryError, newest_in, read_history};
pub use history::{Attempt, AttemptBy, Copied, Drill, DrillOf, History, Proof, Restored, Uncopied};
pub use making::BackupError;
pub use manifest::Manifest;
pub use name::{BackupName, InvalidBackupName};
pub use restore::{Done, Places, Ready, Restore, RestoreError, Waiting, finish, is_interrupted};
pub use seal::{Identity, OpenCopyError};
pub use service::{BackupParts, BackupState, BackupStatus, BackupView, Backups, Troubles};
pub use verify::{Verification, Verified, verify};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as backup;
#[cfg(test)]
mod it;
