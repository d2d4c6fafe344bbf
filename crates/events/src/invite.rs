//! Invite callbacks: whoever asked for a chat for a client is told its invite link.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use config::InviteCallback;
use domain::CallbackId;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use reqwest::{Client, Url};
use serde_json::{Value, json};
use store::{Callback, Store, StoreError};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::post::post;
use crate::{StartError, again, client};

/// How long the receiver may take.
const LIMIT: Duration = Duration::from_secs(15);

/// Calls under way at the same time, at most.
const MOST_AT_ONCE: usize = 4;

/// After a store that did not answer, how long until it is asked again.
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Posts the invite callbacks of the store, as long as it runs. Cheap to clone.
///
/// A callback that is not taken is tried again 30 s, 2 min, 10 min, 1 h and 6 h later; then it is kept as a failed
/// request, for a person to try again. One that was taken just before the program died is posted once more: a receiver
/// can tell by the header `webhook-id`, which stays the same.
#[derive(Clone)]
pub struct InviteCallbacks {
    closing: CancellationToken,
    tasks: TaskTracker,
}

struct Worker {
    store: Store,
    clock: Clock,
    receiver: Option<Receiver>,
    due: Arc<Notify>,
    closing: CancellationToken,
}

/// Who is told.
struct Receiver {
    client: Client,
    url: Url,
    group_id: String,
}

impl InviteCallbacks {
    /// Begins to post what is due, and what becomes due, to the receiver of the settings. `due` is to be told whenever
    /// a callback was added or is to be tried again at once. Without a receiver each callback is kept as a failed request.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(
        store: Store,
        receiver: Option<&InviteCallback>,
        clock: Clock,
        due: Arc<Notify>,
    ) -> Result<Self, StartError> {
        let receiver = receiver.map(Receiver::new).transpose()?;
        let (closing, tasks) = (CancellationToken::new(), TaskTracker::new());
        let worker = Worker { store, clock, receiver, due, closing: closing.clone() };
        tasks.spawn(async move { worker.run().await });
        tasks.close();
        Ok(Self { closing, tasks })
    }

    /// Ends cleanly: nothing new is begun, what is on the wire is waited for, at most `limit`. The rest stays in the store.
    pub async fn stop(&self, limit: Duration) {
        self.closing.cancel();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!("a callback is still on the wire; the next start posts it again");
        }
    }
}

impl Receiver {
    fn new(settings: &InviteCallback) -> Result<Self, StartError> {
        let url = Url::parse(&settings.url).map_err(|error| StartError::Address(error.to_string()))?;
        Ok(Self { client: client::new(&url, LIMIT)?, url, group_id: settings.group_id.clone() })
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

    /// What can be begun now, and when to look again if nothing else happens: while calls are under way their end tells.
    async fn take(
        &self,
        under_way: &HashSet<CallbackId>,
    ) -> Result<(Vec<Callback>, Option<domain::Timestamp>), StoreError> {
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

    /// Posts one callback and writes down how that went.
    async fn tell(&self, callback: Callback) -> CallbackId {
        let told = match &self.receiver {
            Some(to) => {
                let body = to.body(&callback);
                post(&to.client, &self.clock, &to.url, &callback.id.to_string(), &body, LIMIT)
                    .await
                    .map_err(|not_taken| (not_taken.to_string(), again::wait(callback.attempts)))
            }
            None => Err(("nobody is named in the settings under legacy.invite_callback".to_owned(), None)),
        };
        let now = self.clock.now();
        match &told {
            Ok(()) => tracing::debug!(callback = %callback.id, "told"),
            Err((error, wait)) => {
                tracing::warn!(callback = %callback.id, error, again = wait.is_some(), "a callback was not taken");
            }
        }
        loop {
            let callbacks = self.store.callbacks();
            let written = match &told {
                Ok(()) => callbacks.delivered(callback.id, now).await,
                Err((error, wait)) => {
                    callbacks.failed(callback.id, error.clone(), now, wait.map(|wait| now.plus(wait))).await
                }
            };
            match written {
                Ok(()) => return callback.id,
                Err(error) => {
                    tracing::warn!(callback = %callback.id, %error, "how a callback went is not stored yet");
                    if matches!(error, StoreError::Inconsistent { .. }) {
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
