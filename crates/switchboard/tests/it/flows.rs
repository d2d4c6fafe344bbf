//! Flows: a bot offers something, and its buttons are pressed; the command line over them.

mod bad_days;
mod keyboards;

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};

use crate::binary;
use crate::people::stage::{Stage, pair};
use crate::shell::cli::{cli, running};

pub(crate) const PRESS: &str = "messages.getBotCallbackAnswer";

const TRIP: &str = r#"
[[flows]]
name = "trip"
account = "fifth"
watch = "@demo_bot_1"
trigger = { regex = "New trip .* (?P<from>\\w+)" }
[[flows.steps]]
press = { text = "Book" }
[[flows.steps]]
press = { contains = "{from}" }
[[flows.steps]]
press = { regex = "Confirm|Yes" }
expect = { text = "booked", within = "20s" }
"#;

/// The bot writes to the account, with buttons; where the message is.
pub(crate) async fn offers(world: &World, text: &str, buttons: &[&str]) -> String {
    let buttons: Vec<_> = buttons.iter().map(|label| json!({"text": label, "data": label})).collect();
    let order = json!({"from": "@demo_bot_1", "chat": "@demo_fifth", "text": text, "buttons": [buttons]});
    let sent = world.post("/telegram/messages", &order).await;
    format!(
        "/telegram/messages/{}/{}?account=fifth",
        sent["chat_id"].as_str().expect("an id"),
        sent["message_id"]
    )
}

/// The bot edits its message.
async fn edits(world: &World, message: &str, text: &str, buttons: &[&str]) {
    let buttons: Vec<_> = buttons.iter().map(|label| json!({"text": label, "data": label})).collect();
    let body = json!({"text": text, "buttons": [buttons]}).to_string();
    let client = reqwest::Client::builder()
        .tls_certs_only([])
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client");
    let request = client.patch(format!("{}{message}", world.control()));
    let answer = request.header("content-type", "application/json").body(body).send().await.expect("sent");
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap_or_default());
}

/// What was pressed, in order.
async fn pressed(world: &World) -> Vec<String> {
    let ledger = world.ledger().await;
    let rows = ledger.iter().filter(|row| row["method"] == PRESS);
    rows.filter_map(|row| row["text"].as_str().map(str::to_owned)).collect()
}

async fn watches(program: &Program) {
    program.account_is("fifth", "ready").await;
    program
        .until("the flow watches", || async {
            program.get("/v1/flows/trip").await.1["accounts"][0]["state"] == "watching"
        })
        .await;
}

/// Until the account hears of what comes in.
pub(crate) async fn hears(world: &World, program: &Program) {
    program
        .until("the account hears", || async {
            let early = json!({"from": "@client_1", "chat": "@demo_fifth", "text": "early"});
            world.post("/telegram/messages", &early).await;
            program.get("/v1/accounts/fifth").await.1["updates"]["received"] != 0
        })
        .await;
}

