//! `/telegram/files`, and a message with its file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::answers::{ControlError, Items, Path, Query};
use super::desk::Desk;
use crate::telegram::{Expired, FileView, MessageView};

pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Json<Items<FileView>> {
    Json(Items { items: desk.telegram.files() })
}

pub(super) async fn expire_all(State(desk): State<Arc<Desk>>) -> Json<Expired> {
    Json(desk.telegram.expire_files(None))
}

pub(super) async fn expire(
    State(desk): State<Arc<Desk>>,
    Path(id): Path<i64>,
) -> Result<Json<Expired>, ControlError> {
    let expired = desk.telegram.expire_files(Some(id));
    let done = expired.files > 0;
    done.then_some(Json(expired)).ok_or_else(|| ControlError::NotFound(format!("file {id}")))
}

/// `?account=NAME`: whose numbering the id is in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    account: Option<String>,
}

pub(super) async fn message(
    State(desk): State<Arc<Desk>>,
    Query(whose): Query<Whose>,
    Path((chat_id, message_id)): Path<(String, i32)>,
) -> Result<Json<MessageView>, ControlError> {
    Ok(Json(desk.telegram.message(&chat_id, message_id, whose.account.as_deref())?))
}
