//! The door: a wrong password, the right one, a second factor, the ways out.

use std::time::Duration;

use domain::Timestamp;

use crate::chromium::Tab;
use crate::stage::{NAME, PASSWORD, Stage, sign_in};

/// The seconds of a code of the second factor.
const CODE_LASTS: u64 = 30;

#[tokio::test(flavor = "multi_thread")]
async fn a_password_and_a_telephone_open_the_dashboard() {
    let stage = Stage::start().await;
    let tab = stage.stranger().await;
    tab.open("/messages?state=failed").await;
    tab.is_at("/sign-in?next=%2Fmessages%3Fstate%3Dfailed").await;
    is_sound(&tab).await;
    tab.fill("#name", NAME).await;
    tab.fill("#password", "a wrong password").await;
    tab.press("main button.primary").await;
    tab.until("document.querySelector('#wrong') !== null && document.activeElement.id === 'password'").await;
    // The browser notes the status of the refusal, which is no fault.
    assert!(tab.complaints().iter().all(|one| one.contains("401")));
    is_sound(&tab).await;
    tab.fill("#password", PASSWORD).await;
    tab.press("main button.primary").await;
    tab.is_at("/messages?state=failed").await;

    let secret = second_factor(&stage, &tab).await;
    tab.press("form[action='/sign-out'] button").await;
    tab.until("location.pathname === '/sign-in' && document.readyState === 'complete'").await;
    sign_in_as_far_as_the_code(&tab).await;
    is_sound(&tab).await;
    tab.fill("#code", "000000").await;
    tab.press("form:not(details form) button").await;
    tab.until("document.querySelector('#wrong') !== null").await;
    let _ = tab.complaints();
    // A code serves once: the telephone shows another one by now.
    stage.program.advance(Duration::from_secs(CODE_LASTS)).await;
    tab.fill("#code", &code(&stage, &secret).await).await;
    tab.press("form:not(details form) button").await;
    tab.is_at("/").await;

    // A recovery code does instead of the telephone.
    tab.open("/settings/me").await;
    tab.press_words("summary", "recovery").await;
    tab.fill("#renew-present", PASSWORD).await;
    tab.press("form[action$=renew-recovery-codes] button").await;
    tab.until("document.querySelector('#codes li') !== null").await;
    let spare = tab.text("document.querySelector('#codes li').textContent.trim()").await;
    tab.press("form[action='/sign-out'] button").await;
    tab.until("location.pathname === '/sign-in' && document.readyState === 'complete'").await;
    sign_in_as_far_as_the_code(&tab).await;
    tab.press("summary").await;
    tab.fill("#recovery", &spare).await;
    tab.press("details form button").await;
    tab.is_at("/").await;

    tab.open("/settings/me").await;
    tab.press_words("summary", "Turn").await;
    tab.fill("#drop-present", PASSWORD).await;
    tab.press("form[action$=drop-second-factor] button").await;
    tab.until("document.querySelector('form[action$=offer-second-factor]') !== null").await;
    tab.press("form[action='/sign-out'] button").await;
    tab.until("location.pathname === '/sign-in' && document.readyState === 'complete'").await;
    sign_in(&tab, NAME, PASSWORD).await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

/// Turns on the second factor of the person who is signed in; returns the secret.
pub(crate) async fn second_factor(stage: &Stage, tab: &Tab) -> String {
    tab.open("/settings/me").await;
    tab.press("form[action$=offer-second-factor] button").await;
    tab.is_at("/settings/me/second-factor").await;
    is_sound(tab).await;
    let secret = tab.text("document.querySelector('.todo code').textContent.replace(/\\s/g, '')").await;
    tab.fill("#code", &code(stage, &secret).await).await;
    tab.press("form[action$=confirm-second-factor] button").await;
    tab.until("document.querySelectorAll('#codes li').length >= 8").await;
    is_sound(tab).await;
    tab.press("main a.primary").await;
    tab.is_at("/settings/me").await;
    secret
}

/// What a telephone shows whose clock is the program's, which tests move.
pub(crate) async fn code(stage: &Stage, secret: &str) -> String {
    let now: Timestamp = stage.program.now().await.parse().expect("an instant");
    testkit::authenticator::code(secret, now.as_seconds())
}

async fn sign_in_as_far_as_the_code(tab: &Tab) {
    tab.fill("#name", NAME).await;
    tab.fill("#password", PASSWORD).await;
    tab.press("main button.primary").await;
    tab.until("document.querySelector('#code') !== null").await;
}

/// Nothing that axe-core finds, nothing that the browser says.
async fn is_sound(tab: &Tab) {
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}
