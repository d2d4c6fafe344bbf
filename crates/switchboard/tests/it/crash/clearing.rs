//! Killed while flood waits are cleared: it goes on where it was, silently, and starts what ran before.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;
use crate::postgres::world;

/// The services that run before, and the one that is stopped by hand.
const RAN: [&str; 3] = ["create_chat", "send_text", "leave_chat"];
const STOPPED: &str = "send_media";

/// How long nothing is asked, and how far apart services are started.
const SILENCE: Duration = Duration::from_mins(5);
const APART: Duration = Duration::from_mins(1);

/// How long what is on the wire has before the silence, and a little more.
const WINDING_DOWN: Duration = Duration::from_secs(4);

/// The time of day and the clock by which it waits may differ by so much after a minute.
const DRIFT: Duration = Duration::from_millis(50);

/// So long may a session need to come to the world once its service is started.
const ARRIVING: Duration = Duration::from_secs(10);

/// So long before it is due it is looked whether the next service waits, and whether the silence still lasts.
const BEFORE_A_START: Duration = Duration::from_secs(10);
const BEFORE_THE_END: Duration = Duration::from_secs(15);

/// Whether a clearing reaches a point.
pub(super) fn reaches(write: &str) -> bool {
    write == "store.save_clearing" || write.starts_with("telegram.clearing.")
}

