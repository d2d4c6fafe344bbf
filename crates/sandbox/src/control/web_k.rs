//! `/web-k`: browsers that want to be logged in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::answers::{Body, ControlError, Items};
use super::context::ControlContext;
use crate::telegram::{LogIn, LoggedIn};

pub(super) async fn location(State(context): State<Arc<ControlContext>>) -> Json<Value> {
    Json(json!({ "url": format!("http://{}/k/", context.web_k) }))
}

pub(super) async fn codes(State(context): State<Arc<ControlContext>>) -> Json<Items<String>> {
    Json(Items { items: context.telegram.codes_of_web_k() })
}

pub(super) async fn log_in(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<LogIn>,
) -> Result<(StatusCode, Json<LoggedIn>), ControlError> {
    Ok((StatusCode::CREATED, Json(context.telegram.log_in_to_web_k(&order)?)))
}
