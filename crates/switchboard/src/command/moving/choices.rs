//! What the owner chooses for a move; kept in its journal, so that it is taken up as it was begun.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The choices.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Choices {
    /// The sides as they were named, for those who go back.
    pub(super) from: String,
    pub(super) to: String,
    /// Where their data and settings are, if that was said.
    pub(super) from_config: Option<String>,
    pub(super) to_config: Option<String>,
    pub(super) from_data_dir: Option<String>,
    pub(super) to_data_dir: Option<String>,
    /// The service of systemd on the new side; none for a process of its own.
    pub(super) unit: Option<String>,
    /// The address of the API there, if it is another than the settings say.
    pub(super) listen: Option<String>,
    /// The chat that gets a message by the new side.
    pub(super) canary: Option<String>,
    /// How long the new side is watched, in seconds.
    pub(super) watch: u64,
}

impl Choices {
    /// Those of a journal.
    pub(super) fn of(value: &Value) -> Self {
        serde_json::from_value(value.clone()).unwrap_or_default()
    }

    pub(super) fn as_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    pub(super) fn watched(&self) -> Duration {
        Duration::from_secs(self.watch)
    }
}
