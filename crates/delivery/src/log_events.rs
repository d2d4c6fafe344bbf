//! Each step of a message's way and of an operation's as a log line: what happened, through which account, with what outcome.
//! Never what a message says.
//!
//! A message that is begun as it is accepted and sent at the first attempt has two of them: accepted, and ended.
//!
//! The lines carry the path of this module as their target, so that the writer of logs can tell the many lines of each
//! message from the few of the program.

use std::time::Duration;

use domain::message::{MessageState, OutboundMessage};
use domain::outcome::Failure;
use domain::saga::{Failover, SagaEntry, SagaEvent, StepOutcome, TaskKind};
use domain::{MessageId, OperationId, Outcome, Timestamp};

use crate::worker::Route;

/// The word of the service that carries a message.
fn service(message: &OutboundMessage) -> &'static str {
    crate::purpose(message).as_str()
}

/// It is on disk and will be carried; begun already if it is with an account.
pub(crate) fn accepted(message: &OutboundMessage, listener: &str) {
    let OutboundMessage { id, chat_id, pin, send_at, .. } = message;
    let begun_by = message.account.as_ref().filter(|_| message.state == MessageState::Sending);
    tracing::info!(
        subject = %id,
        service = service(message),
        listener,
        account = begun_by.map(tracing::field::display),
        chat_id = chat_id.map(tracing::field::display),
        pin = pin.as_ref().map(tracing::field::display),
        send_at = send_at.map(tracing::field::display),
        files = message.content.media.len(),
        "accepted"
    );
}

/// Another caller waits for the same message.
pub(crate) fn joined(id: MessageId, how: &str) {
    tracing::info!(subject = %id, how, "joined by a caller");
}

/// No account may send it yet.
pub(crate) fn waits(message: &OutboundMessage, until: Option<Timestamp>) {
    let until = until.map(tracing::field::display);
    tracing::info!(subject = %message.id, service = service(message), until, "it waits: no account may send it yet");
}

/// Another account than the first choice takes it.
pub(crate) fn moved(message: &OutboundMessage, failover: &Failover) {
    let Failover { from, to, reason, .. } = failover;
    tracing::info!(subject = %message.id, service = service(message), account = %to, %from, reason, "it goes to another account");
}

/// A part of it is given to an account after its acceptance, and the store knows.
pub(crate) fn begun(message: &OutboundMessage, route: &Route, part: usize) {
    let (account, chat_id) = (&route.account, route.chat_id);
    tracing::info!(subject = %message.id, service = service(message), %account, %chat_id, part, "begun");
}

/// An attempt came back, and did not end the message as sent.
pub(crate) fn attempted(
    message: &OutboundMessage,
    route: &Route,
    part: usize,
    outcome: &Outcome,
    took: Option<Duration>,
) {
    let (id, service, account, word) = (message.id, service(message), &route.account, outcome.word());
    let (took_ms, detail) = (took.map(millis), outcome.detail());
    if let Outcome::Sent(_) = outcome {
        tracing::info!(subject = %id, service, %account, part, outcome = word, detail, took_ms, "attempted");
    } else {
        tracing::warn!(subject = %id, service, %account, part, outcome = word, detail, took_ms, "attempted");
    }
}

fn millis(took: Duration) -> u64 {
    u64::try_from(took.as_millis()).unwrap_or(u64::MAX)
}

/// It is final; `took` is how long the attempt took that it was sent by.
pub(crate) fn ended(message: &OutboundMessage, took: Option<Duration>) {
    let (id, service, state) = (message.id, service(message), message.state.as_str());
    let account = message.account.as_ref().map(tracing::field::display);
    match (message.state, &message.failure) {
        (MessageState::InDoubt, _) => {
            tracing::error!(subject = %id, service, account, state, "it may have been sent or not; a person must say");
        }
        (MessageState::Failed, Some(failure)) => {
            let (code, detail) = (failure.code(), failure.describe());
            match failure {
                // The caller is asked to come again: nothing is wrong.
                Failure::FloodWait { .. } | Failure::LimitReached { .. } => {
                    tracing::warn!(subject = %id, service, account, state, code, detail, "ended");
                }
                _ => tracing::error!(subject = %id, service, account, state, code, detail, "ended"),
            }
        }
        _ => {
            let (outcome, took_ms) = (took.map(|_| "sent"), took.map(millis));
            tracing::info!(subject = %id, service, account, state, outcome, took_ms, "ended");
        }
    }
}

/// An operation is on disk and will be carried.
pub(crate) fn task_accepted(id: OperationId, kind: TaskKind, listener: &str) {
    tracing::info!(operation = %id, service = kind.as_str(), listener, "accepted");
}

/// An entry in the history of an operation. Whom a step is about stays there: names and numbers of people are no matter of logs.
pub(crate) fn task_went_on(id: OperationId, kind: Option<TaskKind>, entry: &SagaEntry) {
    let service = kind.map(TaskKind::as_str);
    let account = entry.account.as_ref().map(tracing::field::display);
    let (step, outcome) = (entry.what.as_str(), entry.outcome.map(StepOutcome::as_str));
    match (entry.what, entry.outcome) {
        (SagaEvent::Failed | SagaEvent::InDoubt, _) => {
            tracing::error!(operation = %id, service, account, step, outcome, "it goes on");
        }
        (_, None | Some(StepOutcome::Ok | StepOutcome::Begun)) => {
            tracing::info!(operation = %id, service, account, step, outcome, "it goes on");
        }
        _ => tracing::warn!(operation = %id, service, account, step, outcome, "it goes on"),
    }
}
