//! `/health`, `/stats` and `/reload_cache`: what the old callers look at, in each state of the accounts.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::ACCOUNTS;

use super::stage::{MEDIA, Stage, TEXT};

async fn stats(stage: &Stage, old: u16) -> Value {
    let reply = stage.get(old, "/stats").send().await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

fn account<'a>(stats: &'a Value, name: &str) -> &'a Value {
    let mut accounts = stats["accounts"].as_array().expect("accounts").iter();
    accounts.find(|account| account["name"] == name).unwrap_or_else(|| panic!("no {name} in {stats}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_state_has_its_old_word() {
    let stage = Stage::plain().await;
    let (code, _) = stage.program.post("/v1/accounts/fifth/actions/pause", &json!({})).await;
    assert_eq!(code, 200);
    stage.world.fault("session_revoked", json!({ "account": "backup_1" })).await;
    stage.world.fault("banned", json!({ "account": "backup_2" })).await;
    let flood = json!({ "account": "backup_3", "method": "messages.sendMessage", "seconds": 600 });
    stage.world.fault("flood_wait", flood).await;
    for name in ["backup_1", "backup_2", "backup_3"] {
        let body = json!({ "chat": "@client_1", "text": "x", "account": name, "wait": 0 });
        stage.program.post("/v1/messages", &body).await;
    }
    for (name, state) in
        [("backup_1", "needs_login"), ("backup_2", "banned"), ("backup_3", "flood_wait"), ("fifth", "paused")]
    {
        stage.program.account_is(name, state).await;
    }
    for old in [TEXT, MEDIA] {
        let report = stats(&stage, old).await;
        for (name, status, healthy) in [
            ("main", "healthy", true),
            ("backup_1", "error", false),
            ("backup_2", "banned", false),
            ("backup_3", "flood_wait", false),
            ("fifth", "offline", false),
        ] {
            let one = account(&report, name);
            assert_eq!(
                (&one["status"], &one["is_healthy"]),
                (&json!(status), &json!(healthy)),
                "{old} {one}"
            );
        }
        assert_eq!(account(&report, "main")["flood_remaining"], 0);
        let names: Vec<&Value> =
            report["accounts"].as_array().expect("accounts").iter().map(|one| &one["name"]).collect();
        assert_eq!(names.len(), 5, "{report}");
    }
    let report = stats(&stage, TEXT).await;
    let remaining = account(&report, "backup_3")["flood_remaining"].as_u64().expect("seconds");
    assert!((500..=600).contains(&remaining), "{remaining}");
    assert!(account(&report, "backup_2")["last_error"].is_string(), "{report}");
}

/// What each report says of sending texts and of an account.
async fn reports(stage: &Stage, account_name: &str) -> Value {
    let (_, service) = stage.program.get("/v1/services/send_text").await;
    let (_, one) = stage.program.get(&format!("/v1/accounts/{account_name}")).await;
    let port = stage.get(TEXT, "/health").send().await.json();
    let (_, overview) = stage.program.get("/v1/overview?kind=service,account").await;
    let lamp = |id: &str| {
        let mut cards = overview["items"].as_array().expect("cards").iter();
        cards.find(|card| card["id"] == id).expect("a card")["lamp"].clone()
    };
    json!({
        "overview": [lamp("service:send_text"), lamp(&format!("account:{account_name}"))],
        "service": [service["healthy"], service["trouble"]],
        "port": [port["status"], port["reason"]],
        "account": [one["healthy"], one["trouble"]],
        "stats": account(&stats(stage, TEXT).await, account_name)["is_healthy"],
    })
}

/// Waits until the reports are these, while time goes by.
async fn reports_are(stage: &Stage, account_name: &str, expected: Value) {
    let what = expected.to_string();
    let said = stage.program.until(&what, || async { reports(stage, account_name).await == expected });
    stage.program.as_time_goes_by(Duration::from_secs(4), said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_report_is_healthier_than_the_overview() {
    let stage = Stage::plain().await;
    let fine = json!({
        "overview": ["good", "good"], "service": [true, null], "port": ["ok", null], "account": [true, null], "stats": true,
    });
    reports_are(&stage, "main", fine.clone()).await;

    // An account whose every call goes wrong stays connected.
    let fault = json!({ "account": "main", "code": 500, "message": "INTERNAL" });
    stage.world.fault("rpc_error", fault).await;
    let mut failing = fine.clone();
    failing["overview"][1] = "trouble".into();
    failing["account"] = json!([false, "server_errors"]);
    failing["stats"] = false.into();
    reports_are(&stage, "main", failing).await;
    stage.world.delete("/faults").await;
    reports_are(&stage, "main", fine).await;

    // A flood of every account that messages of others go through.
    for name in ACCOUNTS {
        let flood = json!({ "account": name, "method": "messages.sendMessage", "seconds": 3600 });
        stage.world.fault("flood_wait", flood).await;
        let body = json!({ "chat": "@client_1", "text": "x", "account": name, "wait": 0 });
        stage.program.post("/v1/messages", &body).await;
    }
    let flooded = json!({
        "overview": ["trouble", "waiting"], "service": [false, "flood_wait"], "port": ["not_ready", "flood_wait"],
        "account": [false, "flood_wait"], "stats": false,
    });
    reports_are(&stage, "backup_1", flooded).await;
    // Chats are made by other calls, also at the port that is pinned to this account.
    assert_eq!(stage.get(5025, "/health").send().await.json(), json!({ "status": "ok" }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_empties_nothing() {
    let stage = Stage::plain().await;
    let group = stage.world.chat_titled("Demo supergroup").await;
    let before = stats(&stage, TEXT).await["cache_size"].as_u64().expect("a number");
    // The reading takes its time; what was known stays known meanwhile.
    stage.world.fault("delay", json!({ "method": "messages.getDialogs", "seconds": 1 })).await;
    for old in [TEXT, MEDIA] {
        let reply = stage.call(old, "/reload_cache", &json!({})).send().await;
        reply.must_be(200, &json!({ "status": "ok", "cache_size": "<positive>" }));
        assert!(reply.json()["cache_size"].as_u64() >= Some(before), "{before} {}", reply.text);
    }
    let reply = stage.send_text(&json!({ "chat": group, "text": "known all the while" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert!(stats(&stage, TEXT).await["cache_size"].as_u64() >= Some(before));
}
