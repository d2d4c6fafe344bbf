//! The runs of a flow, and one of them with its timeline.

use api::FlowRun;
use axum::extract::State as Shared;
use axum::response::Response;
use domain::{AccountName, FlowRunId, FlowRunState};
use http::StatusCode;
use store::FlowRunFilter;
use utoipa::IntoParams;

use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::{PathParameter, QueryParameters};
use crate::problem::{Code, Problem, shorten};
use crate::state::State;
use crate::v1::page::{listed, store_page};
use crate::v1::{LongPageParameters, Page};

/// Lists runs of flows, the latest first. Runs of flows that the settings have no more are there too.
#[utoipa::path(
    get, path = "/v1/flow-runs", tag = "flows", operation_id = "list_flow_runs",
    params(RunParameters, LongPageParameters),
    responses((status = 200, description = "A page of runs", body = Page<FlowRun>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    mut query: QueryParameters,
) -> Result<Response, Problem> {
    let flow = query.take::<String>("flow");
    let account = query.take::<AccountName>("account");
    let filter = FlowRunFilter { flow, account, state: query.take::<FlowRunState>("state") };
    let page = store_page(&mut query);
    query.finish()?;
    let found = state.store().flow_runs().list(filter, &page).await.map_err(listed)?;
    let items = found.items.into_iter().map(FlowRun::from).collect();
    Ok(json(StatusCode::OK, &Page { items, next_cursor: found.next_cursor }))
}

/// Shows a run of a flow.
#[utoipa::path(
    get, path = "/v1/flow-runs/{id}", tag = "flows", operation_id = "get_flow_run",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, description = "The run, with what happened to the microsecond", body = FlowRun))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let unknown = || {
        let detail = format!("No run has the id {:?}; GET /v1/flow-runs lists them.", shorten(&given));
        Problem::new(Code::FlowRunNotFound, detail)
    };
    let id: FlowRunId = given.parse().map_err(|_| unknown())?;
    let run = state.store().flow_runs().get(id).await?.ok_or_else(unknown)?;
    Ok(json(StatusCode::OK, &FlowRun::from(run)))
}

/// What the list can be narrowed to.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "describes the parameters; they are read one by one to tell all errors at once")]
pub(crate) struct RunParameters {
    /// Only those of this flow.
    #[param(example = "trip")]
    flow: Option<String>,
    /// Only those on this account.
    #[param(example = "main")]
    account: Option<String>,
    /// Only those in this state, such as `failed`, or `skipped` for messages that began no run.
    #[param(example = "skipped")]
    state: Option<String>,
}
