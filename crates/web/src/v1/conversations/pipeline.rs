//! The pipeline: how much there is at each stage, and answers of a program that come later.

use ::pipeline::{QueueState, webhook};
use api::{LastDeadLetter, OtherConsumer, PipelineState, Queues, Turn};
use axum::extract::State as Shared;
use axum::response::Response;
use domain::TurnId;
use http::StatusCode;
use serde_json::Value;

use crate::answer::json;
use crate::auth::{Authorized, CanRead, CanSend};
use crate::extract::{Json, PathParameter};
use crate::problem::{Code, FieldError, Problem, shorten};
use crate::state::State;

/// Shows how much there is at each stage, and how far the pipeline is behind.
#[utoipa::path(
    get, path = "/v1/pipeline", tag = "conversations", operation_id = "get_pipeline",
    responses((status = 200, description = "The stages", body = PipelineState))
)]
pub(crate) async fn get(Shared(state): Shared<State>, _: Authorized<CanRead>) -> Result<Response, Problem> {
    let counts = state.pipeline().counts().await?;
    let queue = state.pipeline().queues().map(queues);
    let shown = PipelineState { queue, ..PipelineState::of(state.pipeline().is_enabled(), counts) };
    Ok(json(StatusCode::OK, &shown))
}

fn queues(state: QueueState) -> Queues {
    let (broken, broken_since) = state.broken.unzip();
    let other_consumer = state.other_consumer.map(|(list, who, at)| OtherConsumer { list, who, at });
    let last_dead_letter = state.last_dead.map(|(list, reason, at)| LastDeadLetter { list, reason, at });
    Queues { broken, broken_since, other_consumer, last_dead_letter }
}

/// Answers a turn, for a program that was posted a batch and said that its answer comes later.
///
/// Takes what the program may answer at once: `text`, `hand_over`, `close`, `reason`, and what it found out about the client with
/// `name`, `phone` and `email`.
#[utoipa::path(
    post, path = "/v1/pipeline/turns/{id}/answer", tag = "conversations", operation_id = "answer_turn",
    params(("id" = String, Path, description = "The turn: `turn_id` of the batch")),
    request_body(content = Object, description = "The answer", example = json!({"text": "Yes, it is."})),
    responses((status = 200, description = "The turn as it is now", body = Turn),
        (status = 404, description = "There is no such turn: `turn_not_found`"),
        (status = 409, description = "The turn is over: more was written, a person answered, or it waited too long: `turn_over`"))
)]
pub(crate) async fn answer(
    Shared(state): Shared<State>,
    _: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    body: Json<Value>,
) -> Result<Response, Problem> {
    let pipeline = state.store().pipeline();
    let turn = match given.parse::<TurnId>() {
        Ok(id) => pipeline.turn(id).await?,
        Err(_) => None,
    };
    let Some(turn) = turn else {
        let detail = format!("No turn has the id {:?}; it is `turn_id` of the batch.", shorten(&given));
        return Err(Problem::new(Code::TurnNotFound, detail));
    };
    let missing = || Problem::fields(vec![FieldError::new("text", "is missing; or say hand_over or close")]);
    let reply = webhook::read(body.value.to_string().as_bytes()).ok_or_else(missing)?;
    let answer = reply.answer(state.pipeline().needs_approval()).ok_or_else(missing)?;
    if !state.pipeline().answer(turn.id, answer, reply.fields()).await? {
        let detail = "The turn is over: the client wrote more, a person answered, or it waited too long. \
                      The next batch has what is not answered.";
        return Err(Problem::new(Code::TurnOver, detail));
    }
    let turn = pipeline.turn(turn.id).await?.unwrap_or(turn);
    Ok(json(StatusCode::OK, &Turn::from(turn)))
}
