//! The ports of the gateway that is replaced: its paths, fields, types and status codes, as its callers know them.

mod access;
mod answer;
mod caller;
mod fields;
mod hold;
mod order;
mod send_text;
mod stats;
mod tagged;

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRef, Request};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use config::LegacyPort;
use http::StatusCode;
use tower_http::catch_panic::CatchPanicLayer;

use answer::Answer;

use crate::headers;
use crate::router::panic_text;
use crate::state::State;

/// A port and what its requests are answered from.
#[derive(Clone)]
pub(crate) struct Gate {
    state: State,
    port: Arc<LegacyPort>,
    /// The port's number, as the listener's name.
    name: Arc<str>,
}

impl FromRef<Gate> for State {
    fn from_ref(gate: &Gate) -> Self {
        gate.state.clone()
    }
}

/// The routes of a port that sends texts.
pub(crate) fn router(state: &State, port: Arc<LegacyPort>) -> Router {
    let name = port.port.to_string().into();
    Router::new()
        .route("/send_text", post(send_text::handle))
        .route("/health", get(stats::health))
        .route("/stats", get(stats::stats))
        .route("/reload_cache", post(stats::reload_cache))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            Answer::error(StatusCode::INTERNAL_SERVER_ERROR, "something went wrong; the log says what")
                .into_response()
        }))
        .layer(map_response(headers::secure))
        .with_state(Gate { state: state.clone(), port, name })
}

async fn no_such_path(request: Request) -> Response {
    let path: String = request.uri().path().chars().take(100).collect();
    let error = format!("there is no {path} here; known are /send_text, /health, /stats and /reload_cache");
    std::future::ready(Answer::error(StatusCode::NOT_FOUND, error).into_response()).await
}

async fn no_such_method(request: Request) -> Response {
    let method: String = request.method().as_str().chars().take(32).collect();
    let error = format!("{method} is not possible here; the header Allow names what is");
    std::future::ready(Answer::error(StatusCode::METHOD_NOT_ALLOWED, error).into_response()).await
}
