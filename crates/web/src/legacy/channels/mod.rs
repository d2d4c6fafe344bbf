//! The ports of the old channel servers: their paths, fields and answers, thin over what all channels share.

mod access;
mod avito;
mod call;
mod deed;
mod form;
mod hook;
mod instagram;
mod look;
mod mailing;
mod max;
mod refused;
mod routes;
mod send;
mod vk;
mod whatsapp;

use std::sync::Arc;

use crate::routing::{get, post};
use ::channels::Account;
use axum::Router;
use axum::extract::{FromRef, Request, State as Shared};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use config::{ChannelKind, ChannelPort};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;

use self::refused::Refused;
use self::routes::Routes;
use super::wait::Port;
use crate::answer::json as answer;
use crate::auth::CanRead;
use crate::metrics;
use crate::router::panic_text;
use crate::state::State;

/// A port and what its requests are answered from.
#[derive(Clone)]
struct Gate {
    state: State,
    port: Arc<ChannelPort>,
    /// The port's number, as the listener's name.
    name: Arc<str>,
}

impl FromRef<Gate> for State {
    fn from_ref(gate: &Gate) -> Self {
        gate.state.clone()
    }
}

impl Port for Gate {
    fn state(&self) -> &State {
        &self.state
    }
}

/// What a handler comes to.
type HandlerResult = Result<Response, Refused>;

impl Gate {
    /// The account that it calls go through.
    fn account(&self) -> Result<&Arc<Account>, Refused> {
        let wanted = self.port.account.as_ref();
        let mut all = self.state.channels().channels().all();
        let found = all.find(|account| {
            account.fields.channel == self.port.channel && wanted.is_none_or(|name| account.name() == name)
        });
        found.ok_or_else(|| {
            let channel = self.port.channel.as_str();
            let error = format!("there is no account of {channel}; add one to [[channels]] and start again");
            Refused::error(StatusCode::SERVICE_UNAVAILABLE, error)
        })
    }

    /// The path that the provider of the old server posted to.
    fn hook_path(&self) -> String {
        format!("/webhook/{}", self.port.channel.as_str())
    }

    /// What the old server called itself.
    fn service(&self) -> &'static str {
        match self.port.channel {
            ChannelKind::Avito => "avito-messenger-api",
            ChannelKind::Whatsapp => "whatsapp-api-wappi",
            ChannelKind::Vk => "vk-messages-api",
            ChannelKind::Max => "max-mcp-server",
            ChannelKind::Instagram => "instagram-mcp-server",
            ChannelKind::Form => "form-submission-api",
            _ => "channel-api",
        }
    }

    /// Whether its errors are `{"detail": …}`, and its health in the shorter words.
    fn is_terse(&self) -> bool {
        matches!(self.port.channel, ChannelKind::Max | ChannelKind::Instagram)
    }
}

pub(crate) fn router(state: &State, port: Arc<ChannelPort>) -> Router {
    let name: Arc<str> = port.port.to_string().into();
    let traffic = state.traffic().listener(&name);
    let gate = Gate { state: state.clone(), port, name };
    let (mut open, mut keyed) = (Router::new().route("/health", get(health)), Routes::new(&gate));
    if gate.is_terse() {
        keyed = keyed.route::<CanRead>("/info", get(info));
    } else {
        open = open.route("/info", get(info));
    }
    match gate.port.channel {
        ChannelKind::Avito => keyed = avito::routes(keyed),
        ChannelKind::Whatsapp => keyed = whatsapp::routes(keyed),
        ChannelKind::Vk => keyed = vk::routes(keyed),
        ChannelKind::Max => keyed = max::routes(keyed),
        ChannelKind::Instagram => keyed = instagram::routes(keyed),
        ChannelKind::Form => keyed = form::routes(keyed),
        _ => {}
    }
    if gate.port.channel == ChannelKind::Form {
        open = open.merge(form::open_routes());
    } else {
        open = open.route(&gate.hook_path(), get(hook::take).merge(post(hook::take)));
    }
    let layers = ServiceBuilder::new()
        .layer(from_fn_with_state(traffic, metrics::count))
        .layer(from_fn_with_state(state.clone(), crate::arrival::answer))
        .layer(from_fn_with_state(gate.clone(), say))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn std::any::Any + Send>| {
            tracing::error!(panic = panic_text(&*panic), "a handler panicked");
            let error = "something went wrong; the log says what";
            Refused::error(StatusCode::INTERNAL_SERVER_ERROR, error).into_response()
        }));
    open.merge(keyed.into_router())
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(layers)
        .with_state(gate)
}

/// Says what was refused in the words of the port, and lets pages of a browser read the answer.
async fn say(Shared(gate): Shared<Gate>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(http::header::ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    if let Some(refused) = response.extensions_mut().remove::<Refused>() {
        response = refused.response_for(&gate);
    }
    access::share(&gate, origin.as_ref(), response.headers_mut());
    response
}

async fn no_such_path() -> Refused {
    std::future::ready(Refused::error(StatusCode::NOT_FOUND, "Not Found")).await
}

async fn no_such_method() -> Refused {
    std::future::ready(Refused::error(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")).await
}

/// `GET /health`: that the port answers.
async fn health(Shared(gate): Shared<Gate>) -> Response {
    let body = if gate.is_terse() {
        json!({ "status": "ok", "service": gate.service() })
    } else {
        json!({ "status": "healthy", "service": gate.service(), "timestamp": gate.state.clock().now() })
    };
    std::future::ready(done(&body)).await
}

/// `GET /info`: what answers here.
async fn info(Shared(gate): Shared<Gate>) -> Response {
    let account = gate.account().ok().map(|account| account.name().to_string());
    std::future::ready(done(&json!({
        "service": gate.service(), "version": env!("CARGO_PKG_VERSION"), "program": "switchboard",
        "channel": gate.port.channel.as_str(), "account": account,
    })))
    .await
}

/// An answer to what was done.
fn done(body: &Value) -> Response {
    answer(StatusCode::OK, body)
}
