//! What every handler shares: the store, the delivery, the accounts, the keys, the listeners and their settings.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::time::Duration;

use access::Access;
use alerts::Alerts;
use ambient::{Clock, Handle, Ids};
use axum::extract::FromRef;
use backup::Backups;
use campaigns::Campaigns;
use channels::{Links, Reception};
use delivery::{Delivery, Sagas, Settled};
use domain::message::MessageState;
use domain::saga::{Saga, SagaState};
use domain::{MessageId, OperationId, Timestamp};
use events::Webhooks;
use flows::Flows;
use health::Health;
use http::HeaderMap;
use logs::LogStore;
use pipeline::Pipeline;
use store::{Store, StoreError};
use telegram::Pool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::auth::{self, Forwarded, KeyCache, LastUses, Meters};
use crate::channel_changes::ChannelChanges;
use crate::files::{BoundedFiles, Files};
use crate::listen::{Board, ListenerView};
use crate::metrics::Traffic;
use crate::options::{Limits, Options};
use crate::reload::ReloadRequests;
use crate::v1::doctor::LastReport;
use crate::v1::{Bundles, EventHead, Retries, Writers};

/// The parts of the program that requests are answered from.
#[derive(Clone)]
pub struct Services {
    pub store: Store,
    pub delivery: Delivery,
    /// The way of work on chats.
    pub sagas: Sagas,
    /// Notified when a callback is to be tried again at once.
    pub callbacks_due: Arc<Notify>,
    pub pool: Arc<Pool>,
    /// The people of the dashboard, and the audit log.
    pub access: Access,
    /// Who is notified when something stays broken.
    pub alerts: Alerts,
    /// Other programs that events are posted to.
    pub webhooks: Webhooks,
    /// The buttons of bots, pressed the moment they are offered.
    pub flows: Flows,
    /// Messages to lists of chats.
    pub campaigns: Campaigns,
    /// Conversations with clients.
    pub pipeline: Pipeline,
    /// Accounts at providers through which customers write.
    pub channels: Reception,
    /// Addresses at which providers fetch files of messages.
    pub links: Links,
    pub files: Files,
    pub health: Health,
    pub backups: Backups,
    /// The lines that the program writes about itself.
    pub logs: LogStore,
    pub clock: Clock,
    pub ids: Ids,
    /// Who reads the settings again; none without a running server.
    pub reload: Option<ReloadRequests>,
    /// Who changes the accounts of channels in the settings file; none without a running server.
    pub channel_changes: Option<ChannelChanges>,
}

/// Everything that requests are answered from. Cheap to clone.
#[derive(Clone)]
pub struct State(Handle<Shared>);

struct Shared {
    services: Services,
    files: BoundedFiles,
    options: RwLock<Arc<Options>>,
    keys: KeyCache,
    last_uses: LastUses,
    meters: RwLock<Arc<Meters>>,
    forwarded: Forwarded,
    board: Board,
    retries: Retries,
    writing: Writers,
    traffic: Traffic,
    last_report: LastReport,
    bundles: Bundles,
    event_head: EventHead,
    started_at: Timestamp,
    /// The same by the monotonic clock.
    began: Duration,
    stopping: CancellationToken,
    /// Another process may work on the store.
    store_lost: CancellationToken,
    /// When the program was ordered to stop, by the monotonic clock.
    stopped_at: OnceLock<Duration>,
    tasks: TaskTracker,
    options_changed: Notify,
}

impl State {
    /// Puts the parts together; nothing listens before [`crate::serve`].
    pub fn new(services: Services, options: Options) -> Self {
        let (started_at, began) = (services.clock.now(), services.clock.running());
        Self(Handle::new(Shared {
            board: Board::new(&options, started_at),
            files: BoundedFiles::new(services.files.clone()),
            keys: KeyCache::new(services.store.rights_changes()),
            services,
            last_uses: LastUses::default(),
            retries: Retries::default(),
            writing: Writers::default(),
            traffic: Traffic::default(),
            last_report: LastReport::default(),
            bundles: Bundles::new(&options.examined.data_dir),
            event_head: EventHead::default(),
            meters: RwLock::new(Arc::new(Meters::new(options.limits.per_key, options.limits.per_address))),
            forwarded: Forwarded::default(),
            started_at,
            began,
            stopping: CancellationToken::new(),
            store_lost: CancellationToken::new(),
            stopped_at: OnceLock::new(),
            tasks: TaskTracker::new(),
            options: RwLock::new(Arc::new(options)),
            options_changed: Notify::new(),
        }))
    }

    pub fn listeners(&self) -> Vec<ListenerView> {
        self.0.board.views()
    }

    /// The listeners as the beats ask them.
    pub fn ports(&self) -> health::Ports {
        // Anyone who asks is part of this state, and must not keep it alive.
        let state = self.0.downgrade();
        Arc::new(move || {
            let Some(shared) = state.upgrade() else { return Vec::new() };
            let loads = shared.traffic.loads();
            let port = |view: ListenerView| {
                let load = loads.iter().find(|(name, _)| *name == view.name).map(|(_, load)| *load);
                health::Port { load: load.unwrap_or_default(), ..view.into() }
            };
            shared.board.views().into_iter().map(port).collect()
        })
    }

