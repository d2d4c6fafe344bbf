//! Campaigns: a list of chats, written to through two accounts; killed in the middle, held by limits, stopped by Telegram.

mod bad_days;
mod drill;
mod leaving;
mod media;
mod old_database;
mod verbs;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::Timestamp;
use serde_json::{Value, json};
use testkit::{Program, Start, World};

use crate::binary;
use crate::postgres::{on_postgres, world};
use crate::shell::cli::{cli, running, started};

const SEND: &str = "messages.sendMessage";

async fn campaign(program: &Program) -> Value {
    program.get("/v1/campaigns/spring").await.1
}

async fn is(program: &Program, state: &str) {
    let what = format!("the campaign is {state}");
    program.until(&what, || async { campaign(program).await["run"]["state"] == state }).await;
}

/// Makes a campaign of these accounts for so many clients.
async fn made(program: &Program, accounts: &[&str], clients: usize, settings: Value) {
    let body = json!({"name": "spring", "settings": settings});
    assert_eq!(program.post("/v1/campaigns", &body).await.0, 201);
    let chats: Vec<_> = (1..=clients).map(|number| format!("@client_{number}")).collect();
    for (path, body) in [
        ("senders", json!({"accounts": accounts})),
        ("messages", json!({"file": "Good day"})),
        ("tasks", json!({"file": chats.join("\n")})),
    ] {
        let (status, answer) = program.post(&format!("/v1/campaigns/spring/{path}"), &body).await;
        assert_eq!(status, 200, "{path}: {answer}");
    }
}

