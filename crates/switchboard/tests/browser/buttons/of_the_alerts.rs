//! What stands above the cards and leads to them: alerts, those in the fold, a clearing; and a card that leads to its lines.

use serde_json::json;

use super::{done, is_sound};
use crate::chromium::{Key, Tab, Theme};
use crate::stage::Stage;

/// Alerts that stand open.
const UNFOLDED: usize = 3;

/// The link of an alert to its card.
fn show_it(name: &str) -> String {
    format!("document.querySelector('.alert a.btn[href$=\"{name}\"]')")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alert_leads_to_its_card_also_from_the_fold_and_past_a_filter() {
    let stage = Stage::start().await;
    stage.pass(30).await;
    let lost = ["main", "backup_1", "backup_2", "backup_3"];
    for name in lost {
        stage.world.fault("session_revoked", json!({ "account": name })).await;
    }
    stage.world.fault("deaf", json!({ "account": "fifth" })).await;
    stage.pass(120).await;
    stage.program.account_is("fifth", "error").await;
    let tab = stage.tab().await;
    tab.open("/").await;
    let alerts = "document.querySelectorAll('#alerts .alert').length";
    tab.until(&format!("{alerts} > {UNFOLDED} && document.querySelector('#alerts details.folded') !== null"))
        .await;
    in_the_fold(&tab).await;
    leads_to(&tab).await;
    trouble(&tab).await;
    restarted(&stage, &tab).await;
    of_a_card(&tab).await;
    is_sound(&tab);
}

/// More than a few are in a fold, which says how many, and stays as it was opened.
async fn in_the_fold(tab: &Tab) {
    let folded = "[...document.querySelectorAll('#alerts details.folded .alert')]";
    let hidden = tab.tell(&format!("{folded}.filter((one) => !one.checkVisibility()).length")).await;
    let many = hidden.as_u64().expect("a number");
    assert!(many > 0);
    assert_eq!(tab.tell(&format!("{folded}.length")).await, many);
    let says = tab.text("document.querySelector('details.folded summary').textContent").await;
    assert!(says.starts_with(&many.to_string()), "{says}");
    tab.press("details.folded > summary").await;
    tab.until(&format!("{folded}.every((one) => one.checkVisibility())")).await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
}

/// The card comes into view; where a filter leaves it out, its page does.
async fn leads_to(tab: &Tab) {
    let link = show_it("#c-account:main");
    tab.until(&format!("{link} !== null")).await;
    tab.press(".alert a.btn[href$='#c-account:main']").await;
    tab.until(
        "location.hash === '#c-account:main' && document.querySelector(':target')?.id === 'c-account:main' \
         && (() => { const box = document.querySelector(':target').getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight; })()",
    )
    .await;
    tab.open("/?kind=service").await;
    assert_eq!(
        tab.tell(&format!("{link} === null && document.getElementById('c-account:main') === null")).await,
        true
    );
    if tab.tell(&format!("{}.checkVisibility()", show_it("/cards/account%3Amain"))).await == false {
        tab.press("details.folded > summary").await;
    }
    tab.press(".alert a.btn[href$='/cards/account%3Amain']").await;
    tab.is_at("/cards/account%3Amain").await;
    assert_eq!(tab.text("document.querySelector('h1').textContent").await, "main");
}

/// What is wrong or waits, and nothing else.
async fn trouble(tab: &Tab) {
    tab.open("/").await;
    let lamps = "[...document.querySelectorAll('.card h3 .lamp')]";
    assert_eq!(tab.tell(&format!("{lamps}.some((one) => one.matches('.ok'))")).await, true);
    tab.press("#kinds a[href='/?kind=trouble']").await;
    tab.is_at("/?kind=trouble").await;
    tab.until(&format!("{lamps}.length > 0 && {lamps}.every((one) => one.matches('.bad, .wait'))")).await;
}

/// The card of an account that does not answer has the button that connects it anew.
async fn restarted(stage: &Stage, tab: &Tab) {
    stage.world.delete("/faults").await;
    tab.open("/").await;
    let note = done(tab, "#c-account\\:fifth.tall .cure button[formaction$=restart]").await;
    assert!(note.contains("fifth"), "{note}");
    stage.program.account_is("fifth", "ready").await;
    let (_, audit) = stage.program.get("/v1/audit?subject=fifth").await;
    let latest = &audit["items"][0];
    assert_eq!(
        (&latest["details"]["action"], &latest["who"]["name"]),
        (&json!("restart"), &json!("admin")),
        "{audit}"
    );
    tab.point_away().await;
    tab.until("document.getElementById('c-account:fifth').dataset.state === 'ready'").await;
}

/// The page of an account's card leads to it and its lines, and to no others; a search stays among them, and All is all.
async fn of_a_card(tab: &Tab) {
    let cards = "[...document.querySelectorAll('.card')].map((one) => one.id).sort().join(' ')";
    tab.open("/").await;
    let all = tab.text(cards).await;
    tab.press("#c-account\\:main h3 a").await;
    tab.is_at("/cards/account%3Amain").await;
    // On a telephone there is a button for it.
    tab.look(390, Theme::Light).await;
    tab.open("/").await;
    tab.press("#c-account\\:main .menu").await;
    tab.is_at("/cards/account%3Amain").await;
    tab.look(1280, Theme::Light).await;
    tab.press(".page-head a[href^='/?of=']").await;
    tab.until("location.pathname === '/' && new URLSearchParams(location.search).get('of') === 'account:main' && document.readyState === 'complete'").await;
    let its = tab.text(cards).await;
    let lines: Vec<_> = all.split(' ').filter(|id| id.starts_with("c-line:main:")).collect();
    assert!(lines.len() > 1, "{all}");
    assert_eq!(its, format!("c-account:main {}", lines.join(" ")));
    // All of them, and no other, are found by what they have in common with the others.
    tab.fill("[data-find]", "ma").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("new URLSearchParams(location.search).get('q') === 'ma' && document.readyState === 'complete'")
        .await;
    assert_eq!(tab.text(cards).await, its);
    tab.fill("[data-find]", "backup").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('.empty') !== null").await;
    tab.open("/?of=account%3Amain").await;
    assert_eq!(
        tab.tell("document.querySelector('#kinds a').getAttribute('aria-current')").await,
        json!(null)
    );
    tab.press_words("#kinds a", "All").await;
    tab.is_at("/").await;
    tab.until(&format!("{cards} === {}", json!(all))).await;
}
