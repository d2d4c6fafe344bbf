//! Backups: one file each, made while the program runs, proven by a trial, kept by number, put back by `restore`.
//!
//! A backup holds the database as it was at one moment, and the files of messages and uploads that wait. It holds neither
//! the master key nor the settings, which would make it the accounts themselves; secrets in it are sealed with that key.

mod archive;
mod bundle;
mod due;
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
mod service;
#[cfg(test)]
mod tests;

pub use due::{due, oldest};
pub use folder::{HistoryError, read_history};
pub use history::{Attempt, AttemptBy, History, Proof, Restored};
pub use making::BackupError;
pub use manifest::Manifest;
pub use name::{BackupName, InvalidBackupName};
pub use restore::{Done, Places, Ready, Restore, RestoreError, Waiting, finish, is_half_way};
pub use service::{BackupParts, BackupState, BackupView, Backups, Standing};
