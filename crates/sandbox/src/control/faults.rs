//! `/faults`: the dial.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::{Body, ControlError, Items, Path};
use super::desk::Desk;
use crate::telegram::{ActiveFault, FaultOrder};

pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Json<Items<ActiveFault>> {
    Json(Items { items: desk.telegram.faults() })
}

pub(super) async fn add(
    State(desk): State<Arc<Desk>>,
    Body(order): Body<FaultOrder>,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let id = desk.telegram.add_fault(order)?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

pub(super) async fn remove(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, ControlError> {
    let gone = desk.telegram.remove_fault(id);
    gone.then_some(StatusCode::NO_CONTENT).ok_or_else(|| ControlError::NotFound(format!("fault {id}")))
}

pub(super) async fn clear(State(desk): State<Arc<Desk>>) -> StatusCode {
    desk.telegram.clear_faults();
    StatusCode::NO_CONTENT
}
