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
