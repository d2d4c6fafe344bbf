//! Bad days: accounts are flooded, banned, deaf or gone, people refuse, chats change under way. Callers get true answers,
//! and notice nothing as long as one fit account is left.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, Start, World};

use crate::binary;
use crate::shell::cli::started;

const CREATE: &str = "channels.createChannel";
const INVITE: &str = "channels.inviteToChannel";
const REMOVE: &str = "channels.editBanned";
const LEAVE: &str = "channels.leaveChannel";
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
async fn main_floods_on_inviting_and_the_chat_stays_with_it() {
    let (world, program) = started(&ACCOUNTS).await;
    world.fault("flood_wait", json!({"account": "main", "method": INVITE, "seconds": 30, "times": 1})).await;
    let shown = create(&program, json!({"title": "Order 1", "members": ["@client_1"]})).await;
    let result = &shown["result"];
    assert_eq!((&shown["state"], &result["account"]), (&json!("done"), &json!("main")), "{shown}");
    assert_eq!(result["members"][0]["result"], "added", "it waited for the flood: {shown}");
    // Longer than its patience: the chat is there, and the answer says who is missing and why.
    world.fault("flood_wait", json!({"account": "main", "method": INVITE, "seconds": 86_400})).await;
    program.advance(Duration::from_secs(1)).await;
    let shown = create(&program, json!({"title": "Order 2", "members": ["@client_1"]})).await;
    let result = &shown["result"];
    assert_eq!((&shown["state"], &result["account"]), (&json!("done"), &json!("main")), "{shown}");
    assert_eq!(result["members"][0]["result"], "failed", "{shown}");
    assert!(result["members"][0]["detail"].as_str().is_some_and(|why| why.contains("flood")), "{shown}");
    assert!(result["invite_link"].is_string(), "the later steps were taken: {shown}");
    assert_eq!(world.effects(CREATE).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_account_is_flooded() {
    let (world, program) = started(&ACCOUNTS).await;
    world.fault("flood_wait", json!({"method": CREATE, "seconds": 600})).await;
    world.fault("flood_wait", json!({"method": SEND, "seconds": 600})).await;
    let impatient = json!({"title": "Order 1", "on_flood": "fail"});
    let (status, refused) = program.post("/v1/chats", &impatient).await;
    assert_eq!((status, &refused["code"]), (429, &json!("flood_wait")), "{refused}");
    let order = json!({"title": "Order 2", "usernames": ["@client_1"]});
    let call = program.legacy(world.legacy_port(5021), "/create_chat", &order);
    let (status, refused) = program.as_time_goes_by(STEP, call).await;
    let wait = refused["retry_after"].as_u64().unwrap_or_default();
    assert!(status == 503 && (1..=600).contains(&wait), "{status} {refused}");
    let order = json!({"chat": "client_1", "text": "never sent"});
    let call = program.legacy(world.legacy_port(5022), "/send_text", &order);
    let (status, refused) = program.as_time_goes_by(STEP, call).await;
    assert_eq!((status, &refused["error"]), (429, &json!("FloodWait")), "{refused}");
    // Whoever can wait is told that it waits, and gets its chat when the flood is over.
    let (status, waiting) = program.post("/v1/chats", &json!({"title": "Order 3", "wait": 0})).await;
    assert_eq!((status, &waiting["state"]), (202, &json!("queued")), "{waiting}");
    let operation = waiting["id"].as_str().or(waiting["operation"].as_str()).expect("an id").to_owned();
    world.delete("/faults").await;
    // Steps shorter than the answer to a probe may take: a slow machine shall not look like a dead data centre.
    let shown = program.finished(&operation, Some(Duration::from_secs(4))).await;
    assert_eq!(shown["state"], "done", "{shown}");
    let titles: Vec<Value> = world.effects(CREATE).await.into_iter().map(|row| row["text"].clone()).collect();
    assert_eq!(titles, ["Order 3"], "what was refused is never made later");
    assert_eq!(world.sent().await, Vec::<String>::new());
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
    // Nobody could carry it, and that will pass: it is kept, and whoever cannot be kept waiting is told that it was not done.
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
async fn an_account_is_banned_in_the_middle_of_a_lane() {
    let (world, program) = started(&ACCOUNTS).await;
    for name in ["main", "backup_1"] {
        program.has_read_dialogs(name).await;
    }
    let chat = world.chat_titled("Demo supergroup").await;
    world.fault("delay", json!({"account": "main", "method": SEND, "seconds": 0.05})).await;
    let texts: Vec<String> = (1..=8).map(|number| format!("text {number}")).collect();
    let mut ids = Vec::new();
    for text in &texts {
        let (status, sent) =
            program.post("/v1/messages", &json!({"chat": chat, "text": text, "wait": 0})).await;
        assert!(status == 200 || status == 202, "{status} {sent}");
        ids.push(sent["id"].as_str().expect("an id").to_owned());
    }
    program.until("some are sent", || async { world.sent().await.len() >= 2 }).await;
    world.fault("banned", json!({"account": "main"})).await;
    for id in &ids {
        program
            .until("it is sent", || async {
                program.advance(STEP).await;
                program.get(&format!("/v1/messages/{id}")).await.1["state"] == "sent"
            })
            .await;
    }
    let rows = world.effects(SEND).await;
    let sent: Vec<_> = rows.iter().map(|row| row["text"].as_str().expect("a text")).collect();
    assert_eq!(sent, texts, "each once and in order");
    assert_eq!((&rows[0]["account"], &rows[7]["account"]), (&json!("main"), &json!("backup_1")));
    program.account_is("main", "banned").await;
    let (_, failovers) = program.get(&format!("/v1/failovers?chat_id={chat}")).await;
    assert_eq!(failovers["items"][0]["from"], "main", "{failovers}");
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
    program.account_is("backup_1", "ready").await;
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
async fn the_observer_cannot_be_added() {
    let (world, program) = started(&ACCOUNTS).await;
    world.post("/telegram/users/@demo_observer/privacy", &json!({"invites": "nobody"})).await;
    let body = json!({"title": "Order 1", "members": ["@client_1"], "observer": true});
    let (status, made) = program.post("/v1/chats", &body).await;
    assert_eq!(status, 201, "{made}");
    let members = made["members"].as_array().expect("members");
    let observer = members.iter().find(|member| member["role"] == "observer").expect("the observer");
    assert_eq!(observer["result"], "privacy", "{made}");
    assert!(made["invite_link"].is_string(), "{made}");
    // A port that is pinned to a backup wants the observer too, and does without.
    let order = json!({"title": "Order 2", "usernames": ["client_1"]});
    let (status, made) = program.legacy(world.legacy_port(5025), "/create_chat", &order).await;
    assert_eq!((status, &made["debug"]["account"]), (200, &json!("backup_1")), "{made}");
    assert!(made["invite_link"].is_string(), "{made}");
    let chat_id = made["chat_id"].as_str().expect("an id");
    assert!(!world.members(chat_id).await.contains_key("demo_observer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_title_of_three_hundred_characters() {
    let (world, program) = started(&ACCOUNTS).await;
    let long = "Ремонт ".repeat(43);
    assert!(long.chars().count() >= 300);
    let (status, refused) = program.post("/v1/chats", &json!({"title": long})).await;
    assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("title")), "{refused}");
    // The old port takes it as the old scripts did: Telegram cuts it, and a lost answer still leaves one chat.
    world.fault("drop_answer", json!({"method": CREATE, "times": 1})).await;
    let order = json!({"title": long, "usernames": ["@client_1"]});
    let call = program.legacy(world.legacy_port(5021), "/create_chat", &order);
    let (status, made) = program.as_time_goes_by(STEP, call).await;
    assert_eq!((status, &made["title"]), (200, &json!(long)), "{made}");
    let rows = world.effects(CREATE).await;
    assert_eq!((rows.len(), &rows[0]["chat_id"]), (1, &made["chat_id"]), "{made}");
    assert_eq!(rows[0]["text"].as_str().expect("a title").chars().count(), 128);
}

/// Two hundred come in two calls, and go one by one while time goes by.
#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_members_come_and_go() {
    let (world, program) = started(&ACCOUNTS).await;
    let guests: Vec<String> = (1..=200).map(|number| format!("@guest_{number}")).collect();
    let shown = create(&program, json!({"title": "Crowd", "members": guests, "account": "main"})).await;
    assert_eq!(shown["state"], "done", "{shown}");
    let members = shown["result"]["members"].as_array().expect("members");
    assert!(members.len() == 200 && members.iter().all(|member| member["result"] == "added"), "{shown}");
    assert_eq!(world.calls(INVITE).await, 2);
    let chat_id = world.chat_titled("Crowd").await;
    assert_eq!(world.members(&chat_id).await.len(), 201);
    let (_, page) = program.get(&format!("/v1/chats/{chat_id}/members?limit=150")).await;
    assert!(page["items"].as_array().is_some_and(|items| items.len() == 150), "{page}");
    let cursor = page["next_cursor"].as_str().expect("there are more").to_owned();
    let (_, page) = program.get(&format!("/v1/chats/{chat_id}/members?limit=150&cursor={cursor}")).await;
    assert!(page["items"].as_array().is_some_and(|items| items.len() == 51), "{page}");

    let order = json!({"chat": chat_id});
    let call = program.legacy(world.legacy_port(5024), "/leave_chat", &order);
    // Slowly, so that the port's hold is not over before two hundred steps are on a slow disk.
    let (status, left) = program.as_time_goes_by(Duration::from_millis(100), call).await;
    assert_eq!((status, &left["left_type"]), (200, &json!("channel")), "{left}");
    assert_eq!(left["kicked"].as_array().map(Vec::len), Some(200), "{left}");
    assert_eq!((world.effects(REMOVE).await.len(), world.effects(LEAVE).await.len()), (200, 1));
    assert!(world.members(&chat_id).await.is_empty());
    let order = json!({"chat": chat_id, "text": "anybody there?"});
    let (status, skipped) = program.legacy(world.legacy_port(5022), "/send_text", &order).await;
    assert_eq!((status, &skipped["status"]), (200, &json!("skipped")), "{skipped}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_username_changes_hands() {
    let (world, program) = started(&ACCOUNTS).await;
    for name in ["main", "backup_1"] {
        program.has_read_dialogs(name).await;
    }
    assert_eq!(program.send("@client_7", "for the old owner").await.0, 200);
    world.post("/telegram/users/@client_7/username", &json!({"username": null})).await;
    world.post("/telegram/users/@client_8/username", &json!({"username": "client_7"})).await;
    program
        .until("the product has heard of it", || async {
            program.send("@client_7", "for the new owner").await;
            let rows = world.effects(SEND).await;
            rows.last().is_some_and(|row| row["chat_id"] == "6000000008")
        })
        .await;
    let rows = world.effects(SEND).await;
    assert_eq!(rows[0]["chat_id"], "6000000007");
    // The name of someone new in a request to invite is the new owner too.
    let shown = create(&program, json!({"title": "Order 1", "members": ["@client_7"]})).await;
    assert_eq!(shown["result"]["members"][0]["user_id"], 6_000_000_008_i64, "{shown}");
    // The old one has no name; the name it had before the other's is nobody's.
    let (status, refused) = program.send("@client_8", "for nobody").await;
    assert_eq!((status, &refused["code"]), (404, &json!("chat_not_found")), "{refused}");
    // Nobody told the product: a name is not believed for longer than a day.
    assert_eq!(program.send("@client_9", "for the old owner").await.0, 200);
    world.post("/telegram/users/@client_9/username?silent=true", &json!({"username": null})).await;
    world.post("/telegram/users/@client_10/username?silent=true", &json!({"username": "client_9"})).await;
    program.advance(Duration::from_hours(25)).await;
    let (status, sent) = program.send("@client_9", "for the new owner").await;
    assert_eq!((status, &sent["chat_id"]), (200, &json!("6000000010")), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_became_a_supergroup_meanwhile() {
    let (world, mut program) = started(&ACCOUNTS).await;
    for name in ["main", "backup_1"] {
        program.has_read_dialogs(name).await;
    }
    let group = world.chat_titled("Demo group").await;
    let order = json!({"title": "Small", "kind": "group", "creator": "@client_1", "members": ["main"]});
    let other = world.make_chat("/telegram/chats", &order).await;
    program.until("the group is known", || async { program.send(&other, "hello").await.0 == 200 }).await;
    assert_eq!(program.send(&group, "to the group").await.0, 200);
    // Nobody told the product: the old id leads to the supergroup in one go, and what follows stays in order.
    let path = format!("/telegram/chats/{group}/migrate?silent=true");
    let new = world.post(&path, &Value::Null).await["chat_id"].as_str().expect("an id").to_owned();
    for text in ["one", "two"] {
        let (status, sent) = program.send(&group, text).await;
        assert_eq!((status, &sent["chat_id"]), (200, &json!(new)), "{sent}");
    }
    let rows = world.effects(SEND).await;
    let inside: Vec<_> =
        rows.iter().filter(|row| row["chat_id"] == new.as_str()).map(|row| &row["text"]).collect();
    assert_eq!(inside, ["one", "two"]);
    // It happened while the product was down.
    program.terminate().await;
    let path = format!("/telegram/chats/{other}/migrate");
    let newer = world.post(&path, &Value::Null).await["chat_id"].as_str().expect("an id").to_owned();
    let program = Start::on(&world, binary(), "data").ready().await;
    let (status, sent) = program.send(&other, "after the restart").await;
    assert_eq!((status, &sent["chat_id"]), (200, &json!(newer)), "{sent}");
    let (status, sent) = program.send(&group, "three").await;
    assert_eq!((status, &sent["chat_id"]), (200, &json!(new)), "it is remembered: {sent}");
    assert_eq!(world.effects(SEND).await.iter().filter(|row| row["text"] == "three").count(), 1);
}

/// The answer to the first attempt is lost, and meanwhile the group became a supergroup: nothing can be repeated where it
/// was begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_moves_while_a_text_is_in_doubt() {
    let (world, program) = started(&ACCOUNTS).await;
    program.has_read_dialogs("main").await;
    let group = world.chat_titled("Demo group").await;
    world.fault("disconnect_before", json!({"method": SEND})).await;
    let body = json!({"chat": group, "text": "hello", "wait": 0});
    let (status, begun) = program.post("/v1/messages", &body).await;
    assert_eq!(status, 202, "{begun}");
    let path = format!("/telegram/chats/{group}/migrate");
    let new = world.post(&path, &Value::Null).await["chat_id"].as_str().expect("an id").to_owned();
    world.delete("/faults").await;
    let path = format!("/v1/messages/{}", begun["id"].as_str().expect("an id"));
    let sent = program.until("it is sent", || async { program.get(&path).await.1["state"] == "sent" });
    program.as_time_goes_by(STEP, sent).await;
    let rows = world.effects(SEND).await;
    assert_eq!((rows.len(), &rows[0]["chat_id"]), (1, &json!(new)), "{rows:?}");
}

/// Who is in the chat cannot be asked, the others do not find it: that is no proof that it is gone.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_not_left_while_the_account_in_it_is_paused() {
    let (world, program) = started(&ACCOUNTS).await;
    for name in ACCOUNTS {
        program.has_read_dialogs(name).await;
    }
    let shown = create(&program, json!({"title": "Solo", "account": "main"})).await;
    let chat_id = shown["result"]["chat_id"].as_str().expect("an id").to_owned();
    assert_eq!(program.post("/v1/accounts/main/actions/pause", &json!({})).await.0, 200);
    let order = json!({"chat": chat_id});
    let call = program.legacy(world.legacy_port(5024), "/leave_chat", &order);
    let (status, refused) = program.as_time_goes_by(STEP, call).await;
    assert_eq!((status, &refused["status"]), (503, &json!("error")), "{refused}");
    let path = format!("/v1/chats/{chat_id}");
    let (status, refused) = program.as_time_goes_by(STEP, program.delete(&path)).await;
    assert_eq!((status, &refused["code"]), (503, &json!("no_account")), "{refused}");
    assert_eq!(program.get(&path).await.1["state"], "active");
    // A text is not skipped as one for a chat that was left.
    assert_eq!(program.post("/v1/accounts/main/actions/resume", &json!({})).await.0, 200);
    program.account_is("main", "ready").await;
    let order = json!({"chat": chat_id, "text": "important"});
    let call = program.legacy(world.legacy_port(5022), "/send_text", &order);
    let (status, sent) = program.as_time_goes_by(STEP, call).await;
    assert_eq!((status, &sent["status"]), (200, &json!("ok")), "{sent}");
    assert_eq!(world.effects(SEND).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn leaving_a_chat_that_was_deleted_or_that_nobody_knows() {
    let (world, program) = started(&ACCOUNTS).await;
    for silent in [true, false] {
        let title = format!("Gone, silent {silent}");
        let shown = create(&program, json!({"title": title, "members": ["@client_1"]})).await;
        let chat_id = shown["result"]["chat_id"].as_str().expect("an id").to_owned();
        world.delete(&format!("/telegram/chats/{chat_id}?silent={silent}")).await;
        let path = format!("/v1/chats/{chat_id}?remove_members=true");
        let call = program.delete(&path);
        let (status, left) = program.as_time_goes_by(STEP, call).await;
        assert_eq!((status, &left["left"]), (200, &json!(true)), "{title}: {left}");
        let (_, record) = program.get(&format!("/v1/chats/{chat_id}")).await;
        assert_eq!(record["state"], "left", "{title}: {record}");
    }
    assert_eq!(world.effects(LEAVE).await, Vec::<Value>::new(), "there was nothing to leave");
    for name in ACCOUNTS {
        program.has_read_dialogs(name).await;
    }
    let order = json!({"chat": "-1009999999999"});
    let call = program.legacy(world.legacy_port(5024), "/leave_chat", &order);
    let (status, left) = program.as_time_goes_by(STEP, call).await;
    assert_eq!((status, &left["left_type"]), (200, &json!("unresolvable")), "{left}");
    // It was never ours: a text to it is not skipped as one for a chat that was left.
    let order = json!({"chat": "-1009999999999", "text": "important"});
    let (status, sent) = program.legacy(world.legacy_port(5022), "/send_text", &order).await;
    let error = sent["error"].as_str().unwrap_or_default();
    assert!(status == 500 && error.starts_with("Cannot find chat -1009999999999"), "{status} {sent}");
    let (_, unresolved) = program.get("/v1/chats/unresolved").await;
    let found = &unresolved["items"][0];
    assert_eq!((&found["chat_id"], &found["count"]), (&json!("-1009999999999"), &json!(2)), "{unresolved}");
    let (status, refused) = program.delete("/v1/chats/-1009999999998").await;
    assert_eq!((status, &refused["code"]), (404, &json!("chat_not_found")), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_account_leaves_its_chats_reachable() {
    let (world, mut program) = started(&ACCOUNTS).await;
    let with_backup = json!({"title": "Shared", "members": ["@demo_backup_1"], "account": "main"});
    let shared = create(&program, with_backup).await["result"]["chat_id"].as_str().expect("an id").to_owned();
    let alone = json!({"title": "Alone", "members": ["@client_1"], "account": "main"});
    let alone = create(&program, alone).await["result"]["chat_id"].as_str().expect("an id").to_owned();
    assert_eq!(program.send(&shared, "by main").await.0, 200);
    assert_eq!(program.terminate().await, Some(0));
    world.edit_settings(|text| {
        let begin = text.find("[[telegram.accounts]]\nname = \"main\"").expect("main");
        let end = text[begin + 1..].find("[[telegram.accounts]]").expect("the next") + begin + 1;
        format!("{}{}", &text[..begin], &text[end..])
    });
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("backup_1", "ready").await;
    program.has_read_dialogs("backup_1").await;
    for name in ["backup_2", "backup_3"] {
        program.has_read_dialogs(name).await;
    }
    let (status, sent) = program.send(&shared, "by the backup").await;
    assert_eq!(status, 200, "{sent}");
    let rows = world.effects(SEND).await;
    assert_eq!((rows.len(), &rows[1]["account"]), (2, &json!("backup_1")), "{rows:?}");
    let (status, refused) = program.send(&alone, "nobody is in it").await;
    assert!(status == 404 || status == 503, "{status} {refused}");
    assert!(refused["detail"].as_str().is_some_and(|detail| detail.contains("main")), "{refused}");
    let (_, record) = program.get(&format!("/v1/chats/{shared}")).await;
    assert_eq!(record["account"], "backup_1", "the chat is served by it from now on: {record}");
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

/// The answer comes too late, and so does the chat: it is waited for, and not made twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_is_made_late_is_made_once() {
    let (world, program) = started(&ACCOUNTS).await;
    let delay = json!({"account": "main", "method": "channels.createChannel", "seconds": 2, "times": 1});
    world.fault("delay", delay).await;
    let body = json!({"title": "Late", "members": ["@client_1"], "wait": 0});
    let (status, accepted) = program.post("/v1/chats", &body).await;
    assert_eq!(status, 202, "{accepted}");
    let operation = accepted["id"].as_str().expect("an id").to_owned();
    program
        .until("the call is under way", || async {
            let shown = program.get(&format!("/v1/operations/{operation}")).await.1;
            shown["steps"].as_array().is_some_and(|steps| steps.iter().any(|step| step["what"] == "create"))
        })
        .await;
    // The call is given up long before its effect, which comes two real seconds later.
    program.advance(Duration::from_secs(16)).await;
    let shown = program.finished(&operation, Some(STEP)).await;
    assert_eq!(shown["state"], "done", "{shown}");
    assert_eq!(world.effects("channels.createChannel").await.len(), 1, "{shown}");
}

/// An account that answers every creation with an internal error is passed over after some tries.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_whose_creations_always_break_is_stood_in_for() {
    let (world, program) = started(&ACCOUNTS).await;
    let broken =
        json!({"account": "main", "method": "channels.createChannel", "code": 500, "message": "INTERNAL"});
    world.fault("rpc_error", broken).await;
    let body = json!({"title": "Broken", "members": ["@client_1"], "wait": 0});
    let (_, accepted) = program.post("/v1/chats", &body).await;
    let operation = accepted["id"].as_str().expect("an id").to_owned();
    let shown = program.finished(&operation, Some(STEP)).await;
    assert_eq!((&shown["state"], &shown["account"]), (&json!("done"), &json!("backup_1")), "{shown}");
    assert_eq!(world.effects("channels.createChannel").await.len(), 1, "{shown}");
}