async fn last_run(program: &Program) -> Value {
    program.get("/v1/flow-runs?flow=trip").await.1["items"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trip_is_booked_the_moment_it_is_offered() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n{TRIP}"));
    let program = Start::on(&world, binary(), "data").ready().await;
    watches(&program).await;
    hears(&world, &program).await;
    let until_pressed = async |count: usize| {
        program.until("it is pressed", || async { world.calls(PRESS).await >= count as u64 }).await;
    };
    let message = offers(&world, "New trip tomorrow 07:40 from Tver", &["Details", "Book"]).await;
    until_pressed(1).await;
    edits(&world, &message, "Choose a place", &["Moscow", "Tver"]).await;
    until_pressed(2).await;
    edits(&world, &message, "Sure?", &["Confirm", "Cancel"]).await;
    until_pressed(3).await;
    edits(&world, &message, "The trip is booked", &[]).await;
    program.until("the run is done", || async { last_run(&program).await["state"] == "done" }).await;
    let run = last_run(&program).await;
    let pressed: Vec<_> = run["timeline"]
        .as_array()
        .expect("a timeline")
        .iter()
        .filter(|moment| moment["stage"] == "pressed")
        .map(|moment| moment["note"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(pressed, ["Book", "Tver", "Confirm"], "{run}");
    let shown = cli(&world, &["flow", "log", run["id"].as_str().expect("an id")]).fine();
    assert!(shown.contains("pressed") && shown.contains("Tver"), "{shown}");
    assert!(cli(&world, &["flow", "log"]).fine().contains("done"));
    assert!(cli(&world, &["flow", "stats", "trip"]).fine().contains("press"));
    let events = program.request("GET", "/v1/events?type=flow.*").header("accept", "application/json");
    let events: Value = events.send().await.expect("an answer").json().await.expect("JSON");
    let kinds: Vec<_> =
        events["items"].as_array().expect("items").iter().map(|event| event["type"].clone()).collect();
    assert_eq!(kinds, ["flow.began", "flow.pressed", "flow.pressed", "flow.pressed", "flow.ended"]);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_program_presses_nothing_twice_and_shows_the_cut() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n{TRIP}"));
    let mut program = Start::on(&world, binary(), "data").ready().await;
    watches(&program).await;
    hears(&world, &program).await;
    let message = offers(&world, "New trip by night from Tver", &["Book"]).await;
    program.until("the run is written", || async { last_run(&program).await["state"] == "running" }).await;
    program.until("it is pressed", || async { world.calls(PRESS).await == 1 }).await;
    program.kill();
    // While no program hears it: it comes with the difference, and is not acted upon.
    edits(&world, &message, "New trip by night from Klin", &["Book", "Tver"]).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    watches(&program).await;
    let run = last_run(&program).await;
    assert_eq!((run["state"].as_str(), run["code"].as_str()), (Some("cut"), Some("program_ended")), "{run}");
    hears(&world, &program).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.calls(PRESS).await, 1);
    // What comes live begins a run again.
    offers(&world, "New trip at noon from Tver", &["Book"]).await;
    program.until("it is pressed", || async { world.calls(PRESS).await == 2 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_kept_by_commands_and_reloads() {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n{TRIP}"));
    let flow = |arguments: &[&str]| cli(&world, &[&["flow"], arguments].concat());
    assert!(flow(&["list"]).fine().contains("trip"), "without a server");
    let program = running(&world, &ACCOUNTS).await;
    watches(&program).await;
    assert!(flow(&["stop", "trip"]).fine().contains("stopped"));
    hears(&world, &program).await;
    offers(&world, "New trip at noon from Tver", &["Book"]).await;
    let dry = flow(&["run", "trip", "--dry"]).fine();
    assert!(dry.contains("Book") && dry.contains("The run is running"), "{dry}");
    assert_eq!(flow(&["run", "trip"]).run().code, Some(2), "a flow runs by itself");
    assert!(flow(&["show", "trip"]).fine().contains("by_hand"));
    for words in
        ["list", "show trip", "check", "log", "stats trip", "run trip --dry", "simulate trip", "stop trip"]
    {
        let words: Vec<_> = words.split(' ').chain(["--json"]).collect();
        assert!(flow(&words).run().json().is_object(), "{words:?}");
    }
    assert!(flow(&["start", "trip"]).fine().contains("watching"));
    assert_eq!(flow(&["show", "no"]).run().code, Some(1));
    let folder = world.settings_file().with_file_name("flows");
    std::fs::create_dir(&folder).expect("made");
    let file = folder.join("more.toml");
    std::fs::write(&file, TRIP.replace("\"trip\"", "\"ride\"")).expect("written");
    let path = file.to_str().expect("UTF-8");
    assert!(flow(&["check", path]).fine().contains("All is well: ride."));
    cli(&world, &["reload"]).fine();
    assert!(flow(&["list"]).fine().contains("ride"));
    std::fs::write(&file, TRIP.replace("\"trip\"", "\"ride\"").replace("contains", "contians"))
        .expect("written");
    let wrong = flow(&["check", path]).run();
    assert!(wrong.code == Some(1) && wrong.err.contains("more.toml:10:"), "{wrong:?}");
    assert_eq!(cli(&world, &["reload"]).run().code, Some(1), "what is wrong changes nothing");
    assert!(flow(&["list"]).fine().contains("ride"));
    let messages = world.data_dir("messages.json");
    let shown = json!({"messages": [{"text": "New trip x from Tver", "buttons": [["Book"]]}]});
    std::fs::write(&messages, shown.to_string()).expect("written");
    let tried = flow(&["simulate", "trip", messages.to_str().expect("UTF-8")]).fine();
    assert!(tried.contains("Book") && tried.contains("The run is running"), "{tried}");
    let rehearsed = flow(&["simulate", "trip"]).fine();
    assert!(rehearsed.contains("Confirm") && rehearsed.contains("The run is done"), "{rehearsed}");
    assert_eq!(pressed(&world).await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_named_everywhere_and_stops_nothing() {
    let stage = Stage::with("").await;
    let Stage { world, .. } = &stage;
    world.edit_settings(|text| format!("{text}\n{TRIP}"));
    let folder = world.settings_file().with_file_name("flows");
    std::fs::create_dir(&folder).expect("made");
    let file = folder.join("more.toml");
    let right = TRIP.replace("\"trip\"", "\"ride\"");
    std::fs::write(&file, right.replace("contains", "contians")).expect("written");
    let flow = |arguments: &[&str]| cli(world, &[&["flow"], arguments].concat());
    let is_named = |text: &str| text.contains("more.toml:10:") && text.contains("is not a known key");
    assert!(flow(&["list"]).fine().contains("trip"), "without a server");

    let program = stage.program().await;
    assert!(is_named(&program.output()), "{}", program.output());
    watches(&program).await;
    assert_eq!(program.get("/v1/flows/ride").await.0, 404);
    let checked = flow(&["check"]).run();
    assert!(checked.code == Some(1) && is_named(&checked.err), "{checked:?}");
    assert!(is_named(&cli(world, &["reload"]).run().err));
    let doctor = cli(world, &["doctor", "--offline"]).run();
    assert!(is_named(&doctor.out), "{doctor:?}");
    let read = program.get("/v1/flow-files").await.1["items"][0].clone();
    assert_eq!((&read["problems"][0]["line"], &read["flows"]), (&json!(10), &json!([])), "{read}");
    let cookie = stage.sign_in(&program).await;
    let page = async || {
        let response = stage.get(&program, "/flows", pair(&cookie)).send().await.expect("an answer");
        response.text().await.expect("a page")
    };
    let shown = page().await;
    assert!(shown.contains("more.toml") && shown.contains("Line 10, character"), "{shown}");
    let alerted = || async {
        let alerts = program.get("/v1/alerts").await.1;
        alerts["items"].as_array().is_some_and(|all| all.iter().any(|alert| alert["card"] == "flow:files"))
    };
    program.as_time_goes_by(Duration::from_secs(5), program.until("there is an alert", alerted)).await;

    std::fs::write(&file, right).expect("written");
    cli(world, &["reload"]).fine();
    assert!(flow(&["check"]).fine().contains("All is well: trip, ride."));
    assert_eq!(program.get("/v1/flows/ride").await.0, 200);
    assert!(!page().await.contains("more.toml"));
}
