//! Every form of the settings without a pointer.

use serde_json::{Value, json};

use super::{answered, done, enter, follow, tick, walk_to, write};
use crate::chromium::{Key, Tab};
use crate::door::code;
use crate::stage::{PASSWORD, Stage, sign_in};

async fn items(stage: &Stage, path: &str) -> Vec<Value> {
    stage.program.get(path).await.1["items"].as_array().expect("items").clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_set_up_is_set_up_without_a_pointer() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    follow(&tab, "#rail a[href='/settings/me'], #rail a[href^='/settings']", "/settings/me").await;
    people(&stage, &tab).await;
    keys(&stage, &tab).await;
    targets(&stage, &tab).await;
    windows(&stage, &tab).await;
    oneself(&stage, &tab).await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

async fn people(stage: &Stage, tab: &Tab) {
    follow(tab, "main nav a[href='/settings/people']", "/settings/people").await;
    write(tab, "#name", "vera").await;
    write(tab, "#password", PASSWORD).await;
    role(tab, "viewer").await;
    enter(tab, "form[action$='/add'] button").await;
    done(tab).await;
    assert_eq!(stage.program.get("/v1/users/vera").await.1["role"], "viewer");
    follow(tab, "main a[href='/settings/people/vera']", "/settings/people/vera").await;
    role(tab, "operator").await;
    enter(tab, "form[action$='/role'] button").await;
    done(tab).await;
    assert_eq!(stage.program.get("/v1/users/vera").await.1["role"], "operator");
    write(tab, "#password", "another good password").await;
    tab.keys(&[Key::Enter]).await;
    done(tab).await;
    let other = stage.stranger().await;
    other.open("/sign-in").await;
    sign_in(&other, "vera", "another good password").await;
    tab.open("/settings/people/vera").await;
    enter(tab, "form[action$='/end-sessions'] button").await;
    done(tab).await;
    other.open("/").await;
    other.until("location.pathname === '/sign-in'").await;
    answered(tab, "a[href$='/remove']", "button.danger").await;
    assert_eq!(stage.program.get("/v1/users/vera").await.0, 404);
}

/// Takes a role with the arrows.
async fn role(tab: &Tab, wanted: &str) {
    walk_to(tab, "input[name=role]:checked").await;
    for _ in 0..3 {
        if tab.text("document.activeElement.value").await == wanted {
            return;
        }
        tab.keys(&[Key::Down]).await;
    }
    panic!("no way to {wanted}");
}

async fn keys(stage: &Stage, tab: &Tab) {
    follow(tab, "main nav a[href='/settings/keys']", "/settings/keys").await;
    write(tab, "#name", "workshop").await;
    tick(tab, "form[action$='/create'] input[type=checkbox]:not(:checked)").await;
    enter(tab, "form[action$='/create'] button").await;
    tab.until("document.querySelector('#key') !== null && document.readyState === 'complete'").await;
    let key = tab.text("document.querySelector('#key').textContent").await;
    assert_eq!(stage.program.status_with(&key, "/v1/services").await, 200);
    follow(tab, "main a.primary", "/settings/keys").await;
    answered(tab, "a[href$='/revoke']", "button.danger").await;
    assert_eq!(stage.program.status_with(&key, "/v1/services").await, 401);
}

async fn targets(stage: &Stage, tab: &Tab) {
    follow(tab, "main nav a[href='/settings/alerts']", "/settings/alerts").await;
    write(tab, "#telegram-name", "owner").await;
    write(tab, "#chat", "@client_64").await;
    tab.keys(&[Key::Enter]).await;
    done(tab).await;
    let before = stage.world.sent().await.len();
    enter(tab, "form[action$='/test'] button").await;
    done(tab).await;
    let told = || async { stage.world.sent().await.len() > before };
    stage.program.until("the chat is told", told).await;
    // The other kinds are behind their words.
    enter(tab, "details:has(#webhook-name) > summary").await;
    write(tab, "#webhook-name", "pager").await;
    write(tab, "#url", "http://10.0.0.1/hook").await;
    tab.keys(&[Key::Enter]).await;
    tab.until(
        "document.querySelector('#notes .toast.bad') !== null && document.activeElement !== document.body",
    )
    .await;
    assert_eq!(items(stage, "/v1/alert-targets").await.len(), 1, "nobody allowed that address");
    tab.tell("document.querySelector('#notes').replaceChildren()").await;
    answered(tab, "a[href$='/remove']", "button.danger").await;
    assert_eq!(items(stage, "/v1/alert-targets").await, Vec::<Value>::new());
}

async fn windows(stage: &Stage, tab: &Tab) {
    follow(tab, "main nav a[href='/settings/maintenance']", "/settings/maintenance").await;
    write(tab, "#once-note", "the shop moves").await;
    for (field, time) in [("#from", "2040-01-01 10:00"), ("#until", "1.1.2040 14:30")] {
        write(tab, field, time).await;
    }
    enter(tab, "form[action$='/once'] button").await;
    done(tab).await;
    let once = items(stage, "/v1/maintenance").await;
    assert_eq!(
        (&once[0]["note"], &once[0]["from"]),
        (&json!("the shop moves"), &json!("2040-01-01T10:00:00.000000Z")),
        "{once:?}"
    );
    answered(tab, "tbody a[href$='/remove']", "button.danger").await;

    write(tab, "#weekly-note", "the shop is closed").await;
    tick(tab, "input[name=sun]").await;
    walk_to(tab, "#start").await;
    tab.type_clock("13:30").await;
    enter(tab, "form[action$='/weekly'] button").await;
    done(tab).await;
    let weekly = items(stage, "/v1/maintenance").await;
    assert_eq!((&weekly[0]["days"], &weekly[0]["start"]), (&json!(["sun"]), &json!("13:30")), "{weekly:?}");
    answered(tab, "tbody a[href$='/remove']", "button.danger").await;
    assert_eq!(items(stage, "/v1/maintenance").await, Vec::<Value>::new());
}

/// The second factor on and off, another password, the others signed out, language and colours.
async fn oneself(stage: &Stage, tab: &Tab) {
    follow(tab, "main nav a[href='/settings/me']", "/settings/me").await;
    enter(tab, "form[action$='/offer-second-factor'] button").await;
    tab.is_at("/settings/me/second-factor").await;
    let secret = tab.text("document.querySelector('.todo code').textContent.replace(/\\s/g, '')").await;
    // The field has the focus.
    tab.until("document.activeElement.id === 'code'").await;
    tab.types(&code(stage, &secret).await).await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelectorAll('#codes li').length >= 8").await;
    assert_eq!(stage.program.get("/v1/users/admin").await.1["second_factor"], true);
    follow(tab, "main a.primary", "/settings/me").await;
    enter(tab, "details:has(#drop-present) > summary").await;
    write(tab, "#drop-present", PASSWORD).await;
    tab.keys(&[Key::Enter]).await;
    done(tab).await;
    assert_eq!(stage.program.get("/v1/users/admin").await.1["second_factor"], false);

    let other = stage.stranger().await;
    other.open("/sign-in").await;
    sign_in(&other, "admin", PASSWORD).await;
    tab.open("/settings/me").await;
    enter(tab, "form[action$='/end-other-sessions'] button").await;
    done(tab).await;
    other.open("/").await;
    other.until("location.pathname === '/sign-in'").await;
    write(tab, "#present", PASSWORD).await;
    write(tab, "#new", "a new good password").await;
    tab.keys(&[Key::Enter]).await;
    done(tab).await;
    sign_in(&other, "admin", "a new good password").await;

    enter(tab, "main a[href$='theme=dark']").await;
    tab.until("document.documentElement.dataset.theme === 'dark' && document.readyState === 'complete'")
        .await;
    enter(tab, "main a[href$='lang=ru']").await;
    tab.until("document.documentElement.lang === 'ru' && document.readyState === 'complete'").await;
    follow(tab, "main nav a[href='/settings/audit']", "/settings/audit").await;
    write(tab, "input[name=action]", "add_user").await;
    tab.keys(&[Key::Enter]).await;
    tab.until(
        "location.search.includes('action=add_user') && document.querySelectorAll('tbody tr').length === 1",
    )
    .await;
}
