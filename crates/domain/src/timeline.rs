//! The steps of a message's way, as `GET /v1/messages/{id}/why` shows them.

use serde::{Deserialize, Serialize};

use crate::{AccountName, Timestamp};

/// What happened in one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Taken into the outbox.
    Accepted,
    /// Given to an account; written before anything goes to the wire.
    Begun,
    /// An attempt came back; the detail names its outcome.
    Attempted,
    /// Held back until a deadline.
    Waiting,
    /// Moved to another account together with its lane.
    MovedOn,
    /// A caller joined it with the same idempotency key or the same body.
    Joined,
    /// Done.
    Sent,
    /// Ended unsent.
    Failed,
    /// Ended by a caller before it left.
    Cancelled,
    /// It may have been sent, and the account that knows is gone.
    InDoubt,
    /// A person ended the doubt.
    Resolved,
    /// Taken up again after a restart.
    Resumed,
    /// Sent again by hand.
    Retried,
}

impl Step {
    /// Every step, for reading tables.
    pub const ALL: [Self; 13] = [
        Self::Accepted,
        Self::Begun,
        Self::Attempted,
        Self::Waiting,
        Self::MovedOn,
        Self::Joined,
        Self::Sent,
        Self::Failed,
        Self::Cancelled,
        Self::InDoubt,
        Self::Resolved,
        Self::Resumed,
        Self::Retried,
    ];

    /// The word in the API and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Begun => "begun",
            Self::Attempted => "attempted",
            Self::Waiting => "waiting",
            Self::MovedOn => "moved_on",
            Self::Joined => "joined",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::InDoubt => "in_doubt",
            Self::Resolved => "resolved",
            Self::Resumed => "resumed",
            Self::Retried => "retried",
        }
    }
}

/// One row of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: Step,
    /// Which part of the message, counted from 0, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<u16>,
    /// Through which account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// The word of the outcome; a step that has one is an attempt.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// More, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
