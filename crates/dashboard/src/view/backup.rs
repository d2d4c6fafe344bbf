//! How a backup is, and how the backups are as a whole.

use serde::Deserialize;

/// How a backup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum BackupState {
    /// It is being made.
    Making,
    /// It came to nothing.
    Failed,
    /// Nobody has tried it.
    Unproven,
    /// It is being tried.
    Proving,
    /// Nothing is wrong with it.
    Proven,
    /// Something is.
    Broken,
}

impl BackupState {
    /// The class of its pill and its lamp.
    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::Making | Self::Proving => "busy",
            Self::Failed | Self::Broken => "bad",
            Self::Unproven => "",
            Self::Proven => "ok",
        }
    }

    /// The word of the API.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Making => "making",
            Self::Failed => "failed",
            Self::Unproven => "unproven",
            Self::Proving => "proving",
            Self::Proven => "proven",
            Self::Broken => "broken",
        }
    }

    /// Whether it is another soon.
    pub(crate) const fn is_moving(self) -> bool {
        matches!(self, Self::Making | Self::Proving)
    }
}

/// How it stands with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BackupsVerdict {
    /// One is being made.
    Making,
    /// One is being tried.
    Proving,
    /// The last attempt came to nothing.
    Failing,
    /// There is none.
    Missing,
    /// The newest cannot be put back.
    Broken,
    /// The newest is too old.
    Old,
    /// Nobody has tried the newest.
    Unproven,
    /// The newest can be put back.
    Proven,
}
