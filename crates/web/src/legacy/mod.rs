//! The ports of the gateway that is replaced: its paths, fields, types and status codes, as its callers know them.

mod access;
mod answer;
mod caller;
pub(crate) mod channels;
mod create_chat;
mod create_chat_answer;
mod create_chat_request;
mod fields;
mod held;
mod hold;
mod leave_chat;
mod leave_chat_answer;
mod leave_chat_request;
mod refused;
mod request;
mod sagas;
mod send_media;
mod send_media_answer;
mod send_media_request;
mod send_text;
mod send_text_answer;
mod send_text_request;
mod stats;
mod tagged;
mod wait;

use std::sync::Arc;

use crate::routing::{get, post};
use answer::Answer;
use axum::Router;
use axum::extract::{FromRef, Request, State as Shared};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use config::LegacyPort;
use domain::Service;
use http::StatusCode;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use wait::Port;

use crate::router::panic_text;
use crate::state::State;
use crate::{idempotency, metrics};

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

impl Gate {
    fn path(&self) -> &'static str {
        match self.port.service {
            Service::CreateChat => "/create_chat",
            Service::SendText => "/send_text",
            Service::SendMedia => "/send_media",
            Service::LeaveChat => "/leave_chat",
        }
    }

    /// The answer as its service says it; `true` for a repeat under a key.
    fn respond(&self, outcome: Result<(Answer, bool), Answer>) -> Response {
        let (answer, replayed) = outcome.unwrap_or_else(|answer| (answer, false));
        let response = answer.shaped_for(self.port.service).into_response();
        if replayed { idempotency::replayed(response) } else { response }
    }
}

impl Port for Gate {
    fn state(&self) -> &State {
        &self.state
    }

    fn stopped(&self) -> Option<String> {
        let service = self.port.service.as_str();
        let is_stopped = !self.state.pool().service(self.port.service).running;
        is_stopped.then(|| {
            format!("the service {service} is stopped; POST /v1/services/{service}/actions/start starts it")
        })
    }
}

pub(crate) fn router(state: &State, port: Arc<LegacyPort>) -> Router {
    let name = port.port.to_string().into();
    let gate = Gate { state: state.clone(), port, name };
    let service = match gate.port.service {
        Service::CreateChat => post(create_chat::handle),
        Service::SendText => post(send_text::handle),
        Service::SendMedia => post(send_media::handle),
        Service::LeaveChat => post(leave_chat::handle),
    };
    let after_a_panic = gate.clone();
    let traffic = state.traffic().listener(&gate.name);
    // As one, so that a request is boxed once for all of them.
    let layers = ServiceBuilder::new().layer(from_fn_with_state(traffic, metrics::count)).layer(
        CatchPanicLayer::custom(move |panic: Box<dyn std::any::Any + Send>| {
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            let error = "something went wrong; the log says what";
            after_a_panic.respond(Err(Answer::error(StatusCode::INTERNAL_SERVER_ERROR, error)))
        }),
    );
    Router::new()
        .route(gate.path(), service)
        .route("/health", get(stats::health))
        .route("/stats", get(stats::stats))
        .route("/reload_cache", post(stats::reload_cache))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(layers)
        .with_state(gate)
}

async fn no_such_path(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let path: String = request.uri().path().chars().take(100).collect();
    let known = gate.path();
    let error = format!("there is no {path} here; known are {known}, /health, /stats and /reload_cache");
    std::future::ready(gate.respond(Err(Answer::error(StatusCode::NOT_FOUND, error)))).await
}

async fn no_such_method(Shared(gate): Shared<Gate>, request: Request) -> Response {
    let method: String = request.method().as_str().chars().take(32).collect();
    let error = format!("{method} is not possible here; the header Allow names what is");
    std::future::ready(gate.respond(Err(Answer::error(StatusCode::METHOD_NOT_ALLOWED, error)))).await
}
