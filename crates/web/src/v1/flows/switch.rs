//! Starting and stopping a flow.

use ::flows::FlowControl;
use api::Flow;
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;

use super::{problem, shown};
use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanStartSending};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;

/// Lets a flow begin runs on all its accounts, over restarts too. What `stop_after` counts begins at nothing.
#[utoipa::path(
    post, path = "/v1/flows/{name}/start", tag = "flows", operation_id = "start_flow",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, description = "It is started", body = Flow))
)]
pub(crate) async fn start(
    Shared(state): Shared<State>,
    _: Authorized<CanStartSending>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let flow = state.flows().start(&given).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &shown(&state, flow)?))
}

/// Ends the runs of a flow and lets it begin no other until it is started, over restarts too.
#[utoipa::path(
    post, path = "/v1/flows/{name}/stop", tag = "flows", operation_id = "stop_flow",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, description = "It is stopped", body = Flow))
)]
pub(crate) async fn stop(
    Shared(state): Shared<State>,
    _: Authorized<CanOperate>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let flow = state.flows().stop(&given).await.map_err(problem)?;
    Ok(json(StatusCode::OK, &shown(&state, flow)?))
}
