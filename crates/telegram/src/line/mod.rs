//! A line: one session of an account, for some purposes. Makes calls, and says how it is.

mod foreign_dc;
mod gate;
pub(crate) mod health;
mod life;
mod thread;

pub(crate) use life::run;
pub use thread::ConnectionThread;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::Duration;

use ambient::Elapsed;
use domain::account::{AccountState, Operation, Reason};
use domain::{AccountName, Purpose, Timestamp};
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Deserializable, RemoteCall};
use mtproto::{Application, RequestError, ServerKeys, Updates, Wire};
use store::{KeyFingerprint, Store};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};

use crate::account::health::AccountHealth;
use crate::calls::CallResult;
use crate::calls::classify::{self, CallError, ErrorEffect};
use crate::live::Watch;
use crate::session::{Key, KeyTrouble, Keyring};
use ambient::lock::{Mutex, RwLock};
use foreign_dc::ForeignCentres;

/// Why a process that slept says nothing over its sessions.
const TAKEN: &str = "another process may have the store, and the session with it";

/// What reaches the reader of an account's updates.
pub(crate) enum Arrived {
    /// Something Telegram sent by itself.
    Updates(Box<UpdatesLike>),
    /// Another line reads now, or the same one after it was away: something may have been missed.
    Reconnected,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) state: AccountState,
    pub(crate) reason: Option<Reason>,
    pub(crate) detail: Option<String>,
    pub(crate) since: Timestamp,
}

/// What a line's session is one of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Those of the settings, by its place among them.
    Settings(usize),
    /// Those of the store.
    Stored(KeyFingerprint),
}

pub(crate) struct LineParts {
    pub(crate) index: usize,
    pub(crate) origin: Origin,
    pub(crate) purposes: Vec<Purpose>,
    pub(crate) keyring: Keyring,
    pub(crate) application: Application,
    pub(crate) server_keys: ServerKeys,
    pub(crate) probe_every: Duration,
    pub(crate) health: Arc<AccountHealth>,
    pub(crate) store: Store,
    pub(crate) arrived: mpsc::Sender<Arrived>,
    pub(crate) watch: Watch,
    /// Where the task of the connection runs.
    pub(crate) connections: Handle,
}

pub(crate) struct Line {
    parts: LineParts,
    /// The key, or why there is none. Read again when the line is started over.
    key: RwLock<Result<Arc<Key>, KeyTrouble>>,
    status: RwLock<Status>,
    wire: RwLock<Option<Wire>>,
    foreign_dc: ForeignCentres,
    last_answer: AtomicI64,
    /// The same by the monotonic clock, in microseconds; the largest number is never.
    answered: AtomicU64,
    round_trip: AtomicU32,
    /// Calls over it, and how many of them went wrong.
    operations: AtomicU64,
    errors: AtomicU64,
    signals: Mutex<Signals>,
    signalled: Notify,
    wanted: watch::Sender<Orders>,
    purposes: RwLock<Arc<[Purpose]>>,
    over: watch::Sender<bool>,
}

/// What calls found out about the connection.
#[derive(Debug, Default)]
struct Signals {
    dead: bool,
    lost: Lost,
    doubtful: bool,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Lost {
    #[default]
    Nothing,
    /// The connection to Telegram; it is looked for again.
    Connection,
    /// That Telegram knows how it was opened; another one has to be opened.
    Opening,
}

#[expect(clippy::struct_excessive_bools, reason = "each is wanted or not, whatever the others are")]
/// What the owner wants of a line; a restart is a new round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Orders {
    run: bool,
    round: u64,
    /// Nothing is to be asked of Telegram for a while.
    quiesced: bool,
    /// Another side of a move may have its session open still.
    fenced: bool,
    end: bool,
}

