//! Killed while a run of a flow, or its stop, is written: nothing is pressed twice, and a stop that was answered stays.

use serde_json::json;
use testkit::{Program, Start, World};

use super::{act, stopped};
use crate::binary;
use crate::postgres::world;

const PRESS: &str = "messages.getBotCallbackAnswer";

const FLOW: &str = r#"
[[flows]]
name = "trip"
account = "fifth"
watch = "@demo_bot_1"
trigger = { text = "trip" }
steps = [{ press = { text = "Book" }, expect = { text = "booked" } }]
"#;

pub(super) fn reaches(write: &str) -> bool {
    matches!(write, "store.save_flow_run" | "store.switch_flow")
}

async fn offers(world: &World, text: &str) {
    let buttons = json!([[{"text": "Book", "data": "book"}]]);
    let order = json!({"from": "@demo_bot_1", "chat": "@demo_fifth", "text": text, "buttons": buttons});
    world.post("/telegram/messages", &order).await;
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

pub(super) async fn kill_at(point: &str) {
    let world = world().await;
    world.edit_settings(|text| format!("{text}\n{FLOW}"));
    let mut program = Start::on(&world, binary(), "data").ready().await;
    watches(&world, &program).await;
    let is_written = point.rsplit('.').next() == Some("after");
    program.arm(point, 0).await;
    if point.contains("switch_flow") {
        tokio::join!(act(&program, "/v1/flows/trip/stop".into(), json!({})), stopped(&program, point));
    } else {
        tokio::join!(offers(&world, "A trip"), stopped(&program, point));
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
        offers(&world, "Another trip").await;
        program.until("it is pressed", || async { world.calls(PRESS).await == 2 }).await;
    }
    world.assert_nothing_unknown().await;
}