    /// Waits until something about the listeners changes.
    pub async fn listeners_changed(&self) {
        self.0.board.changed().await;
    }

    /// Accounts at providers through which customers write.
    pub fn channels(&self) -> &Reception {
        &self.0.services.channels
    }

    /// Addresses at which providers fetch files of messages.
    pub(crate) fn links(&self) -> &Links {
        &self.0.services.links
    }

    /// The people of the dashboard, and the audit log.
    pub fn access(&self) -> &Access {
        &self.0.services.access
    }

    /// The buttons of bots, pressed the moment they are offered.
    pub(crate) fn flows(&self) -> &Flows {
        &self.0.services.flows
    }

    /// Messages to lists of chats.
    pub(crate) fn campaigns(&self) -> &Campaigns {
        &self.0.services.campaigns
    }

    /// Conversations with clients.
    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.services.pipeline
    }

    /// Who writes answers to clients at this moment.
    pub(crate) fn writing(&self) -> &Writers {
        &self.0.writing
    }

    /// Who is notified when something stays broken.
    pub fn alerts(&self) -> &Alerts {
        &self.0.services.alerts
    }

    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.0.services.webhooks
    }

    pub fn backups(&self) -> &Backups {
        &self.0.services.backups
    }

    pub fn health(&self) -> &Health {
        &self.0.services.health
    }

    /// How many commits the store has made: it grows with every change.
    pub fn commits(&self) -> u64 {
        self.store().written().commits
    }

    /// How many conversations have messages that no person has seen.
    pub async fn unread(&self) -> Result<u64, store::StoreError> {
        Ok(self.store().pipeline().unread().await?.conversations)
    }

    /// Counts the commits that may have changed what someone may do.
    pub fn rights_changes(&self) -> tokio::sync::watch::Receiver<u64> {
        self.store().rights_changes()
    }

    pub(crate) fn store(&self) -> &Store {
        &self.0.services.store
    }

    pub(crate) fn delivery(&self) -> &Delivery {
        &self.0.services.delivery
    }

    pub(crate) fn sagas(&self) -> &Sagas {
        &self.0.services.sagas
    }

    /// Wakes the worker of callbacks: one is due now.
    pub(crate) fn callbacks_are_due(&self) {
        self.0.services.callbacks_due.notify_one();
    }

    pub(crate) fn pool(&self) -> &Arc<Pool> {
        &self.0.services.pool
    }

    pub(crate) fn reloading(&self) -> Option<&ReloadRequests> {
        self.0.services.reload.as_ref()
    }

    pub(crate) fn channel_changes(&self) -> Option<&ChannelChanges> {
        self.0.services.channel_changes.as_ref()
    }

    /// The lines that the program writes about itself.
    pub fn logs(&self) -> &LogStore {
        &self.0.services.logs
    }

    pub(crate) fn files(&self) -> &BoundedFiles {
        &self.0.files
    }

    pub fn clock(&self) -> &Clock {
        &self.0.services.clock
    }

    pub(crate) fn ids(&self) -> &Ids {
        &self.0.services.ids
    }

    /// Serves by these options from now on: ports are opened and closed, requests that were taken are answered by the options
    /// that they came under. The main port and the control socket stay where they are.
    pub fn reload(&self, options: Options) {
        let before = self.options();
        let limits = &options.limits;
        if (limits.per_key, limits.per_address) != (before.limits.per_key, before.limits.per_address) {
            let meters = self.meters().limited(limits.per_key, limits.per_address);
            *self.0.meters.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(meters);
        }
        *self.0.options.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(options);
        self.0.options_changed.notify_one();
    }

    /// Waits until the options are others.
    pub(crate) async fn options_changed(&self) {
        self.0.options_changed.notified().await;
    }

    pub(crate) fn options(&self) -> Arc<Options> {
        Arc::clone(&self.0.options.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn limits(&self) -> Limits {
        self.options().limits
    }

    pub(crate) fn keys(&self) -> &KeyCache {
        &self.0.keys
    }

    pub(crate) fn last_uses(&self) -> &LastUses {
        &self.0.last_uses
    }

    pub(crate) fn meters(&self) -> Arc<Meters> {
        Arc::clone(&self.0.meters.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(crate) fn board(&self) -> &Board {
        &self.0.board
    }

    /// Failed messages that are tried again.
    pub(crate) fn retries(&self) -> &Retries {
        &self.0.retries
    }

    pub(crate) fn traffic(&self) -> &Traffic {
        &self.0.traffic
    }

    /// The doctor's last report.
    pub(crate) fn last_report(&self) -> &LastReport {
        &self.0.last_report
    }

    /// Files that wait to be imported.
    pub(crate) fn bundles(&self) -> &Bundles {
        &self.0.bundles
    }

    /// What hands new events to those who follow them.
    pub(crate) fn event_head(&self) -> &EventHead {
        &self.0.event_head
    }

    /// How long the program has run, whatever was done to the clock meanwhile.
    pub fn uptime(&self) -> Duration {
        self.clock().running().saturating_sub(self.0.began)
    }

    /// When the program started, by the clock as it is set now.
    pub fn started_at(&self) -> Timestamp {
        began_at(self.0.started_at, self.clock().now(), self.uptime())
    }

    /// The address of a caller: the other end of the connection, or the client that it names if it is a trusted proxy.
    pub(crate) fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let options = self.options();
        let trusted = &options.trusted_proxies;
        self.0.forwarded.note(peer, headers, trusted, self.clock().now());
        auth::way(peer, headers, trusted).client
    }

    /// Requests that name a client behind a proxy that is not trusted.
    pub(crate) fn forwarded(&self) -> &Forwarded {
        &self.0.forwarded
    }

    /// Work that goes on after its answer was given.
    pub(crate) fn tasks(&self) -> &TaskTracker {
        &self.0.tasks
    }

    /// Nothing new is taken from here on; what waits is answered soon.
    pub(crate) fn stop(&self) {
        self.0.stopped_at.get_or_init(|| self.clock().running());
        self.0.stopping.cancel();
    }

    /// Waits until the program is ordered to stop: an answer without an end of its own ends then.
    pub async fn stopping(&self) {
        self.0.stopping.cancelled().await;
    }

    /// Answers each open request, and each later one, with 503 and `store_unavailable`: this process may not use its store any more.
    pub fn lose_store(&self) {
        self.0.store_lost.cancel();
    }

    /// Cancelled once another process may work on the store.
    pub(crate) fn store_lost(&self) -> &CancellationToken {
        &self.0.store_lost
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.0.stopping.is_cancelled()
    }

    /// Waits until a message is final, at most `limit`. After the stop one that is being sent is waited for as long as the
    /// drain lets, any other only a little longer.
    pub(crate) async fn settled(
        &self,
        id: MessageId,
        limit: Duration,
    ) -> Result<Option<Settled>, StoreError> {
        tokio::select! {
            biased;
            settled = self.delivery().settled_with_attempt(id, limit) => settled,
            () = self.enough() => match self.delivery().get(id).await? {
                Some(message) if message.state == MessageState::Sending => {
                    self.delivery().settled_with_attempt(id, limit.min(self.left_of_drain())).await
                }
                message => Ok(message.map(Settled::from)),
            },
        }
    }

    pub(crate) async fn settled_saga(
        &self,
        id: OperationId,
        limit: Duration,
    ) -> Result<Option<Saga>, StoreError> {
        tokio::select! {
            biased;
            settled = self.sagas().settled(id, limit) => settled,
            () = self.enough() => match self.sagas().get(id).await? {
                Some(saga) if saga.state == SagaState::Running => {
                    self.sagas().settled(id, limit.min(self.left_of_drain())).await
                }
                saga => Ok(saga),
            },
        }
    }

    /// How long a caller can still be kept waiting after the stop, with a moment left for its answer.
    fn left_of_drain(&self) -> Duration {
        let now = self.clock().running();
        let since = now.saturating_sub(self.0.stopped_at.get().copied().unwrap_or(now));
        self.limits().drain.saturating_sub(since).saturating_sub(ANSWER)
    }

    /// The stop, and the little longer that waiting callers get after it.
    async fn enough(&self) {
        self.0.stopping.cancelled().await;
        self.clock().sleep(self.limits().grace).await;
    }
}

/// Each service as a substate: a handler names the ones that it needs.
macro_rules! substates {
    ($($service:ty = $name:ident;)*) => {$(
        impl FromRef<State> for $service {
            fn from_ref(state: &State) -> Self {
                state.0.services.$name.clone()
            }
        }
    )*};
}

substates! {
    Access = access;
    Alerts = alerts;
    Arc<Pool> = pool;
    Backups = backups;
    Clock = clock;
    Health = health;
    LogStore = logs;
    Store = store;
}

/// What is kept of the drain for writing the answer.
const ANSWER: Duration = Duration::from_secs(1);

/// A clock that is further from where it was is one that someone set.
const SET: Duration = Duration::from_secs(2);

/// When something began that has run for so long: as it was noted then, unless the clock was set meanwhile.
fn began_at(noted: Timestamp, now: Timestamp, ran: Duration) -> Timestamp {
    let counted = now.minus(ran);
    let apart = counted.since(noted).max(noted.since(counted));
    if apart < SET { noted } else { counted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_clock_moves_the_start_but_not_the_uptime() {
        let noted = Timestamp::from_micros(1_893_456_000_000_000);
        let (day, hour) = (Duration::from_hours(24), Duration::from_hours(1));
        // What two clocks differ by on their own is no news.
        let now = noted.plus(day).plus(Duration::from_millis(1));
        assert_eq!(began_at(noted, now, day), noted);
        assert_eq!(began_at(noted, noted.plus(day).minus(hour), day), noted.minus(hour));
        assert_eq!(began_at(noted, noted.plus(day).plus(hour), day), noted.plus(hour));
    }
}
