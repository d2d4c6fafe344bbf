//! Clearing flood waits and reading the log, without a pointer.

use serde_json::{Value, json};

use super::{asked, done, enter, focus_is, follow, walk_to};
use crate::chromium::{Key, Tab};
use crate::stage::Stage;

async fn clearing(stage: &Stage) -> Value {
    stage.program.get("/v1/flood-clearing").await.1
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_waits_are_cleared_and_the_log_is_read_without_a_pointer() {
    let stage = Stage::start().await;
    let flood = json!({ "account": "main", "method": "messages.sendMessage", "seconds": 3600 });
    stage.world.fault("flood_wait", flood).await;
    let order = json!({ "chat": "@client_1", "text": "It waits.", "account": "main", "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
    stage.program.account_is("main", "flood_wait").await;
    let tab = stage.tab().await;
    tab.open("/").await;
    for way in ["pause_flooded", "stop_all"] {
        cleared(&stage, &tab, way).await;
    }
    log(&stage, &tab).await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

/// Begun one way and cancelled.
async fn cleared(stage: &Stage, tab: &Tab, way: &str) {
    asked(tab, ".page-head a[href='/flood-clearing']").await;
    walk_to(tab, "dialog input[name=how]:checked").await;
    if tab.text("document.activeElement.value").await != way {
        tab.keys(&[Key::Down]).await;
    }
    assert_eq!(tab.text("document.querySelector('dialog input[name=how]:checked').value").await, way);
    enter(tab, "dialog button.primary").await;
    tab.until("document.querySelector('dialog[open] #ask progress')?.closest('dialog').contains(document.activeElement) === true").await;
    assert_eq!(clearing(stage).await["how"], way);
    enter(tab, "dialog form[action$=cancel] button").await;
    done(tab).await;
    assert_eq!(clearing(stage).await["running"], false);
}

/// Searched, followed and not, copied; a line is opened.
async fn log(stage: &Stage, tab: &Tab) {
    stage.owner.allow_clipboard(tab.site()).await;
    follow(tab, "#rail a[href='/logs']", "/logs").await;
    tab.keys(&[Key::Slash]).await;
    focus_is(tab, "input[name=q]").await;
    tab.types("dialogs").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("location.search.includes('q=dialogs') && document.querySelectorAll('#lines mark').length > 0")
        .await;
    walk_to(tab, "#refresh").await;
    tab.take_option("off").await;
    tab.until("document.querySelector('#tail').hidden").await;
    tab.take_option("live").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    focus_is(tab, "#refresh").await;

    tab.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true })).await;
    walk_to(tab, "button[data-copy=lines]").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("navigator.clipboard.readText().then((text) => text.includes('dialogs'))").await;
    focus_is(tab, "button[data-copy=lines]").await;
    enter(tab, "#lines a.at").await;
    tab.until("document.querySelector('li.chosen .more') !== null && document.readyState === 'complete'")
        .await;
}
