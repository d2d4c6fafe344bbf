//! Webhooks: each gets the events that it wants, on a lane of its own, so that a dead one delays only itself.

mod decide;
mod lane;
mod receiver;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ambient::{Chance, Clock};
use channels::Links;
use domain::{AccountName, ExposeSecret, SecretText, WebhookId};
use outbound::{Allowed, Url};
use store::{Store, StoreError, StoredWebhook, WebhookSecrets};
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::{Answer, Endpoint, EndpointError, InvalidKey, Kind, NotTaken, SigningKey};
use lane::Lane;
use receiver::Receiver;
pub use receiver::body as event_body;

/// Posts of all webhooks under way at the same time, at most. A failing one has few of them.
const MOST_AT_ONCE: usize = 512;

/// How often the list of webhooks is read when no one says that it changed.
const LOOK: Duration = Duration::from_mins(1);

/// Who made a webhook that the settings name.
pub const MADE_BY_SETTINGS: &str = "settings";

/// An address that the settings vouch for: the owner has the messages of this account posted on to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vouched {
    pub account: AccountName,
    pub url: String,
}

/// What webhooks need.
#[derive(Clone)]
pub struct WebhooksParts {
    pub store: Store,
    pub clock: Clock,
    pub chance: Chance,
    /// Which private networks they may be in.
    pub allowed: Allowed,
    /// Where the settings have messages posted on to, which may be anywhere: their author owns the machine.
    pub vouched: Vec<Vouched>,
    /// Where other programs fetch the files of messages that are posted on.
    pub links: Links,
}

/// The webhooks, posted to as long as the program runs. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    shared: Arc<Shared>,
    tasks: TaskTracker,
}

struct Shared {
    parts: WebhooksParts,
    /// Counts the changes of webhooks.
    changes: watch::Sender<u64>,
    slots: Arc<Semaphore>,
    closing: CancellationToken,
}

/// Why a webhook cannot be as it is wanted.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    #[error(transparent)]
    Key(#[from] InvalidKey),
    #[error("the header {0:?} cannot be sent")]
    Header(String),
}

/// Gives a webhook another address. Another server gets none of the headers that were kept for the server before: their values are
/// secrets. The secret of signatures stays, because no receiver can read it out of them.
pub fn move_to(secrets: &mut WebhookSecrets, url: SecretText) {
    let server = |url: &SecretText| Url::parse(url.expose_secret()).ok().map(|url| url.origin());
    if server(&secrets.url) != server(&url) {
        secrets.headers.clear();
    }
    secrets.url = url;
}

impl Webhooks {
    /// Begins to post what waits, and what happens.
    pub fn start(parts: WebhooksParts) -> Self {
        let webhooks = Self::at_rest(parts);
        let shared = Arc::clone(&webhooks.shared);
        let tasks = webhooks.tasks.clone();
        webhooks.tasks.spawn(async move { shared.run(&tasks).await });
        webhooks.tasks.close();
        webhooks
    }

    /// Webhooks that are only looked at, changed and tested.
    pub fn at_rest(parts: WebhooksParts) -> Self {
        let shared = Shared {
            parts,
            changes: watch::Sender::new(0),
            slots: Arc::new(Semaphore::new(MOST_AT_ONCE)),
            closing: CancellationToken::new(),
        };
        Self { shared: Arc::new(shared), tasks: TaskTracker::new() }
    }

    /// A webhook was added or changed, or is to post something once more.
    pub fn changed(&self) {
        self.shared.changes.send_modify(|changes| *changes += 1);
    }

    /// Whether a webhook can be as it is wanted.
    ///
    /// # Errors
    /// What is wrong with its address, its secret or a header.
    pub fn check(&self, webhook: &StoredWebhook) -> Result<(), WebhookError> {
        Receiver::new(webhook, &self.shared.parts).map(drop)
    }

    /// Posts a `ping` now, whether the webhook is paused or not, and waits for the answer.
    ///
    /// # Errors
    /// The endpoint did not take it.
    pub async fn test(&self, webhook: &StoredWebhook) -> Result<Result<Answer, NotTaken>, WebhookError> {
        let parts = &self.shared.parts;
        let receiver = Receiver::new(webhook, parts)?;
        Ok(receiver.ping(&parts.clock).await)
    }

    /// Ends cleanly: nothing new is posted, what is on the wire is waited for, at most `limit`. The rest stays in the store.
    pub async fn stop(&self, limit: Duration) {
        self.shared.closing.cancel();
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!("a webhook is still on the wire; the next start posts it again");
        }
    }
}

impl Shared {
    /// Gives each webhook a lane, as long as it is there.
    async fn run(self: Arc<Self>, tasks: &TaskTracker) {
        let mut changes = self.changes.subscribe();
        let (ended, mut ends) = tokio::sync::mpsc::channel(1);
        let mut lanes = HashSet::new();
        while !self.closing.is_cancelled() {
            changes.mark_unchanged();
            match self.parts.store.webhooks().list().await {
                Ok(webhooks) => {
                    for id in webhooks.into_iter().map(|webhook| webhook.id) {
                        if lanes.insert(id) {
                            let (lane, ended) = (Lane::new(Arc::clone(&self), id), ended.clone());
                            tasks.spawn(async move {
                                lane.run().await;
                                // At the end of the program no one listens.
                                let _ = ended.send(id).await;
                            });
                        }
                    }
                }
                Err(error) => tracing::warn!(%error, "the webhooks cannot be read"),
            }
            tokio::select! {
                () = self.closing.cancelled() => {}
                _ = changes.changed() => {}
                () = self.parts.clock.sleep(LOOK) => {}
                Some(id) = ends.recv() => { lanes.remove(&id); }
            }
        }
    }

    /// The webhook as it is now, if it is there.
    async fn webhook(&self, id: WebhookId) -> Result<Option<StoredWebhook>, StoreError> {
        self.parts.store.webhooks().get(id).await
    }
}

/// A new secret for signatures: `whsec_` and 24 bytes of chance in base64.
///
/// # Errors
/// The system gives no random numbers.
pub fn new_secret() -> Result<SecretText, getrandom::Error> {
    use base64::Engine;
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes)?;
    Ok(format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(bytes)).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_server_gets_no_header_of_the_one_before() {
        let kept = |before: &str, after: &str| {
            let mut secrets = WebhookSecrets {
                url: before.into(),
                secret: "planted".into(),
                previous: Vec::new(),
                headers: vec![("authorization".to_owned(), "planted".into())],
                form: None,
            };
            move_to(&mut secrets, after.into());
            assert_eq!(secrets.url.expose_secret(), after);
            !secrets.headers.is_empty()
        };
        let before = "https://example.com/a?b=c";
        for same in ["https://example.com/other", "https://EXAMPLE.com:443/a"] {
            assert!(kept(before, same), "{same}");
        }
        for other in [
            "http://example.com/a",
            "https://example.com:8443/a",
            "https://example.com.example.net/a",
            "https://example.com@example.net/a",
            "no address",
        ] {
            assert!(!kept(before, other), "{other}");
        }
    }
}
