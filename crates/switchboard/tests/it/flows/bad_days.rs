//! Bad days of flows: bots that edit without end, refuse and fall silent, and accounts that go away.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use super::{PRESS, TRIP, edits, hears, last_run, offers, watches};
use crate::binary;
use crate::shell::cli::cli;

/// One step that may take long, so that no test depends on its speed.
const CALM: &str = r#"
[[flows]]
name = "trip"
account = "fifth"
watch = "@demo_bot_1"
fresh = "5m"
trigger = { text = "New trip" }
[[flows.steps]]
press = { text = "Book" }
within = "2m"
expect = { text = "booked", within = "2m" }
"#;

/// The program with these flows; the flow `trip` hears of what comes in.
pub(super) async fn watching(flows: &str) -> (World, Program) {
    let world = World::start(binary()).await;
    world.edit_settings(|text| format!("{text}\n{flows}"));
    let program = Start::on(&world, binary(), "data").ready().await;
    watches(&program).await;
    hears(&world, &program).await;
    (world, program)
}

/// What the bot does when it is pressed.
pub(super) async fn rules(world: &World, rules: Value) {
    world.put("/telegram/bots/@demo_bot_1/rules", &json!({ "rules": rules })).await;
}

async fn presses(program: &Program, world: &World, count: u64) {
    program.until("it is pressed", || async { world.calls(PRESS).await >= count }).await;
}

/// The moments of the last run that have this in their note.
async fn noted(program: &Program, stage: &str, note: &str) -> bool {
    let run = last_run(program).await;
    let moments = run["timeline"].as_array().cloned().unwrap_or_default();
    moments.iter().any(|moment| {
        moment["stage"] == stage && moment["note"].as_str().is_some_and(|found| found.contains(note))
    })
}

/// Whether one message is counted that began no run as the hour was full.
async fn has_skipped(program: &Program) -> bool {
    program.get("/v1/flows/trip").await.1["accounts"][0]["skipped"] == json!({ "per_hour": 1 })
}

