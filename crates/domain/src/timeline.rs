//! The steps of a message, as `GET /v1/messages/{id}/why` shows them.

use serde::{Deserialize, Serialize};

use crate::outcome::OutcomeKind;
use crate::{AccountName, Timestamp};

/// What happened in one step.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
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
    /// The provider says that all of it arrived.
    Delivered,
    /// The provider says that all of it was read.
    Read,
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
    /// A person let it out.
    Approved,
    /// A person refused to let it out.
    Rejected,
}

enum_words!(Step);

/// One row of the timeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub step: Step,
    /// Which part of the message, counted from 0, where it concerns one.
    pub part: Option<u16>,
    /// Through which account.
    pub account: Option<AccountName>,
    /// The outcome; a step that has one is an attempt.
    pub outcome: Option<OutcomeKind>,
    /// More, in words.
    pub detail: Option<String>,
}
