//! Killed between any two steps on SQLite, and after each on PostgreSQL: at each named point the program is stopped and killed,
//! and started again on the same data. The ledger then shows what was asked for, each once, in order. A point without a tier, or one
//! that no scenario reaches, is a failure.

mod alerts;
mod campaigns;
mod channels;
mod chats;
mod clearing;
mod files;
mod flows;
mod importing;
mod master_key;
mod messages;
mod pipeline;
mod roster;
mod sweeping;
pub(crate) mod tiers;
mod webhooks;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use ambient::Clock;
use serde_json::{Value, json};
use store::{MasterKey, Store, StoreOptions};
use testkit::postgres::Database;
use testkit::{Program, Start, World};
use tokio::task::JoinSet;

use crate::binary;

const SEND: &str = "messages.sendMessage";

/// The points of each step of signing in.
const SAVE_LOGIN: [&str; 2] = ["store.save_login.before", "store.save_login.after"];

/// The write or call that a point is before or after.
fn write(point: &str) -> &str {
    point.trim_end_matches(".before").trim_end_matches(".after")
}

/// A caller that asks under a key and never minds asking again.
async fn ask(program: &Program, text: &str, more: Value) -> Option<Value> {
    let mut body = json!({"chat": "@client_1", "text": text, "account": "fifth", "wait": 0});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let request = program
        .request("POST", "/v1/messages")
        .header("content-type", "application/json")
        .header("idempotency-key", text)
        .body(body.to_string());
    answered(program, request).await
}

async fn act(program: &Program, path: String, body: Value) -> Option<Value> {
    let request =
        program.request("POST", &path).header("content-type", "application/json").body(body.to_string());
    answered(program, request).await
}

/// Asks, and waits for the answer or until the program stops at a point: there may be none then. The caller stays on
/// the line.
async fn answered(program: &Program, request: reqwest::RequestBuilder) -> Option<Value> {
    let asking = tokio::spawn(async move { request.send().await.ok()?.text().await.ok() });
    let stands = program.until("it answers or stands at a point", || stands(program));
    tokio::select! {
        biased;
        reply = asking => serde_json::from_str(&reply.ok()??).ok(),
        () = stands => None,
    }
}

/// A request of an old caller.
fn post_to_old_port(world: &World, port: u16, path: &str, body: &Value) -> reqwest::RequestBuilder {
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .timeout(Duration::from_mins(2))
        .build()
        .expect("a client");
    client.post(format!("http://127.0.0.1:{}{path}", world.legacy_port(port))).body(body.to_string())
}

async fn stopped(program: &Program, point: &str) {
    let what = format!("{point} stops the program");
    program.until(&what, || program.stopped_at(point)).await;
}

/// Whether the program is stopped at any point.
async fn stands(program: &Program) -> bool {
    program.failpoints().await["stopped"].as_object().is_some_and(|points| !points.is_empty())
}

/// Asks, and hangs up when Telegram has the call, which goes on when the faults are taken away; or when the program stops
/// at a point before it.
async fn hang_up(world: &World, program: &Program, method: &str, request: reqwest::RequestBuilder) {
    world.delete("/calls").await;
    world.fault("delay", json!({"method": method, "seconds": 3600, "times": 1})).await;
    let asking = tokio::spawn(request.send());
    let is_called = || async { world.calls(method).await > 0 || stands(program).await };
    program.until("the call is on the wire", is_called).await;
    asking.abort();
}

fn id(answer: Option<&Value>) -> String {
    answer.and_then(|answer| answer["id"].as_str()).unwrap_or("msg_none").to_owned()
}

async fn finished(program: &Program, text: &str, more: Value, state: &str) {
    let what = format!("{text} is {state}");
    program
        .until(&what, || async {
            let Some(answer) = ask(program, text, more.clone()).await else { return false };
            if answer["code"] == "chat_not_found" {
                return state == "failed";
            }
            program.get(&format!("/v1/messages/{}", id(Some(&answer)))).await.1["state"] == state
        })
        .await;
}

/// A program that is killed at one point after the other, in one world and on the same data.
struct Lives {
    // Before the world, whose end removes the data directory.
    program: Option<Program>,
    world: World,
    /// How many data directories there were before.
    used: u32,
}

