//! A whole server in one process: store, delivery, script, listeners on free ports.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ambient::{Chance, Clock, Ids};
use config::{LegacyPort, LegacyService, LegacySettings, TelegramSettings};
use delivery::{Ambient, Delivery, SagaLimits, Sagas};
use serde_json::Value;
use store::{MasterKey, Store, StoreOptions};
use tempfile::TempDir;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;
use web::{Limits, ListenerState, Options, Services, State};

use crate::client::{Call, Reply, Target};
use crate::places::{self, Free};
use crate::script::Script;
use crate::steps::Hands;

/// How long a test waits for what must happen, in real time: machines can be slow.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// The server and everything a test wants to touch.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) store: Store,
    pub(crate) delivery: Delivery,
    pub(crate) sagas: Sagas,
    pub(crate) callbacks_due: Arc<Notify>,
    pub(crate) script: Arc<Script>,
    pub(crate) hands: Arc<Hands>,
    pub(crate) pool: Arc<telegram::Pool>,
    pub(crate) clock: Clock,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
    /// The room on the disk for files.
    pub(crate) free: Free,
    /// Where a test logs.
    pub(crate) log: Dispatch,
    dir: TempDir,
    /// A key with all scopes.
    pub(crate) key: String,
}

/// The settings as the doctor sees them: what is to be reached is on this machine.
fn examined(telegram: &TelegramSettings) -> config::Settings {
    let mut settings = config::Settings { telegram: telegram.clone(), ..config::Settings::default() };
    settings.telegram.data_centres = vec![config::DataCentre { id: 2, address: ([127, 0, 0, 1], 9).into() }];
    settings
}

/// A legacy port that sends texts, on a free port.
pub(crate) fn send_text_port() -> LegacyPort {
    port_of(LegacyService::SendText)
}

