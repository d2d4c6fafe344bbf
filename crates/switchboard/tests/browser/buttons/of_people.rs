//! Sessions and second factors: one's own session is ended, another's second factor is taken off.

use serde_json::json;

use super::{done, is_sound};
use crate::chromium::Tab;
use crate::door::second_factor;
use crate::stage::{NAME, PASSWORD, Stage, sign_in};

/// Somebody in a browser of their own.
async fn signed_in(stage: &Stage, name: &str) -> Tab {
    let tab = stage.stranger().await;
    tab.open("/sign-in").await;
    sign_in(&tab, name, PASSWORD).await;
    tab
}

async fn is_signed_out(tab: &Tab) {
    tab.open("/messages").await;
    tab.until("location.pathname === '/sign-in' && document.readyState === 'complete'").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_session_ends_and_the_others_go_on() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    let mut others = Vec::new();
    for agent in ["Demo/1.0", "Demo/2.0"] {
        let other = stage.stranger().await;
        other.call("Network.setUserAgentOverride", json!({ "userAgent": agent })).await;
        other.open("/sign-in").await;
        sign_in(&other, NAME, PASSWORD).await;
        others.push(other);
    }
    tab.open("/settings/me").await;
    let sessions = "document.querySelectorAll('main tbody tr').length";
    assert_eq!(tab.tell(sessions).await, 3);
    // One's own has no button.
    assert_eq!(tab.tell("document.querySelectorAll('form[action$=end-session]').length").await, 2);
    tab.tell("document.querySelectorAll('main tbody tr').forEach((row) => row.textContent.includes('Demo/1.0') && (row.className = 'wanted'))").await;
    done(&tab, "tr.wanted form[action$=end-session] button").await;
    tab.until(&format!(
        "{sessions} === 2 && !document.querySelector('main tbody').textContent.includes('Demo/1.0')"
    ))
    .await;
    is_signed_out(&others[0]).await;
    others[1].open("/messages").await;
    others[1].is_at("/messages").await;
    tab.open("/messages").await;
    tab.is_at("/messages").await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_lost_the_telephone_is_let_in_by_an_admin() {
    let stage = Stage::start().await;
    let vera = json!({ "name": "vera", "role": "operator", "password": PASSWORD });
    assert_eq!(stage.program.post("/v1/users", &vera).await.0, 201);
    let other = signed_in(&stage, "vera").await;
    second_factor(&stage, &other).await;
    other.press("form[action='/sign-out'] button").await;
    other.until("location.pathname === '/sign-in' && document.readyState === 'complete'").await;
    other.fill("#name", "vera").await;
    other.fill("#password", PASSWORD).await;
    other.press("main button.primary").await;
    other.until("document.querySelector('#code') !== null").await;

    let tab = stage.tab().await;
    tab.open("/settings/people/vera").await;
    let note = done(&tab, "form[action$=reset-second-factor] button").await;
    assert!(note.contains("vera"), "{note}");
    tab.until("document.querySelector('form[action$=reset-second-factor]') === null").await;
    assert_eq!(stage.program.get("/v1/users/vera").await.1["second_factor"], false);
    let again = signed_in(&stage, "vera").await;
    again.open("/settings/me").await;
    again.until("document.querySelector('form[action$=offer-second-factor]') !== null").await;
    is_sound(&tab);
}
