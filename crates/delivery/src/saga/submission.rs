//! What callers hand in as a saga, and what they are answered.

use std::time::Duration;

use domain::message::OnFlood;
use domain::saga::{Progress, Saga, SagaState, Task};
use domain::{AccountName, OperationId};
use store::{Idempotency, Join, Keep, Origin, StoreError};

use super::machine;
use crate::Ambient;
use crate::submission::How;

/// A task to be accepted.
#[derive(Debug, Clone)]
pub struct TaskSubmission {
    /// What.
    pub task: Task,
    /// Only through this account.
    pub pin: Option<AccountName>,
    /// What to do when all must wait before anything was begun.
    pub on_flood: OnFlood,
    /// How long, from now, a later step is kept waiting for a flood; after that its own result says so.
    pub flood_timeout: Duration,
    /// Who asks.
    pub origin: Origin,
    /// The caller's key against doubles.
    pub idempotency: Option<Idempotency>,
    /// What a caller without a key is recognised by when it asks again.
    pub join: Option<Join>,
    /// What is kept as a failed request when it ends unwell.
    pub keep: Option<Keep>,
}

/// An accepted saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SagaSubmitted {
    /// Its id.
    pub id: OperationId,
    /// Whether it is new.
    pub how: How,
}

/// Why a saga was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SagaError {
    /// The pinned account is not configured.
    #[error("there is no account named {0}; see /v1/accounts for those there are")]
    UnknownAccount(AccountName),
    /// The same key came with another body.
    #[error("this Idempotency-Key was used with another body; use a new key for a new request")]
    Conflict,
    /// Too much is waiting already.
    #[error("{queued} operations wait already; try again later")]
    TooMany {
        /// How many wait.
        queued: usize,
    },
    /// The store did not take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program is ending, and the store does not report whether it took the task: then the next start does it.
    #[error("the program is shutting down and the store does not answer; look for {id} before asking again")]
    OutcomeUnknown {
        /// The id that it has if it was accepted.
        id: OperationId,
    },
    /// The program is ending.
    #[error("the program is shutting down; ask again in a moment")]
    ShuttingDown,
}

/// What came of a wish to change a saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SagaChanged {
    /// Done; the saga as it is now.
    Done(Box<Saga>),
    /// Its state does not allow it; the saga as it is.
    Refused(Box<Saga>),
    /// There is none with this id.
    NoSuchOperation,
}

/// Builds the saga: its id drawn, its people listed.
pub(crate) fn build(submission: &TaskSubmission, ambient: &Ambient) -> Saga {
    let now = ambient.clock.now();
    Saga {
        id: OperationId::from_uuid(ambient.ids.next()),
        task: submission.task.clone(),
        state: SagaState::Queued,
        pin: submission.pin.clone(),
        on_flood: submission.on_flood,
        patient_until: now.plus(submission.flood_timeout),
        account: None,
        chat_id: None,
        begun: None,
        progress: Progress { members: machine::people(&submission.task), ..Progress::default() },
        failure: None,
        created_at: now,
        updated_at: now,
    }
}
