//! Each kind of card turns red on the page for the right reason within a minute of the program's time, and none without one.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use testkit::free_port;

use crate::chromium::Tab;
use crate::stage::Stage;

/// The lamp, the state and the words of a card.
pub(crate) async fn looks(tab: &Tab, card: &str, lamp: &str, state: &str, words: &str) {
    let found = format!("document.getElementById('c-{card}')");
    tab.point_away().await;
    tab.until(&format!(
        "{found}?.dataset.state === '{state}' && {found}.querySelector('h3 .lamp').classList.contains('{lamp}') \
         && {found}.innerText.toLowerCase().includes({words:?})"
    ))
    .await;
}

/// The cards that are red.
pub(crate) async fn red(tab: &Tab) -> String {
    tab.text("[...document.querySelectorAll('.card')].filter((one) => one.querySelector('h3 .lamp.bad')).map((one) => one.id).sort().join(' ')")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn accounts_and_their_services() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    // Without a fault nothing is red, whatever is done meanwhile.
    for text in ["one", "two", "three"] {
        assert_eq!(stage.program.send("@client_1", text).await.0, 200);
        stage.pass(60).await;
        assert_eq!(red(&tab).await, "");
    }
    tab.until(
        "document.querySelectorAll('.card h3 .lamp.ok').length === document.querySelectorAll('.card').length",
    )
    .await;

    stage.world.fault("deaf", json!({ "account": "main" })).await;
    stage.world.fault("session_revoked", json!({ "account": "backup_1" })).await;
    stage.world.fault("banned", json!({ "account": "backup_2" })).await;
    let flood = json!({ "account": "fifth", "method": "messages.sendMessage", "seconds": 3600 });
    stage.world.fault("flood_wait", flood).await;
    let order = json!({ "chat": "@client_5", "text": "by pin", "account": "fifth", "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
    stage.pass(60).await;
    looks(&tab, "account:main", "bad", "error", "answer").await;
    looks(&tab, "account:backup_1", "bad", "needs_login", "session").await;
    looks(&tab, "account:backup_2", "bad", "banned", "ban").await;
    // A flood wait ends by itself: it waits, and is not red.
    looks(&tab, "account:fifth", "wait", "flood_wait", "flood").await;
    let red = red(&tab).await;
    assert!(!red.contains("service") && !red.contains("store") && !red.contains("backup_3"), "{red}");
    // Whoever knows of it can have quiet.
    tab.until("document.querySelectorAll('#alerts > .alert.bad').length >= 3").await;
    let muted = "document.querySelectorAll('#alerts button[formaction$=mute]').length";
    let before = tab.tell(muted).await;
    tab.press("#alerts button[formaction$=mute]").await;
    tab.until("document.querySelector('#notes .toast:not(.bad)') !== null").await;
    tab.until(&format!("{muted} < {before}")).await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_a_worker_that_stands_still_a_store_that_is_locked() {
    let port = free_port();
    let taken = TcpListener::bind(("127.0.0.1", port)).expect("the port");
    let line = format!("ports = [\n  {{ port = {port}, service = \"send_text\" }},");
    let stage = Stage::with(|text| text.replacen("ports = [", &line, 1)).await;
    let tab = stage.tab().await;
    tab.open("/").await;
    stage.pass(60).await;
    looks(&tab, &format!("port:{port}"), "bad", "taken", "taken").await;
    assert_eq!(red(&tab).await, format!("c-port:{port}"));
    drop(taken);

    let database = stage.world.data_dir("data").join("switchboard.db");
    let other = rusqlite::Connection::open(database).expect("the database");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    stage.pass(60).await;
    looks(&tab, "store", "bad", "unavailable", "").await;
    other.execute_batch("ROLLBACK").expect("unlocked");
    drop(other);
    stage.pass(60).await;
    looks(&tab, "store", "ok", "ready", "").await;

    // Work becomes due, and the worker that takes it up stands still from then on.
    let soon = tab.text("new Date(Date.now() + 360000).toISOString()").await;
    let order = json!({ "chat": "@client_1", "text": "It stands.", "send_at": soon, "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
    stage.program.arm("store.begin.before", 0).await;
    let due = || async { stage.program.stopped_at("store.begin.before").await };
    let waiting = stage.program.until("the worker stands still", due);
    stage.program.as_time_goes_by(Duration::from_secs(5), waiting).await;
    stage.pass(60).await;
    looks(&tab, "service:send_text", "bad", "stalled", "").await;
    looks(&tab, "queue", "bad", "stalled", "").await;
    assert!(!red(&tab).await.contains("account"));
}
