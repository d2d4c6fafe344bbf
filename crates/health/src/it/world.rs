//! A pretend Telegram, a store, accounts and the beats over them, in one process, with a clock that is moved.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{Beat, Card, CardId, CardKind, Health, HealthParts, Port, ProbeOutcome, Round};
use ambient::{Chance, Clock, Ids};
use config::{Settings, TelegramSettings};
use delivery::{Ambient, Delivery, SagaLimits, Sagas};
use domain::account::Operation;
use sandbox::telegram::{FaultName, FaultOrder};
use sandbox::{Running, Sandbox, SandboxOptions};
use store::{Disk, MasterKey, Store, StoreOptions};
use telegram::router::Usable;
use telegram::{CallResult, Monitor, Pool, PoolParts};
use tempfile::TempDir;
use tokio::sync::broadcast;

/// How long anything may take here before the test gives up.
const TIMEOUT: Duration = Duration::from_mins(1);

/// One test at a time gives work to accounts: where one stops the next that is begun, that is its own.
pub(crate) static BEGINS: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

pub(crate) const BEAT: Duration = Duration::from_secs(20);

/// Everything outlives a restart but what is in [`Run`].
pub(crate) struct World {
    pub(crate) sandbox: Running,
    pub(crate) settings: TelegramSettings,
    pub(crate) clock: Clock,
    pub(crate) ports: Arc<Mutex<Vec<Port>>>,
    pub(crate) free: Arc<AtomicU64>,
    is_silent: Arc<AtomicBool>,
    pub(crate) folder: TempDir,
}

pub(crate) struct Run {
    pub(crate) health: Health,
    pub(crate) pool: Arc<Pool>,
    pub(crate) store: Store,
    pub(crate) delivery: Delivery,
    pub(crate) sagas: Sagas,
    pub(crate) clock: Clock,
    rounds: broadcast::Receiver<Arc<Round>>,
    /// Some calls are not answered.
    is_silent: Arc<AtomicBool>,
    /// How many calls on the wire are not waited for: their answers did not come.
    given_up: AtomicU64,
}

impl World {
    pub(crate) async fn of(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let options = SandboxOptions {
            dialogs: 0,
            ..SandboxOptions::new(folder.path().join("sandbox")).on_free_ports()
        };
        let sandbox = Sandbox::start(options).await.expect("a sandbox");
        let mut settings = Settings::load(Some(&sandbox.settings_file), []).expect("settings").telegram;
        settings.accounts.retain(|account| names.contains(&account.name.as_str()));
        Self {
            sandbox,
            settings,
            clock: Clock::system(),
            ports: Arc::default(),
            free: Arc::new(AtomicU64::new(1 << 40)),
            is_silent: Arc::default(),
            folder,
        }
    }

    pub(crate) async fn store(&self) -> Store {
        let free = Arc::clone(&self.free);
        let options = StoreOptions {
            data_dir: self.folder.path().join("data"),
            url: "sqlite:switchboard.db".to_owned(),
            clock: self.clock.clone(),
            master_key: MasterKey::File(self.folder.path().join("master.key")),
        };
        let disk = Disk::default().with_free_space(move |_| Ok(free.load(Ordering::Relaxed)));
        Store::open_on(options, disk).await.expect("a store")
    }

    /// Starts the program on this store; the beats do not run yet.
    pub(crate) async fn at_rest(&self, store: Store) -> Run {
        let clock = self.clock.clone();
        let ids = Ids::new(clock.clone());
        let pool = Pool::start(PoolParts {
            settings: &self.settings,
            hold: std::time::Duration::from_secs(100),
            store: store.clone(),
            clock: clock.clone(),
            chance: Chance::from_seed(1),
            ids: ids.clone(),
            outgoing: None,
            received: None,
            contacts: false,
            connections: tokio::runtime::Handle::current(),
        })
        .await
        .expect("accounts");
        let ambient = Ambient { clock: clock.clone(), ids, chance: Chance::from_seed(2) };
        let delivery =
            Delivery::new(store.clone(), pool.clone(), ambient.clone(), delivery::Limits::default());
        let sagas = Sagas::new(store.clone(), pool.clone(), ambient, SagaLimits::default());
        delivery.resume().await.expect("resumes");
        let health = Health::new(HealthParts {
            store: store.clone(),
            delivery: delivery.clone(),
            sagas: sagas.clone(),
            accounts: Monitor::new(Arc::clone(&pool), store.clone(), clock.clone()),
            clock: clock.clone(),
            version: "0.0.0",
        });
        health.load().await.expect("readable");
        let rounds = health.beats();
        let (is_silent, given_up) = (Arc::clone(&self.is_silent), AtomicU64::new(0));
        Run { health, pool, store, delivery, sagas, clock, rounds, is_silent, given_up }
    }

    /// Starts everything and waits until all accounts are up and the first round is over.
    pub(crate) async fn start(&self) -> Run {
        let mut run = self.at_rest(self.store().await).await;
        let names: Vec<_> = self.settings.accounts.iter().map(|account| account.name.clone()).collect();
        until("the accounts are up", || {
            names.iter().all(|name| {
                run.pool
                    .account(name)
                    .is_some_and(|one| one.usable != Usable::Connecting && one.dialogs_complete)
            })
        })
        .await;
        self.begin(&run);
        run.next().await;
        run
    }

