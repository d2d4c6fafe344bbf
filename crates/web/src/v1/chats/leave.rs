//! `DELETE /v1/chats/{chat_id}`: leaving a chat.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::AccountName;
use domain::message::OnFlood;
use domain::saga::Task;
use http::StatusCode;
use utoipa::IntoParams;

use super::bodies::WAIT;
use super::named;
use crate::answer::json;
use crate::auth::{Authorized, CanSend};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::Problem;
use crate::state::State;
use crate::v1::operations::{self, Order};
use crate::v1::wait::wait_in_query;

/// Leaves a chat; with `remove_members` everyone else is removed first. A chat that was left before is no error. A
/// chat that the account owns is not emptied unless `leave_own` says so: 409, and nothing was done.
#[utoipa::path(
    delete, path = "/v1/chats/{chat_id}", tag = "chats", operation_id = "leave_chat",
    params(
        ("chat_id" = String, Path, description = "A chat id as the Bot API writes it, or `@name`"),
        ("remove_members" = Option<bool>, Query,
            description = "Whether to remove everybody else first (supergroups and channels); `false` by default"),
        ("leave_own" = Option<bool>, Query,
            description = "With `remove_members`: whether to empty and leave the chat though the account owns it; `false` by default"),
        WaitParameters,
    ),
    responses(
        (status = 200, description = "Left", body = api::ChatLeft),
        (status = 202, description = "Not finished within `wait`", body = api::Operation,
            headers(("Location" = String, description = "Where to look again"))),
        (status = 404, description = "No account finds the chat, or the pinned account is not known"),
        (status = 409, description = "The account owns the chat, or it was cancelled"),
        (status = 422, description = "Wrong parameters, or refused by the provider"),
        (status = 503, description = "No usable account, the service is stopped, or the store is away"),
    )
)]
pub(crate) async fn leave(
    Shared(state): Shared<State>,
    by: Authorized<CanSend>,
    PathParameter(given): PathParameter<String>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let remove_members = query.take::<bool>("remove_members").unwrap_or(false);
    let leave_own = query.take::<bool>("leave_own").unwrap_or(false);
    let wait = query.take_with("wait", wait_in_query).unwrap_or(WAIT);
    let pin = query.take::<AccountName>("account");
    query.finish()?;
    let chat = named::group(&given)?;
    // A chat that we were in and that no one finds any more is left, as was asked for; one never known is a mistake.
    let missing_is_left = state.pool().is_left(&chat) || state.pool().chat_info(&chat).is_some();
    let task = Task::LeaveChat { chat, remove_members, missing_is_left, keep_own: !leave_own };
    let order = Order { task, pin, on_flood: OnFlood::Wait, wait };
    operations::ask(&state, &by.caller, order, None, |saga| {
        Ok(json(StatusCode::OK, &api::OperationResult::from(saga)))
    })
    .await
}

/// How to do what a request without a body asks for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct WaitParameters {
    /// How many seconds to wait for the result; then the answer is 202 and the work goes on.
    #[param(minimum = 0, maximum = 100, default = 60)]
    wait: Option<f64>,
    /// Only through this account.
    #[param(example = "main")]
    account: Option<String>,
}