/// Kills at a point, starts again, and looks at the end.
pub(super) async fn kill_at(point: &str) {
    let world = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    program.post(&format!("/v1/services/{STOPPED}/actions/stop"), &json!({})).await;
    // The next run has the time of the machine again. The clock is set back first by more than it is moved on then, or the
    // next run would see a time that is yet to come.
    let moved = WINDING_DOWN + if point.ends_with("started") { SILENCE } else { Duration::ZERO };
    program.set_back(moved).await;
    program.arm(point, 0).await;
    let begun = program.request("POST", "/v1/flood-clearing").header("content-type", "application/json");
    // At a point before the answer there is none.
    let asking = tokio::spawn(begun.body(json!({"how": "stop_all"}).to_string()).send());
    let left = AtomicU64::new(WINDING_DOWN.as_secs());
    program
        .until("it is silent, or stopped before", || async {
            let phase = run(&program).await["phase"].clone();
            if phase == "stopping" && left.load(Ordering::Relaxed) > 0 {
                left.fetch_sub(1, Ordering::Relaxed);
                program.advance(Duration::from_secs(1)).await;
            }
            phase == "silent" || program.stopped_at(point).await
        })
        .await;
    if point.ends_with("started") {
        move_to(&program, instant(&run(&program).await["until"])).await;
    }
    program.until(&format!("{point} stops the program"), || program.stopped_at(point)).await;
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

/// How many sessions of the account have come to the world: each asks once who it is.
async fn arrived(world: &World) -> u64 {
    let counts = world.get("/calls?account=main&method=users.getUsers").await;
    counts["items"][0]["count"].as_u64().unwrap_or_default()
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

/// Nothing is asked of Telegram until the silence ends, and then the first service is started. Returns when its session came.
async fn silent(world: &World, program: &Program, point: &str) -> Timestamp {
    program
        .until("it is silent", || async {
            program.advance(Duration::from_secs(1)).await;
            run(program).await["phase"] == "silent"
        })
        .await;
    let end = instant(&run(program).await["until"]);
    assert_eq!(active(program).await, Vec::<String>::new(), "{point}");
    let before = calls(world).await;
    // The beats of these minutes go by, which ask what they may.
    let beats = (1..15).map(|beat| Duration::from_secs(20 * beat));
    let mut verified = Duration::ZERO;
    for passed in beats.chain([SILENCE.saturating_sub(BEFORE_THE_END)]) {
        move_to(program, end.minus(SILENCE.saturating_sub(passed))).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        let (requested, running) = (calls(world).await, active(program).await);
        // A test that others hold up for seconds cannot know.
        if now(program).await < end {
            assert_eq!((requested, running), (before, vec![]), "{point}: nothing is asked for {passed:?}");
            verified = passed;
        }
    }
    assert!(
        verified >= Duration::from_mins(4),
        "{point}: this machine is too slow to tell more than {verified:?}"
    );
    let known = arrived(world).await;
    move_to(program, end).await;
    program.until("a session comes", || async { arrived(world).await > known }).await;
    let came = now(program).await;
    program.until("the first is started", || async { active(program).await == RAN[..1] }).await;
    came
}

/// The others are started, each a minute after the one before: its session comes to the world then, and no other one does.
/// `came` is when the session of the first one did, where that was seen. Returns how often all could be seen to the second.
async fn one_by_one(world: &World, program: &Program, point: &str, mut came: Option<Timestamp>) -> usize {
    let mut distinguished = 0;
    for count in 1..RAN.len() {
        let (before, next) = (RAN[count - 1], RAN[count]);
        program
            .until("it waits for the next one", || async {
                run(program).await["done"].as_array().is_some_and(|done| done.len() == count)
            })
            .await;
        // That of the service that was stopped before has a session too, which comes back with the first.
        for up in [before, STOPPED] {
            program.until("what came before is up", || async { line(program, up).await == "ready" }).await;
        }
        let known = arrived(world).await;
        let due = instant(&run(program).await["until"]);
        // Never over an answer that is under way: a session that misses it comes to the world again.
        for left in (2..=10).rev() {
            move_to(program, due.minus(BEFORE_A_START / 2 * left)).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        let (running, state) = (active(program).await, line(program, next).await);
        let by_then = arrived(world).await;
        // A test that others hold up for so long cannot know.
        if now(program).await < due {
            assert_eq!(running, RAN[..count], "{point}: {next} waits for a minute");
            assert_eq!(
                (state, by_then),
                (json!("connecting"), known),
                "{point}: nothing is asked for {next}"
            );
            distinguished += 1;
        }
        move_to(program, due).await;
        program.until("its session comes", || async { arrived(world).await > known }).await;
        let at = now(program).await;
        // What the world saw, whatever the program says of it: a session takes a moment to come, one more and one less.
        if let Some(last) = came.replace(at) {
            let apart = at.since(last);
            assert!(apart + ARRIVING >= APART, "{point}: {next} came to the world {apart:?} after {before}");
        }
        program.until("the next one is started", || async { active(program).await == RAN[..=count] }).await;
        program.until("it works", || async { line(program, next).await == "ready" }).await;
        assert_eq!(arrived(world).await, known + 1, "{point}: one session for {next}");
        let begun = since(program, next).await;
        assert!(begun.plus(DRIFT) >= due, "{point}: {next} came at {begun}, not at {due}");
        // What was started by the run that was killed has been up since the start of this one, as far as this one knows.
        if count > 1 || !point.ends_with("started") {
            let apart = begun.since(since(program, before).await);
            assert!(apart + DRIFT >= APART, "{point}: {next} came {apart:?} after {before}");
        }
    }
    distinguished
}

async fn whole(world: &World, program: &Program, point: &str) {
    if point == "store.save_clearing.before" {
        assert_eq!(run(program).await["running"], false, "{point}: it was never begun");
        assert_eq!(active(program).await, RAN, "{point}");
        return;
    }
    let came = if point.ends_with("started") {
        program.until("it is taken up", || async { run(program).await["done"] == json!([RAN[0]]) }).await;
        assert_eq!(active(program).await, RAN[..1], "{point}");
        None
    } else {
        Some(silent(world, program, point).await)
    };
    assert!(one_by_one(world, program, point, came).await > 0, "{point}: this machine is too slow to tell");
    program.until("it is over", || async { run(program).await["running"] == false }).await;
    assert_eq!(active(program).await, RAN, "{point}");
    program.account_is("main", "ready").await;
    let (status, sent) = program.send("@client_1", "after").await;
    assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{point}: {sent}");
}

/// How long the silence has lasted when the program is killed in the middle of it.
const MIDDLE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_silence_it_resumes_the_silence() {
    let point = "in the middle of the silence";
    let world = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    program.post(&format!("/v1/services/{STOPPED}/actions/stop"), &json!({})).await;
    // As above: the next run has the time of the machine again.
    program.set_back(WINDING_DOWN + MIDDLE).await;
    let (status, begun) = program.post("/v1/flood-clearing", &json!({"how": "stop_all"})).await;
    assert!((200..300).contains(&status), "{status} {begun}");
    let left = AtomicU64::new(WINDING_DOWN.as_secs());
    program
        .until("it is silent", || async {
            let phase = run(&program).await["phase"].clone();
            if phase == "stopping" && left.load(Ordering::Relaxed) > 0 {
                left.fetch_sub(1, Ordering::Relaxed);
                program.advance(Duration::from_secs(1)).await;
            }
            phase == "silent"
        })
        .await;
    let (begun, requested) = (run(&program).await, calls(&world).await);
    let end = instant(&begun["until"]);
    for beat in 1..=6 {
        move_to(&program, end.minus(SILENCE.saturating_sub(MIDDLE * beat / 6))).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(calls(&world).await, requested, "nothing is asked before it is killed");
    program.kill();

    let program = Start::on(&world, binary(), "data").listening().await;
    let taken_up = run(&program).await;
    assert_eq!((&taken_up["phase"], &taken_up["until"]), (&json!("silent"), &begun["until"]), "{taken_up}");
    let left = end.since(now(&program).await);
    assert!(left > Duration::from_mins(2) && left <= SILENCE.saturating_sub(MIDDLE), "{left:?} are left");
    assert_eq!(calls(&world).await, requested, "a start in the silence asks nothing");
    let came = silent(&world, &program, point).await;
    assert!(
        one_by_one(&world, &program, point, Some(came)).await > 0,
        "{point}: this machine is too slow to tell"
    );
}
