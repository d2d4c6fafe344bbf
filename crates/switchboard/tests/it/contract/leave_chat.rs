//! `POST /leave_chat`: who is removed first, how each kind of chat is left, and what counts as left.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use super::stage::Stage;

/// The id of a supergroup or channel without `-100`.
fn bare(chat_id: &str) -> i64 {
    chat_id.strip_prefix("-100").and_then(|digits| digits.parse().ok()).expect("a chat id")
}

/// The user ids of all members but one, in order.
async fn others(stage: &Stage, chat: &str, but: &str) -> Vec<i64> {
    let chat = stage.chat(chat).await;
    let members = chat["members"].as_array().expect("members").iter();
    let mut ids: Vec<i64> =
        members.filter(|one| one["username"] != but).filter_map(|one| one["user_id"].as_i64()).collect();
    ids.sort_unstable();
    ids
}

fn kicked(answer: &Value) -> Vec<i64> {
    let mut ids: Vec<i64> =
        answer["kicked"].as_array().expect("a list").iter().filter_map(Value::as_i64).collect();
    ids.sort_unstable();
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supergroup_is_emptied_slowly_and_left() {
    let stage = Stage::plain().await;
    let chat = stage.made("To be emptied", &["@client_1", "@client_2", "@demo_bot_1"]).await;
    let expected = others(&stage, &chat, "demo_main").await;
    assert_eq!(expected.len(), 3);
    let reply = stage.leave(&json!({ "chat": chat })).await;
    reply.must_be(
        200,
        &json!({ "status": "ok", "left_type": "channel", "id": bare(&chat), "kicked": ["<each>", "<positive>"] }),
    );
    assert_eq!(kicked(&reply.json()), expected);
    assert_eq!(stage.chat(&chat).await["members"], json!([]));
    let removals = stage.world.effects("channels.editBanned").await;
    let at: Vec<Timestamp> = removals.iter().filter_map(|row| row["at"].as_str()?.parse().ok()).collect();
    assert!(at.len() >= 3, "{removals:?}");
    for pair in at.windows(2) {
        assert!(pair[1].since(pair[0]) >= Duration::from_millis(450), "half a second between two: {pair:?}");
    }
    let last = stage.world.ledger().await.pop().expect("effects");
    assert_eq!(last["method"], "channels.leaveChannel", "members first: {last}");
    let (_, record) = stage.program.get(&format!("/v1/chats/{chat}")).await;
    assert_eq!(record["state"], "left", "{record}");
    stage.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_basic_group_is_just_left() {
    let stage = Stage::plain().await;
    let chat = stage.world.chat_titled("Demo group").await;
    let number: i64 = chat.parse().expect("a number");
    let before = stage.chat(&chat).await["members"].as_array().expect("members").len();
    let reply = stage.leave(&json!({ "chat": number })).await;
    reply.must_be(200, &json!({ "status": "ok", "left_type": "basic_chat", "id": -number }));
    assert_eq!(stage.chat(&chat).await["members"].as_array().map(Vec::len), Some(before - 1));
    assert_eq!(stage.world.ledger().await.len(), 1);
    let (_, audit) = stage.program.get("/v1/audit?action=leave_chat").await;
    let entries = audit["items"].as_array().expect("entries");
    assert_eq!(entries.len(), 1, "{audit}");
    let entry = &entries[0];
    assert_eq!((&entry["result"], &entry["address"]), (&json!("done"), &json!("127.0.0.1")), "{entry}");
    assert!(entry["details"]["port"].as_str().is_some_and(|port| port.parse::<u16>().is_ok()), "{entry}");
    let reply = stage.send_text(&json!({ "chat": chat, "text": "x" })).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("skipped")), "{}", reply.text);
}
