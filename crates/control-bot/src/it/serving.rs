//! A control bot that is written to and pressed, by those it serves and by a stranger.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use access::{Access, AuditFilter};
use ambient::{Chance, Clock, Ids};
use config::ControlBotFields;
use control_bot::{ControlBot, ControlParts, Inboxes};
use domain::{ChatId, FlowMoment, FlowRunId, FlowRunState, FlowStage, TelegramMessageId};
use flows::{ControlError, FlowControl, FlowOnAccount, FlowState, FlowView};
use futures::future::BoxFuture;
use sandbox::telegram::{NewBot, NewMessage};
use sandbox::{Running, Sandbox, SandboxOptions};
use serde_json::{Value, json};
use store::{MasterKey, Page, Store, StoreOptions, StoredFlowRun};
use tokio_util::sync::CancellationToken;

/// `@client_1`, whom the bot serves.
const OWNER: i64 = 6_000_000_001;
const LIMIT: Duration = Duration::from_mins(1);

/// Flows that are only states.
struct States(Mutex<BTreeMap<String, FlowState>>);

impl States {
    fn switch(&self, name: &str, state: FlowState) -> Result<FlowView, ControlError> {
        let mut states = self.0.lock().unwrap();
        let known = states.get_mut(name).ok_or_else(|| ControlError::Unknown(name.to_owned()))?;
        *known = state;
        Ok(view(name, state))
    }
}

fn view(name: &str, state: FlowState) -> FlowView {
    let account = "main".parse().unwrap();
    let on = FlowOnAccount {
        account,
        state,
        reason: None,
        done: 0,
        acted: 0,
        skipped: std::collections::BTreeMap::new(),
        failed: std::collections::BTreeMap::new(),
        last_run: None,
    };
    FlowView { name: name.to_owned(), watch: "@demo_trips_bot".parse().unwrap(), steps: 3, on: vec![on] }
}

impl FlowControl for States {
    fn list(&self) -> Vec<FlowView> {
        self.0.lock().unwrap().iter().map(|(name, state)| view(name, *state)).collect()
    }

    fn start<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<FlowView, ControlError>> {
        Box::pin(async move { self.switch(name, FlowState::Watching) })
    }

    fn stop<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<FlowView, ControlError>> {
        Box::pin(async move { self.switch(name, FlowState::Stopped) })
    }
}

