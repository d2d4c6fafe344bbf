//! The keyboard alone: signing in, the minutes of a strip, stopping a service and starting it again, choosing failed requests,
//! signing an account in, holding the log.

mod of_accounts;
mod of_every_page;
mod of_settings;
mod of_watching;
mod of_work;

use serde_json::json;

use crate::chromium::{Key, Tab};
use crate::stage::{NAME, PASSWORD, Stage};

/// The most steps to anything on a page.
const MOST_STEPS: usize = 120;

/// Goes on with Tab until the focus is on what a selector names. On every step the focus can be seen.
pub(crate) async fn walk_to(tab: &Tab, selector: &str) {
    for _ in 0..MOST_STEPS {
        tab.keys(&[Key::Tab]).await;
        let seen = tab
            .tell(
                "(() => { const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
                   const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
                   return one === document.body || marked && box.width > 0 && box.bottom > 0 && box.top < innerHeight; })()",
            )
            .await;
        let here = tab.text("document.activeElement.outerHTML.slice(0, 200)").await;
        assert_eq!(seen, true, "the focus cannot be seen on {here}");
        if tab.tell(&format!("document.activeElement.matches({selector:?})")).await == true {
            return;
        }
    }
    panic!("no way to {selector}");
}

/// Goes to it and presses it.
async fn enter(tab: &Tab, selector: &str) {
    walk_to(tab, selector).await;
    tab.keys(&[Key::Enter]).await;
}

/// Goes to it and ticks it.
async fn tick(tab: &Tab, selector: &str) {
    walk_to(tab, selector).await;
    tab.keys(&[Key::Space]).await;
    tab.until("document.activeElement.checked").await;
}

/// Goes to a field and writes into it.
async fn write(tab: &Tab, field: &str, text: &str) {
    walk_to(tab, field).await;
    tab.types(text).await;
}

/// The focus is on it.
async fn focus_is(tab: &Tab, selector: &str) {
    tab.until(&format!("document.activeElement.matches({selector:?})")).await;
}

/// It was done, as a note says, and whoever pressed is somewhere on the page.
async fn done(tab: &Tab) {
    tab.until("document.querySelector('#notes .toast:not(.bad)') !== null").await;
    tab.until("document.activeElement !== document.body && document.querySelector('dialog[open]') === null")
        .await;
    tab.tell("document.querySelector('#notes').replaceChildren()").await;
}

/// Goes to a link of a page and follows it.
async fn follow(tab: &Tab, link: &str, path: &str) {
    enter(tab, link).await;
    tab.is_at(path).await;
}

/// Opens the question of a link, leaves it with Escape, which leads back to the link, and opens it again.
async fn asked(tab: &Tab, link: &str) {
    walk_to(tab, link).await;
    let is_in_it = "document.querySelector('dialog[open] #ask')?.closest('dialog').contains(document.activeElement) === true";
    tab.keys(&[Key::Enter]).await;
    tab.until(is_in_it).await;
    tab.keys(&[Key::Escape]).await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    focus_is(tab, link).await;
    tab.keys(&[Key::Enter]).await;
    tab.until(is_in_it).await;
}

/// The same, and answers it.
async fn answered(tab: &Tab, link: &str, button: &str) {
    asked(tab, link).await;
    enter(tab, &format!("dialog {button}")).await;
    done(tab).await;
}

