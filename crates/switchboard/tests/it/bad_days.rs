//! Bad days: accounts are flooded, banned, deaf or gone, people refuse, chats change under way. Callers get true answers,
//! and notice nothing as long as one fit account is left.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};

use crate::binary;
use crate::shell::cli::started;

const CREATE: &str = "channels.createChannel";
const SEND: &str = "messages.sendMessage";

/// How fast time goes by where a wait of the product has to end.
const STEP: Duration = Duration::from_millis(500);

pub(crate) async fn create(program: &Program, more: Value) -> Value {
    let mut body = json!({"title": "Order", "wait": 0});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    let (status, begun) = program.post("/v1/chats", &body).await;
    assert!((200..300).contains(&status), "{status} {begun}");
    let operation = begun["operation"].as_str().or(begun["id"].as_str()).expect("an id").to_owned();
    program.finished(&operation, Some(STEP)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn backup_creates_the_chat_when_main_floods() {
    let (world, program) = started(&ACCOUNTS).await;
    world.fault("flood_wait", json!({"account": "main", "method": CREATE, "seconds": 3600})).await;
    let body = json!({"title": "Order 1", "members": ["@client_1"], "observer": true});
    let (status, made) = program.post("/v1/chats", &body).await;
    assert_eq!((status, &made["account"]), (201, &json!("backup_1")), "{made}");
    let rows = world.effects(CREATE).await;
    assert_eq!((rows.len(), &rows[0]["account"]), (1, &json!("backup_1")));
    let (_, failovers) = program.get("/v1/failovers").await;
    let row = &failovers["items"][0];
    assert_eq!((&row["from"], &row["to"]), (&json!("main"), &json!("backup_1")), "{failovers}");
    // Known now: main is not asked again while the flood lasts.
    let before = world.calls(CREATE).await;
    let (status, made) = program.post("/v1/chats", &json!({"title": "Order 2"})).await;
    assert_eq!((status, &made["account"]), (201, &json!("backup_1")), "{made}");
    assert_eq!(world.calls(CREATE).await, before + 1);
    // Texts are another kind of call.
    assert_eq!(program.send("@client_2", "a text").await.0, 200);
    // When they wait too, the message says of each who was passed over why.
    world
        .fault("flood_wait", json!({"account": "main", "method": "messages.sendMessage", "seconds": 3600}))
        .await;
    let order = json!({"title": "Shared", "creator": "main", "members": ["backup_1"]});
    let shared = world.make_chat("/telegram/chats", &order).await;
    let path = format!("/v1/chats/{shared}");
    program
        .until("both know it", || async {
            program.get(&path).await.1["accounts"].as_array().map(Vec::len) == Some(2)
        })
        .await;
    let (status, sent) = program.send(&shared, "another text").await;
    assert_eq!(status, 200, "{sent}");
    let (_, why) = program.get(&format!("/v1/messages/{}/why", sent["id"].as_str().expect("an id"))).await;
    let begun = why["timeline"].as_array().expect("steps").iter().filter(|step| step["step"] == "begun");
    let begun: Vec<_> = begun.map(|step| (&step["account"], step["detail"].as_str())).collect();
    let [(first, None), (second, Some(detail))] = begun[..] else { panic!("two were given it: {why:#}") };
    assert_eq!((first, second), (&json!("main"), &sent["account"]), "{why:#}");
    assert!(detail.starts_with("instead of main (flood wait"), "{detail}");
    assert_eq!(world.effects(SEND).await[0]["account"], "main");
    // The old port says who did it; a backup brings the observer along.
    let order = json!({"title": "Order 3", "usernames": ["@client_1"]});
    let (status, made) = program.legacy(world.legacy_port(5021), "/create_chat", &order).await;
    assert_eq!((status, &made["debug"]["account"]), (200, &json!("backup_1")), "{made}");
    let chat_id = made["chat_id"].as_str().expect("an id");
    assert!(world.members(chat_id).await.contains_key("demo_observer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_wait_out_an_outage_and_are_sent_once() {
    let (world, program) = started(&ACCOUNTS).await;
    program.has_read_dialogs("main").await;
    world.fault("deaf", json!({})).await;
    let connected = ACCOUNTS;
    let all_are = async |state: &str| {
        let (_, accounts) = program.get("/v1/accounts").await;
        let accounts = accounts["items"].as_array().expect("items").clone();
        accounts
            .iter()
            .filter(|one| connected.iter().any(|name| one["name"] == *name))
            .all(|one| one["state"] == state)
    };
    program
        .until("nothing answers", || async {
            program.advance(Duration::from_secs(15)).await;
            all_are("error").await
        })
        .await;
    // No account could carry it, and that will pass: it is kept, and a caller that cannot wait is answered that it was not done.
    let (status, kept) =
        program.post("/v1/messages", &json!({"chat": "@client_1", "text": "kept", "wait": 0})).await;
    assert_eq!((status, &kept["state"]), (202, &json!("queued")), "{kept}");
    let order = json!({"chat": "client_2", "text": "refused"});
    let call = program.legacy(world.legacy_port(5022), "/send_text", &order);
    let (status, refused) = program.as_time_goes_by(Duration::from_secs(5), call).await;
    assert_eq!(status, 503, "{refused}");
    world.delete("/faults").await;
    let path = format!("/v1/messages/{}", kept["id"].as_str().expect("an id"));
    program
        .until("it is sent", || async {
            program.advance(Duration::from_secs(2)).await;
            program.get(&path).await.1["state"] == "sent"
        })
        .await;
    assert_eq!(world.sent().await, ["kept"], "once, and what was refused is never sent later");
}

#[tokio::test(flavor = "multi_thread")]
async fn deaf_account_is_replaced_and_comes_back() {
    let (world, program) = started(&ACCOUNTS).await;
    for name in ["main", "backup_1"] {
        program.has_read_dialogs(name).await;
    }
    let chat = world.chat_titled("Demo supergroup").await;
    assert_eq!(program.send(&chat, "all is well").await.0, 200);
    assert_eq!(world.effects(SEND).await[0]["account"], "main");
    world.fault("deaf", json!({"account": "main"})).await;
    let step = Duration::from_secs(1);
    let mut gone = Duration::ZERO;
    while program.get("/v1/accounts/main").await.1["state"] != "error" {
        assert!(gone <= Duration::from_mins(1), "it is not shown within a minute");
        program.advance(step).await;
        gone += step;
        // The others are asked something as well, and must have the time to answer.
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    // A probe of its own may have been late as well.
    program
        .until("backup_1 is ready", || async {
            program.advance(step).await;
            program.get("/v1/accounts/backup_1").await.1["state"] == "ready"
        })
        .await;
    let (status, sent) = program.send(&chat, "through another").await;
    assert_eq!(status, 200, "{sent}");
    let (status, made) = program.post("/v1/chats", &json!({"title": "Order 1"})).await;
    assert_eq!((status, &made["account"]), (201, &json!("backup_1")), "{made}");
    let rows = world.effects(SEND).await;
    assert_eq!((rows.len(), &rows[1]["account"]), (2, &json!("backup_1")), "{rows:?}");
    world.delete("/faults").await;
    program
        .until("it comes back", || async {
            program.advance(Duration::from_secs(20)).await;
            program.get("/v1/accounts/main").await.1["state"] == "ready"
        })
        .await;
    let (status, made) = program.post("/v1/chats", &json!({"title": "Order 2"})).await;
    assert_eq!((status, &made["account"]), (201, &json!("main")), "{made}");
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_first_fill_is_resumed() {
    let world = World::start_with(binary(), &["--dialogs", "3000"]).await;
    world.fault("delay", json!({"method": "messages.getDialogs", "seconds": 0.4})).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("backup_1", "ready").await;
    program
        .until("a page is read and more are not", || async {
            let (_, account) = program.get("/v1/accounts/backup_1").await;
            account["cached_peers"].as_u64() >= Some(150) && account["dialogs_complete"] == false
        })
        .await;
    program.kill();
    world.delete("/faults").await;
    let program = Start::on(&world, binary(), "data").ready().await;
    for name in ACCOUNTS {
        program
            .until("its dialogs are read", || async {
                program.advance(STEP).await;
                program.get(&format!("/v1/accounts/{name}")).await.1["dialogs_complete"] == true
            })
            .await;
    }
    // No page twice, but for the one that each account was reading when it was killed.
    let calls = world.get("/calls?method=messages.getDialogs").await;
    for row in calls["items"].as_array().expect("items") {
        let (account, count) =
            (row["account"].as_str().expect("a name"), row["count"].as_u64().expect("a count"));
        let (_, shown) = program.get(&format!("/v1/accounts/{account}")).await;
        let pages = shown["cached_peers"].as_u64().expect("a count").div_ceil(100) + 2;
        assert!(count <= pages, "{account}: {count} calls for {shown}");
    }
}
