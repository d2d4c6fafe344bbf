//! A whole server: the program in one process, listening on free ports, sending as a script says.

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use config::{LegacyPort, LegacySettings, PipelineSettings, TelegramSettings};
use domain::Service;
use serde_json::Value;
use tempfile::TempDir;
use test_app::TestApp;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use web::{Limits, ListenerState, Options};

use crate::client::{Call, Reply, Target};
use crate::script::Script;
use crate::steps::Hands;

/// How long a test waits for what must happen, in real time: machines can be slow.
pub(crate) const SOON: Duration = Duration::from_mins(1);

/// The server and everything a test wants to touch.
pub(crate) struct World {
    app: TestApp,
    pub(crate) script: Arc<Script>,
    pub(crate) hands: Arc<Hands>,
    pub(crate) stop: CancellationToken,
    pub(crate) serving: JoinHandle<()>,
    /// A key with all scopes.
    pub(crate) key: String,
}

impl Deref for World {
    type Target = TestApp;

    fn deref(&self) -> &TestApp {
        &self.app
    }
}

/// A legacy port that sends texts, on a free port.
pub(crate) fn send_text_port() -> LegacyPort {
    port_of(Service::SendText)
}

/// A legacy port of a service, on a free port.
pub(crate) fn port_of(service: Service) -> LegacyPort {
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
        let dir = tempfile::tempdir().expect("a directory");
        Self::at(dir, telegram, Vec::new(), PipelineSettings::default(), change).await
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
        for name in ["store.json", "switchboard.db", "switchboard.db-wal", "master.key"] {
            std::fs::copy(self.dir().join(name), left.path().join(name)).expect("copies");
        }
        for folder in ["outgoing", "uploads"] {
            let (from, to) = (self.dir().join(folder), left.path().join(folder));
            std::fs::create_dir(&to).expect("a folder");
            for file in std::fs::read_dir(from).expect("a folder") {
                let file = file.expect("a file");
                std::fs::copy(file.path(), to.join(file.file_name())).expect("copies");
            }
        }
        Self::at(left, telegram, Vec::new(), PipelineSettings::default(), change).await
    }

    /// A server with these accounts of channels and other options.
    pub(crate) async fn with_channels(
        channels: Vec<channels::Account>,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self::at(dir, TelegramSettings::default(), channels, PipelineSettings::default(), change).await
    }

    /// A server with these accounts of channels, whose clients are answered so.
    pub(crate) async fn with_pipeline(channels: Vec<channels::Account>, pipeline: PipelineSettings) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        Self::at(dir, TelegramSettings::default(), channels, pipeline, |_| {}).await
    }

    async fn at(
        dir: TempDir,
        telegram: TelegramSettings,
        channels: Vec<channels::Account>,
        pipeline: PipelineSettings,
        change: impl FnOnce(&mut Options),
    ) -> Self {
        let builder = TestApp::builder()
            .in_directory(dir)
            .with_telegram(telegram)
            .with_channels(channels)
            .with_pipeline(pipeline);
        Self::built(builder, change).await
    }

    /// A server of these parts, which sends as its script says.
    pub(crate) async fn built(builder: test_app::Builder, change: impl FnOnce(&mut Options)) -> Self {
        let (script, hands) = (Arc::new(Script::new()), Arc::new(Hands::new()));
        let app = builder
            .sending_by(Arc::clone(&script) as _, Arc::clone(&hands) as _)
            .build(|options| {
                options.legacy =
                    LegacySettings { ports: vec![send_text_port()], ..LegacySettings::default() };
                options.limits = Limits { retry: Duration::from_millis(20), ..Limits::default() };
                change(options);
            })
            .await;
        let stop = CancellationToken::new();
        let no_pages = axum::Router::new().fallback(web::no_such_path);
        let serving = tokio::spawn(web::serve(app.state.clone(), no_pages, stop.clone()));
        app.health.start(app.state.ports());
        let mut world = Self { app, script, hands, stop, serving, key: String::new() };
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
