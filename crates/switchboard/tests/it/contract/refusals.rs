//! The table of refusals: nobody usable, everybody flooded, tried and failed, on each port. Each is final.

use std::time::Duration;

use serde_json::{Value, json};

use super::caller::Call;
use super::stage::{CREATE, LEAVE, MEDIA, Setup, Stage, TEXT};

fn bodies() -> [(u16, &'static str, Value); 4] {
    [
        (CREATE, "/create_chat", json!({ "title": "Refused", "usernames": ["@client_1"] })),
        (TEXT, "/send_text", json!({ "chat": "@client_1", "text": "refused" })),
        (MEDIA, "/send_media", json!({ "username": "@client_1", "files": ["photo.png"] })),
        (LEAVE, "/leave_chat", json!({ "chat": "-1009999999999" })),
    ]
}

/// The shape of an error: on the port that creates chats it is bare.
fn error(old: u16) -> Value {
    match old {
        CREATE => json!({ "error": "<text>" }),
        _ => json!({ "status": "error", "error": "<text>" }),
    }
}

async fn each_says_503(stage: &Stage) {
    for (old, path, body) in bodies() {
        let reply = stage.call(old, path, &body).send().await;
        assert_eq!(reply.status, 503, "{path}: {}", reply.text);
        reply.must_be(503, &error(old));
    }
    assert!(stage.world.ledger().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_account_banned_there_is_none_usable() {
    let faults = vec![("banned", json!({}))];
    let stage = Stage::with(Setup { faults, until_ready: false, ..Setup::default() }).await;
    for name in ["main", "backup_1", "backup_2", "backup_3", "fifth"] {
        stage.program.account_is(name, "banned").await;
    }
    each_says_503(&stage).await;
    for (old, account) in [(5025, "backup_1"), (5029, "backup_2"), (5030, "backup_3")] {
        let body = json!({ "title": account, "usernames": ["@client_1"] });
        stage.call(old, "/create_chat", &body).send().await.must_be(503, &error(CREATE));
    }
    let body = json!({ "chat": "@demo_channel" });
    stage.call(5028, "/leave_chat", &body).send().await.must_be(503, &error(LEAVE));
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_account_there_is_none_usable() {
    let mut setup = Setup { accounts: false, ..Setup::default() };
    setup.ports.retain(|(_, line)| !line.contains("account"));
    let stage = Stage::with(setup).await;
    each_says_503(&stage).await;
    for old in [TEXT, MEDIA, LEAVE] {
        let health = stage.get(old, "/health").send().await;
        assert_eq!((health.status, health.text.as_str()), (200, r#"{"status":"not_ready"}"#));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_every_account_flooded_the_caller_learns_how_long() {
    let stage = Stage::plain().await;
    let basic = stage.world.chat_titled("Demo group").await;
    let leave = json!({ "chat": basic });
    for (method, old, path, body, status) in [
        ("channels.createChannel", CREATE, "/create_chat", &bodies()[0].2, 503),
        ("messages.sendMessage", TEXT, "/send_text", &bodies()[1].2, 429),
        ("messages.deleteChatUser", LEAVE, "/leave_chat", &leave, 503),
    ] {
        stage.world.fault("flood_wait", json!({ "method": method, "seconds": 600 })).await;
        let reply = stage.call(old, path, body).send().await;
        let shape = match old {
            CREATE => json!({ "error": "<text>", "retry_after": "<positive>" }),
            TEXT => json!({ "status": "error", "error": "FloodWait", "retry_after": "<positive>" }),
            _ => json!({ "status": "error", "error": "<text>", "retry_after": "<positive>" }),
        };
        reply.must_be(status, &shape);
        let after = reply.json()["retry_after"].as_u64().expect("seconds");
        assert!((500..=600).contains(&after), "{path}: {after}");
    }
    // Each was final: with the floods over, nothing of it is done.
    stage.world.delete("/faults").await;
    stage.program.advance(Duration::from_secs(601)).await;
    let reply = stage.send_text(&json!({ "chat": "@client_1", "text": "a new call" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let effects = stage.world.ledger().await;
    assert_eq!((effects.len(), &effects[0]["text"]), (1, &json!("a new call")), "{effects:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_supergroup_that_floods_to_all_is_left_later() {
    let stage = Stage::plain().await;
    let chat = stage.made("Flooded", &["@client_1"]).await;
    for method in ["channels.editBanned", "channels.leaveChannel"] {
        stage.world.fault("flood_wait", json!({ "method": method, "seconds": 600 })).await;
    }
    let reply = stage.leave(&json!({ "chat": chat })).await;
    reply.must_be(503, &json!({ "status": "error", "error": "<text>", "retry_after": "<positive>" }));
    assert!(stage.world.effects("channels.leaveChannel").await.is_empty());
    assert!(stage.world.effects("channels.editBanned").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn tried_and_failed() {
    let stage = Stage::plain().await;
    let basic = stage.world.chat_titled("Demo group").await;
    let leave = json!({ "chat": basic });
    for (method, message, old, path, body) in [
        ("channels.createChannel", "CHANNELS_TOO_MUCH", CREATE, "/create_chat", &bodies()[0].2),
        ("messages.sendMessage", "CHAT_WRITE_FORBIDDEN", TEXT, "/send_text", &bodies()[1].2),
        ("messages.deleteChatUser", "CHAT_ADMIN_REQUIRED", LEAVE, "/leave_chat", &leave),
    ] {
        stage.world.fault("rpc_error", json!({ "method": method, "code": 400, "message": message })).await;
        let reply = stage.call(old, path, body).send().await;
        assert_eq!(reply.status, 500, "{path}: {}", reply.text);
        reply.must_be(500, &error(old));
        stage.world.delete("/faults").await;
    }
    assert!(stage.world.ledger().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_the_whole_hold_ends_in_a_final_no() {
    // No account ever connects, and none is known to be unusable: whoever calls is kept waiting.
    let faults = vec![("disconnect_before", json!({}))];
    let stage = Stage::with(Setup { faults, until_ready: false, ..Setup::default() }).await;
    let calls: Vec<(u16, Call)> = bodies()
        .into_iter()
        .filter(|(old, ..)| matches!(*old, CREATE | TEXT))
        .map(|(old, path, body)| (old, stage.call(old, path, &body)))
        .collect();
    for (old, call) in calls {
        let reply = stage.hurrying(Duration::from_secs(5), call.send()).await;
        assert_eq!(reply.status, 503, "{}", reply.text);
        reply.must_be(503, &error(old));
    }
    stage.world.delete("/faults").await;
    stage
        .program
        .until("the accounts are back", || async {
            stage.program.advance(Duration::from_secs(20)).await;
            stage.program.get("/v1/accounts/main").await.1["state"] == "ready"
        })
        .await;
    let reply = stage.send_text(&json!({ "chat": "@client_1", "text": "a new call" })).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(stage.world.ledger().await.len(), 1);
}
