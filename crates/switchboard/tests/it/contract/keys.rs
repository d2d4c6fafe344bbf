//! `Idempotency-Key` on the old ports: a repeat is the same work, a refusal is not kept, another body is a conflict.

use serde_json::{Value, json};

use super::caller::Reply;
use super::stage::{CREATE, LEAVE, Stage, TEXT};

async fn keyed(stage: &Stage, old: u16, path: &str, body: &Value, key: &str) -> Reply {
    stage.call(old, path, body).header("Idempotency-Key", key).send().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_the_same_work_also_after_a_kill() {
    let mut stage = Stage::plain().await;
    let create = json!({ "title": "Once", "usernames": ["@client_1", "@demo_bot_1"] });
    let text = json!({ "chat": "@client_2", "text": "once" });
    let first_chat = keyed(&stage, CREATE, "/create_chat", &create, "chat-1").await;
    let first_text = keyed(&stage, TEXT, "/send_text", &text, "text-1").await;
    assert_eq!((first_chat.status, first_text.status), (200, 200), "{} {}", first_chat.text, first_text.text);
    assert!(!first_chat.is_replay() && !first_text.is_replay());
    let chat = first_chat.json()["chat_id"].clone();
    for round in ["before the kill", "after the kill"] {
        let again = keyed(&stage, CREATE, "/create_chat", &create, "chat-1").await;
        assert_eq!((again.status, again.json()), (200, first_chat.json()), "{round}");
        assert!(again.is_replay(), "{round}");
        let again = keyed(&stage, TEXT, "/send_text", &text, "text-1").await;
        assert_eq!((again.status, again.json()), (200, first_text.json()), "{round}");
        assert!(again.is_replay(), "{round}");
        if round == "before the kill" {
            stage.restart_hard().await;
        }
    }
    let leave = json!({ "chat": chat });
    stage.all_ready().await;
    let first_leave = keyed(&stage, LEAVE, "/leave_chat", &leave, "leave-1").await;
    let again = keyed(&stage, LEAVE, "/leave_chat", &leave, "leave-1").await;
    assert_eq!((again.status, again.json()), (200, first_leave.json()));
    assert!(!first_leave.is_replay() && again.is_replay());
    for method in ["channels.createChannel", "messages.sendMessage", "channels.leaveChannel"] {
        assert_eq!(stage.world.effects(method).await.len(), 1, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_at_once_are_one_chat() {
    let stage = Stage::plain().await;
    let body = json!({ "title": "Two at once", "usernames": ["@client_1"] });
    let (one, other) = tokio::join!(
        keyed(&stage, CREATE, "/create_chat", &body, "at-once"),
        keyed(&stage, CREATE, "/create_chat", &body, "at-once")
    );
    assert_eq!((one.status, other.status), (200, 200), "{} {}", one.text, other.text);
    assert_eq!(one.json(), other.json());
    assert_ne!(one.is_replay(), other.is_replay(), "one of the two is the repeat");
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_body_is_a_conflict_and_another_port_is_another_scope() {
    let stage = Stage::plain().await;
    let body = json!({ "title": "Mine", "usernames": ["@client_1"] });
    assert_eq!(keyed(&stage, CREATE, "/create_chat", &body, "k").await.status, 200);
    let other = json!({ "title": "Yours", "usernames": ["@client_1"] });
    let reply = keyed(&stage, CREATE, "/create_chat", &other, "k").await;
    assert_eq!(reply.status, 409, "{}", reply.text);
    assert!(reply.json()["error"].is_string(), "{}", reply.text);
    let reply = keyed(&stage, 5025, "/create_chat", &body, "k").await;
    assert_eq!(
        (reply.status, &reply.json()["debug"]["account"]),
        (200, &json!("backup_1")),
        "{}",
        reply.text
    );
    let reply = keyed(&stage, TEXT, "/send_text", &json!({ "chat": "@client_1", "text": "k" }), "k").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_not_kept() {
    let stage = Stage::plain().await;
    let chat = stage.made("Refused at first", &["@client_1"]).await;
    let create = json!({ "title": "At last", "usernames": ["@client_1"] });
    let text = json!({ "chat": chat, "text": "at last" });
    let leave = json!({ "chat": chat });
    for (method, old, path, body, status) in [
        ("channels.createChannel", CREATE, "/create_chat", &create, 503),
        ("messages.sendMessage", TEXT, "/send_text", &text, 429),
    ] {
        stage.world.fault("flood_wait", json!({ "method": method, "seconds": 600 })).await;
        let refused = keyed(&stage, old, path, body, "again").await;
        assert_eq!(refused.status, status, "{path}: {}", refused.text);
        stage.world.delete("/faults").await;
        stage.program.advance(std::time::Duration::from_secs(601)).await;
        let reply = keyed(&stage, old, path, body, "again").await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
        assert!(!reply.is_replay(), "{path}");
    }
    let wrong = keyed(&stage, LEAVE, "/leave_chat", &json!({}), "late").await;
    assert_eq!(wrong.status, 400);
    let reply = keyed(&stage, LEAVE, "/leave_chat", &leave, "late").await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(stage.world.effects("messages.sendMessage").await.len(), 1);
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_one_is_refused() {
    let stage = Stage::plain().await;
    let body = json!({ "title": "x", "usernames": ["@client_1"] });
    let reply = keyed(&stage, CREATE, "/create_chat", &body, &"k".repeat(1_000)).await;
    assert_eq!(reply.status, 400, "{}", reply.text);
    assert!(stage.world.ledger().await.is_empty());
}
