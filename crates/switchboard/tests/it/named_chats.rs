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
