//! What failed is kept, to be tried again by hand: listed, shown, tried, dropped.

use serde_json::{Value, json};

use super::stage::Stage;
use crate::shell::cli::cli;

async fn refuse_chats(stage: &Stage) {
    let fault = json!({ "method": "channels.createChannel", "code": 400, "message": "CHANNELS_TOO_MUCH" });
    stage.world.fault("rpc_error", fault).await;
}

/// Asks for a chat that cannot be made, and returns the id of what is kept of it.
async fn failed(stage: &Stage, title: &str) -> String {
    let known = rows(stage).await.len();
    let reply = stage.create(&json!({ "title": title, "usernames": ["@client_1"] })).await;
    reply.must_be(500, &json!({ "error": "<text>" }));
    let rows = rows(stage).await;
    assert_eq!(rows.len(), known + 1, "{rows:?}");
    let row = rows.iter().find(|row| row.to_string().contains(title)).expect("it names the title");
    row["id"].as_str().expect("an id").to_owned()
}

async fn rows(stage: &Stage) -> Vec<Value> {
    let (status, list) = stage.program.get("/v1/failed-requests").await;
    assert_eq!(status, 200, "{list}");
    list["items"].as_array().expect("items").clone()
}

async fn row(stage: &Stage, id: &str) -> Value {
    let (status, row) = stage.program.get(&format!("/v1/failed-requests/{id}")).await;
    assert_eq!(status, 200, "{row}");
    row
}

async fn until_done(stage: &Stage, id: &str) {
    let what = format!("{id} is done");
    stage.program.until(&what, || async { row(stage, id).await["state"] == "done" }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_no_one_could_make_is_made_by_hand_later() {
    let mut stage = Stage::plain().await;
    refuse_chats(&stage).await;
    let id = failed(&stage, "Later by hand").await;
    let kept = row(&stage, &id).await;
    for (field, value) in [
        ("service", json!("create_chat")),
        ("direction", json!("inbound")),
        ("endpoint", json!("/create_chat")),
        ("state", json!("pending")),
        ("retry_count", json!(0)),
    ] {
        assert_eq!(kept[field], value, "{kept}");
    }
    assert!(kept["error"].as_str().is_some_and(|error| error.contains("CHANNELS_TOO_MUCH")), "{kept}");

    stage.restart_hard().await;
    stage.all_ready().await;
    let listed = cli(&stage.world, &["failed", "list"]).fine();
    assert!(listed.contains(&id) && listed.contains("create_chat"), "{listed}");
    let shown = cli(&stage.world, &["failed", "show", &id]).fine();
    assert!(shown.contains("Later by hand") && shown.contains("CHANNELS_TOO_MUCH"), "{shown}");
    let json = cli(&stage.world, &["failed", "show", &id, "--json"]).run().json();
    assert_eq!(json["id"], id.as_str(), "{json}");

    // It fails once more, and is kept on.
    cli(&stage.world, &["failed", "retry", &id]).fine();
    stage
        .program
        .until("it has failed again", || async {
            let row = row(&stage, &id).await;
            row["state"] == "pending" && row["retry_count"] == 1 && !row["last_retry_error"].is_null()
        })
        .await;
    assert!(stage.world.ledger().await.is_empty());

    stage.world.delete("/faults").await;
    cli(&stage.world, &["failed", "retry", &id]).fine();
    until_done(&stage, &id).await;
    let made = stage.world.effects("channels.createChannel").await;
    assert_eq!((made.len(), &made[0]["text"]), (1, &json!("Later by hand")));
    assert_eq!(cli(&stage.world, &["failed", "retry", &id]).run().code, Some(1), "it is done");
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 1);
}
