//! `POST /leave_chat`: who is removed first, how each kind of chat is left, and what counts as left.

use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};

use super::stage::{LEAVE, Setup, Stage};

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
async fn a_chat_is_named_in_every_way() {
    let stage = Stage::plain().await;
    for (title, named) in [("By text", 0), ("By number", 1), ("By positive number", 2), ("By digits", 3)] {
        let chat = stage.made(title, &["@client_1"]).await;
        let named = match named {
            0 => json!(chat),
            1 => json!(chat.parse::<i64>().expect("a number")),
            2 => json!(bare(&chat)),
            _ => json!(bare(&chat).to_string()),
        };
        let reply = stage.leave(&json!({ "chat": named })).await;
        let shape =
            json!({ "status": "ok", "left_type": "channel", "id": bare(&chat), "kicked": ["<positive>"] });
        reply.must_be(200, &shape);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_is_left_by_its_name() {
    let stage = Stage::plain().await;
    let chat = stage.world.chat_titled("Demo channel").await;
    let leaving = stage.call(LEAVE, "/leave_chat", &json!({ "chat": "@demo_channel" })).send();
    let reply = stage.hurrying(Duration::from_millis(400), leaving).await;
    let shape = json!({ "status": "ok", "left_type": "channel", "id": bare(&chat), "kicked": ["<each>", "<positive>"] });
    reply.must_be(200, &shape);
    assert_eq!(kicked(&reply.json()).len(), 24, "four other accounts and twenty readers");
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
    let reply = stage.send_text(&json!({ "chat": chat, "text": "x" })).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("skipped")), "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_removed_where_the_settings_say_so() {
    let legacy = "leave_removes_members = false".to_owned();
    let stage = Stage::with(Setup { legacy, ..Setup::default() }).await;
    let chat = stage.made("Goes on without us", &["@client_1", "@client_2"]).await;
    let reply = stage.leave(&json!({ "chat": chat })).await;
    reply.must_be(200, &json!({ "status": "ok", "left_type": "channel", "id": bare(&chat), "kicked": [] }));
    let members: Vec<String> = stage.world.members(&chat).await.into_keys().collect();
    assert_eq!(members, ["client_1", "client_2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn own_chats_are_kept_where_the_settings_say_so() {
    let legacy = "leave_own_chats = false".to_owned();
    let stage = Stage::with(Setup { legacy, ..Setup::default() }).await;
    let chat = stage.made("Ours", &["@client_1", "@client_2"]).await;
    let reply = stage.leave(&json!({ "chat": chat })).await;
    let error = reply.json()["error"].as_str().unwrap_or_default().to_owned();
    assert!(reply.status == 500 && error.contains("owns this chat"), "{}", reply.text);
    assert!(error.contains("legacy.leave_own_chats = true"), "{error}");
    assert_eq!(stage.world.members(&chat).await.len(), 3, "no one was removed");
    // So it is on `/v1`, whatever the old ports do, unless the caller says so.
    let words = ["chat", "leave", chat.as_str(), "--remove-members"];
    let (left, said) = stage.command(&words).await;
    assert!(!left && said.contains("owns this chat"), "{said}");
    assert_eq!(stage.world.members(&chat).await.len(), 3, "no one was removed");
    let (left, said) = stage.command(&[&words[..], &["--leave-own"]].concat()).await;
    assert!(left && said.contains("members removed before: 2"), "{said}");
    assert!(stage.world.members(&chat).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_again_and_leaving_what_is_gone_is_fine() {
    let stage = Stage::plain().await;
    let chat = stage.made("Left twice", &["@client_1"]).await;
    for round in 0..2 {
        let reply = stage.leave(&json!({ "chat": chat })).await;
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")), "{round}: {}", reply.text);
    }
    assert_eq!(stage.world.effects("channels.leaveChannel").await.len(), 1);
    let gone = stage.made("Deleted meanwhile", &["@client_1"]).await;
    stage.world.delete(&format!("/telegram/chats/{gone}")).await;
    let reply = stage.leave(&json!({ "chat": gone })).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")), "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_remove_leaves_all_the_same() {
    let stage = Stage::plain().await;
    let chat = stage.world.chat_titled("Demo channel").await;
    let reply = stage.call(5028, "/leave_chat", &json!({ "chat": chat })).send().await;
    reply.must_be(200, &json!({ "status": "ok", "left_type": "channel", "id": bare(&chat), "kicked": [] }));
    let left = stage.world.effects("channels.leaveChannel").await;
    assert_eq!((left.len(), &left[0]["account"]), (1, &json!("fifth")));
    assert!(!stage.world.members(&chat).await.contains_key("demo_fifth"));
}
