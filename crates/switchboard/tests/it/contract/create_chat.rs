//! `POST /create_chat`: what is done, in which order, and how each part of it is reported.

use serde_json::{Value, json};

use super::caller::Reply;
use super::python::seen;
use super::stage::Stage;

/// The answer of a chat that was made, when nothing went wrong but what is put over it.
fn made(title: &str, account: &str, debug: &Value) -> Value {
    let mut all = json!({
        "account": account,
        "resolve_failed": [],
        "open_history": "ok",
        "invite": "ok",
        "invite_failed": [],
        "promote_bots": [],
        "export_invite": "ok",
    });
    all.as_object_mut().expect("an object").extend(debug.as_object().expect("an object").clone());
    json!({
        "status": "ok",
        "title": title,
        "chat_id": "<chat id>",
        "invite_link": "<invite link>",
        "debug": all,
    })
}

fn chat_id(reply: &Reply) -> String {
    reply.json()["chat_id"].as_str().expect("a chat id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_done_in_its_order_and_reported() {
    let stage = Stage::plain().await;
    let reply = stage
        .create(&json!({
            "title": "Ремонт 42: screen",
            "usernames": ["@client_1", "client_12", "@demo_bot_1", "@nobody_here"],
        }))
        .await;
    let debug = json!({ "resolve_failed": ["<starts @nobody_here: >"], "promote_bots": ["@demo_bot_1: ok"] });
    reply.must_be(200, &made("Ремонт 42: screen", "main", &debug));
    let chat = chat_id(&reply);

    let effects = stage.world.ledger().await;
    let methods: Vec<&str> = effects.iter().filter_map(|row| row["method"].as_str()).collect();
    assert_eq!(
        methods,
        [
            "channels.createChannel",
            "channels.togglePreHistoryHidden",
            "channels.inviteToChannel",
            "channels.editAdmin",
            "messages.exportChatInvite"
        ]
    );
    assert!(effects.iter().all(|row| row["account"] == "main" && row["chat_id"] == chat.as_str()));
    assert_eq!(effects[4]["text"], reply.json()["invite_link"]);

    let members = stage.world.members(&chat).await;
    let members: Vec<(&str, &str)> =
        members.iter().map(|(name, role)| (name.as_str(), role.as_str())).collect();
    assert_eq!(
        members,
        [("client_1", "member"), ("client_12", "member"), ("demo_bot_1", "admin"), ("demo_main", "creator")],
        "the main account needs no observer"
    );
    let world = stage.chat(&chat).await;
    assert_eq!((&world["title"], &world["kind"]), (&json!("Ремонт 42: screen"), &json!("supergroup")));

    let seen = seen(&stage, "main", &chat).await;
    assert_eq!(seen["hidden_prehistory"], false, "{seen}");
    let bots: Vec<&Value> = seen["admins"].as_object().expect("admins").values().collect();
    assert_eq!(bots, [&json!({ "rank": "Admin Bot", "lacks": [] })], "{seen}");

    let (status, record) = stage.program.get(&format!("/v1/chats/{chat}")).await;
    assert_eq!((status, &record["account"]), (200, &json!("main")), "{record}");
    assert_eq!(record["invite_link"], reply.json()["invite_link"], "{record}");
    stage.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_privacy_keeps_out_is_reported() {
    let stage = Stage::plain().await;
    stage.world.post("/telegram/users/@client_9/privacy", &json!({ "invites": "nobody" })).await;
    let reply =
        stage.create(&json!({ "title": "Private people", "usernames": ["@client_8", "@client_9"] })).await;
    let debug = json!({
        "invite": "<text>",
        "invite_failed": "<list>",
        "invite_missing": ["<contains client_9>"],
    });
    reply.must_be(200, &made("Private people", "main", &debug));
    let members = stage.world.members(&chat_id(&reply)).await;
    assert!(members.contains_key("client_8") && !members.contains_key("client_9"), "{members:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_refused_is_told_and_the_rest_goes_on() {
    let stage = Stage::plain().await;
    for (method, debug, link) in [
        ("channels.togglePreHistoryHidden", json!({ "open_history": "<not ok>" }), true),
        ("channels.editAdmin", json!({ "promote_bots": ["<starts @demo_bot_1: >"] }), true),
        ("messages.exportChatInvite", json!({ "export_invite": "<not ok>" }), false),
    ] {
        stage
            .world
            .fault("rpc_error", json!({ "method": method, "code": 400, "message": "CHAT_ADMIN_REQUIRED" }))
            .await;
        let body = json!({ "title": method, "usernames": ["@client_1", "@demo_bot_1"] });
        let reply = stage.create(&body).await;
        let mut all = json!({ "promote_bots": ["@demo_bot_1: ok"] });
        all.as_object_mut().expect("an object").extend(debug.as_object().expect("an object").clone());
        let mut shape = made(method, "main", &all);
        if !link {
            shape["invite_link"] = Value::Null;
        }
        reply.must_be(200, &shape);
        if method == "channels.editAdmin" {
            assert_ne!(reply.json()["debug"]["promote_bots"], json!(["@demo_bot_1: ok"]));
        }
        stage.world.delete("/faults").await;
    }
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_that_is_refused_is_told_and_the_chat_is_there() {
    let stage = Stage::plain().await;
    for (message, personal) in [("USER_NOT_MUTUAL_CONTACT", true), ("CHAT_ADMIN_REQUIRED", false)] {
        let fault = json!({ "method": "channels.inviteToChannel", "code": 400, "message": message });
        stage.world.fault("rpc_error", fault).await;
        let reply = stage.create(&json!({ "title": message, "usernames": ["@client_1"] })).await;
        let answer = reply.json();
        assert_eq!((reply.status, &answer["status"]), (200, &json!("ok")), "{answer}");
        let debug = &answer["debug"];
        let names = |field: &str| debug[field].as_array().is_some_and(|list| list.len() == 1);
        // What is the user's own wish counts like a missing invitee; anything else is no "ok".
        let told = names("invite_failed")
            || if personal { names("invite_missing") } else { debug["invite"] != "ok" };
        assert!(told, "{message}: {answer}");
        stage.world.delete("/faults").await;
    }
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn flooded_account_is_replaced_and_observer_invited() {
    let stage = Stage::plain().await;
    stage
        .world
        .fault("flood_wait", json!({ "account": "main", "method": "channels.createChannel", "seconds": 600 }))
        .await;
    let reply = stage.create(&json!({ "title": "By a backup", "usernames": ["@client_1"] })).await;
    reply.must_be(200, &made("By a backup", "backup_1", &json!({ "observer?": "<any>" })));
    let chat = chat_id(&reply);
    let members = stage.world.members(&chat).await;
    assert!(members.contains_key("demo_observer") && members.contains_key("client_1"), "{members:?}");
    // The binding: later calls go through the account that is in the chat.
    stage.world.delete("/faults").await;
    let reply = stage.send_text(&json!({ "chat": chat, "text": "after it" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let sent = stage.world.effects("messages.sendMessage").await;
    assert_eq!((sent.len(), &sent[0]["account"]), (1, &json!("backup_1")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_on_one_account_is_invisible() {
    let stage = Stage::plain().await;
    stage.world.fault("banned", json!({ "account": "main", "method": "channels.createChannel" })).await;
    let reply = stage.create(&json!({ "title": "By the second", "usernames": ["@client_1"] })).await;
    reply.must_be(200, &made("By the second", "backup_1", &json!({ "observer?": "<any>" })));
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 1);
}

/// Refusals that speak of the account and not of the chat: another account may well do it.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_make_no_more_chats_is_invisible() {
    let stage = Stage::plain().await;
    for (account, next, message) in
        [("main", "backup_1", "CHANNELS_TOO_MUCH"), ("backup_1", "backup_2", "USER_RESTRICTED")]
    {
        let refusal = json!({
            "account": account, "method": "channels.createChannel", "code": 400, "message": message,
        });
        stage.world.fault("rpc_error", refusal).await;
        let reply = stage.create(&json!({ "title": message, "usernames": ["@client_1"] })).await;
        reply.must_be(200, &made(message, next, &json!({ "observer?": "<any>" })));
    }
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 2);
}
