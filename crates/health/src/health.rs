//! What others ask of this crate, and the parts it asks itself.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use ambient::{Clock, Handle};
use delivery::{Delivery, Sagas};
use domain::message::MessageState;
use domain::saga::SagaState;
use domain::{AccountName, Service, Timestamp};
use store::{Beats, Store, StoreError};
use telegram::{
    AccountView, ActError, Action, Clearing, ClearingError, ClearingView, Monitor, ServiceAction, ServiceView,
};
use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::card::{Card, CardId, Lamp};
use crate::cards::{CardMaker, Shares};
use crate::cause::Causes;
use crate::check_cycle;
use crate::history::History;
use crate::minute::{Minute, Round};
use crate::observation::Observation;
use crate::overview::{self, CardFilter, Counts, Facts, Overview, Process};

/// What the overview is made of.
pub struct HealthParts {
    pub store: Store,
    pub delivery: Delivery,
    pub sagas: Sagas,
    pub accounts: Monitor,
    pub clock: Clock,
    pub version: &'static str,
}

/// A listener, as its owner shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// `main`, `control`, or the number of an old port.
    pub name: String,
    /// Where it listens or tries to: an address with a port, or a path.
    pub address: String,
    pub state: PortState,
    /// Who holds the address, where the system shows it.
    pub holder: Option<String>,
    pub detail: Option<String>,
    pub since: Timestamp,
    pub load: PortLoad,
}

/// What a listener was asked since the start; questions for the program's health are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PortLoad {
    pub answered: u64,
    /// Those of them that were answered with an error of the program.
    pub failed: u64,
    pub open: u64,
}

/// How a listener is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortState {
    /// Not tried yet.
    Starting,
    /// It takes connections.
    Listening,
    /// Another program has the address.
    Taken,
    /// The system refuses the address.
    Refused,
}

/// Looks at all listeners.
pub type Ports = Arc<dyn Fn() -> Vec<Port> + Send + Sync>;

/// Whether everything works. Cheap to clone.
#[derive(Clone)]
pub struct Health(pub(crate) Handle<Inner>);

pub(crate) struct Inner {
    pub(crate) parts: HealthParts,
    pub(crate) file: Beats,
    pub(crate) ports: OnceLock<Ports>,
    history: Mutex<History>,
    /// What the program takes, as of the last round.
    usage: Mutex<(Option<f32>, Option<u64>)>,
    /// Whether the last round is on disk.
    pub(crate) is_stored: AtomicBool,
    snapshot: Mutex<Option<Arc<Snapshot>>>,
    /// The reading of the monotonic clock at which this was made.
    made_at: Duration,
    pub(crate) rounds: broadcast::Sender<Arc<Round>>,
    pub(crate) changes: watch::Sender<u64>,
    /// Something on the overview may have changed.
    pub(crate) nudge: Notify,
    stopping: CancellationToken,
    tasks: TaskTracker,
}

struct Snapshot {
    made_at: Duration,
    signs: Signs,
    cards: Vec<Arc<Card>>,
    counts: Counts,
    causes: Arc<Causes>,
}

/// What shows in a moment whether the cards may have changed since they were made.
#[derive(PartialEq, Eq)]
struct Signs {
    pool: u64,
    changes: u64,
    messages: [u64; 3],
    ports: Vec<Port>,
}

/// For so long the same cards answer anyone who asks, however much changes.
const SNAPSHOT: Duration = Duration::from_millis(250);

/// For so long they do while nothing reports a change. What shows no sign, as the numbers on a card, is no older.
const UNCHANGED: Duration = Duration::from_secs(2);

/// Rounds that someone may be late to read.
const ROUNDS: usize = 16;

impl Health {
    /// The overview over these parts. Nothing is asked and nothing is written before [`Health::start`].
    pub fn new(parts: HealthParts) -> Self {
        Self(Handle::new(Inner {
            file: parts.store.beats(),
            ports: OnceLock::new(),
            history: Mutex::default(),
            usage: Mutex::default(),
            is_stored: AtomicBool::new(true),
            snapshot: Mutex::default(),
            made_at: parts.clock.running(),
            rounds: broadcast::Sender::new(ROUNDS),
            changes: watch::Sender::new(0),
            nudge: Notify::new(),
            stopping: CancellationToken::new(),
            tasks: TaskTracker::new(),
            parts,
        }))
    }

    /// Reads what an earlier run left to be cleared. Call it before [`Health::start`], and where nothing is started too.
    pub async fn load(&self) -> Result<(), StoreError> {
        self.0.parts.accounts.clearing.load().await
    }

