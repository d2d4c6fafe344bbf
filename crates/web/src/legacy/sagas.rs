//! Handing a task to the runner of sagas in the name of a caller.

use std::time::Duration;

use delivery::{SagaError, TaskSubmission};
use domain::message::OnFlood;
use domain::saga::{Saga, Task};
use http::StatusCode;

use super::Gate;
use super::answer::Answer;
use super::caller::Caller;
use super::fields::Fields;
use super::request::{Arrived, Marks};
use super::wait::Port as _;
use crate::problem::Problem;

/// Of the time a caller waits, later steps get this many tenths to wait for floods: the rest is for the steps that
/// still follow, so that the caller learns of the whole.
const PATIENT_TENTHS: u32 = 9;

/// Submits a task whose caller waits for at most `hold`.
pub(super) async fn submit(
    gate: &Gate,
    arrived: &Arrived,
    fields: Fields,
    task: Task,
    hold: Duration,
) -> Result<Caller<Saga>, Answer> {
    let pin = arrived.pin_task(gate, &task)?;
    let body = fields.into_value();
    let Marks { idempotency, join } = arrived.marks(gate, &body);
    let joins = join.is_some();
    let submission = TaskSubmission {
        task,
        pin,
        // The caller of a legacy port waits for its answer, and learns when that is in vain.
        on_flood: OnFlood::Wait,
        flood_timeout: hold / 10 * PATIENT_TENTHS,
        origin: arrived.origin(gate),
        idempotency,
        join,
        // A stopped service does nothing on purpose: nothing has failed.
        keep: (gate.stopped().is_none()).then(|| Arrived::keep(gate, &body)),
    };
    let sagas = gate.state.sagas().clone();
    // Boxed: a task is large, and would be carried along in every wait.
    let submitting = Box::pin(async move {
        let submitted = sagas.submit(submission).await?;
        Ok((submitted.id, submitted.how))
    });
    Caller::submit(&gate.state, joins, submitting).await.map_err(refused)
}

fn refused(error: SagaError) -> Answer {
    let reason = error.to_string();
    match error {
        SagaError::UnknownAccount(_)
        | SagaError::TooMany { .. }
        | SagaError::OutcomeUnknown { .. }
        | SagaError::ShuttingDown => Answer::error(StatusCode::SERVICE_UNAVAILABLE, reason),
        SagaError::Conflict => Answer::error(StatusCode::CONFLICT, reason),
        SagaError::Store(error) => Problem::from(error).into(),
    }
}
