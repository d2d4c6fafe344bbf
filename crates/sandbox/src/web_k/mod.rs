//! A pretend Web K on a port of its own: one page with the ids and classes of the real one, and what it asks for.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Json, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::telegram::{Chat, FaultName, Results, Telegram, WebOutcome, WebText};

const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
const SCREEN: &str = include_str!("screen.js");

/// What stays of the page when it is white.
const BLANK: &str =
    r#"<!doctype html><title>Telegram</title><body><div id="page-chats" style="display: none"></div>"#;

/// The most bytes of a message with its file.
const LARGEST: usize = 32 * 1024 * 1024;

/// The cookie that says which browser asks.
const COOKIE: &str = "web_k=";

type World = State<Arc<Telegram>>;

/// Why the page gets no answer.
enum Refused {
    LoggedOut,
    NotFound,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        match self {
            Self::LoggedOut => StatusCode::UNAUTHORIZED.into_response(),
            Self::NotFound => StatusCode::NOT_FOUND.into_response(),
        }
    }
}

pub(crate) fn router(telegram: Arc<Telegram>) -> Router {
    Router::new()
        .route("/", get(|| async { Redirect::to("/k/") }))
        .route("/k/", get(page))
        .route("/k/page.css", get(style))
        .route("/k/page.js", get(script))
        .route("/k/screen.js", get(screen))
        .route("/k/api/code", post(code))
        .route("/k/api/code/{code}", post(scanned))
        .route("/k/api/start", post(start))
        .route("/k/api/dialogs", post(dialogs))
        .route("/k/api/search", post(search))
        .route("/k/api/resolve", post(resolve))
        .route("/k/api/open", post(open))
        .route("/k/api/history", post(history))
        .route("/k/api/before", post(before))
        .route("/k/api/send", post(send).layer(DefaultBodyLimit::max(LARGEST)))
        .route("/k/api/after", post(after))
        .with_state(telegram)
}

/// The session that a browser says it has.
fn session(headers: &HeaderMap) -> Option<&str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix(COOKIE))
}

/// Who is logged in, unless a fault logs it out now.
fn user(telegram: &Telegram, headers: &HeaderMap) -> Result<i64, Refused> {
    let session = session(headers).ok_or(Refused::LoggedOut)?;
    let mut state = telegram.lock();
    let user = state.web_user(session).ok_or(Refused::LoggedOut)?;
    if state.web_fault(Some(user), &[FaultName::LoggedOut]).is_some() {
        state.web_log_out(session);
        return Err(Refused::LoggedOut);
    }
    Ok(user)
}

async fn page(State(telegram): World, headers: HeaderMap) -> Html<String> {
    let (slow, blank) = {
        let mut state = telegram.lock();
        let user = session(&headers).and_then(|session| state.web_user(session));
        let slow = state.web_fault(user, &[FaultName::Slow]).and_then(|order| order.seconds);
        (slow, state.web_fault(user, &[FaultName::Blank]).is_some())
    };
    if let Some(seconds) = slow {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }
    if blank { Html(BLANK.to_owned()) } else { Html(renamed(&telegram, &headers, PAGE)) }
}

/// A part of the page, with another name for what a fault renames.
fn renamed(telegram: &Telegram, headers: &HeaderMap, text: &str) -> String {
    let mut state = telegram.lock();
    let user = session(headers).and_then(|session| state.web_user(session));
    let name = state.web_fault(user, &[FaultName::Renamed]).and_then(|order| order.message);
    name.map_or_else(|| text.to_owned(), |name| text.replace(&name, &format!("new-{name}")))
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css")], STYLE)
}

async fn script(State(telegram): World, headers: HeaderMap) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], renamed(&telegram, &headers, SCRIPT))
}

async fn screen(State(telegram): World, headers: HeaderMap) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], renamed(&telegram, &headers, SCREEN))
}

async fn code(State(telegram): World) -> Json<Value> {
    Json(json!({ "code": telegram.lock().web_code() }))
}

async fn scanned(State(telegram): World, Path(code): Path<String>) -> Json<Value> {
    let scanned = telegram.lock().web_scanned(&code);
    Json(scanned.map_or(Value::Null, |(session, user_id)| json!({ "session": session, "user_id": user_id })))
}