async fn start(program: &Program) {
    let (status, answer) = program.post("/v1/campaigns/spring/start", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
}

/// How often each chat was written to.
async fn written(world: &World) -> BTreeMap<String, usize> {
    let mut written = BTreeMap::new();
    for row in world.effects(SEND).await {
        *written.entry(row["chat_id"].as_str().expect("a chat").to_owned()).or_insert(0) += 1;
    }
    written
}

async fn attempts(program: &Program) -> Vec<Value> {
    let page = program.get("/v1/campaigns/spring/attempts?limit=500").await.1;
    page["items"].as_array().expect("items").clone()
}

/// The reasons of the attempts that are in a state, by chat.
fn reasons(attempts: &[Value], state: &str) -> Vec<(String, String)> {
    let rows = attempts.iter().filter(|row| row["state"] == state);
    let field = |row: &Value, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let mut reasons: Vec<_> = rows.map(|row| (field(row, "chat"), field(row, "reason"))).collect();
    reasons.sort();
    reasons
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_of_two_accounts_ends_with_a_row_for_each_chat() {
    let world = World::start(binary()).await;
    let program = running(&world, &["main", "fifth"]).await;
    let campaign = |arguments: &[&str]| cli(&world, &[&["campaign"], arguments].concat());
    campaign(&["groups", "create", "spring", "--delay", "0", "--per-hour", "60"]).fine();
    let file = |name: &str, text: &str| {
        let path = world.data_dir("").join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    let chats = file(
        "chats.txt",
        "\u{feff}chat;name\r\n@client_1;Anna\r\nhttps://t.me/Client_2;Boris\r\n@guest_1;<Guest>\r\n@client_1;Anna\r\n\
         no chat;x\r\n6000000001;Anna once more\r\n@nobody_has_this_name;x\r\n@client_4;x\r\n@client_5;\r\n",
    );
    let dry = campaign(&["import-chats", &chats, "--group", "spring", "--dry-run"]).fine();
    assert!(dry.contains("7 would be added") && dry.contains("2 cannot be used"), "{dry}");
    let imported = campaign(&["import-chats", &chats, "--group", "spring"]).fine();
    assert!(imported.contains("7 added, 0 known") && imported.contains("Line 5:"), "{imported}");
    let again = campaign(&["import-chats", &chats, "--group", "spring"]).fine();
    assert!(again.contains("0 added, 7 known"), "{again}");
    let messages = file(
        "messages.json",
        r#"[{"text": "Hello <b>{name}</b>", "parse_mode": "html"}, {"text": "<b>Hi", "parse_mode": "html"}]"#,
    );
    let imported = campaign(&["import-messages", &messages, "--group", "spring"]).fine();
    assert!(imported.contains("1 added") && imported.contains("Line 2:"), "{imported}");
    campaign(&["groups", "add-profiles", "spring", "main", "fifth"]).fine();
    program.post("/v1/do-not-contact", &json!({"contact": "@client_4"})).await;
    let forecast = campaign(&["start", "spring", "--dry-run"]).fine();
    assert!(forecast.contains("5 chats would be written to"), "{forecast}");
    assert!(forecast.contains("Without the limits of an hour and a day"), "{forecast}");
    assert!(
        forecast.contains("1 do_not_contact, 1 template") && forecast.contains("Hello <b>Anna</b>"),
        "{forecast}"
    );
    assert!(written(&world).await.is_empty());
    let followed = campaign(&["start", "spring"]).beside().await;
    assert_eq!(followed.code, Some(0), "{followed:?}");

    let attempts = attempts(&program).await;
    assert_eq!(attempts.len(), 7, "{attempts:?}");
    assert_eq!(reasons(&attempts, "sent").len(), 3);
    let pair = |chat: &str, reason: &str| (chat.to_owned(), reason.to_owned());
    let skipped = reasons(&attempts, "skipped");
    assert!(skipped.contains(&pair("@client_4", "do_not_contact")), "{skipped:?}");
    assert!(skipped.iter().any(|(_, reason)| reason == "duplicate") && skipped.len() == 2, "{skipped:?}");
    assert_eq!(
        reasons(&attempts, "failed"),
        [pair("@client_5", "template"), pair("@nobody_has_this_name", "chat_not_found")]
    );
    let written = written(&world).await;
    assert!(written.len() == 3 && written.values().all(|times| *times == 1), "{written:?}");
    let texts = world.sent().await;
    assert!(texts.contains(&"Hello <Guest>".to_owned()), "{texts:?}");
    let tasks = campaign(&["tasks", "spring", "--json"]).run().json();
    let blocked = tasks["items"].as_array().expect("items").iter().filter(|task| task["state"] == "blocked");
    assert_eq!(blocked.count(), 2, "{tasks}");
    assert!(campaign(&["stats", "spring"]).fine().contains("3 sent"));
    assert!(campaign(&["log", "spring", "--state", "failed"]).fine().contains("chat_not_found"));
    assert!(campaign(&["status"]).fine().contains("done"));
    let events = program.request("GET", "/v1/events?type=campaign.*").header("accept", "application/json");
    let events: Value = events.send().await.expect("an answer").json().await.expect("JSON");
    let events = events["items"].as_array().expect("items").clone();
    assert_eq!((&events[0]["type"], events.len()), (&json!("campaign.began"), 9));
    world.assert_nothing_unknown().await;
}

/// Killed again and again, it goes on where it was, and each chat is written to once.
async fn goes_on_after_each_kill() {
    const CLIENTS: usize = 40;
    let world = world().await;
    let mut program = running(&world, &["main", "fifth"]).await;
    let settings = json!({"delay_seconds": 0, "max_messages_per_hour": 60});
    made(&program, &["main", "fifth"], CLIENTS, settings).await;
    start(&program).await;
    for kill in 1..=4 {
        let until = kill * CLIENTS / 5;
        let what = format!("{until} are sent");
        program.until(&what, || async { world.effects(SEND).await.len() >= until }).await;
        program.kill();
        program = Start::on(&world, binary(), "data").ready().await;
    }
    is(&program, "done").await;
    let attempts = attempts(&program).await;
    let written = written(&world).await;
    assert!(written.values().all(|times| *times == 1), "{written:?}");
    let (sent, unknown) = (reasons(&attempts, "sent").len(), reasons(&attempts, "unknown").len());
    assert_eq!((sent + unknown, written.len()), (CLIENTS, CLIENTS), "{attempts:?}");
    assert_eq!(attempts.len(), CLIENTS);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_that_is_killed_writes_to_no_one_twice() {
    goes_on_after_each_kill().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_campaign_on_postgres_writes_to_no_one_twice() {
    on_postgres(goes_on_after_each_kill()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_never_passes_its_hour() {
    let world = World::start(binary()).await;
    let program = running(&world, &["fifth"]).await;
    made(&program, &["fifth"], 5, json!({"delay_seconds": 0, "max_messages_per_hour": 2})).await;
    start(&program).await;
    program.until("two are sent", || async { reasons(&attempts(&program).await, "sent").len() == 2 }).await;
    program.pass_calmly(3_300).await;
    assert_eq!(world.effects(SEND).await.len(), 2);
    let more = program
        .until("two more are sent", || async { reasons(&attempts(&program).await, "sent").len() == 4 });
    program.as_time_goes_by(Duration::from_secs(4), more).await;
    // The last one waits for another hour, or for a person.
    program.post("/v1/campaigns/spring/stop", &json!({})).await;
    is(&program, "stopped").await;
    assert_eq!(world.effects(SEND).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_message_is_sent_outside_the_hours_of_a_campaign() {
    let (world, program) = started(&["fifth"]).await;
    let now: Timestamp = program.now().await.parse().expect("a time");
    let minute = |minutes| now.plus(Duration::from_mins(minutes)).to_string()[11..16].to_owned();
    let hours = format!("{}-{} UTC", minute(10), minute(300));
    made(&program, &["fifth"], 3, json!({"delay_seconds": 0, "active_hours": hours})).await;
    start(&program).await;
    program.pass_calmly(240).await;
    // No chat is even claimed.
    assert_eq!(attempts(&program).await, Vec::<Value>::new());
    program.as_time_goes_by(Duration::from_secs(4), is(&program, "done")).await;
    let begun: Timestamp =
        attempts(&program).await[0]["claimed_at"].as_str().expect("a time").parse().expect("a time");
    assert!(begun.since(now) > Duration::from_mins(9), "{begun} {now}");
    assert_eq!(written(&world).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_banned_account_stops_and_its_chats_go_to_another() {
    let world = World::start(binary()).await;
    let program = running(&world, &["main", "fifth"]).await;
    made(&program, &["main", "fifth"], 6, json!({"delay_seconds": 0})).await;
    world.fault("banned", json!({"account": "main"})).await;
    start(&program).await;
    is(&program, "done").await;
    let shown = campaign(&program).await;
    let main = shown["senders"].as_array().expect("senders").iter().find(|row| row["account"] == "main");
    assert_eq!(main.expect("main")["state"], "blocked", "{shown}");
    let written = written(&world).await;
    assert!(written.len() == 6 && written.values().all(|times| *times == 1), "{written:?}");
    assert_eq!(shown["run"]["attempts"]["sent"], 6, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_pauses_and_a_stop_counts_before_the_next() {
    let world = World::start(binary()).await;
    let mut program = running(&world, &["fifth"]).await;
    made(&program, &["fifth"], 4, json!({"delay_seconds": 0})).await;
    let campaign_of = |arguments: &[&str]| cli(&world, &[&["campaign"], arguments].concat());
    let followed = campaign_of(&["start", "spring", "--limit", "2"]).beside().await;
    assert!(followed.code == Some(0) && followed.out.contains("canary"), "{followed:?}");
    assert_eq!(world.effects(SEND).await.len(), 2);
    program.post("/v1/do-not-contact", &json!({"contact": "@client_3"})).await;
    campaign_of(&["resume", "spring"]).fine();
    is(&program, "done").await;
    assert_eq!(
        reasons(&attempts(&program).await, "skipped"),
        [("@client_3".to_owned(), "do_not_contact".to_owned())]
    );
    assert_eq!(world.effects(SEND).await.len(), 3);
    assert_eq!(program.terminate().await, Some(0));
    let refused = campaign_of(&["start", "spring"]).run();
    assert!(refused.code == Some(2) && refused.err.contains("no server runs"), "{refused:?}");
    assert!(campaign_of(&["groups", "show", "spring"]).fine().contains("done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_writes_stop_gets_no_more_messages() {
    let world = World::start(binary()).await;
    let program = running(&world, &["fifth"]).await;
    made(&program, &["fifth"], 3, json!({"delay_seconds": 0})).await;
    let stop = json!({"from": "@client_2", "chat": "@demo_fifth", "text": "Stop!"});
    world.post("/telegram/messages", &stop).await;
    program
        .until("it is received", || async {
            let found = program.get("/v1/messages?direction=in&text=Stop!").await.1;
            found["items"].as_array().is_some_and(|items| !items.is_empty())
        })
        .await;
    start(&program).await;
    is(&program, "done").await;
    let skipped = reasons(&attempts(&program).await, "skipped");
    assert_eq!(skipped, [("@client_2".to_owned(), "opt_out".to_owned())]);
    assert_eq!(written(&world).await.len(), 2);
    let list = program.get("/v1/do-not-contact").await.1;
    assert_eq!(list["items"][0]["source"], "opt_out", "{list}");
    assert_eq!(program.send("@client_2", "hello").await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_the_old_tool_become_campaigns() {
    let world = World::start(binary()).await;
    let campaign = |arguments: &[&str]| cli(&world, &[&["campaign"], arguments].concat());
    let file = |name: &str, text: &str| {
        let path = world.data_dir("").join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    let groups = file(
        "groups.json",
        r#"{"groups": [{"name": "Spring", "profiles": ["main", "shop", "old_profile"],
            "chats": ["@client_1", "https://t.me/client_2", "x y", 6000000003],
            "messages": ["Hello", {"text": "Good day", "weight": 2}]}]}"#,
    );
    campaign(&["profiles", "add", "shop"]).fine();
    let dry = campaign(&["import-groups", &groups, "--dry-run"]).fine();
    for expected in ["spring", "profile:shop", "old_profile", "tasks 3:"] {
        assert!(dry.contains(expected), "{dry}");
    }
    assert!(campaign(&["groups", "list"]).fine().contains("no campaigns"));
    let imported = campaign(&["import-groups", &groups]).fine();
    assert!(imported.contains("old_profile") && imported.contains("tasks 3:"), "{imported}");
    let again = campaign(&["import-groups", &groups, "--json"]).run().json();
    assert_eq!(
        (&again["items"][0]["chats"], &again["items"][0]["messages"]),
        (&json!(0), &json!(0)),
        "{again}"
    );
    let config = file("config.yaml", "limits:\n  max_messages_per_hour: 20\n  max_cycles: 3\n");
    let settings = || campaign(&["groups", "show", "spring", "--json"]).run().json()["settings"].clone();
    let before = settings();
    campaign(&["import-config", &config, "--group", "spring", "--dry-run"]).fine();
    assert_eq!(settings(), before);
    campaign(&["import-config", &config, "--group", "spring"]).fine();
    let shown = campaign(&["groups", "show", "spring", "--json"]).run().json();
    assert_eq!(
        (&shown["settings"]["max_messages_per_hour"], &shown["settings"]["cycles"]),
        (&json!(20), &json!(3))
    );
    let senders = [&shown["senders"][0]["account"], &shown["senders"][1]["account"]];
    assert_eq!((&shown["chats"], senders), (&json!(3), [&json!("main"), &json!("profile:shop")]), "{shown}");
    assert!(campaign(&["list-profiles", "spring"]).fine().contains("main"));
}
