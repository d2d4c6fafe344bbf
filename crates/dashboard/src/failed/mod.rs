//! Failed requests: what is kept for a retry by hand.

pub(crate) mod act;
pub(crate) mod list;
pub(crate) mod one;

use domain::Timestamp;
use serde::Deserialize;
use serde_json::Value;

/// A failed request, as the API shows it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct FailedRequest {
    pub(crate) id: String,
    pub(crate) at: Timestamp,
    pub(crate) service: String,
    pub(crate) direction: String,
    pub(crate) endpoint: String,
    pub(crate) summary: Option<String>,
    pub(crate) payload: Option<Value>,
    pub(crate) error: String,
    pub(crate) state: String,
    pub(crate) retry_count: u64,
    pub(crate) last_retry_at: Option<Timestamp>,
    pub(crate) last_retry_error: Option<String>,
    pub(crate) next_try_at: Option<Timestamp>,
    pub(crate) operation: Option<String>,
}

impl FailedRequest {
    /// Where its page is.
    pub(crate) fn path(&self) -> String {
        format!("/failed/{}", self.id)
    }

    /// Whether it can be tried again now: it waits for a person, or for its next try.
    pub(crate) fn may_be_tried(&self) -> bool {
        self.is_pending() || self.state == "waiting"
    }

    /// Whether a person has still to decide.
    pub(crate) fn is_pending(&self) -> bool {
        self.state == "pending"
    }
}
