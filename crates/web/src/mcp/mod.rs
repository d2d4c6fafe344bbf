//! `/mcp`: the Model Context Protocol, by which assistants use the API as tools.
//!
//! A tool is a call of `/v1`, made inside the program as the caller who asked. Scopes, limits, the do-not-contact list and the
//! audit log are those of that call; none of them is written here.

mod call;
mod hosts;
mod message;
mod resources;
mod schema;
mod server;
mod tools;

use std::sync::{Arc, LazyLock};

use axum::body::to_bytes;
use axum::extract::{Request, State as Shared};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use axum::{Json, Router};
use http::{Method, StatusCode};
use http_body_util::Full;
use serde_json::Value;

use crate::auth::{self, ConnectionInfo};
use crate::extract::read_body;
use crate::problem::{Code, Problem};
use crate::state::State;
use server::Server;

/// A router that is made at its first use: most programs are never asked for a tool.
pub(crate) type LazyRouter = LazyLock<Router, Box<dyn FnOnce() -> Router + Send>>;

/// The route; `api` answers the calls of the tools.
pub(crate) fn route(api: LazyRouter) -> Router<State> {
    let api = Arc::new(api);
    Router::new().route(
        "/mcp",
        any(move |Shared(state): Shared<State>, request: Request| serve(state, Arc::clone(&api), request)),
    )
}

/// Answers one request of the protocol. There are no sessions: each request brings its key, and nothing is kept between two.
async fn serve(state: State, api: Arc<LazyRouter>, request: Request) -> Result<Response, Problem> {
    let options = state.options();
    let settings = &options.examined.settings;
    if !settings.mcp.enabled {
        return Err(Problem::new(Code::NotFound, "The setting mcp.enabled is false, so there is no /mcp."));
    }
    let (mut parts, body) = request.into_parts();
    let caller = auth::identify(&state, &parts).await?;
    let body = read_body(&parts.headers, body, &options.limits).await?;
    let is_post = parts.method == Method::POST;
    let body = if is_post { message::prepared(&mut parts.headers, body) } else { body };
    let (hosts, origins) = hosts::allowed(settings.public_url.as_deref(), &settings.mcp.hosts);
    let limits = ::mcp::Limits { hosts, origins, body: options.limits.body };
    let server = Server::new(Router::clone(&api), caller, parts.extensions.get::<ConnectionInfo>().copied());
    let request = Request::from_parts(parts, Full::new(body.clone()));
    let answer = ::mcp::handle(Arc::new(server), request, limits).await;
    // The library forbids nothing but names.
    if answer.status() == StatusCode::FORBIDDEN {
        return Err(Problem::new(
            Code::ForbiddenHost,
            "/mcp answers to this machine, to the name of public_url and to those of mcp.hosts, in the headers Host and \
             Origin alike.",
        ));
    }
    // The type is JSON by now, so the library could not read the message.
    if is_post && answer.status() == StatusCode::UNSUPPORTED_MEDIA_TYPE {
        return Ok(bad_request(message::unread(&body)));
    }
    if is_post && message::is_in_words(answer.status(), answer.headers()) {
        let words = to_bytes(answer.into_body(), LONGEST_REFUSAL).await.unwrap_or_default();
        return Ok(bad_request(message::refused(&body, &String::from_utf8_lossy(&words))));
    }
    Ok(answer)
}

/// The longest words in which the library refuses a request, in bytes.
const LONGEST_REFUSAL: usize = 64 * 1024;

fn bad_request(error: Value) -> Response {
    (StatusCode::BAD_REQUEST, Json(error)).into_response()
}
