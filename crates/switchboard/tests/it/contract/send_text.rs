//! `POST /send_text`: mentions as another client sees them, chats that were left, and every refusal.

use serde_json::json;

use super::stage::Stage;
use crate::python::telethon_view;

#[tokio::test(flavor = "multi_thread")]
async fn a_mention_is_a_link_to_the_client_as_others_see_it() {
    let stage = Stage::plain().await;
    let group = stage.world.chat_titled("Demo supergroup").await;
    let client = 6_000_000_001_i64;
    for (text, start, end) in [
        ("Dear {client}, <b>ready</b>", "Dear Борис Lark, ready", ""),
        ("Dear {{client}}, <b>ready</b>", "Dear Борис Lark, ready", ""),
        ("your phone is <b>ready</b>", "Борис Lark", "your phone is ready"),
    ] {
        let reply = stage
            .send_text(&json!({ "chat": group, "text": text, "tag_client": true, "client_id": client }))
            .await;
        let answer = reply.json();
        assert_eq!(
            (reply.status, &answer["client_tagged_id"], &answer["client_tagged_name"]),
            (200, &json!(client), &json!("Борис Lark")),
            "{answer}"
        );
        let seen = telethon_view(&stage.world, "main", &group).await;
        let message = &seen["messages"][0];
        assert_eq!(message["id"], answer["message_id"], "{seen}");
        let read = message["text"].as_str().expect("a text");
        assert!(read.starts_with(start) && read.ends_with(end), "{read}");
        let entities = message["entities"].as_array().expect("entities");
        assert!(entities.iter().any(|one| one["kind"] == "Bold"), "{message}");
        let mention = entities.iter().find(|one| one["kind"] == "MentionName").expect("a mention");
        assert_eq!((&mention["user_id"], &mention["length"]), (&json!(client), &json!(10)), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reply_is_a_reply() {
    let stage = Stage::plain().await;
    let group = stage.world.chat_titled("Demo supergroup").await;
    let first = stage.send_text(&json!({ "chat": group, "text": "first" })).await.json();
    let reply =
        stage.send_text(&json!({ "chat": group, "text": "second", "reply_to": first["message_id"] })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let seen = telethon_view(&stage.world, "main", &group).await;
    assert_eq!(
        (&seen["messages"][0]["text"], &seen["messages"][0]["reply_to"]),
        (&json!("second"), &first["message_id"]),
        "{seen}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn trouble_on_one_account_is_invisible_in_a_group() {
    let stage = Stage::plain().await;
    let group = stage.world.chat_titled("Demo supergroup").await;
    for (account, fault, more) in [
        ("main", "flood_wait", json!({ "seconds": 600 })),
        ("backup_1", "rpc_error", json!({ "code": 400, "message": "CHAT_WRITE_FORBIDDEN" })),
        ("backup_2", "banned", json!({})),
    ] {
        let mut more = more;
        more["account"] = json!(account);
        more["method"] = json!("messages.sendMessage");
        stage.world.fault(fault, more).await;
    }
    let reply = stage.send_text(&json!({ "chat": group, "text": "by the fourth" })).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")), "{}", reply.text);
    let sent = stage.world.effects("messages.sendMessage").await;
    assert_eq!((sent.len(), &sent[0]["account"]), (1, &json!("backup_3")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_a_500_without_a_trace() {
    let stage = Stage::plain().await;
    for (chat, message) in [
        ("@client_21", "CHAT_WRITE_FORBIDDEN"),
        ("@client_22", "MESSAGE_TOO_LONG"),
        ("@client_23", "USER_IS_BLOCKED"),
    ] {
        stage
            .world
            .fault("rpc_error", json!({ "method": "messages.sendMessage", "code": 400, "message": message }))
            .await;
        let reply = stage.send_text(&json!({ "chat": chat, "text": "x" })).await;
        reply.must_be(500, &json!({ "status": "error", "error": "<text>" }));
        stage.world.delete("/faults").await;
    }
    assert!(stage.world.effects("messages.sendMessage").await.is_empty());
}
