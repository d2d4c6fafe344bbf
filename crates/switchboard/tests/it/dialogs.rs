//! What the program knows of chats: read once, kept over restarts, refreshed with a handful of calls, asked for one by one.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};

use crate::binary;

const LIST: &str = "messages.getDialogs";
/// A world whose dialogs were all read.
async fn filled() -> (World, Program) {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    for name in ACCOUNTS {
        program.has_read_dialogs(name).await;
    }
    (world, program)
}

/// Calls that look for chats, by all accounts: everything but keeping in touch and sending.
async fn questions(world: &World) -> u64 {
    let calls = world.get("/calls").await;
    let kept_in_touch = ["updates.", "help.", "users.getUsers", "messages.sendMessage"];
    calls["items"]
        .as_array()
        .expect("items")
        .iter()
        .filter(|row| {
            let method = row["method"].as_str().expect("a method");
            !kept_in_touch.iter().any(|known| method.starts_with(known))
        })
        .filter_map(|row| row["count"].as_u64())
        .sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_nothing_is_read_again() {
    let (world, mut program) = filled().await;
    assert!(world.calls(LIST).await >= 5);
    let (_, before) = program.get("/v1/accounts/main").await;
    program.kill();
    world.delete("/calls").await;
    let program = Start::on(&world, binary(), "data").ready().await;
    for name in ACCOUNTS {
        program.account_is(name, "ready").await;
    }
    let chat = world.chat_titled("Demo supergroup").await;
    for chat in [chat.as_str(), "@client_1", "6000000009"] {
        let (status, sent) = program.send(chat, "known").await;
        assert_eq!(status, 200, "{sent}");
    }
    assert_eq!((world.calls(LIST).await, questions(&world).await), (0, 0));
    let (_, after) = program.get("/v1/accounts/main").await;
    assert_eq!((&after["dialogs_complete"], &after["cached_peers"]), (&json!(true), &before["cached_peers"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn chat_made_outside_is_found_with_few_calls() {
    let (world, program) = filled().await;
    let order = json!({"title": "Made outside", "creator": "@client_1", "members": ["main"]});
    let chat_id = world.make_chat("/telegram/chats?silent=true", &order).await;
    world.delete("/calls").await;
    let listed = || async {
        let (_, chats) = program.get("/v1/chats?account=main&limit=100").await;
        chats["items"]
            .as_array()
            .is_some_and(|items| items.iter().any(|chat| chat["chat_id"] == chat_id.as_str()))
    };
    assert!(!listed().await, "the product was not notified");
    program.advance(Duration::from_mins(31)).await;
    program.until("the chat appears", listed).await;
    let calls = world.calls(LIST).await;
    assert!((1..=10).contains(&calls), "{calls} calls for five accounts");
    let (status, sent) = program.send(&chat_id, "found").await;
    assert_eq!(status, 200, "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_miss_asks_for_the_one_chat_and_a_repeated_miss_not_at_all() {
    let (world, program) = filled().await;
    for missing in ["-1009999999999", "@nobody_at_all"] {
        world.delete("/calls").await;
        let (status, refused) = program.send(missing, "x").await;
        assert_eq!((status, &refused["code"]), (404, &json!("chat_not_found")), "{refused}");
        let first = questions(&world).await;
        assert!(first <= 10, "{missing}: {first} calls");
        for _ in 0..3 {
            assert_eq!(program.send(missing, "x").await.0, 404);
        }
        assert_eq!(questions(&world).await, first, "{missing}: it is remembered");
    }
    let (_, unresolved) = program.get("/v1/chats/unresolved").await;
    let row = unresolved["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|row| row["chat_id"] == "-1009999999999")
        .expect("it is listed");
    assert_eq!(row["count"], 4, "{row}");
    let accounts: Vec<_> =
        row["accounts"].as_array().expect("accounts").iter().map(|one| &one["account"]).collect();
    assert!(accounts.contains(&&json!("main")), "{row}");
    assert_eq!(row["callers"][0]["count"], 4, "{row}");
    // A chat that turns up meanwhile is found all the same.
    let order = json!({"title": "Late", "creator": "@client_1", "members": ["main"]});
    let late = world.make_chat("/telegram/chats", &order).await;
    program.until("the update teaches it", || async { program.send(&late, "there").await.0 == 200 }).await;
    let (status, _) = program.delete("/v1/chats/unresolved/-1009999999999").await;
    assert_eq!(status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_keeps_what_is_there_and_lets_messages_pass() {
    let (world, program) = filled().await;
    let (_, before) = program.get("/v1/accounts/main").await;
    world.fault("delay", json!({"method": LIST, "seconds": 1})).await;
    world.delete("/calls").await;
    let (status, reply) = program.post("/v1/services/send_text/actions/reload-cache", &Value::Null).await;
    assert!(status == 200 || status == 202, "{status} {reply}");
    program.until("the reading has begun", || async { world.calls(LIST).await > 0 }).await;
    let chat = world.chat_titled("Demo supergroup").await;
    for chat in [chat.as_str(), "@client_1"] {
        let (status, sent) = program.send(chat, "meanwhile").await;
        assert_eq!(status, 200, "{sent}");
    }
    let (_, during) = program.get("/v1/accounts/main").await;
    assert_eq!(
        (&during["dialogs_complete"], &during["cached_peers"]),
        (&json!(true), &before["cached_peers"])
    );
    let (status, reply) = program.legacy(world.legacy_port(5022), "/reload_cache", &json!({})).await;
    assert_eq!((status, &reply["status"]), (200, &json!("ok")), "{reply}");
    assert!(reply["cache_size"].as_u64() > Some(0), "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_to_known_chats_pass_during_the_first_reading() {
    let world = World::start_with(binary(), &["--dialogs", "3000"]).await;
    world.fault("delay", json!({"method": LIST, "seconds": 3})).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    let (_, account) = program.get("/v1/accounts/main").await;
    assert_eq!(account["dialogs_complete"], false, "{account}");
    for number in 1..=5 {
        let (status, sent) = program.send(&format!("@client_{number}"), "known by name").await;
        assert_eq!(status, 200, "{sent}");
    }
    let (_, account) = program.get("/v1/accounts/main").await;
    assert_eq!(account["dialogs_complete"], false, "the reading still goes on: {account}");
    world.delete("/faults").await;
    program
        .until("the reading ends", || async {
            program.advance(Duration::from_secs(1)).await;
            program.get("/v1/accounts/main").await.1["dialogs_complete"] == true
        })
        .await;
    // One call for a hundred dialogs, and one to see that there are no more.
    let calls = world.get(&format!("/calls?account=main&method={LIST}")).await;
    let dialogs = world.get("/telegram/accounts").await;
    assert!(dialogs["items"].is_array());
    let count = calls["items"][0]["count"].as_u64().expect("a count");
    let (_, account) = program.get("/v1/accounts/main").await;
    let pages = account["cached_peers"].as_u64().expect("a count").div_ceil(100) + 1;
    assert!(count <= pages, "{count} calls for {account}");
}
