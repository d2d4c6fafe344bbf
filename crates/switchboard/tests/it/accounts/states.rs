//! Accounts and lines: what is wrong with one is said, and costs the others nothing.

use std::time::Duration;

use serde_json::json;
use testkit::{Start, World};

use crate::binary;
use crate::importing::stage as moving;
use crate::shell::cli::cli;

#[tokio::test(flavor = "multi_thread")]
async fn bad_sessions_have_their_reasons_and_cost_the_others_nothing() {
    let world = World::start(binary()).await;
    let broken = world.data_dir("broken.session");
    std::fs::write(&broken, "this is no session").expect("writes");
    world.edit_settings(|text| {
        format!(
            "{text}\n[[telegram.accounts]]\nname = \"missing\"\npriority = 7\napi_id = 1000001\napi_hash = \"x\"\n\
             sessions = [{{ file = \"nowhere.session\" }}]\n\
             [[telegram.accounts]]\nname = \"broken\"\npriority = 8\napi_id = 1000001\napi_hash = \"x\"\n\
             sessions = [{{ file = \"{}\" }}]\n",
            broken.display()
        )
    });
    world.fault("session_revoked", json!({"account": "backup_1"})).await;
    world.fault("banned", json!({"account": "backup_2"})).await;
    world.fault("auth_key_duplicated", json!({"account": "backup_3"})).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    program.account_is("fifth", "ready").await;
    for (name, state, reason) in [
        ("missing", "needs_login", "no_session"),
        ("broken", "needs_login", "no_session"),
        ("backup_1", "needs_login", "session_revoked"),
        ("backup_2", "banned", "banned"),
        ("backup_3", "needs_login", "auth_key_duplicated"),
    ] {
        program.account_is(name, state).await;
        let (_, account) = program.get(&format!("/v1/accounts/{name}")).await;
        assert_eq!(account["reason"], reason, "{account}");
    }
    let (_, duplicated) = program.get("/v1/accounts/backup_3").await;
    let advice = duplicated["advice"].as_str().expect("an advice");
    assert!(advice.contains("another program used the same session; stop it"), "{duplicated}");
    assert!(advice.contains("then sign in again"), "{duplicated}");
    let (_, listed) = program.get("/v1/accounts").await;
    let listed =
        listed["items"].as_array().expect("items").iter().find(|account| account["name"] == "missing");
    assert_eq!(listed.expect("it is listed all the same")["state"], "needs_login");
    // The file is looked for beside the settings, and named as it was looked for.
    let wanted = world.settings_file().with_file_name("nowhere.session");
    let why = format!(
        "missing: no_session: the session file {} cannot be used: it cannot be opened",
        wanted.display()
    );
    let list = cli(&world, &["account", "list"]).fine();
    let of_it = |line: &&str| line.split_whitespace().take(2).eq(["missing", "needs_login"]);
    assert!(list.lines().any(|line| of_it(&line)) && list.contains(&why), "{list}");
    assert!(list.contains("backup_3: auth_key_duplicated"), "{list}");
    let (status, sent) = program.send("@client_1", "all the same").await;
    assert_eq!(status, 200, "{sent}");
    let (status, problem) =
        program.post("/v1/messages", &json!({"chat": "@client_1", "text": "x", "account": "backup_2"})).await;
    assert_eq!((status, &problem["code"]), (503, &json!("no_account")), "{problem}");
    let (status, problem) =
        program.post("/v1/messages", &json!({"chat": "@client_1", "text": "x", "account": "nobody"})).await;
    assert_eq!((status, &problem["code"]), (404, &json!("account_not_found")), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_paths_are_relative_to_the_settings() {
    let world = moving::world().await;
    let folder = world.settings_file().parent().expect("a folder").join("sessions");
    std::fs::create_dir(&folder).expect("made");
    moving::file(&world, &folder.join("relative.session"), &[]).await;
    let person = world.account(moving::MOVING).await;
    world.edit_settings(|text| {
        format!(
            "{text}\n[[telegram.accounts]]\nname = \"relative\"\npriority = 7\napi_id = {}\napi_hash = \"{}\"\n\
             sessions = [{{ file = \"sessions/relative.session\" }}]\n",
            person["api_id"],
            person["api_hash"].as_str().expect("a text")
        )
    });
    let elsewhere = std::env::current_dir().expect("a folder");
    assert!(!elsewhere.join("sessions").exists(), "the program is started where no such folder is");
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("relative", "ready").await;
    assert_eq!(program.get("/v1/accounts/relative").await.1["user_id"], person["user_id"]);
    program.terminate().await;
    let shown: serde_json::Value = cli(&world, &["account", "show", "relative", "--json"]).run().json();
    assert_eq!((&shown["state"], &shown["lines"][0]["name"]), (&json!("offline"), &json!("all")), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deaf_account_is_noticed_and_comes_back() {
    let world = World::start(binary()).await;
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    world.fault("deaf", json!({"account": "fifth"})).await;
    program
        .until("the deaf account is in trouble", || async {
            program.advance(Duration::from_secs(10)).await;
            let (_, account) = program.get("/v1/accounts/fifth").await;
            account["state"] == "error" && account["reason"] == "no_answer"
        })
        .await;
    world.delete("/faults").await;
    program
        .until("it comes back", || async {
            program.advance(Duration::from_secs(20)).await;
            program.get("/v1/accounts/fifth").await.1["state"] == "ready"
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_is_remembered_over_a_restart() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "ready").await;
    let flood = json!({"account": "fifth", "method": "messages.sendMessage", "seconds": 600, "times": 1});
    world.fault("flood_wait", flood).await;
    let body = json!({"chat": "@client_1", "text": "later", "account": "fifth", "wait": 0});
    let (_, sent) = program.post("/v1/messages", &body).await;
    let id = sent["id"].as_str().expect("an id");
    program.account_is("fifth", "flood_wait").await;
    // The account shows it at once; the store has it when the timeline does.
    program
        .until("the flood is written down", || async {
            program.get(&format!("/v1/messages/{id}")).await.1["attempts"][0]["outcome"] == "flood_wait"
        })
        .await;
    program.kill();
    let program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("fifth", "flood_wait").await;
    assert_eq!(world.sent().await, Vec::<String>::new());
    program.advance(Duration::from_secs(601)).await;
    program
        .until("it is sent after the flood", || async {
            program.get(&format!("/v1/messages/{id}")).await.1["state"] == "sent"
        })
        .await;
    assert_eq!(world.sent().await, ["later"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn account_states_are_shown_with_and_without_server() {
    let world = World::start(binary()).await;
    let mut program = Start::on(&world, binary(), "data").ready().await;
    program.account_is("main", "ready").await;
    let run = |arguments: &[&str]| cli(&world, arguments).fine();
    let list = run(&["account", "list"]);
    assert!(
        list.contains("ACCOUNT") && list.lines().any(|l| l.starts_with(" main") && l.contains("ready")),
        "{list}"
    );
    let shown: serde_json::Value =
        serde_json::from_str(&run(&["account", "show", "main", "--json"])).expect("JSON");
    assert_eq!((&shown["name"], &shown["state"]), (&json!("main"), &json!("ready")));

    let key = run(&["key", "create", "n8n", "--scope", "send"]);
    assert_eq!(program.status_with(key.trim(), "/v1/messages").await, 403, "it may only send");
    let read = |arguments: &[&str]| -> serde_json::Value {
        serde_json::from_str(&run(&[arguments, &["--json"]].concat())).expect("JSON")
    };
    let shop = read(&[
        "key",
        "create",
        "shop",
        "--account",
        "main",
        "--chat",
        "-1001234567890",
        "--channel",
        "telegram",
        "--expires-in",
        "90d",
        "--rate",
        "10/s",
        "--burst",
        "20",
    ]);
    assert_eq!((&shop["chats"], &shop["burst"]), (&json!(["-1001234567890"]), &json!(20)), "{shop}");
    assert!(shop["expires_at"].is_string(), "{shop}");
    let id = shop["id"].as_str().expect("an id");
    let changed = read(&["key", "change", id, "--any-chat", "--never-expires", "--rate", "600/m"]);
    for (field, value) in [
        ("accounts", json!(["main"])),
        ("chats", json!([])),
        ("expires_at", json!(null)),
        ("rate", json!("600/m")),
        ("burst", json!(null)),
    ] {
        assert_eq!(changed[field], value, "{field}: {changed}");
    }

    program.terminate().await;
    let list = run(&["account", "list"]);
    assert!(list.contains("offline"), "{list}");
    assert!(run(&["key", "list"]).contains("n8n"));
}
