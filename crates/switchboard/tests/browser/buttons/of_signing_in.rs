//! The sign-in of an account: by code and password, and by a QR code that renews itself.

use std::time::Duration;

use qrcode::{Color, EcLevel, QrCode};
use serde_json::{Value, json};

use super::is_sound;
use crate::chromium::{Key, Tab};
use crate::live::sleeps;
use crate::stage::Stage;

const NAME: &str = "fifth";
const PAGE: &str = "/accounts/fifth";
const LOGIN: &str = "/v1/accounts/fifth/login";

/// What Telegram asks for besides a code.
const TWO_STEPS: &str = "correct horse battery staple 5099";

/// A login token is good for less than so many seconds.
const TOKEN_LASTS: u64 = 31;

/// The account is known, and the owner has come to its sign-in from its page.
async fn begun() -> (Stage, Tab) {
    let stage = Stage::without(NAME).await;
    stage.add(NAME).await;
    let tab = stage.tab().await;
    tab.open(PAGE).await;
    tab.press(".page-head a.primary[href$='/login']").await;
    step(&tab, "none").await;
    (stage, tab)
}

/// The page is at a step, and nothing is wrong with it.
async fn step(tab: &Tab, state: &str) {
    tab.until(&format!("document.querySelector('#login')?.dataset.state === '{state}'")).await;
    assert_eq!(tab.findings().await, Vec::<String>::new(), "{state}");
}

/// Types where the page has put the focus, and sends it.
async fn enter(tab: &Tab, field: &str, text: &str) {
    tab.until(&format!("document.activeElement.id === '{field}'")).await;
    tab.types(text).await;
    tab.keys(&[Key::Enter]).await;
}

async fn login(stage: &Stage) -> Value {
    stage.program.get(LOGIN).await.1
}

/// The account works, and what it sends arrives.
async fn sends(stage: &Stage) {
    stage.program.account_is(NAME, "ready").await;
    let order = json!({ "chat": "@client_1", "text": "It is signed in.", "account": NAME, "wait": 20 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 200);
    assert_eq!(stage.world.sent().await, ["It is signed in."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_a_password_sign_in_after_wrong_ones() {
    let (stage, tab) = begun().await;
    let rules = json!({ "password": TWO_STEPS, "hint": "four words and a port", "terms": "Be kind." });
    stage.world.put("/telegram/accounts/fifth/sign-in", &rules).await;
    tab.press("#login-phone button").await;
    step(&tab, "code_wanted").await;
    resent(&stage, &tab).await;
    let code = stage.world.code(stage.world.account(NAME).await["phone"].as_str().expect("a phone")).await;
    enter(&tab, "code", if code == "00000" { "00001" } else { "00000" }).await;
    tab.until("document.querySelector('#code-error')?.checkVisibility() === true").await;
    step(&tab, "code_wanted").await;
    enter(&tab, "code", &code).await;
    step(&tab, "password_wanted").await;
    assert!(
        tab.text("document.querySelector('#password-help').textContent")
            .await
            .contains("four words and a port")
    );
    enter(&tab, "password", "another").await;
    tab.until("document.querySelector('#password-error')?.checkVisibility() === true").await;
    enter(&tab, "password", TWO_STEPS).await;
    step(&tab, "terms_wanted").await;
    assert_eq!(tab.text("document.querySelector('#login .quote').textContent").await, "Be kind.");
    tab.press("#login-terms button[value=yes]").await;
    step(&tab, "done").await;
    assert_eq!(login(&stage).await["state"], "done");
    tab.press("#login a.primary").await;
    tab.is_at(PAGE).await;
    sends(&stage).await;
    is_sound(&tab);
}

/// The code comes another way, as soon as Telegram sends it so.
async fn resent(stage: &Stage, tab: &Tab) {
    let help = "document.querySelector('#code-help').textContent";
    assert!(tab.text(help).await.contains("in Telegram itself"));
    assert_eq!(tab.tell("document.querySelector('#login-resend')").await, Value::Null, "it is too early");
    stage.program.advance(Duration::from_mins(3)).await;
    tab.press("#login p a[href$='/login']").await;
    tab.press("#login-resend button").await;
    tab.until(&format!("{help} === 'It came as a text message.'")).await;
    assert_eq!(login(stage).await["sent_by"], "sms");
    assert_eq!(stage.world.calls("auth.resendCode").await, 1);
    step(tab, "code_wanted").await;
}

/// Whether the picture on the page, as a camera sees it, is the code of this text.
async fn shows(tab: &Tab, text: &str) -> bool {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).expect("a code");
    let dark = code.to_colors().into_iter().map(|color| if color == Color::Dark { '1' } else { '0' });
    let wanted: String = dark.collect();
    let seen = tab
        .text(
            "(() => { const picture = document.querySelector('#login .qr svg'), path = picture.querySelector('path');
               const side = picture.viewBox.baseVal.width, empty = 4, seen = [];
               for (let y = empty; y < side - empty; y++) for (let x = empty; x < side - empty; x++)
                 seen.push(path.isPointInFill(new DOMPoint(x + 0.5, y + 0.5)) ? 1 : 0);
               return seen.join(''); })()",
        )
        .await;
    seen == wanted
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_renews_itself_until_a_telephone_accepts_it() {
    let (stage, tab) = begun().await;
    tab.press("#login-qr summary").await;
    tab.press("#login-qr input[name=send_text]").await;
    tab.press("#login-qr button.primary").await;
    step(&tab, "qr_shown").await;
    let first = login(&stage).await["url"].as_str().expect("an address").to_owned();
    assert!(shows(&tab, &first).await, "the picture is not that of {first}");
    // It grows old: another one is there, and the page comes to it by itself, also while a button beside it has the focus.
    tab.tell("document.getElementById('login-cancel').focus()").await;
    stage.program.advance(Duration::from_secs(TOKEN_LASTS)).await;
    stage
        .program
        .until("there is another token", || async {
            login(&stage).await["url"].as_str().is_some_and(|url| url != first)
        })
        .await;
    sleeps(&tab, 10).await;
    let url = login(&stage).await["url"].as_str().expect("an address").to_owned();
    let old = tab.text("document.querySelector('#login .qr path').getAttribute('d')").await;
    if shows(&tab, &first).await {
        tab.until(&format!("document.querySelector('#login .qr path').getAttribute('d') !== '{old}'")).await;
    }
    assert!(shows(&tab, &url).await, "the picture is not that of {url}");
    assert_eq!(tab.tell("document.activeElement.id").await, "login-cancel");
    assert_eq!(tab.findings().await, Vec::<String>::new());

    stage.world.post("/telegram/login-tokens/accept", &json!({ "token": url, "account": NAME })).await;
    stage.program.until("it is signed in", || async { login(&stage).await["state"] == "done" }).await;
    sleeps(&tab, 10).await;
    step(&tab, "done").await;
    // Nothing is left to be cancelled.
    assert_eq!(tab.tell("document.querySelectorAll('form[action$=cancel]').length").await, 0);
    sends(&stage).await;
    let (_, account) = stage.program.get("/v1/accounts/fifth").await;
    assert_eq!(account["lines"][0]["purposes"], json!(["send_text"]), "{account}");
    is_sound(&tab);
}
