//! The control bots of the settings: each is a task, and those with a webhook have a path on the main port.

use std::time::Duration;

use axum::Router;
use config::ControlBotFields;
use control_bot::{ControlBot, ControlParts, Inboxes};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long one may take to end before it begins again with other settings.
const ENDING: Duration = Duration::from_secs(5);

/// All that run.
pub(crate) struct ControlBots {
    parts: ControlParts,
    inboxes: Inboxes,
    stop: CancellationToken,
    running: tokio::sync::Mutex<Vec<Running>>,
}

/// One of them, with its settings.
struct Running {
    settings: ControlBotFields,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl ControlBots {
    /// Starts all of them; they end when the token is cancelled.
    pub(crate) async fn start(
        settings: &[ControlBotFields],
        parts: ControlParts,
        stop: CancellationToken,
    ) -> anyhow::Result<Self> {
        let bots = Self { parts, inboxes: Inboxes::default(), stop, running: tokio::sync::Mutex::default() };
        match bots.reload(settings).await.pop() {
            Some((name, error)) => Err(error.context(format!("control bot {name}"))),
            None => Ok(bots),
        }
    }

    /// The webhooks.
    pub(crate) fn routes(&self) -> Router {
        self.inboxes.routes()
    }

    /// Takes over settings that were read again: those that are as they were go on undisturbed. Names those that cannot run.
    pub(crate) async fn reload(&self, settings: &[ControlBotFields]) -> Vec<(String, anyhow::Error)> {
        let mut running = self.running.lock().await;
        let is_kept = |one: &Running| settings.iter().any(|entry| entry.is_as(&one.settings));
        let (kept, gone): (Vec<_>, Vec<_>) = running.drain(..).partition(is_kept);
        *running = kept;
        for one in gone {
            one.stop.cancel();
            self.inboxes.set(&one.settings.name, None);
            one.ended(ENDING).await;
        }
        let mut failed = Vec::new();
        for entry in settings {
            if running.iter().any(|one| one.settings.name == entry.name) {
                continue;
            }
            match ControlBot::new(entry, self.parts.clone()) {
                Ok((bot, inbox)) => {
                    let (stop, tasks) = (self.stop.child_token(), TaskTracker::new());
                    self.inboxes.set(&entry.name, inbox);
                    tasks.spawn(bot.run(stop.clone()));
                    tasks.close();
                    running.push(Running { settings: entry.clone(), stop, tasks });
                }
                Err(error) => failed.push((entry.name.clone(), error.into())),
            }
        }
        failed
    }

    /// Waits until they have ended, for a while.
    pub(crate) async fn ended(&self, at_most: Duration) {
        for one in self.running.lock().await.drain(..) {
            one.ended(at_most).await;
        }
    }
}

impl Running {
    async fn ended(self, at_most: Duration) {
        if tokio::time::timeout(at_most, self.tasks.wait()).await.is_err() {
            tracing::warn!(control_bot = self.settings.name, "a control bot did not end in time");
        }
    }
}
