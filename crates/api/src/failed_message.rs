//! Failed messages, and the run that tries them again.

use domain::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many messages failed.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct FailedMessages {
    /// How many; counting ends at 100000.
    pub count: u64,
    /// The instant that they were counted at. A retry that is given it as `failed_until` is about these alone, whatever
    /// fails meanwhile.
    pub failed_until: Timestamp,
    /// The run that tries them again, or the last there was since the start of the program.
    pub retry: Option<RetryOfFailed>,
}

/// Failed messages that are tried again.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct RetryOfFailed {
    /// `running`, `finished` or `cancelled`.
    #[schema(example = "running")]
    pub state: String,
    /// How many messages it is about.
    pub total: u64,
    /// How many are in the queue again.
    pub retried: u64,
    /// How many were no longer failed when their turn came.
    pub refused: u64,
    /// Who asked for it.
    #[schema(example = "asked for by anna")]
    pub asked_by: String,
    /// When it began.
    pub started_at: Timestamp,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// The run that goes on now.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct BegunRetryOfFailed {
    #[serde(flatten)]
    pub run: RetryOfFailed,
    /// Whether it went on already, asked for by someone else or before: this call began none, and what it asked for is not
    /// part of it.
    pub joined: bool,
}
