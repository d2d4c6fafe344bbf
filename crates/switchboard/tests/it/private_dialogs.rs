//! Private dialogs whose account cannot go on: who takes them over, by the rule of the settings and by hand.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};

use crate::binary;
use crate::shell::cli::{command, ran};

/// A client who was written to by `main`.
async fn running(rule: &str) -> (World, Program, String) {
    let world = World::start(binary()).await;
    world.edit_settings(|text| text.replace("[telegram]\n", &format!("[telegram]\n{rule}\n")));
    let program = Start::on(&world, binary(), "data").ready().await;
    for name in ACCOUNTS {
        program.has_read_dialogs(name).await;
        program.account_is(name, "ready").await;
    }
    let sent = text(&program, &world, "@client_1", "hello").await;
    assert_eq!((sent.0, sent.1["status"].as_str()), (200, Some("ok")), "{sent:?}");
    let client = sent.1["chat_id"].as_i64().expect("a number").to_string();
    assert_eq!(served_by(&program, &client).await, "main");
    (world, program, client)
}

async fn text(program: &Program, world: &World, chat: &str, text: &str) -> (u16, Value) {
    program.legacy(world.legacy_port(5022), "/send_text", &json!({ "chat": chat, "text": text })).await
}

async fn served_by(program: &Program, chat: &str) -> String {
    let (_, chat) = program.get(&format!("/v1/chats/{chat}")).await;
    chat["account"].as_str().unwrap_or_default().to_owned()
}

async fn failovers(program: &Program, chat: &str) -> Vec<Value> {
    let (_, found) = program.get(&format!("/v1/failovers?chat_id={chat}")).await;
    found["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_account_loses_its_dialogs_to_another() {
    let (world, program, client) = running("").await;
    world.fault("banned", json!({"account": "main"})).await;
    for words in ["first after the ban", "second after the ban"] {
        let sent = text(&program, &world, &client, words).await;
        assert_eq!((sent.0, sent.1["status"].as_str()), (200, Some("ok")), "{sent:?}");
    }
    assert_eq!(world.sent().await, ["hello", "first after the ban", "second after the ban"]);
    assert_ne!(served_by(&program, &client).await, "main");
    let moved = failovers(&program, &client).await;
    assert_eq!((moved.len(), &moved[0]["from"]), (1, &json!("main")), "told once: {moved:?}");
    assert!(moved[0]["reason"].as_str().is_some_and(|reason| reason.contains("banned")), "{moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dialog_that_stays_is_moved_by_hand() {
    let (world, program, client) = running("private_dialogs = \"stay\"").await;
    world.fault("banned", json!({"account": "main"})).await;
    assert_eq!(text(&program, &world, &client, "stays").await.0, 503);
    assert_eq!(text(&program, &world, &client, "stays").await.0, 503);
    let path = format!("/v1/chats/{client}");
    let (status, moved) = program.patch(&path, &json!({ "account": "backup_1" })).await;
    assert_eq!((status, &moved["account"]), (200, &json!("backup_1")), "{moved}");
    let sent = text(&program, &world, &client, "moved").await;
    assert_eq!((sent.0, served_by(&program, &client).await.as_str()), (200, "backup_1"), "{sent:?}");
    let rows = failovers(&program, &client).await;
    let row = &rows[0];
    assert_eq!(
        (&row["from"], &row["to"], &row["subject"]),
        (&json!("main"), &json!("backup_1"), &json!("by_hand"))
    );
    assert_eq!(row["reason"], "moved by hand; main was banned", "{rows:?}");
    let (status, refused) = program.patch(&path, &json!({ "account": "main" })).await;
    let why = refused["errors"][0]["message"].as_str().unwrap_or_default();
    assert!(status == 422 && why.contains("main is banned or signed out"), "{refused}");
    let (status, refused) = program.patch(&path, &json!({ "account": "backup_1", "title": "x" })).await;
    assert_eq!((status, &refused["code"]), (422, &json!("invalid_request")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_dialogs_of_an_account_are_moved_by_one_command() {
    let (world, program, client) = running("private_dialogs = \"stay\"").await;
    let second = text(&program, &world, "@client_2", "hello").await.1["chat_id"].to_string();
    let (code, said) =
        ran(&mut command(&world, "data", &["chat", "move", "--from", "main", "--to", "backup_1"]));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.starts_with("2 private dialogs go through backup_1 now."), "{said}");
    for chat in [&client, &second] {
        assert_eq!(
            (served_by(&program, chat).await.as_str(), failovers(&program, chat).await.len()),
            ("backup_1", 1)
        );
    }
    let (code, said) = ran(&mut command(&world, "data", &["chat", "move", &client, "--to", "backup_2"]));
    assert_eq!((code, served_by(&program, &client).await.as_str()), (Some(0), "backup_2"), "{said}");
    let (code, said) =
        ran(&mut command(&world, "data", &["chat", "move", "--from", "nobody", "--to", "backup_1"]));
    assert!(code == Some(1) && said.contains("nobody"), "{said}");
    let (status, refused) = program.post("/v1/chats/move", &json!({"from": "main", "to": "main"})).await;
    assert_eq!((status, &refused["code"]), (422, &json!("invalid_request")), "{refused}");
    assert_eq!(text(&program, &world, &client, "through the new one").await.0, 200);
    let rows = world.effects("messages.sendMessage").await;
    assert_eq!(rows.last().expect("rows")["account"], "backup_2", "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_longer_than_the_hold_moves_a_dialog_where_wanted() {
    for (rule, after) in [("", 503), ("private_dialogs = \"move\"", 200)] {
        let (world, program, client) = running(rule).await;
        assert_eq!(program.post("/v1/accounts/main/actions/pause", &json!({})).await.0, 200);
        assert_eq!(text(&program, &world, &client, "at once").await.0, 503, "{rule}");
        program.advance(Duration::from_secs(101)).await;
        let sent = text(&program, &world, &client, "later").await;
        assert_eq!(sent.0, after, "{rule}: {sent:?}");
        let rows = failovers(&program, &client).await;
        assert_eq!(rows.len(), usize::from(after == 200), "{rows:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_longer_than_the_hold_moves_a_dialog_where_wanted() {
    let (world, program, client) = running("private_dialogs = \"move\"").await;
    let flood = |seconds: u32| json!({"account": "main", "method": "messages.sendMessage", "seconds": seconds, "times": 1});
    world.fault("flood_wait", flood(600)).await;
    let sent = text(&program, &world, &client, "in a flood").await;
    assert_eq!(sent.0, 200, "{sent:?}");
    let rows = failovers(&program, &client).await;
    assert!(rows[0]["reason"].as_str().is_some_and(|reason| reason.contains("flood wait")), "{rows:?}");
    assert_ne!(served_by(&program, &client).await, "main");
}