impl Lives {
    fn new(world: World) -> Self {
        Self { world, program: None, used: 0 }
    }

    /// Removes the faults, the counted calls and the ledger of the world.
    async fn clear(&self) {
        for path in ["/faults", "/calls", "/ledger"] {
            self.world.delete(path).await;
        }
    }

    /// The next program has data of its own; with a store on a server that takes another database, which belongs to the world.
    async fn forget(&mut self) {
        self.kill();
        self.used += 1;
        if self.world.database().is_some() {
            self.world = crate::postgres::world().await;
        }
    }

    /// Starts the program unless it runs.
    async fn start(&mut self) {
        if self.program.is_none() {
            let data = if self.used == 0 { "data".to_owned() } else { format!("data-{}", self.used) };
            self.program = Some(Start::on(&self.world, binary(), &data).listening().await);
        }
    }

    fn program(&self) -> &Program {
        self.program.as_ref().expect("it runs")
    }

    fn kill(&mut self) {
        if let Some(mut program) = self.program.take() {
            program.kill();
        }
    }

    /// Kills the program and starts it again.
    async fn killed(&mut self) {
        self.kill();
        self.start().await;
        self.program().is_ready().await;
    }
}

/// Where the store of a world's programs is.
#[derive(Clone)]
struct StoreAt {
    data_dir: PathBuf,
    url: String,
}

impl StoreAt {
    /// Ends the lease of a program that was killed.
    fn of(world: &World) -> Self {
        let database = world.database();
        database.into_iter().for_each(Database::end_lease);
        let url = database.map_or_else(|| "sqlite:switchboard.db".to_owned(), Database::url);
        Self { data_dir: world.data_dir("data"), url }
    }

    async fn open(self, clock: Clock) -> Store {
        let Self { data_dir, url } = self;
        let master_key = MasterKey::File(data_dir.join("master.key"));
        Store::open(StoreOptions { data_dir, url, clock, master_key }).await.expect("the store opens")
    }
}

/// One test for each group of points: what it names is killed at every point of the group. Each point belongs to one group,
/// so that all of them together kill at every point that the program knows.
macro_rules! groups {
    ($($group:ident: #[$attribute:meta] async fn $test:ident();)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Group {
            $($group,)+
        }

        $(#[$attribute]
        async fn $test() {
            let chains = chains(Group::$group, |_| true).into_iter();
            two_at_a_time(chains.map(|points| kill_at_each(Group::$group, points))).await;
        })+

        mod on_postgres {
            use super::{Group, chains, kill_at_each, two_at_a_time};

            $(#[$attribute]
            async fn $test() {
                // Before a write both engines hold what they held after the one before it.
                let chains = chains(Group::$group, |point| !point.ends_with(".before")).into_iter();
                let kills = chains.map(|points| kill_at_each(Group::$group, points));
                two_at_a_time(kills.map(crate::postgres::on_postgres)).await;
            })+
        }
    };
}

groups! {
    Messages:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_messages_each_is_sent_once();

    Chats:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_chats_each_is_made_once();

    Files:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_files_they_leave_once();

    Accounts:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_accounts_none_is_lost();

    Importing:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_an_import_it_ends_the_same();

    Clearing:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_a_clearing_it_goes_on();

    Alerts:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_alerts_each_is_sent_once();

    Webhooks:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_webhooks_each_event_is_had();

    Flows:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_flows_nothing_is_pressed_twice();

    Channels:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_channels_each_is_kept_once();

    Campaigns:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_campaigns_each_is_sent_once();

    Pipeline:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_the_pipeline_each_is_answered_once();

    Sweeping:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_a_sweep_the_next_one_removes_the_rest();

    MasterKey:
    #[tokio::test(flavor = "multi_thread")]
    async fn killed_at_points_of_a_key_rotation_all_opens();
}

