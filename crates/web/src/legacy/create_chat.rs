//! `POST /create_chat`: makes a chat, keeps the caller waiting, and reports each step.

use axum::extract::{Request, State as Shared};
use axum::response::Response;
use domain::Timestamp;
use domain::account::Operation;
use domain::saga::Saga;
use http::StatusCode;

use super::Gate;
use super::answer::Answer;
use super::create_chat_answer;
use super::create_chat_request::CreateChatRequest;
use super::fields::Fields;
use super::request::Arrived;
use super::sagas::submit;
use super::wait::{Errand, wait};

pub(super) async fn handle(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let outcome = call(&gate, request).await;
    gate.respond(outcome)
}

impl Errand for CreateChatRequest {
    type Work = Saga;

    const OPERATION: Operation = Operation::CreateChat;

    fn answer(&self, saga: &Saga, now: Timestamp) -> Option<Answer> {
        create_chat_answer::answer(saga, self, now)
    }

    fn doubt(&self, saga: &Saga) -> Answer {
        create_chat_answer::doubt(saga)
    }
}

async fn call(gate: &Gate, request: Request) -> Result<(Answer, bool), Answer> {
    let arrived = Arrived::read(gate, request).await?;
    let fields = Fields::read(&arrived.body);
    let chat = CreateChatRequest::read(&fields)
        .map_err(|wrong| Answer::bare(StatusCode::BAD_REQUEST, wrong.to_string()))?;
    let options = gate.state.options();
    let legacy = &options.legacy;
    let Some(task) = chat.task(legacy.invite_callback.is_some()) else {
        return Err(create_chat_answer::no_members_found(&chat, None, &[]));
    };
    let caller = submit(gate, &arrived, fields, task, legacy.hold).await?;
    wait(gate, caller, &chat).await
}
