//! One flow through each section with the pointer: what a button says it does is done, and the page says so without a new page.

mod of_campaigns;
mod of_copying;
pub(crate) mod of_importing;
mod of_logs;
mod of_signing_in;
mod of_the_alerts;
mod of_the_frame;
mod of_the_overview;
mod of_webhooks;

use serde_json::Value;

use crate::chromium::Tab;

/// Presses a button of a form and waits for the note that says it was done.
async fn done(tab: &Tab, button: &str) -> String {
    let (note, refused) = noted(tab, button).await;
    assert!(!refused, "{button}: {note}");
    note
}

/// Presses a button of a form; the note that follows, and whether it is a refusal.
async fn noted(tab: &Tab, button: &str) -> (String, bool) {
    tab.tell("document.querySelector('#notes').replaceChildren()").await;
    tab.press(button).await;
    tab.until("document.querySelector('#notes .toast') !== null").await;
    let note = tab.text("document.querySelector('#notes .toast span').textContent").await;
    let refused = tab.tell("document.querySelector('#notes .toast').classList.contains('bad')").await;
    (note, refused == Value::Bool(true))
}

/// Opens the question of a link over the page, and answers it.
async fn answered(tab: &Tab, link: &str, button: &str) -> String {
    tab.press(link).await;
    tab.until("document.querySelector('dialog[open] #ask') !== null").await;
    let findings = tab.findings().await;
    assert!(findings.is_empty(), "{link}: {findings:?}");
    done(tab, button).await
}

/// The browser has nothing to say.
fn is_sound(tab: &Tab) {
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
