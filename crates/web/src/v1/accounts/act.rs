//! `POST /v1/accounts/{name}/actions/{action}`: starting, stopping and pausing an account.

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use telegram::{ActError, Action};

use super::read_name;
use crate::answer::json;
use crate::auth::{Authorized, CanOperate};
use crate::extract::PathParameter;
use crate::problem::{Code, Problem, shorten};
use crate::state::State;

/// Starts, stops, restarts, pauses or resumes an account, or lets it open its sessions after a move.
#[utoipa::path(
    post, path = "/v1/accounts/{name}/actions/{action}", tag = "accounts", operation_id = "act_on_account",
    params(
        ("name" = String, Path, description = "The account's name in the settings"),
        ("action" = String, Path, pattern = "^(start|stop|restart|pause|resume|open)$",
            description = "`start`, `stop`, `restart`, `pause`, `resume` or `open`"),
    ),
    responses(
        (status = 200, description = "The account as it is now", body = api::Account),
        (status = 404, description = "There is no such account or action"),
    )
)]
pub(crate) async fn act(
    Shared(state): Shared<State>,
    Authorized { caller, .. }: Authorized<CanOperate>,
    PathParameter((given, action)): PathParameter<(String, String)>,
) -> Result<Response, Problem> {
    let name = read_name(&given)?;
    let action: Action = action.parse().map_err(|_| {
        let action = shorten(&action);
        Problem::new(
            Code::NotFound,
            format!("There is no action {action:?}; known are start, stop, restart, pause, resume and open."),
        )
    })?;
    match state.health().switch_account(&name, action).await {
        Ok(view) => Ok(json(StatusCode::OK, &caller.own_account(&state, view))),
        Err(ActError::NoSuchAccount(_)) => Err(Problem::account_not_found(&given)),
        Err(ActError::Store(error)) => Err(error.into()),
    }
}
