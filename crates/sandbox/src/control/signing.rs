//! Codes, login tokens, and what accounts ask of clients that sign in.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;

use super::answers::{Body, ControlError, Items, Path};
use super::context::ControlContext;
use crate::telegram::{ExpiredCodes, SentCode, SignInRules, TokenOrder};

pub(super) async fn codes(State(context): State<Arc<ControlContext>>) -> Json<Items<SentCode>> {
    Json(Items { items: context.telegram.codes() })
}

pub(super) async fn expire(State(context): State<Arc<ControlContext>>) -> Json<ExpiredCodes> {
    Json(context.telegram.expire_codes())
}

pub(super) async fn accept(
    State(context): State<Arc<ControlContext>>,
    Body(order): Body<TokenOrder>,
) -> Result<StatusCode, ControlError> {
    context.telegram.accept_login_token(&order)?;
    Ok(StatusCode::NO_CONTENT)
}

pub(super) async fn rules(
    State(context): State<Arc<ControlContext>>,
    Path(name): Path<String>,
    Body(rules): Body<SignInRules>,
) -> Result<StatusCode, ControlError> {
    // A password takes a while to hash.
    let setting = tokio::task::spawn_blocking(move || context.telegram.set_sign_in(&name, &rules));
    setting.await.map_err(std::io::Error::other)??;
    Ok(StatusCode::NO_CONTENT)
}