    pub(crate) fn begin(&self, run: &Run) {
        let ports = Arc::clone(&self.ports);
        run.health.start(Arc::new(move || ports.lock().expect("a list").clone()));
    }

    pub(crate) fn fault(&self, account: &str, fault: FaultName) {
        self.order(account, fault, |_| {});
    }

    /// A fault with more to it; its number, to take it back.
    pub(crate) fn order(&self, account: &str, fault: FaultName, more: impl FnOnce(&mut FaultOrder)) -> u64 {
        let mut order = FaultOrder {
            provider: "telegram".to_owned(),
            account: Some(account.to_owned()),
            method: None,
            fault,
            seconds: None,
            times: None,
            probability: None,
            code: None,
            message: None,
            effect: None,
        };
        more(&mut order);
        if fault != FaultName::RpcError {
            self.is_silent.store(true, Ordering::Relaxed);
        }
        self.sandbox.telegram.add_fault(order).expect("a fault")
    }

    pub(crate) fn calls(&self) -> u64 {
        self.sandbox.telegram.calls(None, None).iter().map(|call| call.count).sum()
    }
}

impl Run {
    pub(crate) async fn next(&mut self) -> BTreeMap<CardId, Beat> {
        let round =
            tokio::time::timeout(TIMEOUT, self.rounds.recv()).await.expect("in time").expect("a round");
        round.beats.iter().cloned().collect()
    }

    pub(crate) async fn round(&mut self) -> BTreeMap<CardId, Beat> {
        self.pass(BEAT).await;
        let beats = self.next().await;
        self.settle().await;
        beats
    }

    /// Moves the clock on, second by second. It stands while a call is on the wire: on a slow machine the call would time out,
    /// though nothing is wrong with it.
    pub(crate) async fn pass(&self, time: Duration) {
        let until = self.clock.running() + time;
        loop {
            self.settle().await;
            let left = until.saturating_sub(self.clock.running());
            if left.is_zero() {
                return;
            }
            self.clock.advance(left.min(Duration::from_secs(1)));
        }
    }

    /// Waits until no call is on the wire, but for those of a deaf account.
    async fn settle(&self) {
        let limit =
            if self.is_silent.load(Ordering::Relaxed) { Duration::from_millis(500) } else { TIMEOUT / 4 };
        let is_settled = || self.on_the_wire() <= self.given_up.load(Ordering::Relaxed);
        let settled = async {
            while !is_settled() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let _ = tokio::time::timeout(limit, settled).await;
        self.given_up.store(self.on_the_wire(), Ordering::Relaxed);
    }

    /// How many calls were begun and have no end yet.
    fn on_the_wire(&self) -> u64 {
        let answered: u64 = self.pool.calls().iter().flat_map(|one| &one.calls).filter_map(well).sum();
        let accounts = self.pool.accounts();
        let lines = || accounts.iter().flat_map(|one| &one.lines);
        let begun: u64 = lines().map(|line| line.operations).sum();
        begun.saturating_sub(answered + lines().map(|line| line.errors).sum::<u64>())
    }

    /// Rounds go by until a card's beat is as wanted; returns how much time that took by the clock.
    pub(crate) async fn until_beat(&mut self, card: &CardId, wanted: impl Fn(&Beat) -> bool) -> Duration {
        let begun = self.clock.running();
        loop {
            let beats = self.round().await;
            let passed = self.clock.running().saturating_sub(begun);
            match beats.get(card) {
                Some(beat) if wanted(beat) => return passed,
                beat => assert!(passed < Duration::from_mins(5), "{card} is {beat:?}"),
            }
        }
    }

    pub(crate) fn card(&self, id: &CardId) -> Card {
        self.health.card(id).expect("a card")
    }

    /// The end of a run: all that it held is let go of.
    pub(crate) async fn stop(self) {
        let limit = Duration::from_secs(5);
        tokio::join!(self.delivery.drain(limit), self.sagas.stop(limit), self.health.stop(limit));
        self.pool.stop(limit).await;
        self.store.close().await;
    }
}

/// How many calls of a kind went well.
fn well((_, result, count): &(Operation, CallResult, u64)) -> Option<u64> {
    (*result == CallResult::Answered).then_some(*count)
}

pub(crate) fn account(name: &str) -> CardId {
    CardId::account(&name.parse().expect("a name"))
}

/// The cards of a round that failed, each with why.
pub(crate) fn failed(beats: &BTreeMap<CardId, Beat>) -> Vec<(String, String)> {
    let failed = beats.iter().filter(|(_, beat)| beat.answer == ProbeOutcome::Failed);
    failed.map(|(id, beat)| (id.to_string(), beat.reason.clone().unwrap_or_default().into_owned())).collect()
}

pub(crate) fn of_kind(beats: &BTreeMap<CardId, Beat>, kind: CardKind) -> Vec<(&CardId, &Beat)> {
    beats.iter().filter(|(id, _)| id.kind() == kind).collect()
}

pub(crate) async fn until(what: &str, mut so: impl FnMut() -> bool) {
    let waiting = async {
        while !so() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    assert!(tokio::time::timeout(TIMEOUT, waiting).await.is_ok(), "in vain: {what}");
}
