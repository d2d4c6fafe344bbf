//! Killed while flood waits are cleared: it goes on where it was, silently, and starts what ran before.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;

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

async fn whole(world: &World, program: &Program, point: &str) {
    if point == "store.save_clearing.before" {
        assert_eq!(run(program).await["running"], false, "{point}: it was never begun");
        assert_eq!(active(program).await, ["create_chat", "send_text", "leave_chat"], "{point}");
        return;
    }
    if point.ends_with("started") {
        program
            .until("it is taken up", || async { run(program).await["done"] == json!(["create_chat"]) })
            .await;
        program.advance(Duration::from_secs(50)).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(active(program).await, ["create_chat"], "{point}: not before a minute has passed");
    } else {
        program
            .until("it is silent", || async {
                program.advance(Duration::from_secs(1)).await;
                run(program).await["phase"] == "silent"
            })
            .await;
        assert_eq!(active(program).await, Vec::<String>::new(), "{point}");
        let before = calls(world).await;
        program.advance(Duration::from_mins(4)).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(calls(world).await, before, "{point}: nothing is asked");
        assert_eq!(active(program).await, Vec::<String>::new(), "{point}");
    }
    program
        .until("it is over", || async {
            program.advance(Duration::from_secs(30)).await;
            run(program).await["running"] == false
        })
        .await;
    assert_eq!(active(program).await, ["create_chat", "send_text", "leave_chat"], "{point}");
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
