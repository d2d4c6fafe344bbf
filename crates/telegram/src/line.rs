//! A line: one session of an account, for some purposes. Connects, stays connected, says how it is.

use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use domain::account::{AccountState, Reason};
use domain::{Purpose, Timestamp};
use grammers_mtsender::InvocationError;
use grammers_session::updates::UpdatesLike;
use grammers_tl_types::{Deserializable, RemoteCall, Serializable, enums, functions};
use store::{SelfUser, Store, StoredSession};
use tokio::sync::{Notify, mpsc, watch};

use crate::classify::{self, CallError, Says};
use crate::health::{self, Failed};
use crate::learned;
use crate::session::{Key, KeyTrouble, Keyring};
use crate::standing::Standing;
use crate::wire::{Application, Pool, Wire};

/// How long connecting may take, the first answer included.
const CONNECT: Duration = Duration::from_secs(10);

/// A line that was up for less than this did not really come up: the waits go on growing.
const SETTLED: Duration = Duration::from_secs(10);

/// What reaches the reader of an account's updates.
pub(crate) enum Arrived {
    /// Something Telegram sent by itself.
    Updates(Box<UpdatesLike>),
    /// Another line reads now, or the same one after it was away: something may have been missed.
    Reconnected,
}

/// How a line is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Status {
    pub(crate) state: AccountState,
    pub(crate) reason: Option<Reason>,
    pub(crate) detail: Option<String>,
    pub(crate) since: Timestamp,
}

/// What a line is made of.
pub(crate) struct LineParts {
    pub(crate) index: usize,
    /// Empty means all.
    pub(crate) purposes: Vec<Purpose>,
    /// Where its key comes from.
    pub(crate) keyring: Keyring,
    pub(crate) application: Application,
    pub(crate) probe_every: Duration,
    pub(crate) standing: Arc<Standing>,
    pub(crate) store: Store,
    pub(crate) arrived: mpsc::Sender<Arrived>,
}

/// One session of an account.
pub(crate) struct Line {
    parts: LineParts,
    /// The key, or why there is none. Read again when the line is started over.
    key: RwLock<Result<Arc<Key>, KeyTrouble>>,
    status: RwLock<Status>,
    wire: RwLock<Option<Wire>>,
    last_answer: AtomicI64,
    round_trip: AtomicU32,
    signals: Mutex<Signals>,
    signalled: Notify,
    wanted: watch::Sender<Wanted>,
}

/// What calls found out about the connection.
#[derive(Debug, Default)]
struct Signals {
    dead: bool,
    lost: bool,
    doubtful: bool,
}

/// What the owner wants of a line; a restart is a new round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    run: bool,
    round: u64,
    /// The program ends.
    end: bool,
}

