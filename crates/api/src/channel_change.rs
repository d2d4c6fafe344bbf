//! An account of a channel that was added to the settings file or taken out of it.

use domain::{AccountName, ChannelName};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An account of a channel that is in the settings file now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct AddedChannel {
    /// Its name.
    #[schema(value_type = String, example = "shop")]
    pub name: AccountName,
    /// Its channel.
    #[schema(value_type = String, example = "avito")]
    pub channel: ChannelName,
    /// The settings file.
    #[schema(example = "/etc/switchboard/switchboard.toml")]
    pub file: String,
    /// Whether the server takes it up at its next start alone.
    pub needs_restart: bool,
    /// Who it is at its provider; none where the provider was not asked.
    pub is: Option<String>,
    /// What is missing for it to work, such as a right.
    pub missing: Vec<String>,
}

/// An account of a channel that is in the settings file no more.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RemovedChannel {
    /// Its name.
    #[schema(value_type = String, example = "shop")]
    pub name: AccountName,
    /// The settings file.
    #[schema(example = "/etc/switchboard/switchboard.toml")]
    pub file: String,
    /// Whether the server lets it go at its next start alone.
    pub needs_restart: bool,
    /// So many messages wait for it, which fail after that start.
    pub waiting: u64,
    /// Whether its provider posts here still.
    pub still_registered: bool,
}
