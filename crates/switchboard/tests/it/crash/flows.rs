//! Killed while a run of a flow, or its stop, is written: nothing is pressed twice, and a stop that was answered stays.

use serde_json::json;
use testkit::{Program, Start, World};

use super::{act, answered, stopped};
use crate::binary;
use crate::flows::{PRESS, offers};
use crate::postgres::world;

const FLOW: &str = r#"
[[flows]]
name = "trip"
account = "fifth"
watch = "@demo_bot_1"
trigger = { text = "trip" }
steps = [{ press = { text = "Book" }, expect = { text = "booked" } }]
"#;

pub(super) fn reaches(write: &str) -> bool {
    matches!(
        write,
        "store.save_flow_run"
            | "store.switch_flow"
            | "store.save_flow_definition"
            | "store.remove_flow_definition"
    )
}

async fn state(program: &Program) -> String {
    let flow = program.get("/v1/flows/trip").await.1;
    flow["accounts"][0]["state"].as_str().unwrap_or_default().to_owned()
}

async fn watches(world: &World, program: &Program) {
    program.account_is("fifth", "ready").await;
    program.until("the flow watches", || async { state(program).await == "watching" }).await;
    program
        .until("the account hears", || async {
            let early = json!({"from": "@client_1", "chat": "@demo_fifth", "text": "early"});
            world.post("/telegram/messages", &early).await;
            program.get("/v1/accounts/fifth").await.1["updates"]["received"] != 0
        })
        .await;
}

/// A definition that was being saved or removed is there as a whole or not at all, and a flow of it is in use if it is there.
async fn kill_while_editing(point: &str) {
    const PATH: &str = "/v1/flow-definitions/trip";
    let world = world().await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    let is_written = point.rsplit('.').next() == Some("after");
    let removes = point.contains("remove");
    let write = || {
        let body = json!({ "text": FLOW }).to_string();
        program.request("PUT", PATH).header("content-type", "application/json").body(body)
    };
    if removes {
        assert_eq!(write().send().await.expect("an answer").status(), 200);
    }
    program.arm(point, 0).await;
    let request = if removes { program.request("DELETE", PATH) } else { write() };
    tokio::join!(answered(&program, request), stopped(&program, point));
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    let expected = if is_written == removes { 404 } else { 200 };
    for path in [PATH, "/v1/flows/trip"] {
        assert_eq!(program.get(path).await.0, expected, "{point}: {path}");
    }
}

pub(super) async fn kill_at(point: &str) {
    if point.contains("flow_definition") {
        return kill_while_editing(point).await;
    }
    let world = world().await;
    world.edit_settings(|text| format!("{text}\n{FLOW}"));
    let mut program = Start::on(&world, binary(), "data").ready().await;
    watches(&world, &program).await;
    let is_written = point.rsplit('.').next() == Some("after");
    program.arm(point, 0).await;
    if point.contains("switch_flow") {
        tokio::join!(act(&program, "/v1/flows/trip/stop".into(), json!({})), stopped(&program, point));
    } else {
        tokio::join!(offers(&world, "A trip", &["Book"]), stopped(&program, point));
        program.until("it is pressed", || async { world.calls(PRESS).await == 1 }).await;
    }
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    if point.contains("switch_flow") {
        let expected = if is_written { "stopped" } else { "watching" };
        program.until(expected, || async { state(&program).await == expected }).await;
    } else {
        watches(&world, &program).await;
        let runs = program.get("/v1/flow-runs").await.1;
        let cut = runs["items"].as_array().expect("items").iter().filter(|run| run["state"] == "cut").count();
        assert_eq!(cut, usize::from(is_written), "{point}: {runs}");
        assert_eq!(world.calls(PRESS).await, 1, "{point}");
        offers(&world, "Another trip", &["Book"]).await;
        program.until("it is pressed", || async { world.calls(PRESS).await == 2 }).await;
    }
    world.assert_nothing_unknown().await;
}
