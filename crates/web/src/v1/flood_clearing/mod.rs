//! `/v1/flood-clearing`: clearing flood waits, looking how far that is, cancelling it.

use axum::extract::State as Shared;
use axum::response::Response;
use domain::{Purpose, Timestamp};
use health::{Clearing, ClearingError, ClearingView};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::overview::PausedAccount;
use super::words;
use crate::answer::json;
use crate::auth::{By, CanOperate, CanRead};
use crate::extract::Json;
use crate::problem::{Code, FieldError, Problem};
use crate::state::State;

/// How flood waits are to be cleared.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(example = json!({"how": "pause_flooded"}))]
#[serde(deny_unknown_fields)]
pub(crate) struct NewFloodClearing {
    /// `stop_all`: all services are stopped, nothing is asked of Telegram for five minutes, then those that ran are
    /// started one by one, a minute apart. `pause_flooded`, the gentler way: only accounts with a flood wait are paused,
    /// each until its deadline.
    #[schema(schema_with = how_words)]
    how: String,
}

fn how_words() -> utoipa::openapi::RefOr<utoipa::openapi::Schema> {
    words::clearing()
}

/// The clearing of flood waits that runs, if one does.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct FloodClearing {
    /// Whether one runs; everything else is empty if not.
    running: bool,
    /// `stop_all` or `pause_flooded`.
    #[schema(example = "stop_all")]
    how: Option<&'static str>,
    /// What it is doing: `stopping`, `silent`, `starting` or `paused`.
    #[schema(example = "silent")]
    phase: Option<&'static str>,
    /// Who asked for it.
    by: Option<String>,
    /// When that was.
    started_at: Option<Timestamp>,
    /// When the silence ends, the next service is started, or the next account goes on.
    until: Option<Timestamp>,
    /// The service that is started next.
    #[schema(value_type = Option<String>, example = "send_text")]
    next: Option<Purpose>,
    /// Services that run again.
    #[schema(value_type = Vec<String>)]
    done: Vec<Purpose>,
    /// Services that are still to be started.
    #[schema(value_type = Vec<String>)]
    waiting: Vec<Purpose>,
    /// Accounts that are paused.
    accounts: Vec<PausedAccount>,
}

impl From<ClearingView> for FloodClearing {
    fn from(view: ClearingView) -> Self {
        Self {
            running: true,
            how: Some(view.how.as_str()),
            phase: Some(view.phase.as_str()),
            by: Some(view.by),
            started_at: Some(view.started_at),
            until: view.until,
            next: view.next,
            done: view.done,
            waiting: view.waiting,
            accounts: view
                .accounts
                .into_iter()
                .map(|(account, until)| PausedAccount { account, until })
                .collect(),
        }
    }
}

fn problem(error: ClearingError) -> Problem {
    match error {
        ClearingError::Store(error) => error.into(),
        other => Problem::new(Code::WrongState, format!("{other}.")),
    }
}

/// Clears flood waits.
///
/// A second call while it runs the same way joins it. It is kept over restarts. Services that were stopped by hand before
/// stay stopped, and one that is started by hand meanwhile runs at once.
#[utoipa::path(
    post, path = "/v1/flood-clearing", tag = "system", operation_id = "clear_floods",
    request_body = NewFloodClearing,
    responses(
        (status = 202, description = "It runs", body = FloodClearing),
        (status = 409, description = "The other way runs, or there is nothing to clear"),
    )
)]
pub(crate) async fn clear(
    Shared(state): Shared<State>,
    by: By<CanOperate>,
    body: Json<NewFloodClearing>,
) -> Result<Response, Problem> {
    let how = Clearing::from_word(&body.value.how).ok_or_else(|| {
        let known = Clearing::ALL.map(Clearing::as_str).join(" or ");
        Problem::fields(vec![FieldError::new("how", format!("is wrong: write {known}"))])
    })?;
    let begun = state.health().clear_floods(how, &by.caller.asked_for()).await.map_err(problem)?;
    Ok(json(StatusCode::ACCEPTED, &FloodClearing::from(begun)))
}

/// Shows how far the clearing of flood waits is.
#[utoipa::path(
    get, path = "/v1/flood-clearing", tag = "system", operation_id = "get_flood_clearing",
    responses((status = 200, description = "The one that runs, if one does", body = FloodClearing))
)]
pub(crate) async fn get(Shared(state): Shared<State>, _: By<CanRead>) -> Response {
    let view = state.health().clearing().map(FloodClearing::from).unwrap_or_default();
    std::future::ready(json(StatusCode::OK, &view)).await
}

/// Cancels the clearing of flood waits: everything that it stopped or paused goes on at once.
#[utoipa::path(
    delete, path = "/v1/flood-clearing", tag = "system", operation_id = "cancel_flood_clearing",
    responses((status = 200, description = "None runs any more", body = FloodClearing))
)]
pub(crate) async fn cancel(Shared(state): Shared<State>, by: By<CanOperate>) -> Result<Response, Problem> {
    state.health().cancel_clearing(&by.caller.asked_for()).await.map_err(problem)?;
    let view = state.health().clearing().map(FloodClearing::from).unwrap_or_default();
    Ok(json(StatusCode::OK, &view))
}
