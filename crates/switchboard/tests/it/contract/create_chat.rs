//! `POST /create_chat`: what is done, in which order, and how each part of it is reported.

use serde_json::{Value, json};

use super::caller::Reply;
use super::stage::Stage;
use crate::python::telethon_view;

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

    let seen = telethon_view(&stage.world, "main", &chat).await;
    assert_eq!(seen["hidden_prehistory"], false, "{seen}");
    let bots: Vec<&Value> = seen["admins"].as_object().expect("admins").values().collect();
    assert_eq!(bots, [&json!({ "rank": "Admin Bot", "lacks": [] })], "{seen}");

    let (status, record) = stage.program.get(&format!("/v1/chats/{chat}")).await;
    assert_eq!((status, &record["account"]), (200, &json!("main")), "{record}");
    assert_eq!(record["invite_link"], reply.json()["invite_link"], "{record}");
    stage.world.assert_nothing_unknown().await;
}
