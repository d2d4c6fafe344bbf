//! `/telegram/chats/{chat_id}/attention`: how far an account has read a chat, and what it was about to do there.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use super::answers::{ControlError, Path, Query};
use super::context::ControlContext;
use crate::telegram::AttentionView;

/// `?account=NAME`: whose attention.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    account: String,
}

pub(super) async fn attention(
    State(context): State<Arc<ControlContext>>,
    Query(whose): Query<Whose>,
    Path(chat_id): Path<String>,
) -> Result<Json<AttentionView>, ControlError> {
    Ok(Json(context.telegram.attention(&whose.account, &chat_id)?))
}
