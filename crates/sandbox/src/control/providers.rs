//! `/providers/…`: what the product calls; `/webhooks`: where they are registered, and which calls there were.

use std::sync::Arc;

use axum::Json;
use axum::body::{Body as HttpBody, Bytes};
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::answers::{Body, Items, Path};
use super::context::ControlContext;
use crate::channels::{self, Called};
use crate::providers::{Account, Call, Reply, Request};
use crate::telegram::answered;

pub(super) async fn answer(
    State(context): State<Arc<ControlContext>>,
    Path((provider, path)): Path<(String, String)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if let Some(answer) = of_channel(&context, &provider, &path, &method, &uri, &headers, &body).await {
        return answer;
    }
    let request = Request {
        method: method.as_str().to_owned(),
        path: format!("/{path}"),
        query: uri.query().unwrap_or_default().to_owned(),
        authorization: headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    let Reply { status, body, location } = match world_bot(&context, &provider, &request).await {
        Some(reply) => reply,
        None => context.providers.answer(&provider, &request),
    };
    let kind = if body.starts_with('{') { "application/json" } else { "text/html" };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, kind)], body).into_response();
    if let Some(location) = location {
        response.headers_mut().insert(LOCATION, axum::http::HeaderValue::from_static(location));
    }
    response
}

/// The answer of a provider of a channel, if the credentials are of an account there.
async fn of_channel(
    context: &ControlContext,
    provider: &str,
    path: &str,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &Bytes,
) -> Option<Response> {
    if !context.channels.has(provider) {
        return None;
    }
    let request = called_with(context, path, (method, uri, headers), body);
    let record = |effect| context.telegram.record_outside(effect);
    let called = context.channels.call(provider, &request, &record).await?;
    let status = match &called {
        Called::Answer(reply) => reply.status,
        Called::Cut | Called::Silence => 0,
    };
    context.providers.remember(provider, &request.method, without_token(&request.path), status);
    Some(match called {
        Called::Answer(reply) => with_body(reply, HttpBody::from),
        Called::Cut => {
            let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
            HttpBody::from_stream(broken).into_response()
        }
        Called::Silence => std::future::pending().await,
    })
}

/// A call as providers see it.
pub(super) fn called_with(
    context: &ControlContext,
    path: &str,
    (method, uri, headers): (&Method, &Uri, &HeaderMap),
    body: &Bytes,
) -> channels::Request {
    let header = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
    };
    channels::Request {
        method: method.as_str().to_owned(),
        path: format!("/{path}"),
        query: uri.query().unwrap_or_default().to_owned(),
        headers: headers.iter().map(header).collect(),
        body: body.to_vec(),
        number: context.channels.next_call(),
        fetched: None,
    }
}

/// A reply over HTTP, its body made of the reply's.
pub(super) fn with_body(reply: channels::Reply, body: impl FnOnce(Vec<u8>) -> HttpBody) -> Response {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(CONTENT_TYPE, reply.content_type)], body(reply.body)).into_response();
    for (name, value) in reply.headers {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

/// A path as it is remembered: the token of a bot is left out.
fn without_token(path: &str) -> String {
    let is_of_bot = |piece: &str| piece.starts_with("bot") && piece.contains(':');
    let pieces = path.split('/').map(|piece| if is_of_bot(piece) { "bot…" } else { piece });
    pieces.collect::<Vec<_>>().join("/")
}

/// The answer of a bot of the pretend Telegram, if the token is of one.
async fn world_bot(context: &ControlContext, provider: &str, request: &Request) -> Option<Reply> {
    let (token, method) = request.bot_call().filter(|_| provider == "telegram_bot")?;
    if !context.telegram.has_bot(token) {
        return None;
    }
    let (status, body) = answered(context.telegram.bot_api(token, method, &request.parameters()).await);
    context.providers.remember(provider, &request.method, format!("/bot…/{method}"), status);
    Some(Reply::json(status, &body))
}

pub(super) async fn list(State(context): State<Arc<ControlContext>>) -> Json<Items<Account>> {
    Json(Items { items: context.providers.accounts() })
}

pub(super) async fn put(
    State(context): State<Arc<ControlContext>>,
    Body(account): Body<Account>,
) -> StatusCode {
    context.providers.put(account);
    StatusCode::NO_CONTENT
}

pub(super) async fn calls(State(context): State<Arc<ControlContext>>) -> Json<Items<Call>> {
    Json(Items { items: context.providers.calls() })
}

pub(super) async fn forget_calls(State(context): State<Arc<ControlContext>>) -> StatusCode {
    context.providers.forget_calls();
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests {
    use super::without_token;

    #[test]
    fn a_remembered_path_has_no_token_of_a_bot() {
        for (path, kept) in [
            ("/bot1:planted/sendMessage", "/bot…/sendMessage"),
            ("/file/bot1:planted/photos/a.jpg", "/file/bot…/photos/a.jpg"),
            ("/messenger/v1/accounts/1/chats", "/messenger/v1/accounts/1/chats"),
        ] {
            assert_eq!(without_token(path), kept);
        }
    }
}
