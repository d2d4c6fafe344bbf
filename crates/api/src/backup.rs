//! A backup.

use std::time::Duration;

use backup::{BackupState, BackupStatus, BackupView, CopiesView, CopyTrouble, Drill, DrillOf, DrillsView};
use domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::schemas;

/// A backup: one file, which holds the database as it was at one moment and the files that wait to be sent. The master key and
/// the settings are not in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Backup {
    /// The name of its file.
    #[schema(value_type = String, example = "switchboard-20300131T120000.250Z.tar.gz")]
    pub name: String,
    /// When it was made, or is being made.
    pub made_at: Timestamp,
    /// `making`; `failed`: the last attempt came to nothing; `unproven`: it is there, and no one has tried it; `proving`: it is
    /// being unpacked and read through; `proven`: nothing was wrong with it; `broken`.
    #[schema(schema_with = schemas::backup_state)]
    #[serde(with = "crate::word")]
    pub state: BackupState,
    /// Its size, in bytes.
    pub bytes: Option<u64>,
    /// When it was last found to be whole.
    pub proven_at: Option<Timestamp>,
    /// What is wrong.
    pub wrong: Option<String>,
}

impl From<BackupView> for Backup {
    fn from(view: BackupView) -> Self {
        let BackupView { name, made_at, state, bytes, proven_at, wrong } = view;
        Self { name: name.to_string(), made_at, state, bytes, proven_at, wrong }
    }
}

/// The backups of this server.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Backups {
    /// The newest first; a failed attempt as long as none came to be since.
    pub items: Vec<Backup>,
    /// The folder that they are stored in, on the server.
    pub folder: String,
    /// How often one is made, in seconds; 0: never by itself.
    pub every_seconds: u64,
    /// How many are kept.
    pub keep: usize,
    /// How old they may become, in seconds; 0: of any age.
    pub keep_for_seconds: u64,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
    /// Copies elsewhere; nothing where none are made.
    pub copies: Option<BackupCopies>,
    pub drills: BackupDrills,
}

/// The copies of backups elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupCopies {
    /// Where they go: a folder, or a bucket.
    #[schema(example = "s3://demo-backups/switchboard")]
    pub to: String,
    /// Whether they are encrypted to a recipient of age.
    pub encrypted: bool,
    /// How many are there.
    pub count: usize,
    /// How many are kept there.
    pub keep: usize,
    /// How old they may become, in seconds; 0: of any age.
    pub keep_for_seconds: u64,
    /// The newest.
    pub last: Option<BackupCopy>,
    /// Why there is no copy of the newest backup.
    pub failing: Option<BackupCopyFailing>,
}

/// A copy of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupCopy {
    /// The name of the backup.
    #[schema(value_type = String, example = "switchboard-20300131T120000.250Z.tar.gz")]
    pub name: String,
    /// When it was copied.
    pub at: Timestamp,
    /// The size of the copy, in bytes.
    pub bytes: u64,
    /// The SHA-256 of the copy, in hexadecimal digits.
    pub sha256: String,
}

/// Attempts to copy that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupCopyFailing {
    /// When the first of them failed; nothing when the settings are why.
    pub since: Option<Timestamp>,
    pub attempts: u32,
    /// Why the last one did.
    pub why: String,
    /// When it is tried again.
    pub next_at: Option<Timestamp>,
}

/// Restores for practice, in a temporary folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupDrills {
    /// How often one takes place, in seconds; 0: never.
    pub every_seconds: u64,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
    pub last: Option<BackupDrill>,
    /// Whether one takes place now.
    #[serde(default)]
    pub running: bool,
}

/// A restore for practice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BackupDrill {
    /// When it ended.
    pub at: Timestamp,
    /// The name of the backup.
    #[schema(value_type = String, example = "switchboard-20300131T120000.250Z.tar.gz")]
    pub name: String,
    /// `backup`: the file in the folder; `copy`: its copy, which was fetched; `encrypted_copy`: its copy was fetched and compared
    /// with what was written there, and the file in the folder restored.
    #[schema(schema_with = schemas::drill_of)]
    #[serde(with = "crate::word")]
    pub of: DrillOf,
    /// How many rows the restored database had.
    pub rows: Option<u64>,
    /// What is wrong.
    pub wrong: Option<String>,
}

impl From<CopiesView> for BackupCopies {
    fn from(view: CopiesView) -> Self {
        let CopiesView { to, encrypted, keep, keep_for, count, last, failing } = view;
        Self {
            to,
            encrypted,
            count,
            keep,
            keep_for_seconds: keep_for.as_secs(),
            last: last.map(|last| BackupCopy {
                name: last.name.to_string(),
                at: last.at,
                bytes: last.bytes,
                sha256: last.sha256,
            }),
            failing: failing.map(|CopyTrouble { since, attempts, why, next_at }| BackupCopyFailing {
                since,
                attempts,
                why,
                next_at,
            }),
        }
    }
}

impl From<DrillsView> for BackupDrills {
    fn from(view: DrillsView) -> Self {
        let DrillsView { every, next_at, last, is_running } = view;
        let last = last.map(|Drill { at, name, of, came }| BackupDrill {
            at,
            name: name.to_string(),
            of,
            rows: came.as_ref().ok().copied(),
            wrong: came.err(),
        });
        Self { every_seconds: every.as_secs(), next_at, last, running: is_running }
    }
}

impl From<BackupStatus> for Backups {
    fn from(status: BackupStatus) -> Self {
        let BackupStatus { folder, every, keep, keep_for, next_at, backups, copies, drills } = status;
        Self {
            items: backups.into_iter().map(Into::into).collect(),
            folder: folder.display().to_string(),
            every_seconds: Duration::as_secs(&every),
            keep,
            keep_for_seconds: keep_for.as_secs(),
            next_at,
            copies: copies.map(Into::into),
            drills: drills.into(),
        }
    }
}
