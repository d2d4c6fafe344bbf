//! Pinned ports: the account is chosen by the port, and no other account ever stands in.

use serde_json::json;

use super::stage::{CREATE, Stage};

const PINNED: [(u16, &str); 3] = [(5025, "backup_1"), (5029, "backup_2"), (5030, "backup_3")];

#[tokio::test(flavor = "multi_thread")]
async fn each_port_has_its_account_and_backups_bring_the_observer() {
    let stage = Stage::plain().await;
    for (old, account) in PINNED {
        let body = json!({ "title": account, "usernames": ["@client_1", "@demo_bot_1"] });
        let reply = stage.call(old, "/create_chat", &body).send().await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["debug"]["account"]), (200, &json!(account)), "{answer}");
        let members = stage.world.members(answer["chat_id"].as_str().expect("an id")).await;
        let role = |name: &str| members.get(name).map(String::as_str);
        assert_eq!(role(&format!("demo_{account}")), Some("creator"), "{members:?}");
        assert_eq!(role("demo_observer"), Some("member"), "{members:?}");
        assert_eq!(role("demo_bot_1"), Some("admin"), "{members:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_one_stands_in_for_a_pinned_account() {
    let stage = Stage::plain().await;
    let body = json!({ "title": "Pinned", "usernames": ["@client_1"] });
    let flood = json!({ "account": "backup_1", "method": "channels.createChannel", "seconds": 600 });
    stage.world.fault("flood_wait", flood).await;
    let reply = stage.call(5025, "/create_chat", &body).send().await;
    reply.must_be(503, &json!({ "error": "<text>", "retry_after": "<positive>" }));

    let refusal = json!({
        "account": "backup_2", "method": "channels.createChannel", "code": 400, "message": "CHANNELS_TOO_MUCH",
    });
    stage.world.fault("rpc_error", refusal).await;
    let reply = stage.call(5029, "/create_chat", &body).send().await;
    reply.must_be(500, &json!({ "error": "<text>" }));

    stage.world.fault("banned", json!({ "account": "backup_3" })).await;
    stage
        .program
        .post("/v1/messages", &json!({ "chat": "@client_1", "text": "x", "account": "backup_3", "wait": 0 }))
        .await;
    stage.program.account_is("backup_3", "banned").await;
    let reply = stage.call(5030, "/create_chat", &body).send().await;
    reply.must_be(503, &json!({ "error": "<text>" }));

    assert!(stage.world.effects("channels.createChannel").await.is_empty());
    let reply = stage.call(CREATE, "/create_chat", &body).send().await;
    assert_eq!((reply.status, &reply.json()["debug"]["account"]), (200, &json!("main")), "{}", reply.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_fifth_leaves_for_itself_alone() {
    let stage = Stage::plain().await;
    let chat = stage.world.chat_titled("Demo supergroup").await;
    let reply = stage.call(5028, "/leave_chat", &json!({ "chat": chat })).send().await;
    reply.must_be(200, &json!({ "status": "ok", "left_type": "unresolvable", "note": "<text>" }));
    assert!(stage.world.ledger().await.is_empty());
    // The others are in it as before.
    let reply = stage.send_text(&json!({ "chat": chat, "text": "still here" })).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")), "{}", reply.text);
}
