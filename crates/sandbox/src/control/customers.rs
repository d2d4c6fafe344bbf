//! `/customers`, `/channels`: what customers do through channels.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::answers::{Body, ControlError};
use super::context::ControlContext;
use crate::channels::{CustomerDeed, CustomerDone, HookOrder};

pub(super) async fn act(
    State(context): State<Arc<ControlContext>>,
    Body(deed): Body<CustomerDeed>,
) -> Result<(StatusCode, Json<CustomerDone>), ControlError> {
    let done = context.channels.customer(&deed).map_err(ControlError::Request)?;
    Ok((StatusCode::CREATED, Json(done)))
}

pub(super) async fn accounts(
    State(context): State<Arc<ControlContext>>,
) -> Json<BTreeMap<String, Vec<String>>> {
    Json(context.channels.accounts().into_iter().collect())
}

pub(super) async fn type_hook(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<HookOrder>,
) -> Result<StatusCode, ControlError> {
    context.channels.type_hook(&order).await.map_err(ControlError::Request)?;
    Ok(StatusCode::NO_CONTENT)
}