impl Group {
    fn of(point: &str) -> Self {
        let write = write(point);
        if chats::scenario(write).is_some() {
            Self::Chats
        } else if files::scenario(write).is_some() {
            Self::Files
        } else if roster::scenario(write).is_some() {
            Self::Accounts
        } else if clearing::reaches(write) {
            Self::Clearing
        } else if alerts::scenario(write).is_some() {
            Self::Alerts
        } else if webhooks::scenario(write).is_some() {
            Self::Webhooks
        } else if channels::scenario(write).is_some() {
            Self::Channels
        } else if flows::reaches(write) {
            Self::Flows
        } else if campaigns::reaches(write) {
            Self::Campaigns
        } else if pipeline::reaches(write) {
            Self::Pipeline
        } else if master_key::reaches(write) {
            Self::MasterKey
        } else if sweeping::reaches(write) {
            Self::Sweeping
        } else if importing::reaches(write) {
            Self::Importing
        } else {
            Self::Messages
        }
    }
}

/// The points of a group, of all that the program knows, as far as they are wanted; those that share a program together.
fn chains(group: Group, is_wanted: impl Fn(&str) -> bool) -> Vec<Vec<String>> {
    let mut chains: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for point in tiers::known().filter(|point| Group::of(point) == group && is_wanted(point)) {
        let sharing = match group {
            Group::Messages => messages::sharing(point),
            Group::Chats => chats::sharing(point),
            Group::Sweeping | Group::Campaigns | Group::MasterKey => String::new(),
            Group::Alerts => alerts::sharing(point),
            Group::Webhooks => webhooks::sharing(point),
            Group::Pipeline => pipeline::sharing(point),
            _ => point.to_owned(),
        };
        chains.entry((tiers::of(point), sharing)).or_default().push(point.to_owned());
    }
    assert!(!chains.is_empty(), "no point is of {group:?}");
    chains.into_values().collect()
}

/// Kills at points that share a program.
async fn kill_at_each(group: Group, points: Vec<String>) {
    Box::pin(tiers::of(&points[0]).scope(kill_in_tier(group, points))).await;
}

async fn kill_in_tier(group: Group, points: Vec<String>) {
    let lives = async || Lives::new(crate::postgres::world().await);
    match group {
        Group::Messages => return messages::kill_at_each(&mut lives().await, &points).await,
        Group::Chats => return chats::kill_at_each(&mut lives().await, &points).await,
        Group::Campaigns => return campaigns::kill_at_each(&mut lives().await, &points).await,
        Group::MasterKey => return master_key::kill_at_each(&mut lives().await, &points).await,
        Group::Alerts => return alerts::kill_at_each(&mut lives().await, &points).await,
        Group::Sweeping => return sweeping::kill_at_each(&mut lives().await, &points).await,
        Group::Webhooks => return webhooks::kill_at_each(&mut lives().await, &points).await,
        Group::Pipeline => return pipeline::kill_at_each(&points).await,
        _ => {}
    }
    for point in &points {
        let written = write(point);
        match group {
            Group::Files => files::kill_at(files::scenario(written).expect("one of files"), point).await,
            Group::Accounts => {
                roster::kill_at(roster::scenario(written).expect("one of accounts"), point).await;
            }
            Group::Importing => importing::kill_at(point).await,
            Group::Clearing => clearing::kill_at(point).await,
            Group::Channels => {
                channels::kill_at(channels::scenario(written).expect("one of channels"), point).await;
            }
            Group::Flows => flows::kill_at(point).await,
            _ => unreachable!("they share a program"),
        }
    }
}

/// Lets all of them run, two at a time: each is a pair of processes.
fn two_at_a_time<F>(kills: impl IntoIterator<Item = F>) -> impl Future<Output = ()>
where
    F: Future<Output = ()> + Send + 'static,
{
    let kills: Vec<F> = kills.into_iter().collect();
    async {
        let mut running = JoinSet::new();
        for kill in kills {
            if running.len() >= 2 {
                running.join_next().await.expect("one").expect("what it checks is true");
            }
            running.spawn(kill);
        }
        while let Some(done) = running.join_next().await {
            done.expect("what it checks is true");
        }
    }
}

/// Signing in writes eight times: that it begins, its key, that a code went out, that it was entered, that a password is
/// wanted, that it was entered, that there are terms, that they were accepted. The first is killed with the points.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_signing_in_it_goes_on() {
    two_at_a_time(SAVE_LOGIN.map(|point| {
        roster::kill_at_each_step(roster::Scenario::SignIn, (1..8).map(move |skip| (point, skip)))
    }))
    .await;
}

