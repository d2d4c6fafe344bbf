//! Looking at one piece of work, with its history.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::saga::{Saga, SagaEntry, SagaState};
use domain::{MessageId, OperationId};
use http::StatusCode;

use crate::answer::{json, located};
use crate::auth::{Authorized, CanRead};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::names::Names;

/// Shows a piece of work: an operation (`op_…`) or a message (`msg_…`), with its steps.
#[utoipa::path(
    get, path = "/v1/operations/{id}", tag = "operations", operation_id = "get_operation",
    params(("id" = String, Path, description = "The id of an operation or of a message")),
    responses((status = 200, description = "The operation", body = api::Operation))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let Ok(id) = given.parse::<MessageId>() else {
        let saga = caller.own_saga(find(&state, &given).await?);
        let entries = caller.own_saga_steps(state.store().sagas().steps(saga.id).await?);
        return operation_view(&state, &saga, &entries, StatusCode::OK).await;
    };
    let message = state.delivery().get(id).await?.ok_or_else(|| Problem::operation_not_found(&given))?;
    let message = caller.own_message(message);
    let timeline = caller.own_steps(state.store().outbox().timeline(id).await?);
    let names = Names::of(&state, std::iter::once(message.chat_id())).await?;
    let view = api::Operation::of_message(&message).with_timeline(&timeline);
    Ok(json(StatusCode::OK, &view.named(names.view(message.chat_id()))))
}

/// Work on a chat, by an id as a caller gives it.
pub(super) async fn find(state: &State, given: &str) -> Result<Saga, Problem> {
    let missing = || Problem::operation_not_found(given);
    let id: OperationId = given.parse().map_err(|_| missing())?;
    state.sagas().get(id).await?.ok_or_else(missing)
}

/// Work on a chat, with this status when it is over and as 202 with `Location` while it is not.
pub(crate) async fn show(state: &State, saga: &Saga, over: StatusCode) -> Result<Response, Problem> {
    let entries = state.store().sagas().steps(saga.id).await?;
    if saga.state.is_final() && saga.state != SagaState::InDoubt {
        return operation_view(state, saga, &entries, over).await;
    }
    let answer = operation_view(state, saga, &entries, StatusCode::ACCEPTED).await?;
    Ok(located(answer, &format!("/v1/operations/{}", saga.id)))
}

async fn operation_view(
    state: &State,
    saga: &Saga,
    entries: &[SagaEntry],
    status: StatusCode,
) -> Result<Response, Problem> {
    let held_until = state.sagas().held_until(saga.id);
    let names = Names::of(state, std::iter::once(saga.chat_id)).await?;
    let view = api::Operation::of_saga(saga, held_until).with_saga(saga, entries);
    Ok(json(status, &view.named(names.view(saga.chat_id))))
}
