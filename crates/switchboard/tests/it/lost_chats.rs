//! Chats that accounts were removed from, and chats that Telegram does not let them leave: what callers are answered.

use std::time::Duration;

use serde_json::json;
use testkit::{ACCOUNTS, Program};

use crate::bad_days::create;
use crate::shell::cli::started;

/// How fast time goes by where a wait of the product has to end.
const STEP: Duration = Duration::from_millis(500);

async fn made(program: &Program, title: &str) -> String {
    let shown = create(program, json!({"title": title, "members": ["@client_1", "@client_2"]})).await;
    shown["result"]["chat_id"].as_str().expect("an id").to_owned()
}

/// Removed from the outside, closed for all, and not even heard of: no account is in any of them any more.
#[tokio::test(flavor = "multi_thread")]
async fn messages_to_chats_without_an_account_are_refused() {
    let (world, program) = started(&ACCOUNTS).await;
    for name in ACCOUNTS {
        program.has_read_dialogs(name).await;
    }
    for how in ["kicked", "deleted", "left"] {
        let shown = create(&program, json!({"title": how, "account": "main"})).await;
        let chat_id = shown["result"]["chat_id"].as_str().expect("an id").to_owned();
        let members = format!("/telegram/chats/{chat_id}/members");
        if how == "deleted" {
            world.delete(&format!("/telegram/chats/{chat_id}?silent=true")).await;
        } else {
            let remove = if how == "kicked" { json!("ban") } else { json!(true) };
            world.post(&members, &json!({ "account": "main", "remove": remove })).await;
        }
        let order = json!({"chat": chat_id, "text": how});
        let (status, refused) = program.legacy(world.legacy_port(5022), "/send_text", &order).await;
        let error = refused["error"].as_str().unwrap_or_default();
        let cannot_find = format!("Cannot find chat {chat_id} (accounts asked: ");
        assert!(status == 500 && error.starts_with(&cannot_find), "{how}: {status} {refused}");
        let (status, refused) = program.post("/v1/messages", &order).await;
        let detail = refused["detail"].as_str().unwrap_or_default();
        if status == 403 {
            assert_eq!(refused["code"], "no_rights", "{how}: {refused}");
            assert!(
                detail.contains("no longer in the chat") && detail.contains("main: "),
                "{how}: {refused}"
            );
        } else {
            assert_eq!((status, how), (404, "deleted"), "{refused}");
        }
        let id = refused["id"].as_str().expect("an id");
        let (_, why) = program.get(&format!("/v1/messages/{id}/why")).await;
        assert!(why.to_string().contains("main: "), "{how}: {why}");
        let (_, unresolved) = program.get("/v1/chats/unresolved").await;
        let found =
            unresolved["items"].as_array().into_iter().flatten().find(|one| one["chat_id"] == chat_id);
        let found = found.unwrap_or_else(|| panic!("{how}: {unresolved}"));
        let callers: Vec<_> = found["callers"].as_array().into_iter().flatten().collect();
        assert_eq!((&found["count"], callers.len()), (&json!(2), 2), "{how}: {found}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_leave_refused_after_removals_says_what_was_done() {
    let (world, program) = started(&ACCOUNTS).await;
    let refused = json!({"method": "channels.leaveChannel", "code": 400, "message": "USER_CREATOR"});
    world.fault("rpc_error", refused).await;
    let (first, second) = (made(&program, "First").await, made(&program, "Second").await);
    let leave = |chat: String| {
        let (program, port) = (&program, world.legacy_port(5024));
        async move {
            let order = json!({ "chat": chat });
            let call = program.legacy(port, "/leave_chat", &order);
            program.as_time_goes_by(STEP, call).await
        }
    };
    let (status, answer) = leave(first.clone()).await;
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(status == 500 && error.contains("USER_CREATOR"), "{answer}");
    assert!(error.contains("2 members were removed before, and the chat was not left"), "{answer}");
    assert_eq!(world.members(&first).await.len(), 1, "the account is still in it");
    // Now it is known that the creator of a chat may not leave it.
    let (status, answer) = leave(second.clone()).await;
    let error = answer["error"].as_str().unwrap_or_default();
    assert!(status == 500 && error.contains("nothing was done"), "{answer}");
    assert_eq!(world.members(&second).await.len(), 3, "no one was removed");
    let path = format!("/v1/chats/{second}?remove_members=true&leave_own=true");
    let (status, problem) = program.as_time_goes_by(STEP, program.delete(&path)).await;
    assert_eq!((status, &problem["provider_code"]), (422, &json!("USER_CREATOR")), "{problem}");
    let (_, chat) = program.get(&format!("/v1/chats/{second}")).await;
    assert_eq!(chat["state"], "active", "{chat}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_handed_over_before_it_is_left() {
    let (world, program) = started(&ACCOUNTS).await;
    let chat = made(&program, "Goes on without us").await;
    world.put("/telegram/accounts/main/sign-in", &json!({ "password": "correct horse" })).await;
    let path = format!("/v1/chats/{chat}/hand-over");
    for (to, password, status, code) in [
        ("@client_1", "wrong horse", 422, "password_invalid"),
        ("@client_7", "correct horse", 422, "rejected"),
        ("@client_1", "", 422, "invalid_request"),
        ("me", "correct horse", 422, "invalid_request"),
    ] {
        let (answered, problem) = program.post(&path, &json!({ "to": to, "password": password })).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{to}: {problem}");
    }
    for _ in 0..2 {
        let order = json!({ "to": "@client_1", "password": "correct horse" });
        let (status, done) = program.post(&path, &order).await;
        assert_eq!(
            (status, &done["chat_id"], &done["account"]),
            (200, &json!(chat), &json!("main")),
            "{done}"
        );
    }
    assert_eq!(world.effects("messages.editChatCreator").await.len(), 1);
    // It is not the account's any more: no one needs to say that it may be left.
    let (status, left) = program.delete(&format!("/v1/chats/{chat}")).await;
    assert_eq!((status, &left["left"]), (200, &json!(true)), "{left}");
    let members: Vec<String> = world.members(&chat).await.into_keys().collect();
    assert_eq!(members, ["client_1", "client_2"]);
    assert!(!program.output().contains("horse"), "{}", program.output());
}
