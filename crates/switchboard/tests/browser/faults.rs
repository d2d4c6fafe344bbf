//! Each kind of card turns red on the page for the right reason within a minute of the program's time, and none without one.

use serde_json::json;

use crate::chromium::Tab;
use crate::minute::{before_a_fault, was_red_in_time};
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

/// The alert that names a card, or the card that shows its alert.
fn alert_of(name: &str) -> String {
    format!(
        "[...document.querySelectorAll('#alerts .alert, .card:has(.alerted)')].find((one) => one.querySelector('strong, h3 a').textContent.includes({name:?}))"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_accounts_and_services_are_red_in_time() {
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
    // Anyone who knows of it can mute it.
    tab.until("document.querySelectorAll('#needs .card.bad .alerted').length >= 3").await;
    let muted = "document.querySelectorAll('#needs button[formaction$=mute]').length";
    let before = tab.tell(muted).await;
    tab.press("#needs button[formaction$=mute]").await;
    tab.until("document.querySelector('#notes .toast:not(.bad)') !== null").await;
    tab.until(&format!("{muted} < {before}")).await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}
