//! Each field above the log and above the audit log: what is left is what it says.

use std::time::Duration;

use serde_json::{Value, json};

use super::{items, rows};
use crate::chromium::Tab;
use crate::stage::{ACCOUNTS, Stage};

/// One column of the log's lines.
fn column(class: &str) -> String {
    format!(
        "[...document.querySelectorAll('#lines > li[id] .{class}')].map((one) => one.textContent).join('\\n')"
    )
}

/// The log's lines, by their ids.
const LINES: &str = "[...document.querySelectorAll('#lines > li[id]')].map((one) => one.id).join('\\n')";

/// When each of what is shown happened.
const INSTANTS: &str = "[...document.querySelectorAll('main tbody tr time, #lines > li[id] time')].map((one) => one.getAttribute('datetime')).join('\\n')";

/// The address asks for this, and the page is there.
async fn asks_for(tab: &Tab, name: &str, value: &str) {
    let asked = format!("new URLSearchParams(location.search).get('{name}') === {}", json!(value));
    tab.until(&format!("{asked} && document.readyState === 'complete'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_field_of_the_logs_leaves_what_it_says() {
    let stage = Stage::start().await;
    stage.program.advance(Duration::from_hours(25)).await;
    for name in ACCOUNTS {
        stage.program.account_is(name, "ready").await;
    }
    stage.day().await;
    stage.program.post("/v1/accounts/nobody/actions/pause", &json!({})).await;
    let tab = stage.tab().await;
    log(&stage, &tab).await;
    audit(&stage, &tab).await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

async fn log(stage: &Stage, tab: &Tab) {
    // Nothing new comes while it is read.
    tab.open("/logs").await;
    tab.choose_option("#refresh", "off").await;
    for (name, value, class) in [("service", "create_chat", "svc"), ("account", "backup_3", "acc")] {
        tab.open("/logs").await;
        let before = rows(tab, LINES).await.len();
        tab.choose_option(&format!("form.filters select[name={name}]"), value).await;
        asks_for(tab, name, value).await;
        let left = rows(tab, &column(class)).await;
        assert!((1..before).contains(&left.len()), "{name}: {} of {before}", left.len());
        assert!(left.iter().all(|one| one == value), "{name}: {left:?}");
    }
    tab.open("/logs").await;
    tab.press("fieldset.seg label:has(input[value=warn])").await;
    asks_for(tab, "level", "warn").await;
    let left = rows(tab, &column("lv")).await;
    assert!(left.iter().any(|one| one == "warn") && left.iter().any(|one| one == "error"), "{left:?}");
    assert!(left.iter().all(|one| one == "warn" || one == "error"), "{left:?}");

    tab.open("/logs").await;
    tab.choose_option("form.filters select[name=error]", "flood_wait").await;
    asks_for(tab, "error", "flood_wait").await;
    let known = items(stage, "/v1/logs?limit=200").await;
    let of_floods = known.iter().filter(|line| line["error"] == "flood_wait");
    let wanted: Vec<_> = of_floods.map(|line| line["id"].as_str().expect("an id").to_owned()).collect();
    assert!(!wanted.is_empty(), "{known:?}");
    assert_eq!(rows(tab, LINES).await, wanted);
    stretches(stage, tab).await;

    tab.open("/logs?q=dialogs").await;
    let narrow = rows(tab, LINES).await;
    tab.press("a.chip").await;
    tab.until("!location.search.includes('q=dialogs') && document.readyState === 'complete'").await;
    assert!(rows(tab, LINES).await.len() > narrow.len());
}

/// Two hours, a week, and the hours round the start, a day ago.
async fn stretches(stage: &Stage, tab: &Tab) {
    tab.open("/logs").await;
    let usual = rows(tab, LINES).await;
    tab.press("nav.seg a[href*='range=7d']").await;
    asks_for(tab, "range", "7d").await;
    let week = rows(tab, LINES).await;
    assert!(week.len() > usual.len() && usual.iter().all(|line| week.contains(line)), "{week:?}");
    let now = stage.program.now().await;
    let at = |hours: i64| {
        let expression =
            format!("new Date(Date.parse('{now}') + {hours} * 3600000).toISOString().slice(0, 16)");
        async move { tab.text(&expression).await }
    };
    let (from, to) = (at(-30).await, at(-20).await);
    tab.open("/logs").await;
    tab.fill("form.filters input[name=from]", &from).await;
    tab.fill("form.filters input[name=to]", &to).await;
    tab.press("form.filters > button").await;
    asks_for(tab, "to", &to).await;
    let old = rows(tab, LINES).await;
    assert_eq!(old, week.iter().filter(|line| !usual.contains(line)).cloned().collect::<Vec<_>>());
    assert!(
        rows(tab, INSTANTS)
            .await
            .iter()
            .all(|one| (from.as_str()..to.as_str()).contains(&one.get(..16).expect("an instant")))
    );
}

async fn audit(stage: &Stage, tab: &Tab) {
    let entries = items(stage, "/v1/audit?limit=100").await;
    let other = entries.iter().find(|one| one["result"] != "done").expect("something came to nothing");
    let result = other["result"].as_str().expect("a word");
    for (name, value, wanted) in [
        ("who", "admin", json!("admin")),
        ("action", "add_user", json!("add_user")),
        ("subject", "boris", json!("boris")),
        ("result", result, json!(result)),
    ] {
        tab.open("/settings/audit").await;
        assert_eq!(rows(tab, INSTANTS).await.len(), entries.len(), "{entries:#?}");
        if name == "result" {
            tab.choose_option("form.filters select[name=result]", value).await;
        } else {
            tab.fill(&format!("form.filters input[name={name}]"), value).await;
        }
        tab.press("form.filters button").await;
        asks_for(tab, name, value).await;
        let field = |one: &Value| if name == "who" { one["who"]["name"].clone() } else { one[name].clone() };
        let left = entries.iter().filter(|one| field(one) == wanted);
        let left: Vec<_> = left.map(|one| one["at"].as_str().expect("an instant").to_owned()).collect();
        assert!((1..entries.len()).contains(&left.len()), "{name} {value}: {entries:#?}");
        assert_eq!(rows(tab, INSTANTS).await, left, "{name}");
    }
    tab.press("form.filters a[href='/settings/audit']").await;
    tab.is_at("/settings/audit").await;
    assert_eq!(rows(tab, INSTANTS).await.len(), entries.len());
    // All of it came from this machine.
    for (address, is_there) in [("127.0.0.1", true), ("192.0.2.7", false)] {
        tab.fill("form.filters input[name=address]", address).await;
        tab.press("form.filters button").await;
        asks_for(tab, "address", address).await;
        assert_eq!(tab.tell("document.querySelector('main .empty') === null").await, is_there);
    }
}
