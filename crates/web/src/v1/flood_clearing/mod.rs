//! `/v1/flood-clearing`: clearing flood waits, looking how far that is, cancelling it.

use api::schemas;
use axum::extract::State as Shared;
use axum::response::Response;
use health::{Clearing, ClearingError};
use http::StatusCode;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::answer::json;
use crate::auth::{Authorized, CanOperate, CanRead};
use crate::extract::Json;
use crate::problem::{Code, FieldError, Problem};

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
    schemas::clearing()
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
        (status = 202, description = "It runs", body = api::FloodClearing),
        (status = 409, description = "The other way runs, or there is nothing to clear"),
    )
)]
pub(crate) async fn clear(
    Shared(health): Shared<health::Health>,
    by: Authorized<CanOperate>,
    body: Json<NewFloodClearing>,
) -> Result<Response, Problem> {
    let how = Clearing::from_word(&body.value.how).ok_or_else(|| {
        let known = Clearing::ALL.map(Clearing::as_str).join(" or ");
        Problem::fields(vec![FieldError::new("how", format!("is wrong: write {known}"))])
    })?;
    let begun = health.clear_floods(how, &by.caller.requester_note()).await.map_err(problem)?;
    Ok(json(StatusCode::ACCEPTED, &api::FloodClearing::from(begun)))
}

/// Shows how far the clearing of flood waits is.
#[utoipa::path(
    get, path = "/v1/flood-clearing", tag = "system", operation_id = "get_flood_clearing",
    responses((status = 200, description = "The one that runs, if one does", body = api::FloodClearing))
)]
pub(crate) async fn get(Shared(health): Shared<health::Health>, _: Authorized<CanRead>) -> Response {
    let view = health.clearing().map(api::FloodClearing::from).unwrap_or_default();
    std::future::ready(json(StatusCode::OK, &view)).await
}

/// Cancels the clearing of flood waits: everything that it stopped or paused goes on at once.
#[utoipa::path(
    delete, path = "/v1/flood-clearing", tag = "system", operation_id = "cancel_flood_clearing",
    responses((status = 200, description = "None runs any more", body = api::FloodClearing))
)]
pub(crate) async fn cancel(
    Shared(health): Shared<health::Health>,
    by: Authorized<CanOperate>,
) -> Result<Response, Problem> {
    health.cancel_clearing(&by.caller.requester_note()).await.map_err(problem)?;
    let view = health.clearing().map(api::FloodClearing::from).unwrap_or_default();
    Ok(json(StatusCode::OK, &view))
}
