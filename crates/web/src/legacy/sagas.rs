//! Handing a task to the runner of sagas in the name of a caller.

use std::collections::BTreeMap;
use std::time::Duration;

use access::{AuditEntry, AuditResult, AuditWho};
use delivery::{How, SagaError, TaskSubmission};
use domain::message::OnFlood;
use domain::saga::{Saga, Task};
use http::StatusCode;
use store::Origin;

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
    let (sagas, access) = (gate.state.sagas().clone(), gate.state.access().clone());
    let mut entry = audit_entry(gate, &submission.origin);
    // Boxed: a task is large, and would be carried along in every wait.
    let submitting = Box::pin(async move {
        let submitted = sagas.submit(submission).await?;
        if submitted.how == How::New {
            entry.subject = Some(submitted.id.to_string());
            access.note(entry).await;
        }
        Ok((submitted.id, submitted.how))
    });
    Caller::submit(&gate.state, joins, submitting).await.map_err(refused)
}

/// What the audit log says of work on a chat that a port took in: the same action as that of the API's call.
fn audit_entry(gate: &Gate, origin: &Origin) -> AuditEntry {
    AuditEntry {
        at: gate.state.clock().now(),
        who: origin.api_key.map_or(AuditWho::Unidentified, AuditWho::ApiKey),
        action: gate.port.service.as_str().to_owned(),
        subject: None,
        details: BTreeMap::from([("port".to_owned(), origin.listener.clone())]),
        address: origin.address,
        result: AuditResult::Done,
        code: None,
    }
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
