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

/// What each of those that programs watch says of a service and of an account: whether it works, and why not.
async fn verdicts(stage: &Stage, account_name: &str) -> [(bool, Value); 4] {
    let (_, service) = stage.program.get("/v1/services/send_text").await;
    let (_, one) = stage.program.get(&format!("/v1/accounts/{account_name}")).await;
    let old = stage.get(TEXT, "/health").send().await.json();
    let of_stats = account(&stats(stage, TEXT).await, account_name)["is_healthy"] == true;
    [
        (service["healthy"] == true, service["trouble"].clone()),
        (old["status"] == "ok", old["reason"].clone()),
        (one["healthy"] == true, one["trouble"].clone()),
        (of_stats, one["trouble"].clone()),
    ]
}

fn well() -> (bool, Value) {
    (true, Value::Null)
}

fn fine() -> [(bool, Value); 4] {
    [(); 4].map(|()| well())
}

/// Waits until they say this, while time goes by.
async fn all_say(stage: &Stage, account_name: &str, expected: [(bool, Value); 4]) {
    let what = format!("{expected:?}");
    let said = stage.program.until(&what, || async { verdicts(stage, account_name).await == expected });
    stage.program.as_time_goes_by(Duration::from_secs(4), said).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn none_says_more_good_than_the_overview() {
    let stage = Stage::plain().await;
    all_say(&stage, "main", fine()).await;

    // An account whose every call goes wrong stays connected.
    let fault = json!({ "account": "main", "code": 500, "message": "INTERNAL" });
    stage.world.fault("rpc_error", fault).await;
    let failing = (false, json!("server_errors"));
    all_say(&stage, "main", [well(), well(), failing.clone(), failing]).await;
    stage.world.delete("/faults").await;
    all_say(&stage, "main", fine()).await;

    // A flood of every account that messages of others go through.
    for name in ACCOUNTS {
        let flood = json!({ "account": name, "method": "messages.sendMessage", "seconds": 3600 });
        stage.world.fault("flood_wait", flood).await;
        let body = json!({ "chat": "@client_1", "text": "x", "account": name, "wait": 0 });
        stage.program.post("/v1/messages", &body).await;
    }
    all_say(&stage, "backup_1", [(); 4].map(|()| (false, json!("flood_wait")))).await;
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
