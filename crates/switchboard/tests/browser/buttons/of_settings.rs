//! Oneself, people, keys, who is told, maintenance windows, the audit log; and the doctor's button.

use super::{answered, done, is_sound, noted};
use crate::chromium::Tab;
use crate::stage::{NAME, PASSWORD, Stage, sign_in};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_up_is_set_up_on_the_pages() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    people(&stage, &tab).await;
    keys(&stage, &tab).await;
    targets(&tab).await;
    windows(&tab).await;
    oneself(&stage, &tab).await;
    // All of it is in the audit log, by name.
    tab.open("/settings/audit").await;
    tab.fill("input[name=who]", NAME).await;
    tab.press("form.filters button").await;
    tab.until("location.search.includes('who=admin') && document.readyState === 'complete'").await;
    assert!(tab.tell("document.querySelectorAll('tbody tr').length").await.as_u64() > Some(8));
    tab.open("/diagnostics").await;
    let before = tab.text("document.querySelector('.page-head time').getAttribute('datetime')").await;
    stage.pass(10).await;
    tab.press("form[action$=examine] button").await;
    tab.until(&format!("document.querySelector('.page-head time').getAttribute('datetime') !== '{before}'"))
        .await;
    is_sound(&tab);
}

/// A viewer is added, looks, becomes an operator, and is removed.
async fn people(stage: &Stage, tab: &Tab) {
    tab.open("/settings/people").await;
    tab.fill("#name", "vera").await;
    tab.fill("#password", PASSWORD).await;
    tab.press("input[name=role][value=viewer]").await;
    done(tab, "form[action$=add] button.primary").await;
    let other = stage.stranger().await;
    other.open("/sign-in").await;
    sign_in(&other, "vera", PASSWORD).await;
    assert_eq!(other.tell("document.querySelectorAll('[formaction], a[href$=stop]').length").await, 0);
    assert_eq!(other.findings().await, Vec::<String>::new());

    tab.open("/settings/people/vera").await;
    tab.press("input[name=role][value=operator]").await;
    done(tab, "form[action$=role] button").await;
    other.open("/").await;
    assert!(other.tell("document.querySelectorAll('[formaction]').length").await.as_u64() > Some(0));
    tab.open("/settings/people/vera").await;
    done(tab, "form[action$=end-sessions] button").await;
    other.open("/").await;
    other.until("location.pathname === '/sign-in'").await;
    tab.fill("#password", "another good password").await;
    done(tab, "form[action$=password] button").await;
    other.open("/sign-in").await;
    sign_in(&other, "vera", "another good password").await;
    answered(tab, "a[href$=remove]", "dialog button.danger").await;
    tab.until("!document.querySelector('main table').textContent.includes('vera')").await;
}

/// A key is made and shown once, works, and is revoked.
async fn keys(stage: &Stage, tab: &Tab) {
    tab.open("/settings/keys").await;
    tab.fill("#name", "workshop").await;
    tab.press("form[action$=create] button.primary").await;
    tab.until("document.querySelector('#key') !== null").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    let key = tab.text("document.querySelector('#key').textContent").await;
    assert_eq!(stage.program.status_with(&key, "/v1/services").await, 200);
    tab.press("main a.primary").await;
    tab.is_at("/settings/keys").await;
    // It was shown once.
    assert!(!tab.text("document.documentElement.outerHTML").await.contains(&key));
    answered(tab, "a[href$=revoke]", "dialog button.danger").await;
    assert_eq!(stage.program.status_with(&key, "/v1/services").await, 401);
}

async fn targets(tab: &Tab) {
    tab.open("/settings/alerts").await;
    tab.fill("#telegram-name", "owner").await;
    tab.fill("#chat", "@client_64").await;
    done(tab, "details[open] form button").await;
    done(tab, "form[action$=test] button").await;
    answered(tab, "a[href$=remove]", "dialog button.danger").await;
    tab.until("document.querySelector('.empty') !== null").await;
}

async fn windows(tab: &Tab) {
    tab.open("/settings/maintenance").await;
    tab.fill("#weekly-note", "the shop is closed").await;
    tab.press("input[name=sun]").await;
    tab.tell("document.querySelector('#start').value = '01:30'").await;
    tab.choose_option("#weekly-scope", "port").await;
    done(tab, "form[action$=weekly] button").await;
    tab.tell(
        "document.querySelector('#from').value = '2040-01-01T10:00'; document.querySelector('#until').value = '2040-01-01T12:00'",
    )
    .await;
    done(tab, "form[action$=once] button").await;
    let windows = "document.querySelectorAll('main tbody tr').length";
    for left in [1, 0] {
        answered(tab, "tbody a[href$=remove]", "dialog button.danger").await;
        tab.until(&format!("{windows} === {left}")).await;
    }
}

/// The password is another and the same again; other sessions end; language and colours are chosen.
async fn oneself(stage: &Stage, tab: &Tab) {
    let other = stage.stranger().await;
    other.open("/sign-in").await;
    sign_in(&other, NAME, PASSWORD).await;
    tab.open("/settings/me").await;
    done(tab, "form[action$=end-other-sessions] button").await;
    other.open("/").await;
    other.until("location.pathname === '/sign-in'").await;
    tab.fill("#present", "a wrong password").await;
    tab.fill("#new", PASSWORD).await;
    let (_, refused) = noted(tab, "form[action$=change-password] button").await;
    assert!(refused, "a wrong password changes nothing");
    tab.fill("#present", PASSWORD).await;
    tab.fill("#new", PASSWORD).await;
    done(tab, "form[action$=change-password] button").await;
    tab.press("a[href$='lang=ru']").await;
    tab.until("document.documentElement.lang === 'ru' && document.readyState === 'complete'").await;
    tab.press("main a[href$='theme=dark']").await;
    tab.until("document.documentElement.dataset.theme === 'dark' && document.readyState === 'complete'")
        .await;
    let dark = tab.text("getComputedStyle(document.body).backgroundColor").await;
    assert_eq!(dark, "rgb(18, 21, 20)");
    tab.press("main a[href$='theme=browser']").await;
    tab.until("!('theme' in document.documentElement.dataset) && document.readyState === 'complete'").await;
    tab.press("main a[href$='lang=en']").await;
    tab.until("document.documentElement.lang === 'en' && document.readyState === 'complete'").await;
}
