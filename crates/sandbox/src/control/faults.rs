//! `/faults`: the dial.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::{Body, ControlError, Items, Path};
use super::context::ControlContext;
use crate::telegram::{ActiveFault, FaultOrder};

pub(super) async fn list(State(context): State<Arc<ControlContext>>) -> Json<Items<ActiveFault>> {
    Json(Items { items: context.telegram.faults() })
}

pub(super) async fn add(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<FaultOrder>,
) -> Result<(StatusCode, Json<Value>), ControlError> {
    let id = context.telegram.add_fault(order)?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

pub(super) async fn remove(
    State(context): State<Arc<ControlContext>>,
    Path(id): Path<u64>,
) -> Result<StatusCode, ControlError> {
    let gone = context.telegram.remove_fault(id);
    gone.then_some(StatusCode::NO_CONTENT).ok_or_else(|| ControlError::NotFound(format!("fault {id}")))
}

pub(super) async fn clear(State(context): State<Arc<ControlContext>>) -> StatusCode {
    context.telegram.clear_faults();
    StatusCode::NO_CONTENT
}