impl Line {
    /// A line at rest; [`run`] brings it to life.
    pub(crate) fn new(parts: LineParts, key: Result<Arc<Key>, KeyTrouble>, run: bool) -> Self {
        let state = if run { AccountState::Connecting } else { AccountState::Offline };
        let status = match &key {
            Err(trouble) if run => Status {
                state: trouble.reason.state(),
                reason: Some(trouble.reason),
                detail: Some(trouble.detail.clone()),
                since: parts.health.clock.now(),
            },
            _ => Status { state, reason: None, detail: None, since: parts.health.clock.now() },
        };
        let texts = parts.purposes.contains(&Purpose::SendText);
        // A line that is at rest is not the reader.
        let _ = parts.health.show_line(parts.index, status.state, texts);
        let purposes = RwLock::new(parts.purposes.clone().into());
        Self {
            parts,
            purposes,
            over: watch::Sender::new(false),
            key: RwLock::new(key),
            status: RwLock::new(status),
            wire: RwLock::new(None),
            foreign_dc: ForeignCentres::default(),
            last_answer: AtomicI64::new(0),
            answered: AtomicU64::new(u64::MAX),
            round_trip: AtomicU32::new(u32::MAX),
            operations: AtomicU64::new(0),
            errors: AtomicU64::new(0),
            signals: Mutex::default(),
            signalled: Notify::new(),
            wanted: watch::Sender::new(Orders { run, round: 0, quiesced: false, fenced: false, end: false }),
        }
    }

    pub(crate) fn health(&self) -> &AccountHealth {
        &self.parts.health
    }

    pub(crate) fn index(&self) -> usize {
        self.parts.index
    }

    pub(crate) fn origin(&self) -> Origin {
        self.parts.origin
    }

    pub(crate) fn purposes(&self) -> Arc<[Purpose]> {
        Arc::clone(&self.purposes.read())
    }

    pub(crate) fn serves(&self, purpose: Purpose) -> bool {
        self.purposes.read().contains(&purpose)
    }

    pub(crate) fn set_purposes(&self, purposes: &[Purpose]) {
        *self.purposes.write() = purposes.into();
    }

    pub(crate) fn status(&self) -> Status {
        self.status.read().clone()
    }

    pub(crate) fn state(&self) -> AccountState {
        self.status.read().state
    }

    pub(crate) fn state_and_reason(&self) -> (AccountState, Option<Reason>) {
        let status = self.status.read();
        (status.state, status.reason)
    }

    /// Whether it is connected soon, as far as that depends on it: it tries until it is, whatever the data centre says,
    /// unless no one could be reached with what it has.
    pub(crate) fn is_coming(&self) -> bool {
        match self.state_and_reason() {
            (AccountState::Connecting | AccountState::FloodWait, _) => true,
            (AccountState::Error, reason) => reason != Some(Reason::WrongUser) && self.key().is_ok(),
            _ => false,
        }
    }

    fn reads_updates(&self) -> bool {
        self.parts.health.reader() == Some(self.parts.index)
    }

    pub(crate) fn dc_id(&self) -> Option<i32> {
        self.key().ok().map(|key| key.dc_id())
    }

    pub(crate) fn fingerprint(&self) -> Option<KeyFingerprint> {
        self.key().ok().map(|key| key.fingerprint())
    }

    pub(crate) fn key_to_export(&self) -> Option<Arc<Key>> {
        self.key().ok()
    }

    fn key(&self) -> Result<Arc<Key>, KeyTrouble> {
        self.key.read().clone()
    }

    pub(crate) fn last_answer(&self) -> Option<Timestamp> {
        Some(self.last_answer.load(Ordering::Relaxed)).filter(|at| *at != 0).map(Timestamp::from_micros)
    }

    /// When something was last answered, by the monotonic clock.
    fn answered_at(&self) -> Option<Duration> {
        Some(self.answered.load(Ordering::Relaxed)).filter(|at| *at != u64::MAX).map(Duration::from_micros)
    }

    pub(crate) fn operations(&self) -> u64 {
        self.operations.load(Ordering::Relaxed)
    }

    pub(crate) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    pub(crate) fn round_trip_ms(&self) -> Option<u32> {
        Some(self.round_trip.load(Ordering::Relaxed)).filter(|millis| *millis != u32::MAX)
    }

    pub(crate) fn restart(&self) {
        self.wanted.send_modify(|wanted| {
            wanted.run = true;
            wanted.round += 1;
        });
    }

    /// Starts it if it does not run, or gave up.
    pub(crate) fn start(&self) {
        let gave_up = matches!(self.state(), AccountState::NeedsLogin | AccountState::Banned);
        if gave_up || !self.wanted.borrow().run {
            self.restart();
        }
    }

