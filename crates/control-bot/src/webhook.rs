//! What Telegram posts to control bots.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use channels::telegram_bot::{HookSecret, Update, is_genuine, read_update};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// How many updates of a bot wait at most: a person does not type more.
const WAITING: usize = 100;
/// The header with the secret.
const SECRET: &str = "x-telegram-bot-api-secret-token";

/// Where the updates of one bot go.
#[derive(Debug)]
pub struct Inbox {
    secret: HookSecret,
    updates: Sender<Update>,
}

/// A way in, and its end.
pub(crate) fn inbox(secret: HookSecret) -> (Inbox, Receiver<Update>) {
    let (updates, taken) = channel(WAITING);
    (Inbox { secret, updates }, taken)
}

/// The path of a bot's webhook.
pub(crate) fn path(name: &str) -> String {
    format!("/control-bots/{name}")
}

/// The webhooks of these bots. Whoever posts without the secret of a bot is refused, whether there is such a bot or not.
pub fn routes(inboxes: BTreeMap<String, Inbox>) -> Router {
    Router::new().route("/control-bots/{name}", post(take)).with_state(Arc::new(inboxes))
}

async fn take(
    State(inboxes): State<Arc<BTreeMap<String, Inbox>>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let given = headers.get(SECRET).map(axum::http::HeaderValue::as_bytes);
    let inbox = inboxes.get(&name).filter(|inbox| is_genuine(&inbox.secret, given));
    let answer = match (inbox, read_update(&body)) {
        (None, _) => StatusCode::UNAUTHORIZED,
        // It would come again and again.
        (Some(_), Err(_)) => StatusCode::OK,
        (Some(inbox), Ok(update)) => match inbox.updates.try_send(update) {
            Ok(()) => StatusCode::OK,
            // Telegram posts it again.
            Err(_) => StatusCode::SERVICE_UNAVAILABLE,
        },
    };
    std::future::ready(answer).await
}