/// Why a connection ended.
enum Ended {
    /// For good: its state says why.
    Dead,
    /// For now.
    Down { failed: Option<Failed>, detail: Option<String>, rebuild: bool, wait: Duration },
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
                since: parts.standing.clock.now(),
            },
            _ => Status { state, reason: None, detail: None, since: parts.standing.clock.now() },
        };
        Self {
            parts,
            key: RwLock::new(key),
            status: RwLock::new(status),
            wire: RwLock::new(None),
            last_answer: AtomicI64::new(0),
            round_trip: AtomicU32::new(u32::MAX),
            signals: Mutex::default(),
            signalled: Notify::new(),
            wanted: watch::Sender::new(Wanted { run, round: 0, end: false }),
        }
    }

    // ---- what others see ---------------------------------------------------------------------------------------

    pub(crate) fn index(&self) -> usize {
        self.parts.index
    }

    pub(crate) fn purposes(&self) -> &[Purpose] {
        &self.parts.purposes
    }

    pub(crate) fn serves(&self, purpose: Purpose) -> bool {
        self.parts.purposes.is_empty() || self.parts.purposes.contains(&purpose)
    }

    pub(crate) fn status(&self) -> Status {
        self.status.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn state(&self) -> AccountState {
        self.status.read().unwrap_or_else(PoisonError::into_inner).state
    }

    pub(crate) fn dc_id(&self) -> Option<i32> {
        self.key().ok().map(|key| key.dc_id())
    }

    fn key(&self) -> Result<Arc<Key>, KeyTrouble> {
        self.key.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn last_answer(&self) -> Option<Timestamp> {
        Some(self.last_answer.load(Ordering::Relaxed)).filter(|at| *at != 0).map(Timestamp::from_micros)
    }

    pub(crate) fn round_trip_ms(&self) -> Option<u32> {
        Some(self.round_trip.load(Ordering::Relaxed)).filter(|millis| *millis != u32::MAX)
    }

    // ---- what the owner wants ----------------------------------------------------------------------------------

    /// Starts it, or starts it over.
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

    /// Closes it for good: the program ends.
    pub(crate) fn end(&self) {
        self.wanted.send_modify(|wanted| wanted.end = true);
    }

    pub(crate) fn stop(&self) {
        self.wanted.send_if_modified(|wanted| std::mem::replace(&mut wanted.run, false));
    }

    // ---- calls -------------------------------------------------------------------------------------------------

    /// Makes a call and reads its result.
    pub(crate) async fn call<R: RemoteCall>(
        &self,
        request: &R,
        limit: Duration,
    ) -> Result<R::Return, CallError> {
        let body = self.call_raw(request.to_bytes(), limit).await?;
        R::Return::from_bytes(&body).map_err(|error| CallError::Failed(error.into()))
    }

    /// Makes a call whose result the caller reads.
    pub(crate) async fn call_raw(&self, body: Vec<u8>, limit: Duration) -> Result<Vec<u8>, CallError> {
        let wire = self.wire.read().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(wire) = wire else { return Err(CallError::NotConnected(self.why_not())) };
        self.call_over(&wire, body, limit).await
    }

    fn why_not(&self) -> String {
        let status = self.status.read().unwrap_or_else(PoisonError::into_inner);
        status.reason.map_or_else(|| status.state.to_string(), |reason| format!("{}: {reason}", status.state))
    }

    async fn call_over(&self, wire: &Wire, body: Vec<u8>, limit: Duration) -> Result<Vec<u8>, CallError> {
        let standing = &self.parts.standing;
        let started = standing.clock.now();
        standing.count_call(started);
        let error = match standing.clock.timeout(limit, wire.handle.raw_invoke_in_dc(wire.dc_id, body)).await
        {
            Ok(Ok(body)) => {
                self.answered(started);
                return Ok(body);
            }
            Ok(Err(error)) => {
                if matches!(error, InvocationError::Rpc(_)) {
                    self.answered(started);
                }
                CallError::Failed(error)
            }
            Err(_) => CallError::TimedOut,
        };
        self.judge(&error);
        Err(error)
    }

    fn answered(&self, started: Timestamp) {
        let now = self.parts.standing.clock.now();
        self.last_answer.store(now.as_micros(), Ordering::Relaxed);
        let millis = u32::try_from(now.since(started).as_millis()).unwrap_or(u32::MAX - 1);
        self.round_trip.store(millis, Ordering::Relaxed);
    }

    /// Draws the conclusions from an error before anyone else does.
    fn judge(&self, error: &CallError) {
        self.parts.standing.count_error(error.to_string());
        match classify::says(error) {
            Says::Nothing => {}
            Says::Restricted(reason) => self.parts.standing.restrict(reason),
            Says::Dead(reason) => self.die(reason, error.to_string()),
            Says::Lost => self.lose(),
            Says::Doubtful => self.signal(|signals| signals.doubtful = true),
        }
    }

    fn die(&self, reason: Reason, detail: String) {
        self.unplug();
        tracing::warn!(account = %self.parts.standing.name, line = self.parts.index, %reason, detail, "a session is lost");
        self.show(reason.state(), Some(reason), Some(detail));
        self.signal(|signals| signals.dead = true);
    }

    /// The connection is gone: nothing more is written to it until it is back.
    fn lose(&self) {
        if self.state() == AccountState::Ready {
            self.unplug();
            self.show(AccountState::Connecting, None, None);
        }
        self.signal(|signals| signals.lost = true);
    }

    fn signal(&self, change: impl FnOnce(&mut Signals)) {
        change(&mut self.signals.lock().unwrap_or_else(PoisonError::into_inner));
        self.signalled.notify_one();
    }

    fn take_signals(&self) -> Signals {
        std::mem::take(&mut self.signals.lock().unwrap_or_else(PoisonError::into_inner))
    }

    // ---- state -------------------------------------------------------------------------------------------------

    fn show(&self, state: AccountState, reason: Option<Reason>, detail: Option<String>) {
        let standing = &self.parts.standing;
        let mut status = self.status.write().unwrap_or_else(PoisonError::into_inner);
        if status.state == state && status.reason == reason {
            status.detail = detail;
            return;
        }
        *status = Status { state, reason, detail, since: standing.clock.now() };
        drop(status);
        let reader = standing.reader();
        standing.set_ready(self.parts.index, state == AccountState::Ready);
        if standing.reader().is_some_and(|now| Some(now) != reader) {
            // What one line saw and the next one did not is asked for.
            self.hand_on(Arrived::Reconnected);
        }
        standing.changes.tell();
        tracing::debug!(account = %standing.name, line = self.parts.index, %state, ?reason, "line");
    }

    fn plug(&self, wire: &Wire) {
        *self.wire.write().unwrap_or_else(PoisonError::into_inner) = Some(wire.clone());
    }

    fn unplug(&self) {
        *self.wire.write().unwrap_or_else(PoisonError::into_inner) = None;
    }

    // ---- life --------------------------------------------------------------------------------------------------

    /// Reads the key again: someone may have signed in since.
    async fn read_key(&self) {
        self.show(AccountState::Connecting, None, None);
        let key = self.parts.keyring.read().await;
        *self.key.write().unwrap_or_else(PoisonError::into_inner) = key;
    }

    /// Lives until it is dead for good.
    async fn live(self: &Arc<Self>, key: &Key, pool: &mut Option<Pool>) {
        let clock = self.parts.standing.clock.clone();
        let mut failures = 0;
        let mut down_since = clock.now();
        self.take_signals();
        self.show(AccountState::Connecting, None, None);
        loop {
            let open = pool.get_or_insert_with(|| self.open(key));
            let ended = if let Err(ended) = self.greet(key, open).await {
                failures += 1;
                ended
            } else {
                let up_since = clock.now();
                let ended = self.watch(open).await;
                down_since = clock.now();
                failures = if down_since.since(up_since) < SETTLED { failures + 1 } else { 0 };
                ended
            };
            let Ended::Down { failed, detail, rebuild, wait } = ended else { return };
            self.unplug();
            let (state, reason) = health::while_down(failed, down_since, clock.now());
            if wait.is_zero() {
                self.show(state, reason, detail);
            } else {
                self.show(AccountState::FloodWait, None, detail);
            }
            if (rebuild || pool.as_ref().is_some_and(Pool::is_broken))
                && let Some(old) = pool.take()
            {
                old.close().await;
            }
            if failures > 0 {
                let wait = wait.max(self.parts.standing.chance.jitter(health::back_off(failures - 1)));
                clock.sleep(wait).await;
            }
        }
    }

    fn open(self: &Arc<Self>, key: &Key) -> Pool {
        let line = Arc::clone(self);
        Pool::open(key, &self.parts.application, move |updates| line.take(updates))
    }

    /// What the connection sends by itself.
    fn take(&self, updates: UpdatesLike) {
        if matches!(updates, UpdatesLike::ConnectionClosed) {
            self.lose();
        } else if self.parts.standing.reader().is_none_or(|reader| reader == self.parts.index) {
            self.hand_on(Arrived::Updates(Box::new(updates)));
        }
    }

    fn hand_on(&self, arrived: Arrived) {
        if self.parts.arrived.try_send(arrived).is_err() {
            self.parts.standing.gap.store(true, Ordering::Release);
        }
    }

    /// The first call on a connection: it connects, and tells whose session this is.
    async fn greet(&self, key: &Key, pool: &Pool) -> Result<(), Ended> {
        let request = functions::users::GetUsers { id: vec![enums::InputUser::UserSelf] };
        let body =
            self.call_over(&pool.wire, request.to_bytes(), CONNECT).await.map_err(|error| failed(&error))?;
        let users = Vec::<enums::User>::from_bytes(&body).unwrap_or_default();
        let Some(person) = users.iter().find_map(learned::own) else {
            self.die(Reason::SessionRevoked, "nobody is signed in with this key".to_owned());
            return Err(Ended::Dead);
        };
        if self.parts.standing.meet(person.clone()).is_err() {
            let detail = format!("this session belongs to {} ({})", person.display_name, person.user_id);
            self.die(Reason::WrongUser, detail);
            return Err(Ended::Dead);
        }
        self.keep(key, person).await;
        let signals = self.take_signals();
        if signals.dead {
            return Err(Ended::Dead);
        }
        self.plug(&pool.wire);
        self.show(AccountState::Ready, None, None);
        Ok(())
    }

    /// Remembers the session, encrypted, with whose it is.
    async fn keep(&self, key: &Key, user: SelfUser) {
        let (accounts, account) = (self.parts.store.accounts(), &self.parts.standing.name);
        let fingerprint = key.fingerprint();
        let known = accounts.session(account, fingerprint).await;
        if matches!(&known, Ok(Some(known)) if known.user.as_ref() == Some(&user)) {
            return;
        }
        let session = StoredSession {
            account: account.clone(),
            fingerprint,
            dc_id: key.dc_id(),
            auth_key: key.copy(),
            user: Some(user),
        };
        if let Err(error) = accounts.save_session(&session).await {
            tracing::warn!(account = %account, %error, "the session could not be stored");
        }
    }

    /// Stays with a connection until it is gone.
    async fn watch(&self, pool: &mut Pool) -> Ended {
        let clock = &self.parts.standing.clock;
        loop {
            let last = self.last_answer().unwrap_or_else(|| clock.now());
            let mut probe = false;
            tokio::select! {
                detail = pool.broken() => {
                    return Ended::Down {
                        failed: Some(Failed::Refused), detail: Some(detail), rebuild: true, wait: Duration::ZERO,
                    };
                }
                () = self.signalled.notified() => {
                    let signals = self.take_signals();
                    if signals.dead {
                        return Ended::Dead;
                    }
                    if signals.lost {
                        return Ended::Down { failed: None, detail: None, rebuild: false, wait: Duration::ZERO };
                    }
                    probe |= signals.doubtful;
                }
                () = clock.sleep_until(health::probe_due(last, self.parts.probe_every)) => probe = true,
            }
            if probe && let Some(ended) = self.probe(&pool.wire).await {
                return ended;
            }
        }
    }

    /// Asks something, if nothing was answered for a while.
    async fn probe(&self, wire: &Wire) -> Option<Ended> {
        let request = functions::updates::GetState {};
        match self.call_over(wire, request.to_bytes(), health::PROBE_ANSWER).await {
            Err(CallError::TimedOut) => Some(Ended::Down {
                failed: Some(Failed::NoAnswer),
                detail: Some(format!("a probe was not answered within {} s", health::PROBE_ANSWER.as_secs())),
                rebuild: true,
                wait: Duration::ZERO,
            }),
            Err(error @ CallError::Failed(InvocationError::Dropped(_) | InvocationError::Deserialize(_))) => {
                Some(Ended::Down {
                    failed: Some(Failed::Refused),
                    detail: Some(error.to_string()),
                    rebuild: true,
                    wait: Duration::ZERO,
                })
            }
            // Anything else was judged already: what it means for the line is in the signals.
            Ok(_) | Err(_) => None,
        }
    }
}

/// What a failed first call means for the connection.
fn failed(error: &CallError) -> Ended {
    if matches!(classify::says(error), Says::Dead(_)) {
        return Ended::Dead;
    }
    let down = |failed, rebuild| Ended::Down {
        failed: Some(failed),
        detail: Some(error.to_string()),
        rebuild,
        wait: error.flood().unwrap_or_default(),
    };
    match error {
        CallError::TimedOut => Ended::Down {
            failed: Some(Failed::NoAnswer),
            detail: Some(format!("no answer within {} s", CONNECT.as_secs())),
            rebuild: true,
            wait: Duration::ZERO,
        },
        CallError::Failed(InvocationError::Io(_)) => down(Failed::Unreachable, false),
        _ => down(Failed::Refused, error.flood().is_none()),
    }
}

/// Runs a line until the program ends.
pub(crate) async fn run(line: Arc<Line>) {
    let mut wanted = line.wanted.subscribe();
    let mut last_round = 0;
    loop {
        let now = *wanted.borrow_and_update();
        if now.end {
            return;
        }
        let mut pool = None;
        if now.run {
            if std::mem::replace(&mut last_round, now.round) != now.round {
                line.read_key().await;
            }
            match line.key() {
                Err(trouble) => line.show(trouble.reason.state(), Some(trouble.reason), Some(trouble.detail)),
                Ok(key) => tokio::select! {
                    biased;
                    _ = wanted.changed() => wanted.mark_changed(),
                    () = line.live(&key, &mut pool) => {}
                },
            }
        } else {
            line.show(AccountState::Offline, None, None);
        }
        line.unplug();
        if let Some(pool) = pool {
            pool.close().await;
        }
        if wanted.changed().await.is_err() {
            return;
        }
    }
}
