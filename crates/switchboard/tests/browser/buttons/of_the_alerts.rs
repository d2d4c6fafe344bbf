//! Alerts in the entries of their cards and above them, and an account that leads to its page and its sessions.

use serde_json::json;

use super::{done, is_sound};
use crate::chromium::{Key, Tab, Theme};
use crate::stage::Stage;

/// The link of an alert to its card.
fn show_it(name: &str) -> String {
    format!("document.querySelector('.alert a.btn[href$=\"{name}\"]')")
}

#[tokio::test(flavor = "multi_thread")]
async fn alert_leads_to_its_card() {
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
    // Each account shows its alert in its own entry; what cannot work because of them is above, in a fold.
    tab.until("document.querySelectorAll('#needs .card .alerted').length === 5 && document.querySelectorAll('#alerts details.folded .alert').length === 4").await;
    assert_eq!(counted(&tab).await, ["5", "5", "5", "5"]);
    in_the_fold(&tab).await;
    leads_to(&tab).await;
    trouble(&tab).await;
    restarted(&stage, &tab).await;
    of_a_card(&tab).await;
    is_sound(&tab);
}

/// How many troubles the verdict counts, the rail, the filter and the accounts' page.
async fn counted(tab: &Tab) -> [String; 4] {
    let number =
        |selector: &str| format!("document.querySelector({selector:?}).textContent.match(/\\d+/)[0]");
    tab.open("/accounts").await;
    let accounts = tab.text(&number("h1")).await;
    tab.open("/").await;
    let verdict = tab.text(&number("h1")).await;
    let rail = tab.text(&number("#rail [data-trouble] b")).await;
    let filter = tab.text(&number("#kinds a[href='/?kind=trouble'] .count")).await;
    [verdict, rail, filter, accounts]
}

/// More than one are in a fold, which says how many, and stays as it was opened.
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
    let mute = "document.querySelectorAll('#alerts button[formaction$=mute]').length";
    done(tab, "#alerts details.folded button[formaction$=mute]").await;
    // The fold stays as it was opened.
    tab.until(&format!("{mute} === {} && {folded}.every((one) => one.checkVisibility())", many - 1)).await;
}

/// The card comes into view; where a filter leaves it out, its page does.
async fn leads_to(tab: &Tab) {
    let link = show_it("#c-service:send_text");
    tab.until(&format!("{link} !== null")).await;
    tab.press(".alert a.btn[href$='#c-service:send_text']").await;
    tab.until(
        "location.hash === '#c-service:send_text' && document.querySelector(':target')?.id === 'c-service:send_text' \
         && (() => { const box = document.querySelector(':target').getBoundingClientRect(); return box.top >= 0 && box.top < innerHeight; })()",
    )
    .await;
    tab.open("/?kind=service").await;
    assert_eq!(tab.tell("document.getElementById('c-account:main')").await, json!(null));
    tab.press("details.folded > summary").await;
    tab.press(".alert a.btn[href$='/accounts/main']").await;
    tab.is_at("/accounts/main").await;
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

/// The card of an account that does not answer has the button that connects it again.
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

/// A card of an account leads to its page, and each of its sessions to a page of its own and back.
async fn of_a_card(tab: &Tab) {
    tab.open("/").await;
    tab.press("#c-account\\:main h3 a").await;
    tab.is_at("/accounts/main").await;
    tab.until("document.querySelector('#card-now .strip.wide') !== null").await;
    // The address of before leads there too.
    tab.open("/cards/account%3Amain").await;
    tab.is_at("/accounts/main").await;
    // On a telephone there is a button for it.
    tab.look(390, Theme::Light).await;
    tab.open("/").await;
    tab.press("#c-account\\:main .menu").await;
    tab.is_at("/accounts/main").await;
    tab.look(1280, Theme::Light).await;
    tab.open("/").await;
    let sessions = "[...document.querySelectorAll('[id=\"f-account:main\"] li a')]";
    assert_eq!(tab.tell(&format!("{sessions}.some((one) => one.checkVisibility())")).await, false);
    tab.press("[id='f-account:main'] > summary").await;
    tab.until(&format!("{sessions}.length > 1 && {sessions}.every((one) => one.checkVisibility())")).await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.press("[id='f-account:main'] li a[href^='/cards/line%3Amain']").await;
    tab.until("location.pathname.startsWith('/cards/line%3Amain') && document.readyState === 'complete'")
        .await;
    tab.press(".crumbs a[href='/accounts/main']").await;
    tab.is_at("/accounts/main").await;
    // A search for a session finds its account, and All is all.
    tab.open("/").await;
    let cards = "[...document.querySelectorAll('.card')].map((one) => one.id).sort().join(' ')";
    let all = tab.text(cards).await;
    tab.fill("[data-find]", "line:main").await;
    tab.keys(&[Key::Enter]).await;
    tab.until(&format!("location.search.includes('q=') && {cards} === 'c-account:main'")).await;
    tab.open("/?kind=service").await;
    tab.press_words("#kinds a", "All").await;
    tab.is_at("/").await;
    tab.until(&format!("{cards} === {}", json!(all))).await;
}
