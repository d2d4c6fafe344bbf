//! Chats as callers have them at hand: a link, a phone number, `me`.

use serde_json::json;
use testkit::{Start, World};

use crate::binary;

#[tokio::test(flavor = "multi_thread")]
async fn chats_are_named_by_link_number_and_me() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    for account in ["main", "backup_1"] {
        program.has_read_dialogs(account).await;
    }
    let group = world.chat_titled("Demo supergroup").await;
    let link = format!("t.me/c/{}/45", group.strip_prefix("-100").expect("a supergroup"));
    for (chat, account, lands) in [
        ("https://t.me/client_1", "main", "6000000001"),
        ("tg://resolve?domain=client_1", "main", "6000000001"),
        (link.as_str(), "main", group.as_str()),
        ("+7 (000) 000-00-02", "main", "7000000002"),
        ("me", "backup_1", "7000000002"),
        ("me", "", "7000000001"),
    ] {
        let body = json!({ "chat": chat, "text": format!("to {chat}"), "account": account });
        let (status, sent) = program.post("/v1/messages", &body).await;
        assert_eq!(
            (status, &sent["state"], &sent["chat_id"]),
            (200, &json!("sent"), &json!(lands)),
            "{chat}: {sent}"
        );
        let ledger = world.ledger().await;
        let row =
            ledger.iter().rfind(|row| row["text"] == format!("to {chat}")).expect("it is in the ledger");
        assert_eq!(row["chat_id"], lands, "{row}");
    }
    for (chat, status, code) in [
        ("+79990000000", 404, "chat_not_found"),
        ("undefined", 422, "invalid_request"),
        ("https://t.me/+AbCdEfGhIjKl", 422, "invalid_request"),
    ] {
        let (answered, problem) = program.post("/v1/messages", &json!({ "chat": chat, "text": "x" })).await;
        assert_eq!((answered, &problem["code"]), (status, &json!(code)), "{chat}: {problem}");
    }
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_and_me_name_chats_in_paths_too() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    for account in ["main", "backup_1"] {
        program.has_read_dialogs(account).await;
    }
    for (chat, lands, account) in [("+70000000002", "7000000002", "main"), ("me", "7000000001", "main")] {
        let text = format!("to {chat}");
        let body = json!({ "chat": chat, "text": text, "account": account });
        let (status, sent) = program.post("/v1/messages", &body).await;
        assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{chat}: {sent}");
        let (status, history) =
            program.get(&format!("/v1/chats/{chat}/history?account={account}&limit=1")).await;
        assert_eq!((status, &history["items"][0]["text"]), (200, &json!(text)), "{chat}: {history}");
        for call in ["read", "typing"] {
            let (status, done) =
                program.post(&format!("/v1/chats/{chat}/{call}"), &json!({ "account": account })).await;
            assert_eq!((status, &done["chat_id"]), (200, &json!(lands)), "{chat} {call}: {done}");
        }
        let message = format!("/v1/chats/{chat}/messages/{}", sent["message_ids"][0]);
        let (status, edited) =
            program.patch(&message, &json!({ "text": "changed", "account": account })).await;
        assert_eq!((status, &edited["chat_id"]), (200, &json!(lands)), "{chat}: {edited}");
        let (status, deleted) = program.delete(&format!("{message}?account={account}")).await;
        assert_eq!((status, &deleted["chat_id"]), (200, &json!(lands)), "{chat}: {deleted}");
    }
    let (status, bound) = program.patch("/v1/chats/+70000000003", &json!({ "account": "backup_1" })).await;
    assert_eq!((status, &bound["account"]), (200, &json!("backup_1")), "{bound}");
    for (method, path) in
        [("PATCH", "/v1/chats/me"), ("DELETE", "/v1/chats/me"), ("GET", "/v1/chats/me/members")]
    {
        let request = program.request(method, path).json(&json!({ "account": "main" }));
        let refused = request.send().await.expect("an answer");
        assert_eq!(refused.status(), 404, "{method} {path}");
        let problem: serde_json::Value = refused.json().await.expect("JSON");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("me cannot be used here"), "{method} {path}: {problem}");
    }
}
