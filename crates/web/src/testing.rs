//! Test builds only, over the control socket alone: a clock that can be moved, and points where the program stops.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::extract::State as Shared;
use axum::response::Response;
use axum::routing::{get, post};
use domain::Timestamp;
use http::StatusCode;
use serde::{Deserialize, Serialize};
use store::Store;

use crate::answer::json;
use crate::extract::Json;
use crate::problem::{FieldError, Problem};
use crate::state::State;

pub(crate) fn routes() -> Router<State> {
    Router::new().route("/testing/clock", post(advance)).route("/testing/failpoints", get(points).post(arm))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    #[serde(default)]
    advance_ms: u64,
    #[serde(default)]
    set_back_ms: u64,
}

#[derive(Serialize)]
struct Now {
    now: Timestamp,
}

async fn advance(Shared(state): Shared<State>, body: Json<Advance>) -> Response {
    state.clock().set_back(Duration::from_millis(body.value.set_back_ms));
    state.clock().advance(Duration::from_millis(body.value.advance_ms));
    std::future::ready(json(StatusCode::OK, &Now { now: state.clock().now() })).await
}

#[derive(Serialize)]
struct Points {
    known: Vec<&'static str>,
    stopped: BTreeMap<&'static str, u32>,
}

fn fail_points() -> impl Iterator<Item = &'static str> {
    Store::FAILPOINTS.iter().chain(telegram::FAILPOINTS).chain(pipeline::FAILPOINTS).copied()
}

async fn points() -> Response {
    let points = Points { known: fail_points().collect(), stopped: failpoint::testing::stopped() };
    std::future::ready(json(StatusCode::OK, &points)).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arm {
    name: String,
    #[serde(default)]
    skip: u32,
    /// Anyone who waits there goes on, and no one stops there any more.
    #[serde(default)]
    release: bool,
}

async fn arm(body: Json<Arm>) -> Result<StatusCode, Problem> {
    let Arm { name, skip, release } = body.value;
    let armed = if fail_points().chain([Store::STANDSTILL]).any(|point| point == name) {
        if release {
            failpoint::testing::release(&name);
        } else {
            failpoint::testing::arm(&name, skip);
        }
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::fields(vec![FieldError::new("name", "is no failpoint; GET lists them")]))
    };
    std::future::ready(armed).await
}