    /// Lets it be silent, or speak again. One that gave up is silent anyway, and stays as it is.
    pub(crate) fn quiesce(&self, quiesced: bool) {
        if !(quiesced && matches!(self.state(), AccountState::NeedsLogin | AccountState::Banned)) {
            self.wanted
                .send_if_modified(|wanted| std::mem::replace(&mut wanted.quiesced, quiesced) != quiesced);
        }
    }

    /// Keeps it from its session, or lets it have it.
    pub(crate) fn fence(&self, fenced: bool) {
        self.wanted.send_if_modified(|wanted| std::mem::replace(&mut wanted.fenced, fenced) != fenced);
    }

    pub(crate) fn account(&self) -> &AccountName {
        &self.parts.health.name
    }

    /// Asks something soon, if it is connected: anyone who wants to know whether it is answered looks at its last answer.
    pub(crate) fn ask(&self) {
        self.signal(|signals| signals.doubtful = true);
    }

    pub(crate) fn end(&self) {
        self.wanted.send_modify(|wanted| wanted.end = true);
    }

    pub(crate) fn rest(&self) {
        self.over.send_replace(true);
    }

    /// Waits until nothing of a line that was ended runs any more.
    pub(crate) async fn closed(&self) {
        // The sender lives as long as the line.
        let _ = self.over.subscribe().wait_for(|over| *over).await;
    }

    pub(crate) fn stop(&self) {
        self.wanted.send_if_modified(|wanted| std::mem::replace(&mut wanted.run, false));
    }

    pub(crate) async fn call<R: RemoteCall>(
        &self,
        operation: Operation,
        request: &R,
        limit: Duration,
    ) -> Result<R::Return, CallError> {
        let body = self.call_raw(operation, request.to_bytes(), limit).await?;
        R::Return::from_bytes(&body).map_err(|error| {
            self.unreadable(operation);
            CallError::Failed(error.into())
        })
    }

    pub(crate) async fn call_raw(
        &self,
        operation: Operation,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let wire = self.wire.read().clone();
        let Some(wire) = wire else { return Err(CallError::NotConnected(self.why_not())) };
        self.call_over(&wire, operation, body, limit).await
    }

    fn why_not(&self) -> String {
        let status = self.status.read();
        status.reason.map_or_else(|| status.state.to_string(), |reason| format!("{}: {reason}", status.state))
    }

