//! The list of flows, one of them, and how fast its runs were.

use std::collections::BTreeMap;

use ::flows::{FlowControl, stage_times};
use api::{Flow, FlowStageTimes, FlowStats};
use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use store::FlowRunFilter;

use super::{find_flow, shown};
use crate::answer::json;
use crate::auth::{Authorized, CanRead};
use crate::extract::PathParameter;
use crate::problem::Problem;
use crate::state::State;
use crate::v1::{Page, PageParameters, PageRequest};

/// Runs of one page that statistics are made of, and the most pages.
const PAGE: u32 = 500;
const PAGES: usize = 2;

/// Lists the flows, in the order of the settings.
#[utoipa::path(
    get, path = "/v1/flows", tag = "flows", operation_id = "list_flows",
    params(PageParameters),
    responses((status = 200, description = "The flows and how each is on its accounts", body = Page<Flow>))
)]
pub(crate) async fn list(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    wanted: PageRequest,
) -> Result<Response, Problem> {
    let flows: Vec<_> =
        state.flows().list().into_iter().filter_map(|flow| shown(&state, flow).ok()).collect();
    Ok(json(StatusCode::OK, &wanted.cut(flows, |flow| flow.name.clone())?))
}

/// Shows a flow.
#[utoipa::path(
    get, path = "/v1/flows/{name}", tag = "flows", operation_id = "get_flow",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, description = "The flow", body = Flow))
)]
pub(crate) async fn get(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    Ok(json(StatusCode::OK, &shown(&state, find_flow(&state, &given)?)?))
}

/// Measures the latest runs of a flow, stage by stage.
#[utoipa::path(
    get, path = "/v1/flows/{name}/stats", tag = "flows", operation_id = "get_flow_stats",
    params(("name" = String, Path, description = "The flow's name")),
    responses((status = 200, description = "How the latest 1,000 runs are, and how fast they were", body = FlowStats))
)]
pub(crate) async fn stats(
    Shared(state): Shared<State>,
    _: Authorized<CanRead>,
    PathParameter(given): PathParameter<String>,
) -> Result<Response, Problem> {
    let name = find_flow(&state, &given)?.name;
    let mut runs = Vec::new();
    let mut page = store::Page { limit: PAGE, cursor: None };
    for _ in 0..PAGES {
        let filter = FlowRunFilter { flow: Some(name.clone()), ..FlowRunFilter::default() };
        let found = state.store().flow_runs().list(filter, &page).await?;
        runs.extend(found.items);
        page.cursor = found.next_cursor;
        if page.cursor.is_none() {
            break;
        }
    }
    let (mut by_state, mut codes) = (BTreeMap::new(), BTreeMap::new());
    for run in &runs {
        *by_state.entry(run.state.as_str().to_owned()).or_insert(0) += 1;
        if let Some(code) = &run.code {
            *codes.entry(code.clone()).or_insert(0) += 1;
        }
    }
    let times = stage_times(runs.iter().map(|run| run.moments.as_slice()));
    let stages = times.into_iter().map(FlowStageTimes::from).collect();
    Ok(json(StatusCode::OK, &FlowStats { runs: runs.len() as u64, states: by_state, codes, stages }))
}
