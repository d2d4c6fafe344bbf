//! What Telegram posts to control bots.

use std::collections::BTreeMap;
use std::sync::Arc;

use ambient::lock::RwLock;
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

/// An inbox, and where its updates are taken from.
pub(crate) fn inbox(secret: HookSecret) -> (Inbox, Receiver<Update>) {
    let (updates, taken) = channel(WAITING);
    (Inbox { secret, updates }, taken)
}

/// The path of a bot's webhook.
pub(crate) fn path(name: &str) -> String {
    format!("/control-bots/{name}")
}

/// The inboxes of all control bots, by their names. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Inboxes(Arc<RwLock<BTreeMap<String, Inbox>>>);

impl Inboxes {
    /// Gives a bot its inbox, or takes it away.
    pub fn set(&self, name: &str, inbox: Option<Inbox>) {
        let mut all = self.0.write();
        match inbox {
            Some(inbox) => all.insert(name.to_owned(), inbox),
            None => all.remove(name),
        };
    }

    /// The webhooks of the bots. A post without the secret of its bot is refused, whether there is such a bot or not.
    pub fn routes(&self) -> Router {
        Router::new().route("/control-bots/{name}", post(take)).with_state(self.clone())
    }
}

async fn take(
    State(inboxes): State<Inboxes>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let given = headers.get(SECRET).map(axum::http::HeaderValue::as_bytes);
    let answer = inboxes.take(&name, given, &body);
    std::future::ready(answer).await
}

impl Inboxes {
    fn take(&self, name: &str, given: Option<&[u8]>, body: &[u8]) -> StatusCode {
        let all = self.0.read();
        let inbox = all.get(name).filter(|inbox| is_genuine(&inbox.secret, given));
        match (inbox, read_update(body)) {
            (None, _) => StatusCode::UNAUTHORIZED,
            // It would come again and again.
            (Some(_), Err(_)) => StatusCode::OK,
            (Some(inbox), Ok(update)) => match inbox.updates.try_send(update) {
                Ok(()) => StatusCode::OK,
                // Telegram posts it again.
                Err(_) => StatusCode::SERVICE_UNAVAILABLE,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_posts_with_the_secret_of_their_bot_are_taken() {
        const UPDATE: &[u8] = br#"{"update_id": 1}"#;
        let inboxes = Inboxes::default();
        let made = |name: &str, secret: &str| {
            let (one, taken) = inbox(HookSecret::read(secret.into()).unwrap());
            inboxes.set(name, Some(one));
            taken
        };
        let (mut taken, mut others) = (made("owner", "planted_1"), made("other", "planted_2"));
        for (name, given) in [
            ("owner", None),
            ("owner", Some("planted_2")),
            ("other", Some("planted_1")),
            ("none", Some("planted_1")),
        ] {
            let answer = inboxes.take(name, given.map(str::as_bytes), UPDATE);
            assert_eq!(answer, StatusCode::UNAUTHORIZED, "{name} {given:?}");
        }
        assert!(taken.try_recv().is_err() && others.try_recv().is_err());
        let post = |body: &[u8]| inboxes.take("owner", Some(b"planted_1"), body);
        assert_eq!((post(UPDATE), taken.try_recv().is_ok()), (StatusCode::OK, true));
        assert_eq!((post(b"no update"), taken.try_recv().is_ok()), (StatusCode::OK, false));
        // What has no room is posted again, and what is taken away is not posted to.
        for _ in 0..WAITING {
            assert_eq!(post(UPDATE), StatusCode::OK);
        }
        assert_eq!(post(UPDATE), StatusCode::SERVICE_UNAVAILABLE);
        inboxes.set("owner", None);
        assert_eq!(post(UPDATE), StatusCode::UNAUTHORIZED);
    }
}