async fn state_is(tab: &Tab, state: &str) {
    tab.until(&format!("document.getElementById('c-service:send_text').dataset.state === '{state}'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_stopped_and_started_without_a_pointer() {
    let stage = Stage::start().await;
    stage.pass(40).await;
    let tab = stage.stranger().await;
    tab.open("/sign-in").await;
    tab.until("document.activeElement.id === 'name'").await;
    tab.types(NAME).await;
    tab.keys(&[Key::Tab]).await;
    tab.types(PASSWORD).await;
    tab.keys(&[Key::Enter]).await;
    tab.is_at("/").await;

    // The first step of all leads past the rail.
    tab.keys(&[Key::Tab]).await;
    assert_eq!(tab.text("document.activeElement.className").await, "skip");
    tab.keys(&[Key::Enter]).await;
    tab.until("document.activeElement.id === 'content'").await;
    walk_to(&tab, "#c-service\\:send_text .strip").await;
    tab.until("document.querySelector('.tip') !== null").await;
    let last = tab.text("document.querySelector('.tip').textContent").await;
    tab.keys(&[Key::Left]).await;
    tab.until(&format!("document.querySelector('.tip')?.textContent !== {last:?}")).await;
    tab.keys(&[Key::Right]).await;
    tab.until(&format!("document.querySelector('.tip')?.textContent === {last:?}")).await;
    tab.keys(&[Key::Escape]).await;
    tab.until("document.querySelector('.tip') === null").await;

    walk_to(&tab, "#c-service\\:send_text .acts a[href$=stop]").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('dialog[open]')?.contains(document.activeElement) === true").await;
    tab.keys(&[Key::Escape]).await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    assert_eq!(
        tab.tell("document.activeElement.matches('#c-service\\\\:send_text .acts a[href$=stop]')").await,
        true
    );
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('dialog[open]') !== null").await;
    walk_to(&tab, "dialog button.danger").await;
    tab.keys(&[Key::Enter]).await;
    state_is(&tab, "stopped").await;
    walk_to(&tab, "#c-service\\:send_text .acts button[formaction$=start]").await;
    tab.keys(&[Key::Enter]).await;
    state_is(&tab, "active").await;
    // `j` and `k` go from card to card.
    tab.tell("document.activeElement.blur()").await;
    tab.keys(&[Key::Letter('j')]).await;
    let first = tab.text("document.activeElement.closest('.card').id").await;
    tab.keys(&[Key::Letter('j'), Key::Letter('k')]).await;
    assert_eq!(tab.text("document.activeElement.closest('.card').id").await, first);
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

/// The state of a failed request.
async fn request_is(stage: &Stage, id: &str, wanted: &str) {
    let path = format!("/v1/failed-requests/{id}");
    stage.program.until(wanted, || async { stage.program.get(&path).await.1["state"] == wanted }).await;
}

/// Ticks requests and goes on to the question about them; answers it.
async fn decided(tab: &Tab, ids: &[String], word: &str, answer: &str) {
    tab.open("/failed").await;
    for id in ids {
        walk_to(tab, &format!("input[value='{id}']")).await;
        tab.keys(&[Key::Space]).await;
        assert_eq!(tab.tell("document.activeElement.checked").await, true);
    }
    walk_to(tab, &format!("button[value={word}]")).await;
    tab.keys(&[Key::Enter]).await;
    tab.until("location.pathname === '/failed/question' && document.readyState === 'complete'").await;
    walk_to(tab, answer).await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('#notes .toast:not(.bad)') !== null").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_requests_are_chosen_and_decided_without_a_pointer() {
    let stage = Stage::start().await;
    let ids = stage.day().await.failed_requests;
    // Of what was in the way nothing is left.
    stage.world.delete("/faults").await;
    let tab = stage.tab().await;
    let (tried, dropped) = ids.split_at(2);
    decided(&tab, tried, "retry", "#ask button.primary").await;
    for id in tried {
        request_is(&stage, id, "done").await;
    }
    request_is(&stage, &dropped[0], "pending").await;
    decided(&tab, dropped, "drop", "#ask button.danger").await;
    request_is(&stage, &dropped[0], "dropped").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_signed_in_without_a_pointer() {
    let stage = Stage::without("fifth").await;
    stage.add("fifth").await;
    let password = "correct horse battery staple 5099";
    stage.world.put("/telegram/accounts/fifth/sign-in", &json!({ "password": password })).await;
    let tab = stage.tab().await;
    tab.open("/accounts/fifth").await;
    walk_to(&tab, ".page-head a.primary[href$='/login']").await;
    tab.keys(&[Key::Enter]).await;
    tab.is_at("/accounts/fifth/login").await;
    walk_to(&tab, "#login-phone button").await;
    tab.keys(&[Key::Enter]).await;
    // Each step puts the focus where something is to be written.
    tab.until("document.activeElement.id === 'code'").await;
    let code = stage.world.code(stage.known("fifth").await["phone"].as_str().expect("a phone")).await;
    tab.types(&code).await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.activeElement.id === 'password'").await;
    tab.types(password).await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('#login')?.dataset.state === 'done'").await;
    walk_to(&tab, "#login a.primary").await;
    tab.keys(&[Key::Enter]).await;
    tab.is_at("/accounts/fifth").await;
    stage.program.account_is("fifth", "ready").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

async fn acts(stage: &Stage, action: &str) {
    let path = format!("/v1/accounts/fifth/actions/{action}");
    assert_eq!(stage.program.post(&path, &json!({})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_held_and_let_go_without_a_pointer() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    // Of one account, so that there are few lines to walk past.
    tab.open("/logs?account=fifth").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    let lines = "document.querySelectorAll('#lines > li[id]').length";
    let before = tab.tell(lines).await;
    acts(&stage, "pause").await;
    tab.until(&format!("{lines} > {before}")).await;
    walk_to(&tab, "#hold").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('#tail .lamp.wait') !== null").await;
    assert_eq!(tab.text("document.activeElement.getAttribute('aria-pressed')").await, "true");
    let held = tab.tell(lines).await;
    acts(&stage, "resume").await;
    tab.until("document.querySelector('#show-new:not([hidden])') !== null").await;
    assert_eq!(tab.tell(lines).await, held);
    walk_to(&tab, "#show-new").await;
    tab.keys(&[Key::Enter]).await;
    tab.until(&format!("{lines} > {held} && document.querySelector('#tail .lamp.ok') !== null")).await;
    // The button that was pressed is hidden now; whoever pressed it is not thrown to the beginning of the page.
    walk_to(&tab, "#hold, .pager a, #lines a").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
