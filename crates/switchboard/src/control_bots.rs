//! The control bots of the settings: each is a task, and those with a webhook have a path on the main port.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use access::Access;
use anyhow::Context;
use axum::Router;
use config::ControlBotFields;
use control_bot::ControlBot;
use delivery::Ambient;
use flows::FlowControl;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Starts all of them; they end when the token is cancelled.
pub(crate) fn start(
    settings: &[ControlBotFields],
    flows: &Arc<dyn FlowControl>,
    access: &Access,
    ambient: &Ambient,
    stop: &CancellationToken,
) -> anyhow::Result<(Router, TaskTracker)> {
    let (mut inboxes, tasks) = (BTreeMap::new(), TaskTracker::new());
    for entry in settings {
        let given = (ambient.clock.clone(), &ambient.chance);
        let (bot, inbox) = ControlBot::new(entry, Arc::clone(flows), access.clone(), given)
            .with_context(|| format!("control bot {}", entry.name))?;
        inboxes.extend(inbox.map(|inbox| (entry.name.clone(), inbox)));
        tasks.spawn(bot.run(stop.clone()));
    }
    tasks.close();
    Ok((control_bot::routes(inboxes), tasks))
}

/// Waits until they have ended, for a while.
pub(crate) async fn ended(tasks: TaskTracker, at_most: Duration) {
    if tokio::time::timeout(at_most, tasks.wait()).await.is_err() {
        tracing::warn!("a control bot did not end in time");
    }
}
