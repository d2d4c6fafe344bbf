//! `POST /send_text`: sends, keeps the caller waiting, and answers for good.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use delivery::{Submission, SubmitError};
use domain::Timestamp;
use domain::account::Operation;
use domain::message::{OnFlood, OutboundMessage};
use http::StatusCode;

use super::Gate;
use super::answer::Answer;
use super::caller::Caller;
use super::fields::Fields;
use super::refused::cannot_find;
use super::request::{Arrived, Marks};
use super::send_text_answer;
use super::send_text_request::{Order, Wrong, order};
use super::wait::{Errand, wait};
use crate::problem::Problem;

pub(super) async fn handle(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let outcome = Box::pin(call(&gate, request)).await;
    gate.respond(outcome)
}

/// What the answer needs of the call.
struct Text {
    /// The chat as the caller wrote it.
    given: String,
    /// Whether the caller asked for a mention.
    tagged: bool,
    /// Whether the caller may see the name of the user that is mentioned.
    named: bool,
}

impl Errand for Text {
    type Work = OutboundMessage;

    const OPERATION: Operation = Operation::SendMessage;

    fn answer(&self, message: &OutboundMessage, now: Timestamp) -> Option<Answer> {
        send_text_answer::answer(message, &self.given, self.tagged, self.named, now)
    }

    fn doubt(&self, message: &OutboundMessage) -> Answer {
        send_text_answer::doubt(message)
    }
}

async fn call(gate: &Gate, request: Request) -> Result<(Answer, bool), Answer> {
    let arrived = Arrived::read(gate, request).await?;
    let fields = Fields::read(&arrived.body);
    let Order { given, chat, content, tagged } = order(&fields).map_err(wrong)?;
    let Some(chat) = chat else {
        let error = cannot_find(&shown(&given), "none; this names no chat");
        return Err(Answer::error(StatusCode::INTERNAL_SERVER_ERROR, error));
    };

    let named = arrived.may_read();
    let pin = arrived.pin(gate, &chat)?;
    let body = fields.into_value();
    let Marks { idempotency, join } = arrived.marks(gate, &body);
    if gate.state.pool().is_left(&chat) {
        // What was sent under this key before the chat was left stays sent.
        let before = match idempotency {
            Some(key) => gate.state.delivery().repeated(key).await.map_err(refused)?,
            None => None,
        };
        if before.is_none() {
            return Ok((Answer::skipped(), false));
        }
    }
    let joins = join.is_some();
    let submission = Submission {
        chat,
        content,
        pin,
        on_flood: OnFlood::Wait,
        send_at: None,
        needs_approval: false,
        origin: arrived.origin(gate),
        idempotency,
        join,
    };
    let caller = Caller::submit_message(&gate.state, joins, submission).await.map_err(refused)?;
    wait(gate, caller, &Text { given, tagged, named }).await
}

fn wrong(wrong: Wrong) -> Answer {
    let error = wrong.to_string();
    match wrong {
        Wrong::NoChat | Wrong::UnsetChat => Answer::bare(StatusCode::BAD_REQUEST, error),
        Wrong::UnsetText | Wrong::NestedText | Wrong::ReplyTo | Wrong::ClientId => {
            Answer::error(StatusCode::BAD_REQUEST, error)
        }
    }
}

pub(super) fn refused(error: SubmitError) -> Answer {
    let reason = error.to_string();
    match error {
        SubmitError::UnknownAccount(_)
        | SubmitError::NotServed(_)
        | SubmitError::TooMany(_)
        | SubmitError::OutcomeUnknown { .. }
        | SubmitError::ShuttingDown => Answer::error(StatusCode::SERVICE_UNAVAILABLE, reason),
        SubmitError::Conflict => Answer::error(StatusCode::CONFLICT, reason),
        SubmitError::Empty
        | SubmitError::TooManyMedia { .. }
        | SubmitError::NotCarried(_)
        | SubmitError::UnreadNumber(_) => Answer::error(StatusCode::INTERNAL_SERVER_ERROR, reason),
        SubmitError::Store(error) => Problem::from(error).into(),
    }
}

fn shown(given: &str) -> String {
    given.chars().take(100).collect()
}
