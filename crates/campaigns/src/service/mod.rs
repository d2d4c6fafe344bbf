//! The campaigns of the running program: what people ask of them, and a worker for each sender of each run.

mod again;
mod browsers;
mod carry;
mod control;
mod load;
mod log_files;
mod place;
mod worker;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ambient::{Chance, Clock, Handle, Ids};
use delivery::Delivery;
use domain::CampaignRunId;
use media::Outgoing;
use store::{Store, StoreError};
use telegram::Pool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::log_files::LogFiles;

pub use self::browsers::{BROWSERS, Browsers, LogIn, ProfileChecked, ProfileError};
pub use self::control::{ControlError, LeftOut, Outlook, Preview, Start};

/// What campaigns are made of.
pub struct CampaignsParts {
    pub store: Store,
    pub delivery: Delivery,
    pub pool: Arc<Pool>,
    pub clock: Clock,
    pub ids: Ids,
    pub chance: Chance,
    /// The folder of its log files; none are written without.
    pub logs: Option<PathBuf>,
    pub browsers: Browsers,
    /// Where files of messages are stored; messages with files wait without.
    pub files: Option<Outgoing>,
}

/// All campaigns. Cheap to clone.
#[derive(Clone)]
pub struct Campaigns(Handle<Inner>);

struct Inner {
    parts: CampaignsParts,
    /// Whether runs are carried out.
    is_at_work: bool,
    /// The runs that are carried out now, and what ends that.
    at_work: Mutex<HashMap<CampaignRunId, CancellationToken>>,
    /// An attempt ended, or people changed something.
    changed: Notify,
    closing: CancellationToken,
    tasks: TaskTracker,
    log_files: LogFiles,
    turns: browsers::Turns,
}

impl Campaigns {
    /// Takes up the runs that go on, each at the very recipient where it was.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn start(parts: CampaignsParts) -> Result<Self, StoreError> {
        let campaigns = Self::made(parts, true);
        for id in campaigns.0.parts.store.campaigns().runs_at_work().await? {
            campaigns.carry_out(id);
        }
        Ok(campaigns)
    }

    /// The same, none of which sends anything: for a command while no server runs.
    pub fn at_rest(parts: CampaignsParts) -> Self {
        Self::made(parts, false)
    }

    fn made(parts: CampaignsParts, is_at_work: bool) -> Self {
        let log_files = LogFiles::new(parts.logs.clone());
        Self(Handle::new(Inner {
            log_files,
            parts,
            is_at_work,
            at_work: Mutex::default(),
            changed: Notify::new(),
            closing: CancellationToken::new(),
            tasks: TaskTracker::new(),
            turns: browsers::Turns::default(),
        }))
    }

    /// Begins nothing more and lets go of what the outbox has; the next start goes on there.
    pub async fn stop(&self, limit: Duration) {
        self.0.closing.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("campaigns did not end in time; the next start goes on where they are");
        }
    }

    /// Carries a run out, unless that is done already.
    fn carry_out(&self, id: CampaignRunId) {
        let inner = &self.0;
        if !inner.is_at_work || inner.closing.is_cancelled() {
            return;
        }
        let mut at_work = inner.at_work();
        if at_work.get(&id).is_some_and(|run| !run.is_cancelled()) {
            return;
        }
        let pause = inner.closing.child_token();
        at_work.insert(id, pause.clone());
        inner.tasks.spawn(worker::carry_out(inner.clone(), id, pause));
    }

    /// Lets a run begin nothing more.
    fn rest(&self, id: CampaignRunId) {
        if let Some(pause) = self.0.at_work().remove(&id) {
            pause.cancel();
        }
        self.0.changed.notify_waiters();
    }
}

impl Inner {
    fn at_work(&self) -> MutexGuard<'_, HashMap<CampaignRunId, CancellationToken>> {
        self.at_work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A random number.
    fn drawn(&self) -> u64 {
        self.parts.chance.random_id().cast_unsigned()
    }
}