    async fn call_over(
        &self,
        wire: &Wire,
        operation: Operation,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<Vec<u8>, CallError> {
        let health = &self.parts.health;
        if !self.parts.store.is_held().await {
            return Err(CallError::NotConnected(TAKEN.to_owned()));
        }
        let (started, updates) = self.begin();
        let answer = health.clock.timeout(limit, wire.request(body, updates)).await;
        self.ended(operation, started, answer)
    }

    /// Hands a request to the connection, which writes it next, or says why it cannot; what comes back is the future's answer.
    pub(crate) fn hand_over(
        self: &Arc<Self>,
        operation: Operation,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<impl Future<Output = Result<Vec<u8>, CallError>> + Send + use<>, CallError> {
        let wire = self.wire.read().clone();
        let Some(wire) = wire else { return Err(CallError::NotConnected(self.why_not())) };
        if !self.parts.store.is_held_for_sure() {
            return Err(CallError::NotConnected(TAKEN.to_owned()));
        }
        let (started, updates) = self.begin();
        let answer = wire.hand_over(body, updates).map_err(CallError::Failed)?;
        let line = Arc::clone(self);
        Ok(async move {
            let answer = line.parts.health.clock.timeout(limit, answer).await;
            line.ended(operation, started, answer)
        })
    }

    /// A call begins: when, and whether it subscribes to updates.
    fn begin(&self) -> (Timestamp, Updates) {
        let started = self.parts.health.clock.now();
        self.parts.health.count_call(started);
        self.operations.fetch_add(1, Ordering::Relaxed);
        (started, if self.reads_updates() { Updates::Wanted } else { Updates::Unwanted })
    }

    fn ended(
        &self,
        operation: Operation,
        started: Timestamp,
        answer: Result<Result<Vec<u8>, RequestError>, Elapsed>,
    ) -> Result<Vec<u8>, CallError> {
        let error = match answer {
            Ok(Ok(body)) => {
                self.answered(started);
                self.count(operation, CallResult::Answered, started);
                return Ok(body);
            }
            Ok(Err(error)) => {
                if matches!(error, RequestError::Rpc(_)) {
                    self.answered(started);
                }
                CallError::Failed(error)
            }
            Err(_) => CallError::TimedOut,
        };
        if let Some(result) = CallResult::of(&error) {
            self.count(operation, result, started);
        }
        self.judge(&error);
        Err(error)
    }

    fn count(&self, operation: Operation, result: CallResult, started: Timestamp) {
        let AccountHealth { calls, clock, .. } = &*self.parts.health;
        calls.count(operation, result, clock.now().since(started), clock.running());
    }

    /// The answer to a call cannot be read: it proves nothing.
    pub(crate) fn unreadable(&self, operation: Operation) {
        self.parts.health.calls.traffic.unreadable(operation);
    }

    fn answered(&self, started: Timestamp) {
        let now = self.parts.health.clock.now();
        self.last_answer.store(now.as_micros(), Ordering::Relaxed);
        let running = self.parts.health.clock.running();
        self.answered.store(u64::try_from(running.as_micros()).unwrap_or(0), Ordering::Relaxed);
        let millis = u32::try_from(now.since(started).as_millis()).unwrap_or(u32::MAX - 1);
        self.round_trip.store(millis, Ordering::Relaxed);
    }

    /// Draws the conclusions from an error before anyone else does.
    fn judge(&self, error: &CallError) {
        self.parts.health.count_error(error.to_string());
        self.errors.fetch_add(1, Ordering::Relaxed);
        match classify::effect(error) {
            ErrorEffect::Nothing => {}
            ErrorEffect::Restricted(reason) => self.parts.health.restrict(reason),
            ErrorEffect::Dead(reason) => self.die(reason, error.to_string()),
            ErrorEffect::Lost => self.lose(Lost::Connection),
            ErrorEffect::Forgotten => self.lose(Lost::Opening),
            ErrorEffect::Doubtful => self.signal(|signals| signals.doubtful = true),
        }
    }

    fn die(&self, reason: Reason, detail: String) {
        self.unplug();
        tracing::warn!(account = %self.parts.health.name, line = self.parts.index, %reason, detail, "a session is lost");
        self.show(reason.state(), Some(reason), Some(detail));
        if matches!(reason, Reason::Banned | Reason::Deactivated) {
            // That is not about this session: the other lines are no better off.
            self.parts.health.restrict(reason);
        }
        self.signal(|signals| signals.dead = true);
    }

    /// The connection is gone: nothing more is written to it until it is back.
    fn lose(&self, lost: Lost) {
        if self.state() == AccountState::Ready {
            self.unplug();
            self.show(AccountState::Connecting, None, None);
        }
        self.signal(|signals| signals.lost = signals.lost.max(lost));
    }

    fn signal(&self, change: impl FnOnce(&mut Signals)) {
        change(&mut self.signals.lock());
        self.signalled.notify_one();
    }

    fn take_signals(&self) -> Signals {
        std::mem::take(&mut self.signals.lock())
    }

    fn show(&self, state: AccountState, reason: Option<Reason>, detail: Option<String>) {
        let health = &self.parts.health;
        let mut status = self.status.write();
        let is_same = status.state == state && status.reason == reason;
        let since = if is_same { status.since } else { health.clock.now() };
        *status = Status { state, reason, detail, since };
        let texts = self.serves(Purpose::SendText) && !self.wanted.borrow().quiesced;
        let has_new_reader = health.show_line(self.parts.index, state, texts);
        drop(status);
        if has_new_reader {
            self.parts.watch.interrupted(&health.name);
            // The difference is asked for over the new reader, which subscribes its session.
            self.hand_on(Arrived::Reconnected);
        }
        if !is_same || has_new_reader {
            health.changes.tell();
        }
        if !is_same {
            let reason = reason.map(tracing::field::display);
            tracing::info!(account = %health.name, line = self.parts.index, %state, reason, "the line's state changed");
        }
    }

    fn hand_on(&self, arrived: Arrived) {
        if self.parts.arrived.try_send(arrived).is_err() {
            self.parts.health.gap.store(true, Ordering::Release);
        }
    }

    fn plug(&self, wire: &Wire) {
        *self.wire.write() = Some(wire.clone());
    }

    fn unplug(&self) {
        *self.wire.write() = None;
    }
}
