//! `/health/live` and `/health/ready`: whether the program runs, and whether it can be relied on.

use std::time::Duration;

use axum::extract::State as Shared;
use axum::response::Response;
use http::StatusCode;
use serde::Serialize;
use store::StoreError;
use utoipa::ToSchema;

use crate::answer::json;
use crate::listen::ListenerView;
use crate::state::State;

/// So long after the start, accounts that are still connecting are no reason to wait any more.
const TIMEOUT: Duration = Duration::from_secs(10);
/// How long the store may take for a look.
const STORE_TIME: Duration = Duration::from_secs(2);

/// The program runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Live {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// Whether the program can be relied on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ready {
    /// `ready`, `starting`, `stopping`, `store_unavailable` or `disk_full`.
    #[schema(example = "ready")]
    status: &'static str,
    /// Whether each account is past connecting.
    accounts_settled: bool,
    /// How many messages are not finished.
    queued: usize,
    /// Where the program listens, and who is in the way.
    listeners: Vec<ListenerView>,
}

/// Reports that the program runs.
#[utoipa::path(
    get, path = "/health/live", tag = "system", operation_id = "live",
    responses((status = 200, description = "It runs", body = Live))
)]
pub(crate) async fn live() -> Response {
    std::future::ready(json(StatusCode::OK, &Live { status: "ok" })).await
}

/// Reports whether the store takes writes and each account is past connecting (or 10 seconds have gone by).
#[utoipa::path(
    get, path = "/health/ready", tag = "system", operation_id = "ready",
    responses(
        (status = 200, description = "It can be relied on", body = Ready),
        (status = 503, description = "Not yet, or not any more", body = Ready),
    )
)]
pub(crate) async fn ready(Shared(state): Shared<State>) -> Response {
    let accounts_settled = state.pool().settled();
    let status = if state.is_stopping() {
        "stopping"
    } else if let Err(why) = takes_writes(&state).await {
        why
    } else if accounts_settled || state.uptime() >= TIMEOUT {
        "ready"
    } else {
        "starting"
    };
    let body =
        Ready { status, accounts_settled, queued: state.delivery().queued(), listeners: state.listeners() };
    json(if status == "ready" { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &body)
}

/// Whether the store takes new work, by a real write and read; why not, as a stable code.
pub(crate) async fn takes_writes(state: &State) -> Result<(), &'static str> {
    match tokio::time::timeout(STORE_TIME, state.store().round_trip()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(StoreError::StorageFull)) => Err("disk_full"),
        Ok(Err(_)) | Err(_) => Err("store_unavailable"),
    }
}
