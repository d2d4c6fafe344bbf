//! Every account flooded: each port says how long to wait, and its refusal is final.

use std::time::Duration;

use serde_json::json;

use super::stage::{CREATE, LEAVE, Stage, TEXT};

#[tokio::test(flavor = "multi_thread")]
async fn with_every_account_flooded_the_caller_learns_how_long() {
    let stage = Stage::plain().await;
    let basic = stage.world.chat_titled("Demo group").await;
    for (method, old, path, body, status) in [
        (
            "channels.createChannel",
            CREATE,
            "/create_chat",
            json!({ "title": "Refused", "usernames": ["@client_1"] }),
            503,
        ),
        ("messages.sendMessage", TEXT, "/send_text", json!({ "chat": "@client_1", "text": "refused" }), 429),
        ("messages.deleteChatUser", LEAVE, "/leave_chat", json!({ "chat": basic }), 503),
    ] {
        stage.world.fault("flood_wait", json!({ "method": method, "seconds": 600 })).await;
        let reply = stage.call(old, path, &body).send().await;
        let shape = match old {
            CREATE => json!({ "error": "<text>", "retry_after": "<positive>" }),
            TEXT => json!({ "status": "error", "error": "FloodWait", "retry_after": "<positive>" }),
            _ => json!({ "status": "error", "error": "<text>", "retry_after": "<positive>" }),
        };
        reply.must_be(status, &shape);
        let after = reply.json()["retry_after"].as_u64().expect("seconds");
        assert!((500..=600).contains(&after), "{path}: {after}");
    }
    // Each was final: with the floods over, nothing of it is done.
    stage.world.delete("/faults").await;
    stage.program.advance(Duration::from_secs(601)).await;
    let reply = stage.send_text(&json!({ "chat": "@client_1", "text": "a new call" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let effects = stage.world.ledger().await;
    assert_eq!((effects.len(), &effects[0]["text"]), (1, &json!("a new call")), "{effects:?}");
}
