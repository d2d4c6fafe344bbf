//! Chats that are made, changed and left: one chat and one effect of each step in the ledger, whatever gets lost on the way.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::{Program, World};

use crate::shell::cli::started;

const CREATE: &str = "channels.createChannel";
const OPEN: &str = "channels.togglePreHistoryHidden";
const INVITE: &str = "channels.inviteToChannel";
const PROMOTE: &str = "channels.editAdmin";
const EXPORT: &str = "messages.exportChatInvite";
const REMOVE: &str = "channels.editBanned";
const LEAVE: &str = "channels.leaveChannel";

/// What gets lost: the answer, the connection after the effect, the connection before it.
const LOSSES: [&str; 3] = ["drop_answer", "disconnect", "disconnect_before"];

/// How fast time goes by where a wait of the product has to end.
const STEP: Duration = Duration::from_millis(500);

/// The result of each person, by how the caller named them.
fn results(made: &Value) -> Vec<(&str, &str)> {
    let members = made["members"].as_array().expect("members").iter();
    members
        .map(|member| (member["ref"].as_str().unwrap_or("?"), member["result"].as_str().unwrap_or("?")))
        .collect()
}

/// Asks for something that may take long, and lets time go by until it is done.
async fn done(program: &Program, method: &str, path: &str, body: Option<Value>) -> Value {
    let mut request = program.request(method, path);
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body.to_string());
    }
    let answer = request.send().await.expect("an answer");
    let status = answer.status().as_u16();
    let text = answer.text().await.expect("a body");
    let reply: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}"));
    assert!((200..300).contains(&status), "{method} {path}: {status} {reply}");
    let operation = reply["operation"].as_str().or(reply["id"].as_str()).expect("an operation").to_owned();
    let shown = program.finished(&operation, Some(STEP)).await;
    assert_eq!(shown["state"], "done", "{method} {path}: {shown}\n{}", program.output());
    shown["result"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_made_filled_changed_handed_over_and_left() {
    let (world, program) = started(&["main", "backup_1"]).await;
    world.post("/telegram/users/@client_7/privacy", &json!({"invites": "nobody"})).await;
    let body = json!({
        "title": "Order 1001",
        "about": "A new screen",
        "members": ["@client_1", "@client_7", "@nobody_at_all", "@demo_bot_1", "@demo_backup_1"],
        "admins": ["@client_2"],
        "observer": true,
        "account": "main",
    });
    let (status, made) = program.post("/v1/chats", &body).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!((&made["account"], &made["title"]), (&json!("main"), &json!("Order 1001")), "{made}");
    let expected = [
        ("@client_1", "added"),
        ("@client_7", "privacy"),
        ("@nobody_at_all", "not_found"),
        ("@demo_bot_1", "added"),
        ("@demo_backup_1", "added"),
        ("@client_2", "added"),
        ("@demo_observer", "added"),
    ];
    let mut got = results(&made);
    got.sort_unstable();
    let mut wanted = expected;
    wanted.sort_unstable();
    assert_eq!(got, wanted, "{made}");
    let chat_id = made["chat_id"].as_str().expect("an id").to_owned();
    assert_eq!(world.chat_titled("Order 1001").await, chat_id);
    let members = world.members(&chat_id).await;
    let role = |name: &str| members.get(name).map(String::as_str);
    assert_eq!(role("demo_main"), Some("creator"));
    assert_eq!((role("demo_bot_1"), role("client_2")), (Some("admin"), Some("admin")));
    assert_eq!((role("client_1"), role("demo_observer")), (Some("member"), Some("member")));
    assert_eq!((role("client_7"), members.len()), (None, 6), "{members:?}");
    let links = world.effects(EXPORT).await;
    assert_eq!((links.len(), &links[0]["text"]), (1, &made["invite_link"]), "{links:?}");
    for (method, times) in [(CREATE, 1), (OPEN, 1), (PROMOTE, 2)] {
        assert_eq!(world.effects(method).await.len(), times, "{method}");
    }

    served_by(&world, &program, &chat_id, "main").await;
    changed(&world, &program, &chat_id).await;
    handed_over(&world, &program, &chat_id).await;

    let (status, left) = program.delete(&format!("/v1/chats/{chat_id}")).await;
    assert_eq!((status, &left["left"]), (200, &json!(true)), "{left}");
    assert_eq!(world.effects(LEAVE).await.len(), 1);
    let (_, record) = program.get(&format!("/v1/chats/{chat_id}")).await;
    assert_eq!(record["state"], "left", "{record}");
    let (status, again) = program.delete(&format!("/v1/chats/{chat_id}")).await;
    assert_eq!(status, 200, "leaving again: {again}");
    assert_eq!((world.effects(LEAVE).await.len(), world.effects(REMOVE).await.len()), (1, 1));
    world.assert_nothing_unknown().await;
}

/// A text into the chat goes through this account.
async fn served_by(world: &World, program: &Program, chat_id: &str, account: &str) {
    let text = format!("by {account}");
    let (status, sent) = program.send(chat_id, &text).await;
    assert_eq!(status, 200, "{sent}");
    let rows = world.effects("messages.sendMessage").await;
    let row = rows.iter().find(|row| row["text"] == text.as_str()).expect("the effect");
    assert_eq!((&row["account"], &row["chat_id"]), (&json!(account), &json!(chat_id)), "{row}");
    let (_, record) = program.get(&format!("/v1/chats/{chat_id}")).await;
    assert_eq!((&record["account"], &record["state"]), (&json!(account), &json!("active")), "{record}");
}

/// Title, description, members, history.
async fn changed(world: &World, program: &Program, chat_id: &str) {
    let path = format!("/v1/chats/{chat_id}");
    let (status, reply) =
        program.patch(&path, &json!({"title": "Order 1001, done", "about": "It works again"})).await;
    assert_eq!(status, 200, "{reply}");
    assert_eq!(world.chat_titled("Order 1001, done").await, chat_id);
    assert_eq!(world.effects("messages.editChatAbout").await[0]["text"], "It works again");
    let (_, record) = program.get(&path).await;
    assert_eq!(record["title"], "Order 1001, done", "{record}");
    // The same again is no error and no effect.
    let (status, reply) = program.patch(&path, &json!({"title": "Order 1001, done"})).await;
    assert_eq!((status, world.effects("channels.editTitle").await.len()), (200, 1), "{reply}");

    let (status, invited) =
        program.post(&format!("{path}/members"), &json!({"members": ["@client_3", "@client_1"]})).await;
    assert_eq!(status, 200, "{invited}");
    assert_eq!(results(&invited), [("@client_3", "added"), ("@client_1", "already")], "{invited}");
    let (status, removed) = program.delete(&format!("{path}/members/@client_3")).await;
    assert_eq!((status, results(&removed)[0].1), (200, "removed"), "{removed}");
    assert!(!world.members(chat_id).await.contains_key("client_3"));
    let (status, shown) = program.get(&format!("{path}/members")).await;
    let shown_names: Vec<_> = shown["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|member| member["username"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!((status, shown_names.len()), (200, 6), "{shown}");
    assert!(shown_names.contains(&"client_1".to_owned()), "{shown}");

    let (status, history) = program.get(&format!("{path}/history")).await;
    let texts: Vec<_> =
        history["items"].as_array().expect("items").iter().filter_map(|one| one["text"].as_str()).collect();
    assert!(status == 200 && texts.contains(&"by main"), "{history}");
}

/// Another account serves the chat; one that is not in it cannot.
async fn handed_over(world: &World, program: &Program, chat_id: &str) {
    let path = format!("/v1/chats/{chat_id}");
    let (status, refused) = program.patch(&path, &json!({"account": "backup_2"})).await;
    assert_eq!((status, &refused["code"]), (422, &json!("invalid_request")), "{refused}");
    assert_eq!(refused["errors"][0]["field"], "account", "{refused}");
    program
        .until("backup_1 knows the chat", || async {
            program.patch(&path, &json!({"account": "backup_1"})).await.0 == 200
        })
        .await;
    served_by(world, program, chat_id, "backup_1").await;
    let (status, reply) = program.patch(&path, &json!({"account": "main"})).await;
    assert_eq!(status, 200, "{reply}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_chat_is_made_whichever_answer_is_lost() {
    let (world, program) = started(&["main", "backup_1"]).await;
    for method in [CREATE, OPEN, INVITE, PROMOTE, EXPORT] {
        for loss in LOSSES {
            let title = format!("{method} {loss}");
            world.fault(loss, json!({"account": "main", "method": method, "times": 1})).await;
            let body = json!({
                "title": title, "members": ["@client_1", "@demo_bot_1"], "account": "main", "wait": 0,
            });
            let made = done(&program, "POST", "/v1/chats", Some(body)).await;
            let chat_id = world.chat_titled(&title).await;
            assert_eq!(made["chat_id"], chat_id.as_str(), "{title}: {made}");
            let mut effects = world.effects_in(&chat_id).await;
            effects.sort_unstable();
            assert_eq!(effects, [CREATE, PROMOTE, INVITE, OPEN, EXPORT], "{title}: {made}");
            let truth = results(&made);
            let [(_, first), (_, second)] = truth[..] else { panic!("{title}: {made}") };
            for result in [first, second] {
                // Those invited by the call whose answer was lost are there already.
                assert!(result == "added" || (method == INVITE && result == "already"), "{title}: {made}");
            }
            assert_eq!(made["members"][1]["promoted"], true, "{title}: {made}");
            let links = world.effects(EXPORT).await;
            let link = links.iter().find(|row| row["chat_id"] == chat_id.as_str()).expect("a link");
            assert_eq!(made["invite_link"], link["text"], "{title}: {made}");
            assert_eq!(world.get("/faults").await["items"], json!([]), "{title}: the fault struck");
        }
    }
    world.assert_nothing_unknown().await;
}

/// The chat may have been made, and the account that could know is banned: only a person can say what it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_doubt_about_a_chat_is_ended_by_a_person() {
    let (world, program) = started(&["main", "backup_1"]).await;
    world.fault("drop_answer", json!({"account": "main", "method": CREATE, "times": 1})).await;
    let body = json!({"title": "Order 1004", "members": ["@client_1"], "wait": 0});
    let (status, begun) = program.post("/v1/chats", &body).await;
    assert_eq!(status, 202, "{begun}");
    let operation = begun["id"].as_str().or(begun["operation"].as_str()).expect("an id").to_owned();
    program.until("the effect is there", || async { world.effects(CREATE).await.len() == 1 }).await;
    world.fault("banned", json!({"account": "main"})).await;
    let shown = program.finished(&operation, Some(STEP)).await;
    assert_eq!(shown["state"], "in_doubt", "{shown}");
    assert_eq!(world.effects(CREATE).await.len(), 1, "no one else makes another");
    let chat_id = world.chat_titled("Order 1004").await;
    world.delete("/faults").await;
    let path = format!("/v1/operations/{operation}/resolve");
    let (status, resolved) = program.post(&path, &json!({"as": "done", "chat_id": chat_id})).await;
    assert!(status == 200 || status == 202, "{status} {resolved}");
    let shown = program.finished(&operation, Some(STEP)).await;
    assert_eq!((&shown["state"], &shown["chat_id"]), (&json!("done"), &json!(chat_id)), "{shown}");
    assert_eq!(world.effects(CREATE).await.len(), 1);
    let (status, refused) = program.post(&path, &json!({"as": "again"})).await;
    assert_eq!((status, &refused["code"]), (409, &json!("wrong_state")), "{refused}");
}