async fn is_done(program: &Program) {
    program.until("the run is done", || async { last_run(program).await["state"] == "done" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nine_hundred_edits_make_no_press_stale() {
    let (world, program) = watching(TRIP).await;
    let rows = |edit: usize, wanted: &str, count: usize| {
        let label = |place: usize| match (place + edit) % count {
            0 => wanted.to_owned(),
            other => format!("{other} of {edit}"),
        };
        let button =
            |place: usize| json!({ "text": label(place), "data": format!("{}#{edit}", label(place)) });
        (0..count).map(|place| json!([button(place)])).collect::<Vec<_>>()
    };
    // No keyboard but the last one has what the step looks for.
    let storm = |wanted: &str| {
        let noise = (1..300).map(|edit| json!({ "edit": { "text": "Wait", "buttons": rows(edit, "-", 4) } }));
        let last = json!({ "edit": { "text": "Choose", "buttons": rows(300, wanted, 100) } });
        noise.chain([last]).collect::<Vec<_>>()
    };
    let booked = json!([{ "edit": { "text": "The trip is booked" } }]);
    rules(
        &world,
        json!([
            { "data": "Book", "then": storm("Tver") }, { "data": "Tver", "then": storm("Confirm") },
            { "data": "Confirm", "then": storm("-").into_iter().chain([booked[0].clone()]).collect::<Vec<_>>() },
        ]),
    )
    .await;
    offers(&world, "New trip tomorrow 07:40 from Tver", &["Details", "Book"]).await;
    is_done(&program).await;
    let pressed = world.effects(PRESS).await;
    let buttons: Vec<_> = pressed.iter().map(|row| row["press"]["button"].as_str()).collect();
    assert_eq!(buttons, [Some("Book"), Some("Tver"), Some("Confirm")]);
    for row in &pressed {
        let press = &row["press"];
        assert!(press["stale"] == false && press["version"] == press["newest"], "{row}");
        assert!(press["wire_us"].as_i64() < press["shown_us_ago"].as_i64(), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_flows_that_fit_one_message_press_each_its_own() {
    let details = "\n[[flows]]\nname = \"details\"\naccount = \"fifth\"\nwatch = \"@demo_bot_1\"\n\
        trigger = { text = \"new trip\" }\nsteps = [{ press = { text = \"Details\" } }]\n";
    let (world, program) = watching(&format!("{CALM}{details}")).await;
    let message = offers(&world, "New trip tomorrow", &["Details", "Book"]).await;
    presses(&program, &world, 2).await;
    edits(&world, &message, "The trip is booked", &[]).await;
    for flow in ["trip", "details"] {
        let path = format!("/v1/flow-runs?flow={flow}");
        program
            .until("its run is done", || async { program.get(&path).await.1["items"][0]["state"] == "done" })
            .await;
        assert_eq!(program.get(&path).await.1["items"].as_array().map(Vec::len), Some(1));
    }
    let mut pressed = super::pressed(&world).await;
    pressed.sort();
    assert_eq!(pressed, ["Book", "Details"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn three_offers_at_once_are_booked_though_the_bot_answers_late() {
    let (world, program) = watching(CALM).await;
    let late = json!({ "kind": "late", "after_ms": 10_000 });
    rules(
        &world,
        json!([{ "data": "Book", "answer": late, "then": [{ "edit": { "text": "It is booked" } }] }]),
    )
    .await;
    for trip in ["one", "two", "three"] {
        offers(&world, &format!("New trip {trip}"), &["Details", "Book"]).await;
    }
    let runs = || async { program.get("/v1/flow-runs?flow=trip&state=done").await.1["items"].clone() };
    program
        .until("all three are booked", || async { runs().await.as_array().map(Vec::len) == Some(3) })
        .await;
    assert_eq!(super::pressed(&world).await, ["Book", "Book", "Book"]);
    let flow = program.get("/v1/flows/trip").await.1;
    assert_eq!(flow["accounts"][0]["skipped"], json!({}), "{flow}");
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_offers_have_rows_that_outlive_a_restart() {
    let flow = CALM.replace("trigger =", "limits = { per_hour = 1 }\ntrigger =");
    let (world, mut program) = watching(&flow).await;
    rules(&world, json!([{ "data": "Book", "then": [{ "edit": { "text": "It is booked" } }] }])).await;
    offers(&world, "New trip one", &["Book"]).await;
    is_done(&program).await;
    offers(&world, "New trip two", &["Book"]).await;
    program.until("it is counted", || has_skipped(&program)).await;
    program
        .until("it has a row", || async {
            let found = program.get("/v1/flow-runs?state=skipped").await.1;
            found["items"].as_array().is_some_and(|rows| rows.len() == 1 && rows[0]["code"] == "per_hour")
        })
        .await;
    let alerted = || async {
        let alerts = program.get("/v1/alerts").await.1;
        let items = alerts["items"].as_array().cloned().unwrap_or_default();
        items
            .iter()
            .any(|alert| alert["card"] == "flow:trip:fifth" && alert.to_string().contains("missed_offers"))
    };
    program.as_time_goes_by(Duration::from_secs(5), program.until("there is an alert", alerted)).await;
    assert!(cli(&world, &["flow", "show", "trip"]).fine().contains("per_hour 1"));
    assert!(cli(&world, &["flow", "stats", "trip"]).fine().contains("Not done: per_hour 1"));
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    watches(&program).await;
    assert!(has_skipped(&program).await, "it is counted over restarts");
    assert_eq!(world.calls(PRESS).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_flows_press_one_button_once_from_one_account() {
    let second = CALM.replace("\"trip\"", "\"other\"");
    let (world, program) = watching(&format!("{CALM}{second}")).await;
    offers(&world, "New trip tomorrow", &["Book"]).await;
    let failed = || async {
        let found = program.get("/v1/flow-runs?state=failed").await.1;
        found["items"]
            .as_array()
            .is_some_and(|runs| runs.len() == 1 && runs[0]["code"] == "pressed_by_another_flow")
    };
    program.until("the second flow says why it pressed nothing", failed).await;
    assert_eq!(world.calls(PRESS).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_away_between_two_steps_cuts_the_run() {
    let calm = TRIP.replace("press =", "within = \"2m\"\npress =");
    let calm = calm.replace("trigger =", "fresh = \"5m\"\ntrigger =");
    let (world, program) = watching(&calm).await;
    let message = offers(&world, "New trip tomorrow 07:40 from Tver", &["Book"]).await;
    presses(&program, &world, 1).await;
    edits(&world, &message, "Choose a place", &["Moscow", "Tver"]).await;
    presses(&program, &world, 2).await;
    assert_eq!(program.post("/v1/accounts/fifth/actions/stop", &Value::Null).await.0, 200);
    program.account_is("fifth", "offline").await;
    // It is heard of with the difference, and not pressed.
    edits(&world, &message, "Sure?", &["Confirm", "Book", "Tver"]).await;
    assert_eq!(program.post("/v1/accounts/fifth/actions/start", &Value::Null).await.0, 200);
    let interrupted = || async {
        let run = last_run(&program).await;
        let moments = run["timeline"].as_array().cloned().unwrap_or_default();
        moments.iter().any(|moment| moment["stage"] == "interrupted")
    };
    program.until("the account is back", interrupted).await;
    program.account_is("fifth", "ready").await;
    program.advance(Duration::from_mins(3)).await;
    program.until("the run is over", || async { last_run(&program).await["state"] != "running" }).await;
    let run = last_run(&program).await;
    assert_eq!((run["state"].as_str(), run["code"].as_str()), (Some("cut"), Some("interrupted")), "{run}");
    assert_eq!(super::pressed(&world).await, ["Book", "Tver"]);
    offers(&world, "New trip at noon from Tver", &["Book"]).await;
    presses(&program, &world, 3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_refusal_of_a_press_has_its_rule() {
    let (world, program) = watching(CALM).await;
    let booked = json!([{ "edit": { "text": "The trip is booked" } }]);
    let refuses = async |answer: Value| {
        rules(
            &world,
            json!([{ "data": "Book", "times": 1, "answer": answer }, { "data": "Book", "then": booked }]),
        )
        .await;
    };
    let offer = async |count: u64, stage: &str, note: &str| {
        let message = offers(&world, "New trip tomorrow", &["Book"]).await;
        presses(&program, &world, count).await;
        program.until(note, || noted(&program, stage, note)).await;
        assert_eq!(world.calls(PRESS).await, count, "{note}");
        message
    };

    // A flood is waited for, and then the newest keyboard is pressed.
    refuses(json!({ "kind": "flood_wait", "seconds": 30 })).await;
    let message = offer(1, "refused", "flood wait of 30 s").await;
    edits(&world, &message, "New trip tomorrow, hurry", &["Details", "Book"]).await;
    program.advance(Duration::from_secs(31)).await;
    is_done(&program).await;
    assert_eq!(world.calls(PRESS).await, 2);

    // What has no message, or no such button, is pressed again once the bot shows another keyboard.
    let mut count = 2;
    for (kind, note) in [("message_id_invalid", "MESSAGE_ID_INVALID"), ("data_invalid", "DATA_INVALID")] {
        refuses(json!({ "kind": kind })).await;
        let message = offer(count + 1, "refused", note).await;
        edits(&world, &message, "New trip tomorrow, hurry", &["Details", "Book"]).await;
        is_done(&program).await;
        count += 2;
        assert_eq!(world.calls(PRESS).await, count, "{note}");
    }

    // A bot that does not answer has the press: it is not repeated.
    rules(&world, json!([{ "data": "Book", "answer": { "kind": "never", "seconds": 0 } }])).await;
    let message = offer(count + 1, "answered", "did not answer in time").await;
    edits(&world, &message, "The trip is booked", &["Book"]).await;
    is_done(&program).await;
    assert_eq!(world.calls(PRESS).await, count + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restricted_account_stops_its_flows_and_alerts() {
    let (world, program) = watching(CALM).await;
    offers(&world, "New trip tomorrow", &["Book"]).await;
    presses(&program, &world, 1).await;
    world.fault("peer_flood", json!({ "account": "fifth", "method": "messages.sendMessage" })).await;
    let refused = json!({ "chat": "@client_1", "text": "refused", "account": "fifth", "wait": 0 });
    program.post("/v1/messages", &refused).await;
    program.account_is("fifth", "restricted").await;
    let of_flow = || async { program.get("/v1/flows/trip").await.1["accounts"][0].clone() };
    program.until("the flow is stopped", || async { of_flow().await["state"] == "stopped" }).await;
    assert_eq!(of_flow().await["reason"], "account_peer_flood");
    program.until("the run is over", || async { last_run(&program).await["state"] == "stopped" }).await;
    let alerted = || async {
        let alerts = program.get("/v1/alerts").await.1;
        alerts["items"]
            .as_array()
            .is_some_and(|all| all.iter().any(|alert| alert["card"] == "flow:trip:fifth"))
    };
    program.as_time_goes_by(Duration::from_secs(5), program.until("there is an alert", alerted)).await;
    offers(&world, "New trip at noon", &["Book"]).await;
    world.delete("/faults").await;
    assert_eq!(program.post("/v1/accounts/fifth/actions/restart", &Value::Null).await.0, 200);
    program.account_is("fifth", "ready").await;
    assert_eq!(of_flow().await["state"], "stopped", "until someone starts it");
    assert_eq!(world.calls(PRESS).await, 1);
}
