//! SIGKILL between any two steps: at each named point the program is stopped and killed, and started again on the same
//! data. The ledger then shows what was asked for, each once, in order. A point that no scenario reaches is a failure.

mod alerts;
mod chats;
mod clearing;
mod files;
mod importing;
mod messages;
mod roster;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};
use tokio::task::JoinSet;

use crate::binary;

const SEND: &str = "messages.sendMessage";

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

/// Asks, and waits for the answer or until the program stands at a point: there may be none then. Whoever asks stays on
/// the line.
async fn answered(program: &Program, request: reqwest::RequestBuilder) -> Option<Value> {
    let asking = tokio::spawn(async move { request.send().await.ok()?.text().await.ok() });
    let stands = program.until("it answers or stands at a point", || stands(program));
    tokio::select! {
        biased;
        told = asking => serde_json::from_str(&told.ok()??).ok(),
        () = stands => None,
    }
}

/// A request of an old caller.
fn post_to_old_port(world: &World, port: u16, path: &str, body: &Value) -> reqwest::RequestBuilder {
    let client = reqwest::Client::builder().timeout(Duration::from_mins(2)).build().expect("a client");
    client.post(format!("http://127.0.0.1:{}{path}", world.legacy_port(port))).body(body.to_string())
}

/// Whether the program stands at any point.
async fn stands(program: &Program) -> bool {
    program.failpoints().await["stopped"].as_object().is_some_and(|points| !points.is_empty())
}

/// Asks, and hangs up when Telegram has the call, which goes on when the faults are taken away; or when the program stands
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

async fn kill_at(point: String) {
    if let Some(scenario) = chats::scenario(write(&point)) {
        chats::kill_at(scenario, &point, 0).await;
    } else if let Some(scenario) = files::scenario(write(&point)) {
        files::kill_at(scenario, &point).await;
    } else if let Some(scenario) = roster::scenario(write(&point)) {
        roster::kill_at(scenario, &point, 0).await;
    } else if clearing::reaches(write(&point)) {
        clearing::kill_at(&point).await;
    } else if let Some(scenario) = alerts::scenario(write(&point)) {
        alerts::kill_at(scenario, &point).await;
    } else if importing::reaches(write(&point)) {
        importing::kill_at(&point).await;
    } else {
        messages::kill_at(&point).await;
    }
}

/// Lets all of them run, two at a time: each is a pair of processes.
async fn two_at_a_time<F>(kills: impl IntoIterator<Item = F>)
where
    F: Future<Output = ()> + Send + 'static,
{
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

#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_point_each_message_is_there_once() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    let points: Vec<String> = program.failpoints().await["known"]
        .as_array()
        .expect("known")
        .iter()
        .map(|name| name.as_str().expect("a name").to_owned())
        .collect();
    drop(program);
    drop(world);
    assert!(points.len() >= 30, "{points:?}");
    two_at_a_time(points.into_iter().map(kill_at)).await;
}

/// Those of alerts alone, which the whole is long for.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_write_about_alerts_each_is_told_once() {
    let mut running = tokio::task::JoinSet::new();
    for write in [
        "save_alerts",
        "alert_delivered",
        "alert_told",
        "alert_put_off",
        "alert_given_up",
        "alert_target_off",
        "add_alert_target",
        "remove_alert_target",
        "save_alert_mute",
        "forget_alert_mute",
        "add_maintenance",
        "remove_maintenance",
        "drop_alerts",
        "drop_alert_notices",
    ] {
        for moment in ["before", "after"] {
            if running.len() >= 2 {
                running.join_next().await.expect("one").expect("each is told once");
            }
            running.spawn(kill_at(format!("store.{write}.{moment}")));
        }
    }
    while let Some(done) = running.join_next().await {
        done.expect("each is told once");
    }
}

/// Those of files alone, which the whole is long for.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_write_about_files_they_leave_once() {
    for write in ["store.save_reference", "store.forget_reference", "store.save_upload"] {
        for moment in ["before", "after"] {
            kill_at(format!("{write}.{moment}")).await;
        }
    }
}

/// Signing in writes eight times: that it begins, its key, that a code went out, that it was told, that a password is
/// wanted, that it was told, that there are terms, that they were accepted. The first is killed with the points.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_signing_in_it_goes_on_and_no_session_is_lost() {
    let points = ["store.save_login.before", "store.save_login.after"];
    let kills = points.into_iter().flat_map(|point| (1..8).map(move |skip| (point, skip)));
    two_at_a_time(kills.map(|(point, skip)| roster::kill_at(roster::Scenario::SignIn, point, skip))).await;
}

/// Being sent to another data centre with the code, and home again for a new one, writes eight times more: that it was sent
/// on, that the code is told there, the key, that a new code is wanted, that it was sent on again, the key, that a code went
/// out, that it was told.
#[tokio::test(flavor = "multi_thread")]
async fn killed_on_the_way_to_another_data_centre_signing_in_goes_on_and_no_session_is_lost() {
    let points = ["store.save_login.before", "store.save_login.after"];
    let kills = points.into_iter().flat_map(|point| (4..12).map(move |skip| (point, skip)));
    two_at_a_time(kills.map(|(point, skip)| roster::kill_at(roster::Scenario::SignInElsewhere, point, skip)))
        .await;
}

/// Signing in by a QR code writes five times: that it begins, its key, the code that is shown, that it was scanned, the
/// session. Wherever it is killed it goes on, or shows another code.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_signing_in_by_a_qr_code_it_goes_on_and_no_session_is_lost() {
    let kills = ["before", "after"].into_iter().flat_map(|moment| {
        let steps = (0..4).map(|skip| ("save_login", skip)).chain([("change_sessions", 0)]);
        steps.map(move |(write, skip)| (format!("store.{write}.{moment}"), skip))
    });
    two_at_a_time(kills.map(|(point, skip)| async move {
        roster::kill_at(roster::Scenario::SignInByQr, &point, skip).await;
    }))
    .await;
}

/// Those of accounts alone, which the whole is long for.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_every_write_about_accounts_none_is_lost_and_nobody_is_signed_out() {
    let points =
        roster::WRITES.into_iter().flat_map(|write| [format!("{write}.before"), format!("{write}.after")]);
    two_at_a_time(points.map(kill_at)).await;
}

/// Making a chat takes five calls that change something: creating, opening, inviting, promoting, making the link. The
/// first is killed with the points.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_each_step_of_a_chat_there_is_one_and_it_is_whole() {
    let points = ["telegram.step.before", "telegram.step.after", "store.saga_save.before"];
    let kills = points.into_iter().flat_map(|point| (1..5).map(move |skip| (point, skip)));
    two_at_a_time(kills.map(|(point, skip)| chats::kill_at(chats::Scenario::Create, point, skip))).await;
}

/// A person's word that a chat was left is the end of the whole: nobody leaves it once more.
#[tokio::test(flavor = "multi_thread")]
async fn killed_at_the_word_that_a_chat_was_left_it_is_left_once() {
    for point in ["store.saga_resolve.before", "store.saga_resolve.after"] {
        chats::kill_at(chats::Scenario::ResolveLeft, point, 0).await;
    }
}

/// An import that is cut off is taken up by the next one, wherever that was.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_an_import_the_next_one_comes_to_the_same_end() {
    for write in ["add_account", "change_sessions", "import_peers", "import_requests"] {
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
    let client = reqwest::Client::builder().timeout(Duration::from_mins(2)).build().expect("a client");
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
