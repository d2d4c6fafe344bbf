//! Asking for work on a chat: submitted once, waited for as long as the caller says, and reported as it is then.

use std::time::Duration;

use axum::response::{IntoResponse, Response};
use delivery::{How, SagaError, SagaSubmitted, TaskSubmission};
use domain::message::OnFlood;
use domain::saga::{Saga, SagaState, Task};
use domain::{AccountName, OperationId};
use http::{HeaderMap, StatusCode};
use store::Idempotency;

use super::look::show;
use crate::auth::Caller;
use crate::idempotency;
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::v1::{LISTENER, services};

/// How long a later step is kept waiting for a flood once the chat exists.
const TIMEOUT: Duration = Duration::from_mins(10);
/// After what a caller who came too early should try again.
const SOON: Duration = Duration::from_secs(5);

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Order {
    pub(crate) task: Task,
    /// Only through this account.
    pub(crate) pin: Option<AccountName>,
    /// What to do when all must wait.
    pub(crate) on_flood: OnFlood,
    pub(crate) wait: Duration,
}

/// What the `Idempotency-Key` of a request stands for, if it has one.
pub(crate) fn key(
    headers: &HeaderMap,
    caller: &Caller,
    path: &str,
    raw: &[u8],
) -> Result<Option<Idempotency>, Problem> {
    idempotency::of_request(headers, &caller.scope(LISTENER, path), raw)
}

/// Asks for the work and answers: what `done` makes of it when it ended well, 202 while it is not over, and a problem
/// when nothing was done.
pub(crate) async fn ask(
    state: &State,
    caller: &Caller,
    order: Order,
    idempotency: Option<Idempotency>,
    done: impl Fn(&Saga) -> Result<Response, Problem>,
) -> Result<Response, Problem> {
    let wait = order.wait;
    let SagaSubmitted { id, how } = submit(state, caller, order, idempotency).await?;
    let saga = state.settled_saga(id, wait).await?.ok_or_else(|| gone(id))?;
    let answer = match saga.state {
        SagaState::Done => done(&saga).unwrap_or_else(Problem::into_response),
        SagaState::Failed | SagaState::Cancelled => unsuccessful(state, &saga).into_response(),
        SagaState::Queued | SagaState::Running | SagaState::InDoubt => {
            show(state, &saga, StatusCode::ACCEPTED).await?
        }
    };
    Ok(if how == How::Replayed { idempotency::replayed(answer) } else { answer })
}

async fn submit(
    state: &State,
    caller: &Caller,
    order: Order,
    idempotency: Option<Idempotency>,
) -> Result<SagaSubmitted, Problem> {
    caller.check_task(state, &order.task)?;
    let order = Order { pin: caller.pin(order.pin)?, ..order };
    if let Err(stopped) = services::check_running(state, order.task.kind().service()) {
        // What the same key brought before the stop was accepted, and is what this call asks about.
        let repeated = match idempotency {
            Some(key) => state.sagas().repeated(key).await.map_err(refused)?,
            None => None,
        };
        return repeated.ok_or(stopped);
    }
    let submission = TaskSubmission {
        task: order.task,
        pin: order.pin,
        on_flood: order.on_flood,
        flood_timeout: TIMEOUT,
        origin: caller.origin(LISTENER),
        idempotency,
        join: None,
        keep: None,
    };
    state.sagas().submit(submission).await.map_err(refused)
}

/// What work that ended without an effect answers.
fn unsuccessful(state: &State, saga: &Saga) -> Problem {
    let problem = match (saga.state, &saga.failure) {
        (SagaState::Failed, Some(failure)) => Problem::task_failure(saga, failure, state.clock().now()),
        (SagaState::Cancelled, _) => {
            Problem::new(Code::Cancelled, "The operation was cancelled before anything was begun.")
        }
        _ => Problem::new(Code::Internal, "The operation failed and no reason was stored; see its steps."),
    };
    problem.about(&saga.id, saga.state.as_str())
}

/// Work that was just accepted is not in the store: nothing a caller did.
fn gone(id: OperationId) -> Problem {
    tracing::error!(operation = %id, "accepted work is not in the store");
    Problem::new(Code::Internal, format!("The operation {id} was accepted but cannot be found; see the log."))
}

fn refused(error: SagaError) -> Problem {
    let reason = error.to_string();
    match error {
        SagaError::UnknownAccount(account) => Problem::account_not_found(account.as_str()),
        SagaError::Conflict => Problem::new(
            Code::IdempotencyConflict,
            "This Idempotency-Key was used with another body; use a new key for a new request.",
        ),
        SagaError::TooMany { .. } => {
            Problem::new(Code::QueueFull, format!("Nothing was accepted: {reason}."))
                .retry_after(SOON.as_secs())
        }
        SagaError::Store(error) => error.into(),
        SagaError::OutcomeUnknown { id } => Problem::new(
            Code::StoreUnavailable,
            format!(
                "The server is stopping and its store does not answer; whether this was accepted is not known. \
                 Once the server is back, look at GET /v1/operations/{id} before you ask again."
            ),
        ),
        SagaError::ShuttingDown => Problem::new(
            Code::ShuttingDown,
            "The server is stopping; nothing was accepted. Try again in a moment.",
        )
        .retry_after(SOON.as_secs()),
    }
}