async fn start(State(telegram): World, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    let user_id = user(&telegram, &headers)?;
    let mut state = telegram.lock();
    let mut struck = |name| state.web_fault(Some(user_id), &[name]).is_some();
    let (locked, deactivated) = (struck(FaultName::Locked), struck(FaultName::Deactivated));
    Ok(Json(json!({ "user_id": user_id, "locked": locked, "deactivated": deactivated })))
}

async fn dialogs(State(telegram): World, headers: HeaderMap) -> Result<impl IntoResponse, Refused> {
    let me = user(&telegram, &headers)?;
    Ok(Json(telegram.lock().web_dialogs(me)))
}

#[derive(Deserialize)]
struct Query {
    query: String,
}

async fn search(
    State(telegram): World,
    headers: HeaderMap,
    Json(Query { query }): Json<Query>,
) -> Result<Json<Results>, Refused> {
    let me = user(&telegram, &headers)?;
    Ok(Json(telegram.lock().web_search(me, &query)))
}

async fn resolve(
    State(telegram): World,
    headers: HeaderMap,
    Json(Query { query }): Json<Query>,
) -> Result<Json<Chat>, Refused> {
    let me = user(&telegram, &headers)?;
    let mut state = telegram.lock();
    if state.web_fault(Some(me), &[FaultName::UnknownName]).is_some() {
        return Err(Refused::NotFound);
    }
    let peer = state.by_username(&query).ok_or(Refused::NotFound)?;
    state.web_chat(me, peer).map(Json).ok_or(Refused::NotFound)
}

#[derive(Deserialize)]
struct Which {
    peer_id: i64,
}

async fn history(
    State(telegram): World,
    headers: HeaderMap,
    Json(Which { peer_id }): Json<Which>,
) -> Result<Json<Chat>, Refused> {
    let me = user(&telegram, &headers)?;
    let mut state = telegram.lock();
    let peer = state.web_peer(peer_id).ok_or(Refused::NotFound)?;
    state.web_read(me, peer);
    state.web_chat(me, peer).map(Json).ok_or(Refused::NotFound)
}

/// A chat that is opened: restrictions of faults are those of the account.
async fn open(
    State(telegram): World,
    headers: HeaderMap,
    Json(Which { peer_id }): Json<Which>,
) -> Result<Json<Chat>, Refused> {
    let me = user(&telegram, &headers)?;
    let mut state = telegram.lock();
    let peer = state.web_peer(peer_id).ok_or(Refused::NotFound)?;
    let mut chat = state.web_chat(me, peer).ok_or(Refused::NotFound)?;
    let plates = [FaultName::Frozen, FaultName::Premium, FaultName::Paid, FaultName::Forbidden];
    let order = if peer_id == me { None } else { state.web_fault(Some(me), &plates) };
    if let Some(order) = order {
        chat.plate = Some(match order.fault {
            FaultName::Frozen => "frozen",
            FaultName::Premium => "premium",
            FaultName::Paid => "paid",
            _ => "forbidden",
        });
    }
    Ok(Json(chat))
}

/// What comes between the click and the message.
async fn before(State(telegram): World, headers: HeaderMap) -> Result<Json<Value>, Refused> {
    let me = user(&telegram, &headers)?;
    let order = telegram.lock().web_fault(Some(me), &[FaultName::Popup, FaultName::SlowMode]);
    let name = order.map(|order| if order.fault == FaultName::Popup { "popup" } else { "slow_mode" });
    Ok(Json(json!(name)))
}

async fn send(
    State(telegram): World,
    headers: HeaderMap,
    Json(text): Json<WebText>,
) -> Result<Json<WebOutcome>, Refused> {
    let me = user(&telegram, &headers)?;
    let outcome = telegram.send_from_web_k(me, &text).await;
    if outcome == WebOutcome::LoggedOut {
        if let Some(session) = session(&headers) {
            telegram.lock().web_log_out(session);
        }
        return Err(Refused::LoggedOut);
    }
    Ok(Json(outcome))
}

/// Whether the server has a notice after a message.
async fn after(State(telegram): World, headers: HeaderMap) -> Result<Json<bool>, Refused> {
    let me = user(&telegram, &headers)?;
    Ok(Json(telegram.lock().web_fault(Some(me), &[FaultName::Notice]).is_some()))
}
