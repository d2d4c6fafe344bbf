//! Killed while events go to a webhook, or while one is changed: each event is had, and what was answered is written.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Posted, Program, Receiver, Start, World};

use super::{Lives, act, finished, stopped};
use crate::binary;
use crate::postgres::world;

/// How each write is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scenario {
    /// A message is sent, of which the webhook hears.
    Notified,
    /// The same, and the webhook wants nothing more.
    Gone,
    /// One is made.
    Made,
    /// A call about one, behind its path: the method, the end of the path, the body, and the call before it; and what is shown
    /// once it is written.
    Call {
        before: Option<&'static str>,
        call: (&'static str, &'static str, &'static str),
        trace: &'static str,
    },
    /// Everything is posted once more.
    Replayed,
    /// A customer writes, of which the webhook hears.
    Received,
    /// More was delivered than is kept, and something more is.
    Trimmed,
    /// The clock is set back while something waits for its next attempt.
    Hurried,
    /// One is removed with what was delivered to it.
    Removed,
    /// Received messages are past their time.
    Swept,
}

pub(super) fn scenario(write: &str) -> Option<Scenario> {
    let call = |before, call, trace| Scenario::Call { before, call, trace };
    Some(match write {
        "store.fan_out" | "store.webhook_tried" => Scenario::Notified,
        "store.disable_webhook" => Scenario::Gone,
        "store.add_webhook" => Scenario::Made,
        "store.change_webhook" => call(None, ("PATCH", "", r#"{"description":"planted"}"#), "planted"),
        "store.pause_webhook" => call(None, ("POST", "/pause", "{}"), "\"state\":\"paused\""),
        "store.resume_webhook" => call(Some("/pause"), ("POST", "/resume", "{}"), "\"state\":\"active\""),
        "store.remove_webhook" => call(None, ("DELETE", "", ""), "webhook_not_found"),
        "store.take_updates" => Scenario::Received,
        "store.replay_webhook" | "store.retry_webhook" => Scenario::Replayed,
        "store.trim_webhook" => Scenario::Trimmed,
        "store.hurry_webhook" => Scenario::Hurried,
        "store.drop_webhook_posts" => Scenario::Removed,
        "store.drop_received" => Scenario::Swept,
        _ => return None,
    })
}

fn hook(receiver: &Receiver) -> Value {
    json!({"url": receiver.address(), "events": ["message.*"]})
}

/// The types of the events about messages that the webhook received.
fn received_types(receiver: &Receiver) -> BTreeSet<String> {
    receiver.bodies().iter().filter_map(|body| body["type"].as_str().map(str::to_owned)).collect()
}

/// Whether the one webhook has taken all that was for it. Time is not moved while a post may be under way: it would be given up,
/// and posted once more.
async fn nothing_waits(program: &Program) -> bool {
    program.get("/v1/webhooks").await.1["items"][0]["waiting"] == 0
}

async fn has_all(program: &Program, receiver: &Receiver) {
    program
        .until("the webhook has all events", || async {
            let types = received_types(receiver);
            nothing_waits(program).await
                && ["message.accepted", "message.sent"].iter().all(|kind| types.contains(*kind))
        })
        .await;
}

/// A customer writes to an account.
async fn writes(world: &World, text: &str) -> Value {
    let order = json!({"from": "@client_1", "chat": "@demo_fifth", "text": text});
    world.post("/telegram/messages", &order).await
}

/// Until the account hears: nothing else says from when on it has updates.
async fn hears(world: &World, program: &Program) {
    program
        .until("the account hears", || async {
            writes(world, "early").await;
            program.get("/v1/accounts/fifth").await.1["updates"]["received"] != 0
        })
        .await;
}

/// Calls share a program.
pub(super) fn sharing(point: &str) -> String {
    match scenario(super::write(point)) {
        Some(Scenario::Made | Scenario::Call { .. }) => String::new(),
        _ => point.to_owned(),
    }
}

pub(super) async fn kill_at_each(lives: &mut Lives, points: &[String]) {
    let receiver = Receiver::start().await;
    let allowed = "[events]\nallow_private = [\"127.0.0.1/32\"]";
    lives.world.edit_settings(|text| format!("{text}\n{allowed}\n"));
    for point in points {
        lives.start().await;
        lives.program().account_is("fifth", "ready").await;
        let written = point.strip_suffix(".after").is_some();
        match scenario(super::write(point)).expect("one of webhooks") {
            Scenario::Made => {
                let count = async |program: &Program| {
                    program.get("/v1/webhooks").await.1["items"].as_array().map_or(0, Vec::len)
                };
                let program = lives.program();
                let before = count(program).await;
                program.arm(point, 0).await;
                tokio::join!(act(program, "/v1/webhooks".into(), hook(&receiver)), stopped(program, point));
                lives.killed().await;
                assert_eq!(count(lives.program()).await, before + usize::from(written), "{point}");
            }
            Scenario::Call { before, call: (method, end, body), trace } => {
                let program = lives.program();
                let path = made(program, &receiver).await;
                if let Some(before) = before {
                    act(program, format!("{path}{before}"), json!({})).await;
                }
                program.arm(point, 0).await;
                let request = program.request(method, &format!("{path}{end}"));
                let request = request.header("content-type", "application/json").body(body);
                tokio::join!(super::answered(program, request), stopped(program, point));
                lives.killed().await;
                let shown = lives.program().get(&path).await.1.to_string();
                assert_eq!(shown.contains(trace), written, "{point}: {shown}");
            }
            alone => {
                let path = made(lives.program(), &receiver).await;
                let program = lives.program.take().expect("it runs");
                kill_at(alone, &lives.world, program, &receiver, point, &path).await;
            }
        }
        lives.world.assert_nothing_unknown().await;
    }
}

/// Makes a webhook; the path of it.
async fn made(program: &Program, receiver: &Receiver) -> String {
    let made = act(program, "/v1/webhooks".into(), hook(receiver)).await.expect("made");
    format!("/v1/webhooks/{}", made["id"].as_str().expect("an id"))
}

async fn kill_at(
    scenario: Scenario,
    world: &World,
    mut program: Program,
    receiver: &Receiver,
    point: &str,
    path: &str,
) {
    let written = point.strip_suffix(".after").is_some();
    match scenario {
        Scenario::Made | Scenario::Call { .. } => unreachable!("they share a program"),
        Scenario::Notified | Scenario::Gone => {
            receiver.answer(if scenario == Scenario::Gone { 410 } else { 200 });
            program.arm(point, 0).await;
            let sending = super::ask(&program, "one", json!({}));
            tokio::join!(sending, stopped(&program, point));
            program.kill();
            let program = Start::on(world, binary(), "data").ready().await;
            finished(&program, "one", json!({}), "sent").await;
            if scenario == Scenario::Gone {
                let is_off = || async { program.get(path).await.1["state"] == "disabled" };
                program.until("it is switched off", is_off).await;
            } else {
                has_all(&program, receiver).await;
            }
        }
        Scenario::Replayed => {
            super::ask(&program, "one", json!({})).await;
            finished(&program, "one", json!({}), "sent").await;
            has_all(&program, receiver).await;
            let before = receiver.bodies().len();
            program.arm(point, 0).await;
            let end = if point.contains("replay") {
                "/replay?since=2020-01-01T00:00:00Z".to_owned()
            } else {
                let page = program.get(&format!("{path}/attempts")).await.1;
                format!("/attempts/{}/retry", page["items"][0]["event"].as_str().expect("an event"))
            };
            tokio::join!(act(&program, format!("{path}{end}"), json!({})), stopped(&program, point));
            program.kill();
            let program = Start::on(world, binary(), "data").ready().await;
            if written {
                program.until("it is posted once more", || async { receiver.bodies().len() > before }).await;
            }
            has_all(&program, receiver).await;
        }
        Scenario::Received => {
            hears(world, &program).await;
            program.arm(point, 0).await;
            let last = writes(world, "last").await;
            stopped(&program, point).await;
            program.kill();
            let program = Start::on(world, binary(), "data").ready().await;
            let is_last = |body: &Value| {
                body["type"] == "message.received" && body["data"]["telegram_id"] == last["message_id"]
            };
            program
                .until("the webhook has the last one", || async { receiver.bodies().iter().any(is_last) })
                .await;
            each_has_one_event(&program, point).await;
        }
        Scenario::Trimmed => trimmed(world, receiver, program, point).await,
        Scenario::Hurried => hurried(world, receiver, program, point, path).await,
        Scenario::Removed => removed(world, receiver, program, point, path).await,
        Scenario::Swept => swept(world, receiver, program, point).await,
    }
}

/// A received message has one event, whatever came between.
async fn each_has_one_event(program: &Program, point: &str) {
    let page = program.request("GET", "/v1/events?type=message.received&limit=500");
    let page = page.header("accept", "application/json").send().await.expect("an answer");
    let page: Value = page.json().await.expect("JSON");
    let events = page["items"].as_array().expect("items").iter();
    let ids: Vec<String> = events.map(|event| event["data"]["message_id"].to_string()).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{point}: each has one event: {page}");
}

/// Of what was posted since, nothing came more often than a kill makes of it.
fn none_beyond_a_kill(receiver: &Receiver, since: usize, point: &str) {
    let mut posts: BTreeMap<String, usize> = BTreeMap::new();
    for posted in &receiver.posted()[since..] {
        *posts.entry(posted.headers["webhook-id"].clone()).or_default() += 1;
    }
    assert!(posts.values().all(|times| *times <= MOST_POSTS), "{point}: {posts:?}");
}

/// Runs a statement that changes rows in a store whose program is not running.
fn change_store(world: &World, sql: &str) {
    if let Some(database) = world.database() {
        database.query(sql);
    } else {
        let file = world.data_dir("data").join("switchboard.db");
        let changed = rusqlite::Connection::open(file).expect("opens").execute(sql, []);
        assert!(changed.expect("is changed") > 0);
    }
}

/// How many posts of events there are, in every state.
fn stored_posts(world: &World) -> usize {
    let sql = "SELECT count(*) FROM posts WHERE kind = 0";
    if let Some(database) = world.database() {
        return database.query(sql)[0][0].as_deref().and_then(|count| count.parse().ok()).expect("a number");
    }
    let database = rusqlite::Connection::open(world.data_dir("data").join("switchboard.db")).expect("opens");
    database.busy_timeout(Duration::from_secs(5)).expect("is set");
    let count: i64 = database.query_row(sql, [], |row| row.get(0)).expect("a number");
    usize::try_from(count).expect("a count")
}

/// More posts than stay of what was delivered (5,000), all of them delivered.
const DELIVERED: usize = 5_100;

/// So many stay at most, with those of the two messages that are sent meanwhile.
const STAY: usize = 5_020;

async fn trimmed(world: &World, receiver: &Receiver, mut program: Program, point: &str) {
    program.kill();
    change_store(
        world,
        &format!(
            "INSERT INTO posts (kind, receiver, event, item, state, attempts, next_at)
             WITH RECURSIVE numbers (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < {DELIVERED})
             SELECT 0, id, number, substr(id, 1, 0), 2, 1, 0 FROM webhooks, numbers"
        ),
    );
    let mut program = Start::on(world, binary(), "data").ready().await;
    program.arm(point, 0).await;
    tokio::join!(super::ask(&program, "one", json!({})), stopped(&program, point));
    program.kill();
    let program = Start::on(world, binary(), "data").ready().await;
    for text in ["one", "two"] {
        finished(&program, text, json!({}), "sent").await;
    }
    has_all(&program, receiver).await;
    let sent = || -> BTreeSet<String> {
        let bodies = receiver.bodies().into_iter().filter(|body| body["type"] == "message.sent");
        bodies.map(|body| body["data"]["message_id"].to_string()).collect()
    };
    program.until("it has heard of both", || async { sent().len() == 2 }).await;
    program.until("the oldest are gone", || async { stored_posts(world) <= STAY }).await;
    let page = program.get("/v1/webhooks").await.1;
    assert_eq!(page["items"][0]["dead"], 0, "{point}: {page}");
    none_beyond_a_kill(receiver, 0, point);
}

async fn hurried(world: &World, receiver: &Receiver, mut program: Program, point: &str, path: &str) {
    receiver.answer(503);
    super::ask(&program, "one", json!({})).await;
    finished(&program, "one", json!({}), "sent").await;
    program
        .until("both events were refused", || async {
            let page = program.get(&format!("{path}/attempts")).await.1;
            let items = page["items"].as_array().expect("items").iter();
            items.filter(|post| post["attempts"] != 0).count() == 2
        })
        .await;
    program.arm(point, 0).await;
    program.set_back(Duration::from_hours(48)).await;
    program.as_time_goes_by(Duration::from_secs(1), stopped(&program, point)).await;
    program.kill();
    let refused = receiver.posted().len();
    receiver.answer(200);
    let program = Start::on(world, binary(), "data").ready().await;
    let ids = |posts: &[Posted]| -> BTreeSet<String> {
        posts.iter().map(|posted| posted.headers["webhook-id"].clone()).collect()
    };
    program
        .until("both are taken", || async {
            if ids(&receiver.posted()[refused..]).len() < 2 {
                program.advance(Duration::from_secs(10)).await;
            }
            nothing_waits(&program).await
        })
        .await;
    let posts = receiver.posted();
    assert_eq!(ids(&posts[..refused]), ids(&posts[refused..]), "{point}: the same two");
    none_beyond_a_kill(receiver, refused, point);
}

async fn removed(world: &World, receiver: &Receiver, mut program: Program, point: &str, path: &str) {
    super::ask(&program, "one", json!({})).await;
    finished(&program, "one", json!({}), "sent").await;
    has_all(&program, receiver).await;
    let taken = receiver.posted().len();
    program.arm(point, 0).await;
    let remove = program.request("DELETE", path);
    tokio::join!(super::answered(&program, remove), stopped(&program, point));
    program.kill();
    let program = Start::on(world, binary(), "data").ready().await;
    finished(&program, "two", json!({}), "sent").await;
    assert_eq!(program.get(path).await.1["state"], "paused", "{point}");
    assert_eq!(receiver.posted().len(), taken, "{point}: nothing goes to one that is being removed");
    let gone = program.request("DELETE", path).send().await.expect("an answer");
    assert_eq!(gone.status(), 204, "{point}");
    assert_eq!(program.get("/v1/webhooks").await.1["items"], json!([]), "{point}");
    assert_eq!((stored_posts(world), receiver.posted().len()), (0, taken), "{point}");
}

/// The texts that an account received, the latest first.
async fn received_texts(program: &Program) -> Vec<String> {
    let page = program.get("/v1/messages?direction=in&account=fifth&limit=500").await.1;
    let items = page["items"].as_array().cloned().unwrap_or_default();
    items.iter().map(|message| message["text"].as_str().unwrap_or_default().to_owned()).collect()
}

async fn until_received(program: &Program, text: &str) {
    program
        .until("it is kept", || async { received_texts(program).await.iter().any(|one| one == text) })
        .await;
}

async fn swept(world: &World, receiver: &Receiver, mut program: Program, point: &str) {
    hears(world, &program).await;
    for text in ["first", "second"] {
        writes(world, text).await;
        until_received(&program, text).await;
    }
    let before = received_texts(&program).await;
    program.until("the webhook has all of them", || nothing_waits(&program)).await;
    super::files::past_its_time(&program, Some("fifth"), point).await;
    program.kill();
    // Its clock is that of the machine again: what was not removed is not past its time any more.
    let program = Start::on(world, binary(), "data").ready().await;
    let after = received_texts(&program).await;
    let is_removed = point == "store.drop_received.after";
    assert_eq!(after.first().map(String::as_str), Some("second"), "{point}: the newest stays: {after:?}");
    assert!(is_removed == (after.len() < before.len()), "{point}: {before:?} {after:?}");
    act(&program, "/v1/accounts/fifth/actions/resume".into(), json!({})).await;
    program.account_is("fifth", "ready").await;
    let last = writes(world, "third").await;
    until_received(&program, "third").await;
    program
        .until("the webhook has it", || async {
            receiver.bodies().iter().any(|body| body["data"]["telegram_id"] == last["message_id"])
        })
        .await;
    each_has_one_event(&program, point).await;
    none_beyond_a_kill(receiver, 0, point);
}

/// What a message of a customer passes until a webhook has it.
const PASSED: [&str; 3] = ["store.take_updates", "store.fan_out", "store.webhook_tried"];

/// How many times the event of one message may be posted when the program is killed once: its answer may not have been
/// written.
const MOST_POSTS: usize = 2;

/// One message, a kill between it and the webhook: it is posted under one id, which n8n passes on once, and signed.
async fn killed_in_transit_to_the_webhook(point: String) {
    let world = world().await;
    let receiver = Receiver::start().await;
    world.edit_settings(|text| format!("{text}\n[events]\nallow_private = [\"127.0.0.1/32\"]\n"));
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    let of_received = json!({"url": receiver.address(), "events": ["message.received"]});
    let made = act(&program, "/v1/webhooks".into(), of_received).await.expect("made");
    let secret = made["secret"].as_str().expect("a secret").to_owned();
    hears(&world, &program).await;
    let posts_of = |message: &Value| -> Vec<Posted> {
        let is_it = |posted: &Posted| {
            let body: Value = serde_json::from_str(&posted.text).unwrap_or_default();
            body["data"]["telegram_id"] == message["message_id"]
        };
        receiver.posted().into_iter().filter(is_it).collect()
    };
    program.until("nothing waits", || nothing_waits(&program)).await;
    program.arm(&point, 0).await;
    let message = writes(&world, "Are you open on Sunday?").await;
    stopped(&program, &point).await;
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    program.until("the webhook has it", || async { !posts_of(&message).is_empty() }).await;
    program.until("nothing waits", || nothing_waits(&program)).await;
    let posts = posts_of(&message);
    let ids: BTreeSet<_> = posts.iter().map(|posted| posted.headers["webhook-id"].clone()).collect();
    assert!(ids.len() == 1 && posts.len() <= MOST_POSTS, "{point}: {posts:?}");
    for Posted { headers, text } in &posts {
        let post = json!({"secret": secret, "headers": headers, "body": text}).to_string();
        crate::python::run("signed.py", &[&post]).await;
    }
}

fn kills_in_transit() -> impl Iterator<Item = impl Future<Output = ()> + Send + 'static> {
    let moments = ["before", "after"].into_iter();
    let points = moments.flat_map(|moment| PASSED.map(|write| format!("{write}.{moment}")));
    points.map(killed_in_transit_to_the_webhook)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customers_message_reaches_a_webhook_under_one_id() {
    super::two_at_a_time(kills_in_transit()).await;
}

mod on_postgres {
    #[tokio::test(flavor = "multi_thread")]
    async fn a_customers_message_reaches_a_webhook_under_one_id() {
        super::super::two_at_a_time(super::kills_in_transit().map(crate::postgres::on_postgres)).await;
    }
}

/// Killed when one part of an album is kept and the next is about to be, or has just been; the others come meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn an_album_that_is_cut_by_a_kill_is_kept_whole() {
    /// Files of the album.
    const PARTS: usize = 4;
    let world = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    hears(&world, &program).await;
    for (point, album) in [("store.take_updates.before", 71), ("store.take_updates.after", 72)] {
        let parts = async |program: &Program| {
            let page = program.get("/v1/messages?direction=in&account=fifth&limit=200").await.1;
            let items = page["items"].as_array().cloned().unwrap_or_default();
            let of_it = items.into_iter().filter(|message| message["media"] == "document");
            let ids = of_it.map(|message| message["id"].as_str().expect("an id").to_owned());
            ids.collect::<BTreeSet<_>>()
        };
        let known = parts(&program).await;
        let send = async |content: &str| {
            let media = json!([{"kind": "document", "content": content}]);
            let order = json!({"from": "@client_1", "chat": "@demo_fifth", "media": media, "album": album});
            world.post("/telegram/messages", &order).await;
        };
        // At once they might all be kept in one write.
        send("AAAA").await;
        let first = || async { parts(&program).await.len() == known.len() + 1 };
        program.until("the first part is kept", first).await;
        program.arm(point, 0).await;
        send("BBBB").await;
        stopped(&program, point).await;
        send("CCCC").await;
        send("DDDD").await;
        program.kill();
        program = Start::on(&world, binary(), "data").ready().await;
        let all = || async { parts(&program).await.len() >= known.len() + PARTS };
        program.until("the album is whole", all).await;
        let new: BTreeSet<_> = parts(&program).await.difference(&known).cloned().collect();
        let page = program.request("GET", "/v1/events?type=message.received&limit=500");
        let page: Value = page
            .header("accept", "application/json")
            .send()
            .await
            .expect("an answer")
            .json()
            .await
            .expect("JSON");
        let events = page["items"].as_array().expect("items").iter();
        let ids: Vec<_> = events.filter_map(|event| event["data"]["message_id"].as_str()).collect();
        let of_it = |id: &String| ids.iter().filter(|one| *one == id).count();
        assert!(new.len() == PARTS && new.iter().all(|id| of_it(id) == 1), "{point}: {new:?} {ids:?}");
    }
}