    /// Begins to ask, every twenty seconds, and carries out a clearing, one that an earlier run left included. Call it
    /// once.
    pub fn start(&self, ports: Ports) {
        if self.0.ports.set(ports).is_err() {
            tracing::error!("the beats run already");
            return;
        }
        self.0.parts.accounts.clearing.open();
        self.0.tasks.spawn(check_cycle::run(self.clone(), self.0.stopping.clone()));
        self.0.tasks.spawn(check_cycle::tell_changes(self.clone(), self.0.stopping.clone()));
        let (health, stopping) = (self.clone(), self.0.stopping.clone());
        self.0.tasks.spawn(async move { health.0.parts.accounts.clearing.work(stopping).await });
    }

    /// Ends what [`Health::start`] began and writes down the last beats; waits no longer than `limit`.
    pub async fn stop(&self, limit: Duration) {
        self.0.stopping.cancel();
        self.0.tasks.close();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!("the last beats were not written in time");
        }
    }

    /// The overview: how everything is now, a page of cards.
    pub fn overview(&self, wanted: &CardFilter) -> Overview {
        let snapshot = self.snapshot();
        let (cards, matching, next) = overview::cut(&snapshot.cards, wanted);
        let lines = if wanted.in_accounts { overview::lines_of(&snapshot.cards, &cards) } else { Vec::new() };
        Overview {
            at: self.0.parts.clock.now(),
            counts: snapshot.counts,
            causes: Arc::clone(&snapshot.causes),
            matching,
            process: self.process(),
            facts: self.facts(),
            clearing: self.clearing(),
            cards,
            lines,
            next,
        }
    }

    pub fn card(&self, id: &CardId) -> Option<Card> {
        self.snapshot().cards.iter().find(|card| card.id == *id).map(|card| Card::clone(card))
    }

    /// Why a card is red or waits, as a stable code. None while it works, is off, or is not known yet.
    pub fn trouble(&self, id: &CardId) -> Option<String> {
        let card = self.card(id).filter(|card| matches!(card.lamp, Lamp::Trouble | Lamp::Waiting))?;
        Some(card.reason.unwrap_or_else(|| card.state.to_owned()))
    }

    /// The last [`crate::STRIP`] minutes of a card, oldest first. The last one still runs.
    pub fn strip(&self, id: &CardId) -> Vec<Minute> {
        let clock = &self.0.parts.clock;
        self.history().strip(id, clock.now(), clock.running())
    }

    /// Changes, when something on the overview may have: at most once a second, and at once when someone switched something.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes.subscribe()
    }

    /// Each round of beats as it ends. A subscriber that reads too slowly learns how many were missed.
    pub fn beats(&self) -> broadcast::Receiver<Arc<Round>> {
        self.0.rounds.subscribe()
    }

    /// Clears flood waits. While that runs already the same way, this joins it.
    ///
    /// # Errors
    /// See [`ClearingError`]; nothing was changed then.
    pub async fn clear_floods(&self, how: Clearing, by: &str) -> Result<ClearingView, ClearingError> {
        let begun = self.0.parts.accounts.clearing.begin(how, by).await;
        self.switched();
        begun
    }

    /// Ends a clearing: everything that it stopped or paused goes on at once. Nothing if none ran.
    pub async fn cancel_clearing(&self, by: &str) -> Result<Option<ClearingView>, ClearingError> {
        let cancelled = self.0.parts.accounts.clearing.cancel(by).await;
        self.switched();
        cancelled
    }

    pub fn clearing(&self) -> Option<ClearingView> {
        self.0.parts.accounts.clearing.view()
    }

    /// Switches a service by hand; a clearing that runs respects it.
    pub async fn switch_service(
        &self,
        service: Service,
        action: ServiceAction,
    ) -> Result<ServiceView, ActError> {
        let switched = self.0.parts.accounts.clearing.switch_service(service, action).await;
        self.switched();
        switched
    }

    /// Switches an account by hand; a clearing that runs respects it.
    pub async fn switch_account(&self, name: &AccountName, action: Action) -> Result<AccountView, ActError> {
        let switched = self.0.parts.accounts.clearing.switch_account(name, action).await;
        self.switched();
        switched
    }

    pub(crate) fn look(&self) -> Observation {
        let parts = &self.0.parts;
        Observation {
            at: parts.clock.now(),
            running: parts.clock.running(),
            accounts: parts.accounts.accounts(),
            services: parts.accounts.services(),
            ports: self.ports(),
            silent: parts.accounts.quiesced(),
        }
    }

    pub(crate) fn history(&self) -> MutexGuard<'_, History> {
        self.0.history.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn note_usage(&self, cpu: Option<f32>, memory: Option<u64>) {
        *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner) = (cpu, memory);
    }

    /// Anyone who looks next sees what was just done: no earlier snapshot is shown any more.
    pub(crate) fn forget_snapshot(&self) {
        *self.0.snapshot.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// A person switched something and looks at the result: that is reported at once, not with the next second.
    fn switched(&self) {
        self.forget_snapshot();
        self.0.changes.send_modify(|count| *count = count.wrapping_add(1));
    }

    fn usage(&self) -> (Option<f32>, Option<u64>) {
        *self.0.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started_at(&self) -> Timestamp {
        let clock = &self.0.parts.clock;
        clock.now().minus(clock.running().saturating_sub(self.0.made_at))
    }

    fn process(&self) -> Process {
        let (cpu, memory) = self.usage();
        Process { memory, cpu, started_at: self.started_at(), version: self.0.parts.version }
    }

    fn signs(&self) -> Signs {
        let parts = &self.0.parts;
        let counted = parts.delivery.counted();
        Signs {
            pool: *parts.accounts.changes().borrow(),
            changes: *self.0.changes.borrow(),
            messages: [counted.accepted, counted.sent, counted.cancelled],
            // Anyone who looks at the overview asks a listener: that alone changes nothing.
            ports: self.ports().into_iter().map(|port| Port { load: PortLoad::default(), ..port }).collect(),
        }
    }

    fn ports(&self) -> Vec<Port> {
        self.0.ports.get().map(|ports| ports()).unwrap_or_default()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        let running = self.0.parts.clock.running();
        let mut slot = self.0.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        // Read before the look: what changes meanwhile makes the next snapshot, and is not taken for seen.
        let signs = self.signs();
        let is_fresh = |old: &Snapshot| {
            let age = running.saturating_sub(old.made_at);
            age < SNAPSHOT || age < UNCHANGED && old.signs == signs
        };
        if let Some(fresh) = slot.as_ref().filter(|old| is_fresh(old)) {
            return Arc::clone(fresh);
        }
        let observation = self.look();
        let (cpu, memory) = self.usage();
        let shares = Shares {
            cpu,
            memory,
            calls: observation.accounts.iter().map(|account| account.operations).sum(),
            service_calls: observation.services.iter().map(|service| service.operations).sum(),
            requests: observation.ports.iter().map(|port| port.load.answered).sum(),
        };
        let mut known = self.history();
        let minute = known.minute(observation.at, observation.running);
        let maker = CardMaker {
            observation: &observation,
            history: &mut known,
            shares,
            started_at: self.started_at(),
            minute,
            is_stored: self.0.is_stored.load(Ordering::Relaxed),
        };
        let mut cards = maker.all();
        drop(known);
        overview::sort(&mut cards);
        let mut counts = Counts::default();
        for card in &cards {
            counts.add(card.kind, card.lamp);
        }
        let pool = observation.accounts.iter().filter(|account| account.pool);
        let causes = Causes::of(&cards, &pool.map(|account| CardId::account(&account.name)).collect()).into();
        let snapshot = Arc::new(Snapshot { made_at: running, signs, cards, counts, causes });
        *slot = Some(Arc::clone(&snapshot));
        snapshot
    }

    fn facts(&self) -> Facts {
        let parts = &self.0.parts;
        let (now, running) = (parts.clock.now(), parts.clock.running());
        let history = self.history();
        let minute = history.minute(now, running);
        let since_midnight = now.as_seconds().rem_euclid(24 * 60 * 60) / 60;
        let stock = history.stock.as_ref();
        let in_doubt = stock.map_or(0, |stock| {
            let messages = stock.messages.iter().filter(|(state, _)| *state == MessageState::InDoubt);
            let sagas = stock.sagas.iter().filter(|(_, state, _)| *state == SagaState::InDoubt);
            messages.map(|(_, count)| *count).chain(sagas.map(|(.., count)| *count)).sum()
        });
        Facts {
            sent_last_hour: history.tallies.sent_last_hour(&CardId::queue(), minute),
            waiting: (parts.delivery.queued() + parts.sagas.queued()) as u64,
            oldest_waiting: history.due.iter().map(|(.., oldest)| now.since(*oldest)).max(),
            failed_today: history.tallies.since(&CardId::queue(), minute - since_midnight).1,
            in_doubt,
            failed_requests: stock.map_or(0, |stock| stock.failed_requests),
            unresolved: stock.map_or(0, |stock| stock.unresolved),
            answer_p50: history.answers_within[0],
            answer_p99: history.answers_within[1],
            beats_kept: self.0.is_stored.load(Ordering::Relaxed),
            hours: history.tallies.hours(minute),
        }
    }
}
