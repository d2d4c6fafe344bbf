//! Each kind of card turns red on the page for the right reason within a minute of the program's time, and none without one.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;
use testkit::{ACCOUNTS, free_port};

use crate::chromium::Tab;
use crate::minute::{before_a_fault, by_the_machine, was_red_in_time};
use crate::stage::Stage;

/// The account that works only for whoever names it.
const BY_NAME_ONLY: &str = "fifth";

/// How often cards are asked.
const BEAT: Duration = Duration::from_secs(20);

/// Where a round of beats asks the store.
const ROUND: &str = "store.round_trip";

/// Where a worker begins a piece of work.
const STANDS: &str = "store.begin.before";

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

/// What a flood wait looks like beside a card that is red: its minute on the strip is as red as that one's lamp, and its alert
/// is amber as its own lamp is.
async fn failed_in_amber(tab: &Tab, name: &str, lost: &str) {
    let card = |name: &str| format!("document.getElementById('c-account:{name}')");
    let minute = format!("getComputedStyle({}.querySelector('.strip path.f')).stroke", card(name));
    let lamp = format!("getComputedStyle({}.querySelector('h3 .lamp.bad')).backgroundColor", card(lost));
    tab.until(&format!("{minute} === {lamp}")).await;
    let alert = alert_of(name);
    tab.until(&format!(
        "{alert}?.classList.contains('wait') && !{alert}.classList.contains('bad') && {alert}.textContent.toLowerCase().includes('flood wait')"
    ))
    .await;
}

/// The state of an account's session and the words beside it, in the fold of its account.
async fn session_looks(tab: &Tab, account: &str, lamp: &str, words: &str) {
    let session = format!("document.querySelector('[id=\"f-account:{account}\"] li')");
    tab.point_away().await;
    tab.until(&format!(
        "{session}?.querySelector('.lamp').classList.contains('{lamp}') && {session}.textContent.toLowerCase().includes({words:?})"
    ))
    .await;
}

/// The alert that names a card, or the card that tells its alert.
fn alert_of(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('#alerts .alert, .card:has(.alerted)')].find((one) => one.querySelector('strong, h3 a').textContent.includes({name:?}))"
    )
}

/// The alert says why.
async fn alerts(tab: &Tab, name: &str, why: &str) {
    let alert = alert_of(name);
    tab.until(&format!(
        "{alert}?.classList.contains('bad') && {alert}.textContent.toLowerCase().includes({why:?})"
    ))
    .await;
}

/// A round of beats stands at the point where it asks the store.
async fn a_round_stands(stage: &Stage) {
    stage.program.arm(ROUND, 0).await;
    stage.program.advance(BEAT).await;
    stage.program.until("a round stands", || stage.program.stopped_at(ROUND)).await;
}

