//! A control bot of the settings: a flow is stopped from Telegram.

use serde_json::json;
use testkit::{Start, World};

use crate::binary;

const FLOW: &str = r#"
[[flows]]
name = "trip"
account = "fifth"
watch = "@demo_trips_bot"
trigger = { text = "New trip" }
[[flows.steps]]
press = { text = "Book" }
"#;

/// `@client_1`, whom the bot serves.
const OWNER: i64 = 6_000_000_001;

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_is_stopped_from_telegram() {
    let world = World::start(binary()).await;
    let made = world.post("/telegram/bots", &json!({"username": "control_bot", "api": true})).await;
    let token = made["token"].as_str().expect("a token");
    let api = format!("{}/providers/telegram_bot", world.control());
    world.edit_settings(|text| {
        let bot = format!("name = \"owner\"\ntoken = \"{token}\"\npeople = [{OWNER}]\napi = \"{api}\"");
        format!("{text}\n{FLOW}\n[[control_bots]]\n{bot}\n")
    });
    let program = Start::on(&world, binary(), "data").ready().await;
    let calls = async |method: &str| {
        let path = format!("/bot…/{method}");
        let calls = world.get("/webhooks/calls").await;
        calls["items"].as_array().expect("calls").iter().filter(|call| call["path"] == path).count()
    };
    program.until("the bot asks for updates", || async { calls("getUpdates").await > 0 }).await;
    let asked = json!({"from": "@client_1", "chat": "@control_bot", "text": "/stop trip"});
    let asked = world.post("/telegram/messages", &asked).await;
    program.until("the bot asks back", || async { calls("sendMessage").await > 0 }).await;
    let sure = asked["message_id"].as_i64().expect("an id") + 1;
    let press = json!({"from": "@client_1", "bot": "@control_bot", "message_id": sure, "data": "now:trip"});
    assert_eq!(world.post("/telegram/presses", &press).await["answered"], true);
    program
        .until("the flow is stopped", || async {
            program.get("/v1/flows/trip").await.1["accounts"][0]["state"] == "stopped"
        })
        .await;
    program
        .until("it is in the audit log", || async {
            let audit = program.get("/v1/audit").await.1;
            let items = audit["items"].as_array().expect("entries").clone();
            let owner = OWNER.to_string();
            items.iter().any(|entry| {
                entry["action"] == "stop_flow"
                    && entry["details"]["telegram_id"].as_str() == Some(owner.as_str())
            })
        })
        .await;
}
