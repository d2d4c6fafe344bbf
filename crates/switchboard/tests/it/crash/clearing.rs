//! Killed while flood waits are cleared: it goes on where it was, silently, and starts what ran before.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;

/// The services that run before; `send_media` is stopped by hand.
const RAN: [&str; 3] = ["create_chat", "send_text", "leave_chat"];

/// How long nothing is asked, and how far apart services are started.
const SILENCE: Duration = Duration::from_mins(5);
const APART: Duration = Duration::from_mins(1);

/// So long before something is due it is looked whether it waits.
const JUST_BEFORE: Duration = Duration::from_secs(1);
/// The same where the clock was set back by the kill: then as much is waited as it is at most, from a start that is known
/// less well.
const WELL_BEFORE: Duration = Duration::from_secs(5);

/// Whether a point lies on the way of a clearing.
pub(super) fn reaches(write: &str) -> bool {
    write == "store.save_clearing" || write.starts_with("health.clearing.")
}

/// Kills at a point, starts again, and looks at the end.
pub(super) async fn kill_at(point: &str) {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    program.post("/v1/services/send_media/actions/stop", &json!({})).await;
    program.arm(point, 0).await;
    let begun = program.request("POST", "/v1/flood-clearing").header("content-type", "application/json");
    // At a point on the way of the answer there is none.
    let asking = tokio::spawn(begun.body(json!({"how": "stop_all"}).to_string()).send());
    let what = format!("{point} stops the program");
    program
        .until(&what, || async {
            program.advance(Duration::from_secs(10)).await;
            program.stopped_at(point).await
        })
        .await;
    program.kill();
    drop(asking.await);
    let program = Start::on(&world, binary(), "data").listening().await;
    whole(&world, &program, point).await;
}

async fn run(program: &Program) -> Value {
    program.get("/v1/flood-clearing").await.1
}

/// The services that run.
async fn active(program: &Program) -> Vec<String> {
    let (_, services) = program.get("/v1/services").await;
    let services = services["items"].as_array().cloned().unwrap_or_default();
    let active = services.iter().filter(|service| service["state"] == "active");
    active.filter_map(|service| service["service"].as_str().map(str::to_owned)).collect()
}

async fn calls(world: &World) -> u64 {
    let counts = world.get("/calls").await;
    let counts = counts["items"].as_array().expect("items");
    counts.iter().filter_map(|count| count["count"].as_u64()).sum()
}

fn instant(value: &Value) -> Timestamp {
    value.as_str().and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("no instant: {value}"))
}

/// The time by the program's clock.
async fn now(program: &Program) -> Timestamp {
    program.now().await.parse().expect("an instant")
}

/// Moves the program's clock on to an instant.
async fn move_to(program: &Program, at: Timestamp) {
    program.advance(at.since(now(program).await)).await;
}

/// Since when a service is as it is.
async fn since(program: &Program, service: &str) -> Timestamp {
    let (_, services) = program.get("/v1/services").await;
    let mut all = services["items"].as_array().expect("items").iter();
    instant(&all.find(|one| one["service"] == service).expect("the service")["since"])
}

/// How the session is that the account has for this service alone.
async fn line(program: &Program, service: &str) -> Value {
    let (_, account) = program.get("/v1/accounts/main").await;
    let mut lines = account["lines"].as_array().expect("lines").iter();
    lines.find(|line| line["purposes"] == json!([service])).expect("a session of its own")["state"].clone()
}

/// Nothing is asked of Telegram until the silence ends, and then the first service is started.
async fn silent(world: &World, program: &Program, point: &str) {
    let listening = now(program).await;
    let taken_up = run(program).await["phase"] == "silent";
    program
        .until("it is silent", || async {
            program.advance(Duration::from_secs(1)).await;
            run(program).await["phase"] == "silent"
        })
        .await;
    let due = instant(&run(program).await["until"]);
    let end = if taken_up { due.min(listening.plus(SILENCE)) } else { due };
    assert_eq!(active(program).await, Vec::<String>::new(), "{point}");
    let before = calls(world).await;
    // The beats of five minutes go by, which ask what they may.
    for part in 1..=14 {
        move_to(program, end.minus(SILENCE).plus(Duration::from_secs(20 * part))).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    move_to(program, end.minus(WELL_BEFORE)).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (asked, running) = (calls(world).await, active(program).await);
    assert!(now(program).await < end, "{point}: this machine is too slow to tell");
    assert_eq!((asked, running), (before, vec![]), "{point}: nothing is asked for 295 seconds");
    move_to(program, end).await;
    program.until("the first is started", || async { active(program).await == RAN[..1] }).await;
}

/// The others are started, each a minute after the one before. Tells how often that could be seen to the second.
async fn one_by_one(program: &Program, point: &str, listening: Timestamp) -> usize {
    let mut told_apart = 0;
    for count in 1..RAN.len() {
        let (before, next) = (RAN[count - 1], RAN[count]);
        program
            .until("it waits for the next one", || async {
                run(program).await["done"].as_array().is_some_and(|done| done.len() == count)
            })
            .await;
        program.until("the one before is up", || async { line(program, before).await == "ready" }).await;
        let due = instant(&run(program).await["until"]);
        // Started before the kill, by a clock that was ahead.
        let taken_up = count == 1 && point.ends_with("started");
        let (due, margin) =
            if taken_up { (due.min(listening.plus(APART)), WELL_BEFORE) } else { (due, JUST_BEFORE) };
        move_to(program, due.minus(margin)).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (running, state) = (active(program).await, line(program, next).await);
        // Who is held up by others for a second cannot tell.
        if now(program).await < due {
            assert_eq!(running, RAN[..count], "{point}: {next} waits for a minute");
            assert_eq!(state, "connecting", "{point}: nothing is asked for {next}");
            told_apart += 1;
        }
        move_to(program, due).await;
        program.until("the next one is started", || async { active(program).await == RAN[..=count] }).await;
        program.until("it works", || async { line(program, next).await == "ready" }).await;
        if !taken_up {
            let apart = since(program, next).await.since(since(program, before).await);
            assert!(apart >= APART, "{point}: {next} came {apart:?} after {before}");
        }
    }
    told_apart
}

async fn whole(world: &World, program: &Program, point: &str) {
    if point == "store.save_clearing.before" {
        assert_eq!(run(program).await["running"], false, "{point}: it was never begun");
        assert_eq!(active(program).await, RAN, "{point}");
        return;
    }
    let listening = now(program).await;
    if point.ends_with("started") {
        program.until("it is taken up", || async { run(program).await["done"] == json!([RAN[0]]) }).await;
        assert_eq!(active(program).await, RAN[..1], "{point}");
    } else {
        silent(world, program, point).await;
    }
    assert!(one_by_one(program, point, listening).await > 0, "{point}: this machine is too slow to tell");
    program.until("it is over", || async { run(program).await["running"] == false }).await;
    assert_eq!(active(program).await, RAN, "{point}");
    program.account_is("main", "ready").await;
    let (status, sent) = program.send("@client_1", "after").await;
    assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{point}: {sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_flood_waits_are_cleared_it_goes_on_silently_and_starts_what_ran() {
    let points = health_points();
    for point in points {
        kill_at(point).await;
    }
}

fn health_points() -> [&'static str; 6] {
    [
        "store.save_clearing.before",
        "store.save_clearing.after",
        "health.clearing.stopping",
        "health.clearing.stopped",
        "health.clearing.silent",
        "health.clearing.started",
    ]
}