/// A bot at work.
struct Fixture {
    running: Running,
    states: Arc<States>,
    store: Store,
    ids: Ids,
    access: Access,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Fixture {
    /// With a bot that polls, or has a webhook.
    async fn open(is_posted_to: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let running = Sandbox::start(SandboxOptions::new(folder.path()).on_free_ports()).await.unwrap();
        let order = NewBot { username: "control_bot".to_owned(), name: None, api: true };
        let token = running.telegram.make_bot(&order).unwrap().token;
        let clock = Clock::system();
        let data_dir = folder.path().join("data");
        let store = Store::open(StoreOptions {
            master_key: MasterKey::File(data_dir.join("master.key")),
            data_dir,
            url: "sqlite:switchboard.db".into(),
            clock: clock.clone(),
        });
        let (store, ids) = (store.await.unwrap(), Ids::new(clock.clone()));
        let access = Access::new(store.clone(), clock.clone(), ids.clone());
        let states = [("trip", FlowState::Watching), ("other", FlowState::Stopped)];
        let states = states.map(|(name, state)| (name.to_owned(), state));
        let states = Arc::new(States(Mutex::new(states.into())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let settings: ControlBotFields = serde_json::from_value(json!({
            "name": "owner", "token": token, "people": [OWNER],
            "api": format!("http://{}/providers/telegram_bot", running.control),
            "webhook": is_posted_to.then_some(address),
        }))
        .unwrap();
        let parts = ControlParts {
            flows: Arc::clone(&states) as _,
            store: store.clone(),
            access: access.clone(),
            clock,
            chance: Chance::from_seed(1),
            accounts: None,
        };
        let (bot, inbox) = ControlBot::new(&settings, parts).unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(bot.run(stop.clone()));
        let inboxes = Inboxes::default();
        inboxes.set("owner", inbox);
        let router = inboxes.routes();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let fixture = Self { running, states, store, ids, access, stop, _folder: folder };
        let ready = async || fixture.calls(if is_posted_to { "setWebhook" } else { "getUpdates" }).await > 0;
        until(ready).await;
        fixture
    }

    /// How often a method of the Bot API was called.
    async fn calls(&self, method: &str) -> usize {
        let calls = self.get("/webhooks/calls").await;
        let path = format!("/bot…/{method}");
        calls["items"].as_array().unwrap().iter().filter(|call| call["path"] == path).count()
    }

    async fn get(&self, path: &str) -> Value {
        let url = format!("http://{}{path}", self.running.control);
        http().get(url).send().await.unwrap().json().await.unwrap()
    }

    fn write(&self, from: &str, text: &str) -> i32 {
        let order = json!({"from": from, "chat": "@control_bot", "text": text});
        let order: NewMessage = serde_json::from_value(order).unwrap();
        self.running.telegram.write(&order).unwrap().message_id
    }

    /// The text of a message of the chat with the owner, in the bot's numbering.
    fn text(&self, id: i32) -> Option<String> {
        let shown = self.running.telegram.message(&OWNER.to_string(), id, Some("@control_bot"));
        shown.ok().map(|message| message.text)
    }

    /// Waits until a message has this in its text.
    async fn says(&self, id: i32, part: &str) {
        until(async || self.text(id).is_some_and(|text| text.contains(part))).await;
    }

    async fn press(&self, message_id: i32, data: &str) -> Value {
        let order =
            json!({"from": "@client_1", "bot": "@control_bot", "message_id": message_id, "data": data});
        let url = format!("http://{}/telegram/presses", self.running.control);
        http().post(url).json(&order).send().await.unwrap().json().await.unwrap()
    }

    fn state(&self, name: &str) -> FlowState {
        self.states.0.lock().unwrap()[name]
    }

    /// A run of a flow is over.
    async fn ran(&self, flow: &str, state: FlowRunState, code: Option<&str>) {
        let clock = Clock::system();
        let moment = |at_us, stage, step| FlowMoment { at_us, stage, step, note: None };
        let run = StoredFlowRun {
            id: FlowRunId::from_uuid(self.ids.next()),
            flow: flow.to_owned(),
            account: "main".parse().unwrap(),
            chat_id: ChatId::user(7).unwrap(),
            message_id: TelegramMessageId::new(5).unwrap(),
            began_at: clock.now(),
            ended_at: Some(clock.now()),
            state,
            code: code.map(str::to_owned),
            step: 1,
            moments: vec![
                moment(0, FlowStage::Seen, None),
                moment(450, FlowStage::Pressed, Some(1)),
                moment(41_000, FlowStage::Ended, None),
            ],
        };
        self.store.flow_runs().save(run, 3).await.unwrap();
    }

    async fn audit(&self) -> Vec<(String, &'static str, String)> {
        let page = Page { limit: 100, cursor: None };
        let found = self.access.audit(&AuditFilter::default(), &page).await.unwrap().items;
        let entries = found.into_iter().map(|record| {
            let entry = record.entry;
            (entry.action, entry.who.kind(), entry.details["telegram_id"].clone())
        });
        entries.collect()
    }

    async fn end(self) {
        self.stop.cancel();
        self.running.stop().await;
    }
}

fn http() -> reqwest::Client {
    reqwest::Client::builder().tls_certs_only([]).timeout(LIMIT).build().unwrap()
}

async fn until(is_so: impl AsyncFn() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, waiting).await.expect("in time");
}

/// Stops a flow and starts another, as a person does.
async fn switched(is_posted_to: bool) {
    let fixture = Fixture::open(is_posted_to).await;
    let request_id = fixture.write("@client_1", "/stop trip");
    let sure = request_id + 1;
    fixture.says(sure, "Stop trip?").await;
    assert_eq!(fixture.state("trip"), FlowState::Watching);
    assert_eq!(fixture.press(sure, "now:trip").await["answered"], true);
    fixture.says(sure, "trip – main: stopped").await;
    assert_eq!(fixture.state("trip"), FlowState::Stopped);
    let request_id = fixture.write("@client_1", "/start other");
    fixture.says(request_id + 1, "other – main: watching").await;
    let owner = OWNER.to_string();
    let entries = fixture.audit().await;
    let program = "program";
    assert_eq!(
        entries,
        [("start_flow".to_owned(), program, owner.clone()), ("stop_flow".to_owned(), program, owner),]
    );
    fixture.end().await;
}

#[tokio::test]
async fn a_flow_is_stopped_once_that_is_confirmed() {
    switched(false).await;
}

#[tokio::test]
async fn a_bot_with_a_webhook_does_the_same() {
    switched(true).await;
}

#[tokio::test]
async fn a_stranger_gets_no_word_and_is_in_the_audit_log() {
    let fixture = Fixture::open(false).await;
    fixture.write("@client_2", "/stop trip");
    until(async || !fixture.audit().await.is_empty()).await;
    assert_eq!(
        fixture.audit().await,
        [("write_to_control_bot".to_owned(), "nobody", (OWNER + 1).to_string())]
    );
    let request_id = fixture.write("@client_1", "/help");
    fixture.says(request_id + 1, "/stop NAME").await;
    assert_eq!(fixture.calls("sendMessage").await, 1);
    assert_eq!(fixture.state("trip"), FlowState::Watching);
    fixture.end().await;
}

#[tokio::test]
async fn runs_are_counted_and_listed() {
    let fixture = Fixture::open(false).await;
    fixture.ran("trip", FlowRunState::Done, None).await;
    fixture.ran("trip", FlowRunState::Failed, Some("no_button")).await;
    let request_id = fixture.write("@client_1", "/stats");
    fixture.says(request_id + 1, "trip: runs 2, presses 2\n  done 1, failed (no_button) 1").await;
    fixture.says(request_id + 1, "first press: p50 0.4 ms, p99 0.4 ms").await;
    let request_id = fixture.write("@client_1", "/log");
    fixture.says(request_id + 1, "trip – main: failed (no_button), presses 1, 41.0 ms\n").await;
    let request_id = fixture.write("@client_1", "/help");
    fixture.says(request_id + 1, "/log – the last runs").await;
    fixture.end().await;
}