/// The worker goes on: the alert of the queue stays through the first good answer and leaves with the second.
async fn goes_on_and_its_alert_leaves(stage: &Stage, tab: &Tab) {
    let program = &stage.program;
    let open = || async {
        let (_, alerts) = program.get("/v1/alerts?state=open").await;
        let mut alerts = alerts["items"].as_array().expect("items").iter();
        alerts.any(|alert| alert["card"] == "queue")
    };
    a_round_stands(stage).await;
    program.release(STANDS).await;
    program
        .until("it is sent", || async { stage.world.sent().await.contains(&"It stands.".to_owned()) })
        .await;
    assert!(open().await);
    // This round is the first that is good, and the next one does not end before it was looked at.
    program.release(ROUND).await;
    program.arm(ROUND, 0).await;
    program.until("it is well", || async { program.get("/v1/cards/queue").await.1["lamp"] == "good" }).await;
    assert!(open().await, "one good answer is not enough");
    // The service that stood with it is well too: their alerts are in one fold that names them.
    tab.until(&format!("{} !== undefined", alert_of("queue"))).await;
    program.release(ROUND).await;
    stage.pass(60).await;
    program.until("the alert is over", || async { !open().await }).await;
    looks(tab, "queue", "ok", "ready", "").await;
    tab.until(&format!("{} === undefined", alert_of("queue"))).await;
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

    let fault = before_a_fault(&stage).await;
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
    for card in ["account:main", "account:backup_1", "account:backup_2"] {
        was_red_in_time(&stage, card, fault).await;
    }
    // A flood wait ends by itself: it waits, and is not red.
    looks(&tab, "account:fifth", "wait", "flood_wait", "flood").await;
    failed_in_amber(&tab, "fifth", "backup_2").await;
    let red = red(&tab).await;
    assert!(!red.contains("service") && !red.contains("store") && !red.contains("backup_3"), "{red}");
    // Whoever knows of it can have quiet.
    tab.until("document.querySelectorAll('#needs .card.bad .alerted').length >= 3").await;
    let muted = "document.querySelectorAll('#needs button[formaction$=mute]').length";
    let before = tab.tell(muted).await;
    tab.press("#needs button[formaction$=mute]").await;
    tab.until("document.querySelector('#notes .toast:not(.bad)') !== null").await;
    tab.until(&format!("{muted} < {before}")).await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn taken_port_stalled_worker_and_locked_store_are_red() {
    let port = free_port();
    let taken = TcpListener::bind(("127.0.0.1", port)).expect("the port");
    let line = format!("ports = [\n  {{ port = {port}, service = \"send_text\" }},");
    // The program does not run yet: its clock is that of the machine.
    let fault = by_the_machine();
    let stage = Stage::with(|text| text.replacen("ports = [", &line, 1)).await;
    let tab = stage.tab().await;
    tab.open("/").await;
    stage.pass(60).await;
    looks(&tab, &format!("port:{port}"), "bad", "taken", "taken").await;
    was_red_in_time(&stage, &format!("port:{port}"), fault).await;
    assert_eq!(red(&tab).await, format!("c-port:{port}"));
    alerts(&tab, &port.to_string(), "another program has the port").await;
    drop(taken);

    let fault = before_a_fault(&stage).await;
    let database = stage.world.data_dir("data").join("switchboard.db");
    let other = rusqlite::Connection::open(database).expect("the database");
    other.execute_batch("BEGIN IMMEDIATE").expect("locked");
    // The next round asks it, and waits for the lock by a clock of SQLite's own, which must not be leapt over.
    stage.pass(BEAT.as_secs()).await;
    looks(&tab, "store", "bad", "unavailable", "the database does not answer").await;
    was_red_in_time(&stage, "store", fault).await;
    // Its alert is told, though the database is what would keep it.
    alerts(&tab, "store", "the database does not answer").await;
    other.execute_batch("ROLLBACK").expect("unlocked");
    drop(other);
    stage.pass(60).await;
    looks(&tab, "store", "ok", "ready", "").await;

    // Work becomes due, and the worker that takes it up stands still from then on.
    let now = stage.program.now().await;
    let soon = tab.text(&format!("new Date(Date.parse('{now}') + 360000).toISOString()")).await;
    let order = json!({ "chat": "@client_1", "text": "It stands.", "send_at": soon, "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
    stage.program.arm(STANDS, 0).await;
    let due = || async { stage.program.stopped_at(STANDS).await };
    let waiting = stage.program.until("the worker stands still", due);
    stage.program.as_time_goes_by(Duration::from_secs(5), waiting).await;
    stage.pass(60).await;
    let why = "nothing starts. restart the program";
    looks(&tab, "service:send_text", "bad", "stalled", why).await;
    // The queue stands still because of it, and says no more.
    looks(&tab, "queue", "bad", "stalled", "").await;
    // From when on it was due.
    let due = soon.parse().expect("an instant");
    for card in ["service:send_text", "queue"] {
        was_red_in_time(&stage, card, due).await;
    }
    alerts(&tab, "send_text", "nothing starts").await;
    alerts(&tab, "queue", "work is waiting but does not start").await;
    assert!(!red(&tab).await.contains("account"));
    goes_on_and_its_alert_leaves(&stage, &tab).await;
}

/// Whose accounts must all wait is red for that, and well again at the deadline; the accounts themselves are amber.
async fn everybody_must_wait(stage: &Stage, tab: &Tab, pool: &[&str]) {
    let mut fault = before_a_fault(stage).await;
    for name in pool {
        // It is not red before the last one waits.
        fault = before_a_fault(stage).await;
        let flood = json!({ "account": name, "method": "messages.sendMessage", "seconds": 600 });
        stage.world.fault("flood_wait", flood).await;
        let order = json!({ "chat": "@client_1", "text": "by pin", "account": name, "wait": 0 });
        assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
        stage.program.account_is(name, "flood_wait").await;
    }
    stage.pass(60).await;
    looks(tab, "service:send_text", "bad", "flood_wait", "told every account that could do this to wait")
        .await;
    was_red_in_time(stage, "service:send_text", fault).await;
    looks(tab, "service:create_chat", "ok", "active", "").await;
    looks(tab, "account:main", "wait", "flood_wait", "flood").await;
    alerts(tab, "send_text", "flood wait").await;
    assert_eq!(red(tab).await, "c-service:send_media c-service:send_text");
    stage.world.delete("/faults").await;
    stage.pass(600).await;
    looks(tab, "service:send_text", "ok", "active", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn service_without_a_usable_account_is_red() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    stage.pass(60).await;
    looks(&tab, "service:send_text", "ok", "active", "").await;
    session_looks(&tab, "backup_1", "ok", "ready").await;
    let pool: Vec<_> = ACCOUNTS.into_iter().filter(|name| *name != BY_NAME_ONLY).collect();
    everybody_must_wait(&stage, &tab, &pool).await;
    // While one account of the pool is left, the services go on; the session is red within its account.
    let (last, others) = pool.split_last().expect("accounts");
    let fault = before_a_fault(&stage).await;
    for name in others {
        stage.world.fault("session_revoked", json!({ "account": name })).await;
    }
    stage.pass(60).await;
    session_looks(&tab, "backup_1", "bad", "needs login: the session was ended elsewhere").await;
    was_red_in_time(&stage, "line:backup_1:all", fault).await;
    looks(&tab, "service:send_text", "ok", "active", "").await;
    assert!(!red(&tab).await.contains("service"), "{}", red(&tab).await);
    let fault = before_a_fault(&stage).await;
    stage.world.fault("session_revoked", json!({ "account": last })).await;
    stage.pass(60).await;
    for service in ["create_chat", "send_text", "send_media", "leave_chat"] {
        // It names who is to be mended.
        looks(&tab, &format!("service:{service}"), "bad", "unable", "main").await;
        was_red_in_time(&stage, &format!("service:{service}"), fault).await;
    }
    looks(&tab, &format!("account:{BY_NAME_ONLY}"), "ok", "ready", "").await;
    let red = red(&tab).await;
    assert!(!red.contains("store") && !red.contains("queue") && !red.contains("port"), "{red}");
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}
