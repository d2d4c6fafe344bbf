//! `/telegram/files`, and a message with its file.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::answers::{ControlError, Items, Path, Query};
use super::context::ControlContext;
use crate::telegram::{Expired, FileView, MessageView};

pub(super) async fn list(State(context): State<Arc<ControlContext>>) -> Json<Items<FileView>> {
    Json(Items { items: context.telegram.files() })
}

pub(super) async fn expire_all(State(context): State<Arc<ControlContext>>) -> Json<Expired> {
    Json(context.telegram.expire_files(None))
}

pub(super) async fn expire(
    State(context): State<Arc<ControlContext>>,
    Path(id): Path<i64>,
) -> Result<Json<Expired>, ControlError> {
    let expired = context.telegram.expire_files(Some(id));
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
    State(context): State<Arc<ControlContext>>,
    Query(whose): Query<Whose>,
    Path((chat_id, message_id)): Path<(String, i32)>,
) -> Result<Json<MessageView>, ControlError> {
    Ok(Json(context.telegram.message(&chat_id, message_id, whose.account.as_deref())?))
}
