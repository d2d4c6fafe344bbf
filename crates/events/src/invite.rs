//! Invite callbacks: the program that asked for a client's chat is sent its invite link.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ambient::Clock;
use config::{InviteCallback, LegacySettings};
use domain::{CallbackId, Timestamp};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use outbound::header::{HeaderName, HeaderValue};
use serde_json::{Value, json};
use store::{Callback, Store, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::endpoint::{Endpoint, EndpointError, NotTaken, Post};
use crate::{Kind, SigningKey};

/// Calls under way at the same time, at most.
const MOST_AT_ONCE: usize = 4;

/// After a store that did not answer, how long until it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Why invite callbacks cannot be posted. The text says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("legacy.invite_callback.url cannot be used: {0}; write an address like https://example.com/hook")]
    Address(#[from] EndpointError),
    #[error("legacy.invite_callback.secret is wrong: {0}")]
    Secret(#[from] crate::InvalidKey),
}

/// Posts the invite callbacks of the store, as long as it runs. Cheap to clone.
///
/// A callback that is not taken is tried again 30 s, 2 min, 10 min, 1 h and 6 h later; then it is kept as a failed
/// request, for a person to try again. One that was taken just before the program died is posted once more: a receiver
/// recognizes it by the header `webhook-id`, which stays the same.
#[derive(Clone)]
pub struct InviteCallbacks {
    receivers: Arc<RwLock<Arc<Receivers>>>,
    closing: CancellationToken,
    tasks: TaskTracker,
}

struct Worker {
    store: Store,
    clock: Clock,
    receivers: Arc<RwLock<Arc<Receivers>>>,
    due: Arc<Notify>,
    closing: CancellationToken,
}

/// Who is notified: of the chats of a port with an address of its own, and of all others.
#[derive(Default)]
struct Receivers {
    usual: Option<Receiver>,
    of_ports: HashMap<String, Receiver>,
}

struct Receiver {
    endpoint: Endpoint,
    group_id: String,
    key: Option<SigningKey>,
    header: Option<(HeaderName, HeaderValue)>,
}

impl InviteCallbacks {
    /// Begins to post what is due, and what becomes due, to the receivers of the settings. `due` is to be notified
    /// whenever a callback was added or is to be tried again at once. Without a receiver each callback is kept as a
    /// failed request.
    pub fn start(
        store: Store,
        settings: &LegacySettings,
        clock: Clock,
        due: Arc<Notify>,
    ) -> Result<Self, StartError> {
        let receivers = Arc::new(RwLock::new(Arc::new(Receivers::new(settings)?)));
        let (closing, tasks) = (CancellationToken::new(), TaskTracker::new());
        let worker =
            Worker { store, clock, receivers: Arc::clone(&receivers), due, closing: closing.clone() };
        tasks.spawn(async move { worker.run().await });
        tasks.close();
        Ok(Self { receivers, closing, tasks })
    }

    /// Whether callbacks can be posted to the receivers of these settings.
    ///
    /// # Errors
    /// They cannot; the text says what to do.
    pub fn check(settings: &LegacySettings) -> Result<(), StartError> {
        Receivers::new(settings).map(drop)
    }

    /// Posts to the receivers of these settings from now on.
    ///
    /// # Errors
    /// See [`Self::check`]; nothing was changed then.
    pub fn reload(&self, settings: &LegacySettings) -> Result<(), StartError> {
        let receivers = Arc::new(Receivers::new(settings)?);
        *self.receivers.write().unwrap_or_else(PoisonError::into_inner) = receivers;
        Ok(())
    }

    /// Ends cleanly: nothing new is begun, what is on the wire is waited for, at most `limit`. The rest stays in the store.
    pub async fn stop(&self, limit: Duration) {
        self.closing.cancel();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!("a callback is still on the wire; the next start posts it again");
        }
    }
}

impl Receivers {
    fn new(settings: &LegacySettings) -> Result<Self, StartError> {
        let Some(callback) = &settings.invite_callback else { return Ok(Self::default()) };
        let usual = Some(Receiver::new(callback, &callback.url)?);
        let mut of_ports = HashMap::new();
        for port in &settings.ports {
            if let Some(url) = &port.invite_callback_url {
                of_ports.insert(port.port.to_string(), Receiver::new(callback, url)?);
            }
        }
        Ok(Self { usual, of_ports })
    }

    /// Who is notified of a chat that was asked for there.
    fn of(&self, listener: Option<&str>) -> Option<&Receiver> {
        listener.and_then(|listener| self.of_ports.get(listener)).or(self.usual.as_ref())
    }
}

impl Receiver {
    fn new(settings: &InviteCallback, url: &str) -> Result<Self, StartError> {
        let header = settings.header().and_then(|(name, value)| {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            Some((HeaderName::try_from(name).ok()?, value))
        });
        Ok(Self {
            endpoint: Endpoint::of_settings(url, Kind::InviteCallback)?,
            group_id: settings.group_id.clone(),
            key: settings.secret().as_ref().map(SigningKey::new).transpose()?,
            header,
        })
    }

    /// Posts under an id by which the receiver recognizes a repeat, signed where there is a secret.
    async fn post(&self, clock: &Clock, callback: &Callback) -> Result<(), NotTaken> {
        let (id, body) = (callback.id.to_string(), self.body(callback).to_string());
        let keys: Vec<_> = self.key.iter().collect();
        let post = Post { id: &id, body, keys: &keys, headers: self.header.as_slice() };
        self.endpoint.post(clock, post).await.map(drop)
    }

    fn body(&self, callback: &Callback) -> Value {
        json!({
            "message": "send_invite_link",
            "user_id": callback.client_tg_id,
            "group_id": self.group_id,
            "tg_business": 1,
            "invite_link": callback.invite_link,
        })
    }
}

impl Worker {
    async fn run(&self) {
        let mut under_way = FuturesUnordered::new();
        let mut ids = HashSet::new();
        while !self.closing.is_cancelled() {
            let next = match self.take(&ids).await {
                Ok((begun, next)) => {
                    for callback in begun {
                        ids.insert(callback.id);
                        under_way.push(self.tell(callback));
                    }
                    next
                }
                Err(error) => {
                    tracing::warn!(%error, "the callbacks cannot be read");
                    Some(self.clock.now().plus(ASK_AGAIN))
                }
            };
            let time = async {
                match next {
                    Some(at) => self.clock.sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.closing.cancelled() => {}
                () = self.due.notified() => {}
                () = time => {}
                Some(id) = under_way.next() => { ids.remove(&id); }
            }
        }
        while under_way.next().await.is_some() {}
    }

    /// What can be begun now, and when to look again if nothing else happens: while calls are under way, their end is the signal.
    async fn take(
        &self,
        under_way: &HashSet<CallbackId>,
    ) -> Result<(Vec<Callback>, Option<Timestamp>), StoreError> {
        let free = MOST_AT_ONCE.saturating_sub(under_way.len());
        if free == 0 {
            return Ok((Vec::new(), None));
        }
        let now = self.clock.now();
        // Those under way are due as well, until their end is written.
        let most = u32::try_from(MOST_AT_ONCE + under_way.len()).unwrap_or(u32::MAX);
        let mut due = self.store.callbacks().due(now, most).await?;
        due.retain(|callback| !under_way.contains(&callback.id));
        due.truncate(free);
        let next = if due.is_empty() { self.store.callbacks().next_due().await? } else { None };
        Ok((due, next.filter(|at| *at > now)))
    }

    async fn tell(&self, callback: Callback) -> CallbackId {
        let receivers = Arc::clone(&self.receivers.read().unwrap_or_else(PoisonError::into_inner));
        let outcome = match receivers.of(callback.listener.as_deref()) {
            Some(to) => to
                .post(&self.clock, &callback)
                .await
                .map_err(|not_taken| (not_taken.to_string(), Kind::InviteCallback.wait(callback.attempts))),
            None => {
                Err(("no address is named in the settings under legacy.invite_callback".to_owned(), None))
            }
        };
        let now = self.clock.now();
        match &outcome {
            Ok(()) => tracing::debug!(callback = %callback.id, "notified"),
            Err((error, wait)) => {
                tracing::warn!(callback = %callback.id, error, again = wait.is_some(), "a callback was not taken");
            }
        }
        loop {
            let callbacks = self.store.callbacks();
            let written = match &outcome {
                Ok(()) => callbacks.delivered(callback.id, now).await,
                Err((error, wait)) => {
                    callbacks.failed(callback.id, error.clone(), now, wait.map(|wait| now.plus(wait))).await
                }
            };
            match written {
                Ok(()) => return callback.id,
                Err(error) => {
                    tracing::warn!(callback = %callback.id, %error, "how a callback went is not stored yet");
                    if !matches!(error, StoreError::Unavailable(_) | StoreError::StorageFull) {
                        return callback.id;
                    }
                }
            }
            tokio::select! {
                () = self.clock.sleep(ASK_AGAIN) => {}
                () = self.closing.cancelled() => return callback.id,
            }
        }
    }
}
