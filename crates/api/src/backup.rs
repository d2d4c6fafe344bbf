//! A backup.

use std::time::Duration;

use backup::{BackupState, BackupView, Standing};
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
    /// The folder that they lie in, on the server.
    pub folder: String,
    /// How often one is made, in seconds; 0: never by itself.
    pub every_seconds: u64,
    /// How many are kept.
    pub keep: usize,
    /// When the next one is due.
    pub next_at: Option<Timestamp>,
}

impl From<Standing> for Backups {
    fn from(standing: Standing) -> Self {
        let Standing { folder, every, keep, next_at, backups } = standing;
        Self {
            items: backups.into_iter().map(Into::into).collect(),
            folder: folder.display().to_string(),
            every_seconds: Duration::as_secs(&every),
            keep,
            next_at,
        }
    }
}
