//! `POST /leave_chat`: removes the others where that is wanted, leaves, and keeps the caller waiting.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use domain::Timestamp;
use domain::account::Operation;
use domain::saga::{Saga, SagaState, Task};
use http::StatusCode;

use super::Gate;
use super::answer::Answer;
use super::fields::{Fields, UNSET_CHAT};
use super::leave_chat_answer;
use super::leave_chat_request::LeaveChatRequest;
use super::request::Arrived;
use super::sagas::submit;
use super::wait::{Errand, wait};

/// While members are being removed the caller is kept waiting this many times the hold: 300 s.
const HOLDS: u32 = 3;

pub(super) async fn handle(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let outcome = call(&gate, request).await;
    gate.respond(outcome)
}

impl Errand for LeaveChatRequest {
    type Work = Saga;

    const OPERATION: Operation = Operation::Leave;

    fn answer(&self, saga: &Saga, now: Timestamp) -> Option<Answer> {
        leave_chat_answer::answer(saga, &self.given, now)
    }

    fn doubt(&self, saga: &Saga) -> Answer {
        leave_chat_answer::doubt(saga)
    }

    fn holds(&self, saga: &Saga) -> u32 {
        let removes = matches!(saga.task, Task::LeaveChat { remove_members: true, .. });
        if removes && saga.state == SagaState::Running { HOLDS } else { 1 }
    }
}

async fn call(gate: &Gate, request: Request) -> Result<(Answer, bool), Answer> {
    let arrived = Arrived::read(gate, request).await?;
    let fields = Fields::read(&arrived.body);
    if fields.is_unset("chat") {
        return Err(Answer::error(StatusCode::BAD_REQUEST, UNSET_CHAT));
    }
    let errand = LeaveChatRequest::read(&fields)
        .ok_or_else(|| Answer::error(StatusCode::BAD_REQUEST, "chat is required"))?;
    let options = gate.state.options();
    let legacy = &options.legacy;
    let Some(task) = errand.task(legacy.leave_removes_members, !legacy.leave_own_chats) else {
        return Ok((
            leave_chat_answer::unfound("this names no chat, so no account can find it; it counts as left"),
            false,
        ));
    };
    let holds = if legacy.leave_removes_members { HOLDS } else { 1 };
    let caller = submit(gate, &arrived, fields, task, legacy.hold.saturating_mul(holds)).await?;
    wait(gate, caller, &errand).await
}
