//! How the backups are as a whole.

pub(crate) use backup::{BackupState, DrillOf};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackupsVerdict {
    Making,
    Proving,
    /// The last attempt failed.
    Failing,
    /// There is none.
    Missing,
    /// The newest cannot be put back.
    Broken,
    Old,
    /// No one has tried the newest.
    Unproven,
    /// The newest can be put back.
    Proven,
}
