//! Private dialogs whose account cannot go on: who takes them over, by the rule of the settings and by hand.

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};

use crate::binary;
use crate::shell::cli::cli;

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
    assert_eq!((moved.len(), &moved[0]["from"]), (1, &json!("main")), "sent once: {moved:?}");
    assert!(moved[0]["reason"].as_str().is_some_and(|reason| reason.contains("banned")), "{moved:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_dialogs_of_an_account_are_moved_by_one_command() {
    let (world, program, client) = running("private_dialogs = \"stay\"").await;
    let second = text(&program, &world, "@client_2", "hello").await.1["chat_id"].to_string();
    let output = cli(&world, &["chat", "move", "--from", "main", "--to", "backup_1"]).fine();
    assert!(output.starts_with("2 private dialogs go through backup_1 now."), "{output}");
    for chat in [&client, &second] {
        assert_eq!(
            (served_by(&program, chat).await.as_str(), failovers(&program, chat).await.len()),
            ("backup_1", 1)
        );
    }
    cli(&world, &["chat", "move", &client, "--to", "backup_2"]).fine();
    assert_eq!(served_by(&program, &client).await, "backup_2");
    let refused = cli(&world, &["chat", "move", "--from", "nobody", "--to", "backup_1"]).run();
    assert!(refused.code == Some(1) && refused.err.contains("nobody"), "{refused:?}");
    let (status, refused) = program.post("/v1/chats/move", &json!({"from": "main", "to": "main"})).await;
    assert_eq!((status, &refused["code"]), (422, &json!("invalid_request")), "{refused}");
    assert_eq!(text(&program, &world, &client, "through the new one").await.0, 200);
    let rows = world.effects("messages.sendMessage").await;
    assert_eq!(rows.last().expect("rows")["account"], "backup_2", "{rows:?}");
}