/// Being sent to another data centre with the code, and home again for a new one, writes eight times more: that it was sent
/// on, that the code is entered there, the key, that a new code is wanted, that it was sent on again, the key, that a code went
/// out, that it was entered.
#[tokio::test(flavor = "multi_thread")]
async fn killed_while_moving_data_centre_signing_in_goes_on() {
    two_at_a_time(SAVE_LOGIN.map(|point| {
        roster::kill_at_each_step(roster::Scenario::SignInElsewhere, (4..12).map(move |skip| (point, skip)))
    }))
    .await;
}

/// Signing in by a QR code writes five times: that it begins, its key, the code that is shown, that it was scanned, the
/// session. Wherever it is killed it goes on, or shows another code.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_a_qr_sign_in_it_goes_on() {
    let sessions = ["store.change_sessions.before", "store.change_sessions.after"];
    let points = SAVE_LOGIN.into_iter().zip(sessions);
    two_at_a_time(points.map(|(save_login, change_sessions)| {
        let steps = (0..4).map(move |skip| (save_login, skip)).chain([(change_sessions, 0)]);
        roster::kill_at_each_step(roster::Scenario::SignInByQr, steps)
    }))
    .await;
}

/// Making a chat takes five calls that change something: creating, opening, inviting, promoting, making the link. The
/// first is killed with the points.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_a_chat_there_is_one_and_it_is_whole() {
    let points = ["telegram.step.before", "telegram.step.after", "store.saga_save.before"];
    let kills = points.map(|point| async move {
        let mut lives = Lives::new(World::start(binary()).await);
        for skip in 1..5 {
            chats::kill_at(&mut lives, chats::Scenario::Create, point, skip).await;
        }
    });
    two_at_a_time(kills).await;
}

/// A person's word that a chat was left is the end of the whole: it is not left once more.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_the_word_that_a_chat_was_left_it_is_left_once() {
    for point in ["store.saga_resolve.before", "store.saga_resolve.after"] {
        let mut lives = Lives::new(World::start(binary()).await);
        chats::kill_at(&mut lives, chats::Scenario::ResolveLeft, point, 0).await;
    }
}

/// An import that is cut off is taken up by the next one, also at the writes that it shares with other work on accounts.
#[tokio::test(flavor = "multi_thread")]
async fn killed_import_is_finished_by_the_next_one() {
    for write in ["add_account", "change_sessions"] {
        importing::kill_at(&format!("store.{write}.before")).await;
        importing::kill_at(&format!("store.{write}.after")).await;
    }
}

/// A caller without a key of its own, whose API key says that the same body is the same message for a while.
#[tokio::test(flavor = "multi_thread")]
async fn killed_and_asked_again_by_a_key_with_repeats() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    let new = json!({ "name": "n8n", "scopes": ["send", "read"], "repeats": "10m" });
    let (status, made) = program.post("/v1/keys", &new).await;
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().expect("a key").to_owned();
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .timeout(Duration::from_mins(2))
        .build()
        .expect("a client");
    let send = |program: &Program, text: &str| {
        let request = client.post(format!("{}/v1/messages", program.address())).header("x-api-key", &key);
        request.json(&json!({ "chat": "@client_1", "text": text })).send()
    };
    // One is answered before the end, of the other only the server knows.
    let first = send(&program, "answered").await.expect("an answer");
    assert_eq!(first.status(), 200);
    program.arm("store.accept.after", 0).await;
    let cut = tokio::spawn(send(&program, "not answered"));
    program.until("it is accepted", || stands(&program)).await;
    program.kill();
    assert!(cut.await.expect("no panic").is_err());
    drop(program);
    let program = Start::on(&world, binary(), "data").ready().await;
    for text in ["answered", "not answered"] {
        let again = send(&program, text).await.expect("an answer");
        assert_eq!(again.status(), 200, "{text}");
        assert_eq!(again.headers()["idempotency-replayed"], "true");
    }
    assert_eq!(world.sent().await, ["answered", "not answered"]);
}
