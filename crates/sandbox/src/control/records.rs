//! `/ledger`, `/calls`, `/unknown`: what has happened.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::answers::{Items, Query};
use super::context::ControlContext;
use crate::telegram::{CallCount, Entry, UnknownMethod};

pub(super) async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// `?after=SEQ&limit=N`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

pub(super) async fn ledger(
    State(context): State<Arc<ControlContext>>,
    Query(since): Query<Since>,
) -> Json<Items<Entry>> {
    Json(Items { items: context.telegram.ledger(since.after, since.limit.unwrap_or(usize::MAX)) })
}

pub(super) async fn clear_ledger(State(context): State<Arc<ControlContext>>) -> StatusCode {
    context.telegram.clear_ledger();
    StatusCode::NO_CONTENT
}

/// `?account=&method=`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    account: Option<String>,
    method: Option<String>,
}

pub(super) async fn calls(
    State(context): State<Arc<ControlContext>>,
    Query(which): Query<Which>,
) -> Json<Items<CallCount>> {
    // An empty parameter asks for everything.
    let (account, method) = (
        which.account.as_deref().filter(|name| !name.is_empty()),
        which.method.as_deref().filter(|name| !name.is_empty()),
    );
    Json(Items { items: context.telegram.calls(account, method) })
}

pub(super) async fn clear_calls(State(context): State<Arc<ControlContext>>) -> StatusCode {
    context.telegram.clear_calls();
    StatusCode::NO_CONTENT
}

pub(super) async fn clear_unknown(State(context): State<Arc<ControlContext>>) -> StatusCode {
    context.telegram.clear_unknown();
    StatusCode::NO_CONTENT
}

pub(super) async fn unknown(State(context): State<Arc<ControlContext>>) -> Json<Items<UnknownMethod>> {
    Json(Items { items: context.telegram.unknown() })
}
