//! What came of reading the settings again.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What came of reading the settings again. Keys are written as the file has them, items of lists by their names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReloadedSettings {
    /// The file that was read; none where there is none.
    #[schema(example = "/etc/switchboard/switchboard.toml")]
    pub file: Option<String>,
    /// What holds from now on.
    #[schema(example = json!(["limits.waiting_per_account", "alerts.targets[owner].chat"]))]
    pub applied: Vec<String>,
    /// What holds from the next start on. It is named again each time until then.
    #[schema(example = json!(["listen"]))]
    pub needs_restart: Vec<String>,
    /// What applies without a restart and could not be applied.
    pub not_applied: Vec<NotApplied>,
    /// How many keys are set to what they were.
    #[schema(example = 41)]
    pub unchanged: usize,
}

/// Settings that could not be applied while the program runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotApplied {
    /// What it is about.
    #[schema(example = "telegram.accounts[main]")]
    pub key: String,
    /// Why not.
    pub why: String,
}
