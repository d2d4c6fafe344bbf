//! The routes of the main port and of the control socket.

use std::sync::LazyLock;

use crate::routing::{get, post, routes};
use axum::Router;
use axum::extract::{Path, Request};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use http::{Method, StatusCode};
use serde::Serialize;
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as Document;
use utoipa::openapi::path::Operation;
use utoipa_axum::router::OpenApiRouter;

use crate::answer::json;
use crate::problem::{Code, Problem};
use crate::state::State;
use crate::{
    arrival, audit, auth, docs, forms, health, hooks, mcp, metrics, negotiation, oauth, openapi, v1,
};

/// What the main port serves: the API, and the pages for people, whose fallback answers what the API has no path for.
pub(crate) fn main(state: &State, pages: Router) -> Router {
    let api = api_and_its_pages().merge(tools(state));
    let api = api.method_not_allowed_fallback(no_such_method).with_state(state.clone());
    finish(api.merge(pages), state, "main")
}

/// What the control socket serves: the same, and in test builds a clock that can be moved and points to stop at.
pub(crate) fn control(state: &State) -> Router {
    #[cfg(feature = "testing")]
    let routes = api_and_its_pages().merge(crate::testing::routes());
    #[cfg(not(feature = "testing"))]
    let routes = api_and_its_pages();
    let routes =
        routes.merge(tools(state)).fallback(no_such_path).method_not_allowed_fallback(no_such_method);
    finish(routes.with_state(state.clone()), state, "control")
}

/// The Model Context Protocol, whose tools have the API for themselves.
fn tools(state: &State) -> Router<State> {
    let state = state.clone();
    mcp::route(LazyLock::new(Box::new(move || {
        finish(API.0.clone().with_state(state.clone()), &state, "mcp")
    })))
}

/// The calls of the API with their paths and methods, as their handlers describe them.
pub(crate) fn calls() -> impl Iterator<Item = (&'static str, Method, &'static Operation)> {
    API.1.paths.paths.iter().flat_map(|(path, route)| {
        let operations = [
            (Method::GET, &route.get),
            (Method::POST, &route.post),
            (Method::PUT, &route.put),
            (Method::PATCH, &route.patch),
            (Method::DELETE, &route.delete),
        ];
        operations
            .into_iter()
            .filter_map(|(method, operation)| Some((path.as_str(), method, operation.as_ref()?)))
    })
}

pub(crate) fn document() -> Document {
    let mut document = API.1.clone();
    openapi::add_shared_answers(&mut document);
    openapi::allow_empty_parameters(&mut document);
    document
}

/// The API and its description, which are made once: that takes longer than all else at a start.
static API: LazyLock<(Router<State>, Document)> = LazyLock::new(|| {
    OpenApiRouter::with_openapi(openapi::Head::openapi())
        .merge(v1::routes())
        .routes(routes!(health::live))
        .routes(routes!(health::ready))
        .split_for_parts()
});

fn api_and_its_pages() -> Router<State> {
    let api = API.0.clone();
    api.route("/docs", get(docs::redirect))
        .route("/docs/", get(docs::index))
        .route("/docs/{*path}", get(docs::asset))
        .route("/openapi.json", get(openapi::document))
        .route("/metrics", get(metrics::page))
        .route("/hooks/{channel}/{account}/{secret}", get(hooks::take).merge(post(hooks::take)))
        .route("/forms/{name}", post(forms::take).options(forms::preflight))
        .route("/oauth/{channel}/callback", get(oauth::take))
        .route("/media/{link}", get(hooks::fetch))
        .route("/problems/{code}", get(explain))
}

fn finish(routes: Router, state: &State, listener: &str) -> Router {
    // As one, so that a request is boxed once for all of them.
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(state.traffic().listener(listener), metrics::count))
        .layer(from_fn_with_state(state.clone(), arrival::answer))
        .layer(from_fn_with_state(state.clone(), audit::watch))
        .layer(from_fn(auth::note_on_answer))
        .layer(from_fn(negotiation::problems))
        .layer(from_fn_with_state(state.clone(), auth::hold))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            Problem::new(Code::Internal, "Something went wrong; the log says what.").into_response()
        }));
    routes.layer(layers)
}

/// The answer to a program that asks for a path there is not.
pub async fn no_such_path(request: Request) -> Response {
    let path: String = request.uri().path().chars().take(100).collect();
    let detail = format!("There is no path {path:?}; /docs shows those there are.");
    std::future::ready(Problem::new(Code::NotFound, detail).into_response()).await
}

async fn no_such_method(request: Request) -> Problem {
    let detail = format!(
        "{} is not possible here; the header Allow names what is.",
        request.method().as_str().chars().take(32).collect::<String>()
    );
    std::future::ready(Problem::new(Code::MethodNotAllowed, detail)).await
}

/// What a kind of problem means.
#[derive(Serialize)]
struct Explanation {
    code: &'static str,
    title: &'static str,
    status: u16,
}

/// `/problems/{code}`: the page that the `type` of a problem names.
async fn explain(Path(word): Path<String>) -> Response {
    let answer = match Code::from_word(&word) {
        Some(code) => {
            let (code, title, status) = (code.as_str(), code.title(), code.status().as_u16());
            json(StatusCode::OK, &Explanation { code, title, status })
        }
        None => Problem::new(Code::NotFound, "There is no such kind of problem.").into_response(),
    };
    std::future::ready(answer).await
}

pub(crate) fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("without a text")
}