/// A legacy port of a service, on a free port.
pub(crate) fn port_of(service: LegacyService) -> LegacyPort {
    LegacyPort {
        port: 0,
        service,
        listen: Ipv4Addr::LOCALHOST.into(),
        account: None,
        allow_from: Vec::new(),
        key_required: false,
        invite_callback_url: None,
        repeats: None,
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A server with other options.
    pub(crate) async fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::of(TelegramSettings::default(), change).await
    }

    /// A server with these accounts and other options.
    pub(crate) async fn of(telegram: TelegramSettings, change: impl FnOnce(&mut Options)) -> Self {
        Self::at(tempfile::tempdir().expect("a directory"), telegram, change).await
    }

    /// What comes up where a process was killed at this moment: its files as they are, its callers gone.
    pub(crate) async fn after_a_crash(&self) -> Self {
        self.after_a_crash_with(|_| {}).await
    }

    /// The same with other options.
    pub(crate) async fn after_a_crash_with(&self, change: impl FnOnce(&mut Options)) -> Self {
        self.left_behind(TelegramSettings::default(), change).await
    }

    /// The same with these accounts.
    pub(crate) async fn after_a_crash_of(&self, telegram: TelegramSettings) -> Self {
        self.left_behind(telegram, |_| {}).await
    }

    async fn left_behind(&self, telegram: TelegramSettings, change: impl FnOnce(&mut Options)) -> Self {
        let left = tempfile::tempdir().expect("a directory");
        for name in ["switchboard.db", "switchboard.db-wal", "master.key"] {
            std::fs::copy(self.dir.path().join(name), left.path().join(name)).expect("copies");
        }
        for folder in ["outgoing", "uploads"] {
            let (from, to) = (self.dir.path().join(folder), left.path().join(folder));
            std::fs::create_dir(&to).expect("a folder");
            for file in std::fs::read_dir(from).expect("a folder") {
                let file = file.expect("a file");
                std::fs::copy(file.path(), to.join(file.file_name())).expect("copies");
            }
        }
        Self::at(left, telegram, change).await
    }

    async fn at(dir: TempDir, telegram: TelegramSettings, change: impl FnOnce(&mut Options)) -> Self {
        let clock = Clock::system();
        let free = Free::plenty();
        let options = StoreOptions {
            data_dir: dir.path().to_owned(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(dir.path().join("master.key")),
        };
        let store = Store::open_on(options, free.of_store()).await.expect("the store opens");
        let script = Arc::new(Script::new());
        let ambient =
            Ambient { clock: clock.clone(), ids: Ids::new(clock.clone()), chance: Chance::from_seed(1) };
        let (ids, random) = (ambient.ids.clone(), ambient.chance.clone());
        let hands = Arc::new(Hands::new());
        let sagas =
            Sagas::new(store.clone(), Arc::clone(&hands) as _, ambient.clone(), SagaLimits::default());
        let delivery =
            Delivery::new(store.clone(), Arc::clone(&script) as _, ambient, delivery::Limits::default());
        delivery.resume().await.expect("resumes");
        sagas.resume().await.expect("resumes");
        let parts = telegram::PoolParts {
            settings: &telegram,
            hold: std::time::Duration::from_secs(100),
            store: store.clone(),
            clock: clock.clone(),
            chance: random,
            ids: ids.clone(),
            outgoing: None,
        };
        let pool = telegram::Pool::start(parts).await.expect("a pool");
        let mut options = Options {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            control_socket: Some(dir.path().join("control.sock")),
            trusted_proxies: Vec::new(),
            legacy: LegacySettings { ports: vec![send_text_port()], ..LegacySettings::default() },
            examined: web::Examined {
                data_dir: dir.path().to_owned(),
                settings_file: None,
                settings: Arc::new(examined(&telegram)),
                fingerprint: "made-up".to_owned(),
            },
            limits: Limits { retry: Duration::from_millis(20), ..Limits::default() },
        };
        change(&mut options);
        let alerts = alerts::Alerts::start(alerts::AlertsParts {
            store: store.clone(),
            delivery: delivery.clone(),
            clock: clock.clone(),
            ids: ids.clone(),
            settings: &config::AlertSettings::default(),
            allowed: media::Allowed::new(
                media::AllowList::Events,
                vec!["127.0.0.0/8".parse().expect("a network")],
            ),
            server: "demo".to_owned(),
        })
        .await
        .expect("the alerts start");
        let callbacks_due = Arc::new(Notify::new());
        let files = places::open(dir.path(), &ids, &clock, &free).await;
        let health = health::Health::new(health::HealthParts {
            store: store.clone(),
            delivery: delivery.clone(),
            sagas: sagas.clone(),
            accounts: telegram::Monitor::new(Arc::clone(&pool), store.clone(), clock.clone()),
            clock: clock.clone(),
            version: "0.0.0",
        });
        let (layer, gathered) = logs::layer(clock.clone());
        let keeping = logs::Retention::new(10_000_000, Duration::from_hours(24));
        let keeping = keeping.with_timeout(Duration::from_mins(1));
        let logs =
            logs::LogStore::open(&dir.path().join("logs"), keeping, gathered).expect("the log store opens");
        let services = Services {
            health: health.clone(),
            backups: backup::Backups::new(backup::BackupParts {
                store: store.clone(),
                clock: clock.clone(),
                data_dir: dir.path().to_owned(),
                settings: config::BackupSettings::default(),
                version: "0.0.0",
                at_rest: false,
            }),
            store: store.clone(),
            delivery: delivery.clone(),
            sagas: sagas.clone(),
            callbacks_due: Arc::clone(&callbacks_due),
            pool: Arc::clone(&pool),
            access: access::Access::new(store.clone(), clock.clone(), ids.clone()),
            alerts,
            files,
            logs: logs.clone(),
            clock: clock.clone(),
            ids,
        };
        let state = State::new(services, options);
        let stop = CancellationToken::new();
        let no_pages = axum::Router::new().fallback(web::no_such_path);
        let serving = tokio::spawn(web::serve(state.clone(), no_pages, stop.clone()));
        health.start(state.ports());
        let mut world = Self {
            state,
            store,
            delivery,
            sagas,
            callbacks_due,
            script,
            hands,
            pool,
            clock,
            stop,
            serving,
            free,
            log: Dispatch::new(tracing_subscriber::registry().with(layer)),
            dir,
            key: String::new(),
        };
        world.until_tried().await;
        world.key = world.make_key(&["admin"]).await;
        world
    }

    /// Waits until each listener was tried.
    async fn until_tried(&self) {
        self.until(|listeners| listeners.iter().all(|listener| listener.state != ListenerState::Starting))
            .await;
    }

    /// Waits until the listeners are as wanted.
    pub(crate) async fn until(&self, wanted: impl Fn(&[web::ListenerView]) -> bool) {
        let waiting = async {
            while !wanted(&self.state.listeners()) {
                tokio::select! {
                    () = self.state.listeners_changed() => {}
                    () = tokio::time::sleep(Duration::from_millis(10)) => {}
                }
            }
        };
        tokio::time::timeout(SOON, waiting).await.expect("the listeners change");
    }

    pub(crate) fn dir(&self) -> PathBuf {
        self.dir.path().to_owned()
    }

    fn address(&self, number: usize) -> Target {
        Target::Port(self.state.listeners()[number].address.parse().expect("an address"))
    }

    pub(crate) fn main(&self) -> Target {
        self.address(0)
    }

    /// The first legacy port.
    pub(crate) fn old(&self) -> Target {
        self.old_at(0)
    }

    /// A legacy port by its place in the settings.
    pub(crate) fn old_at(&self, number: usize) -> Target {
        self.address(1 + number)
    }

    pub(crate) fn control(&self) -> Target {
        Target::Socket(self.dir().join("control.sock"))
    }

    /// A request with all rights.
    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.main(), method, path).key(&self.key)
    }

    /// Who can send, make and reach chats.
    pub(crate) fn candidates_are(&self, candidates: &delivery::Candidates) {
        self.script.candidates_are(candidates.clone());
        self.hands.creators_are(candidates.clone());
        self.hands.reachers_are(candidates.clone());
    }

    pub(crate) fn message(&self, body: &str) -> Call {
        self.call("POST", "/v1/messages").json(body)
    }

    pub(crate) fn text(&self, body: &str) -> Call {
        Call::new(&self.old(), "POST", "/send_text").json(body)
    }

    pub(crate) async fn make_key(&self, scopes: &[&str]) -> String {
        let body = serde_json::json!({ "name": "test", "scopes": scopes }).to_string();
        let made = Call::new(&self.control(), "POST", "/v1/keys").json(body).send().await;
        assert_eq!(made.status, 201, "{made:?}");
        made.json()["key"].as_str().expect("a key").to_owned()
    }

    /// The message as the API shows it now.
    pub(crate) async fn look(&self, id: &Value) -> Reply {
        self.call("GET", &format!("/v1/messages/{}", id.as_str().expect("an id"))).send().await
    }

    /// Waits until a message is in a state.
    pub(crate) async fn until_state(&self, id: &Value, state: &str) {
        let waiting = async {
            while self.look(id).await.json()["state"] != state {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, waiting).await.expect("the state comes");
    }

    /// Waits until what is shown at a path is as wanted.
    pub(crate) async fn until_shown(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let waiting = async {
            loop {
                let shown = self.call("GET", path).send().await.json();
                if wanted(&shown) {
                    return shown;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if let Ok(shown) = tokio::time::timeout(SOON, waiting).await {
            return shown;
        }
        panic!("{path} stays {}", self.call("GET", path).send().await.body);
    }

    /// Waits until the operation at a path is in a state.
    pub(crate) async fn until_operation(&self, path: &str, state: &str) {
        self.until_shown(path, |operation| operation["state"] == state).await;
    }

    /// Waits until a failed request is in a state.
    pub(crate) async fn until_request(&self, id: &Value, state: &str) {
        let path = format!("/v1/failed-requests/{}", id.as_str().expect("an id"));
        self.until_shown(&path, |request| request["state"] == state).await;
    }

    /// Waits until an operation says what it waits for.
    pub(crate) async fn until_detail(&self, id: &Value) {
        let path = format!("/v1/operations/{}", id.as_str().expect("an id"));
        self.until_shown(&path, |operation| {
            operation["detail"].as_str().is_some_and(|detail| detail.starts_with("It waits until"))
        })
        .await;
    }

    /// Waits until there is work that is not over; its id.
    pub(crate) async fn first_open_operation(&self) -> Value {
        let path = "/v1/operations?state=open";
        let page = self.until_shown(path, |page| page["items"][0]["id"].is_string()).await;
        page["items"][0]["id"].clone()
    }

    /// Moves the clock on in steps, until the task is done. Between two of them what was to be written is: a slow disk must not
    /// look as if minutes went by.
    pub(crate) async fn pass<T>(&self, step: Duration, task: JoinHandle<T>) -> T {
        let begun = std::time::Instant::now();
        while begun.elapsed() < SOON {
            if task.is_finished() {
                return task.await.expect("no panic");
            }
            self.clock.advance(step);
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.store.round_trip().await.expect("the store answers");
        }
        panic!("it does not end");
    }
}
