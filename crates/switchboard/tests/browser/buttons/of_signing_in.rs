//! The sign-in of an account: by code and password, by a QR code that renews itself, and given up.

use std::time::Duration;

use qrcode::{Color, EcLevel, QrCode};
use serde_json::{Value, json};

use super::{done, is_sound, noted};
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
async fn a_new_code_from_another_data_centre_is_told_of_and_is_no_wrong_one() {
    let (stage, tab) = begun().await;
    for (code, message) in [(303, "USER_MIGRATE_4"), (400, "PHONE_CODE_EXPIRED")] {
        let refusal = json!({ "method": "auth.signIn", "times": 1, "code": code, "message": message });
        stage.world.fault("rpc_error", refusal).await;
    }
    tab.press("#login-phone button").await;
    step(&tab, "code_wanted").await;
    assert_eq!(tab.tell("document.querySelector('#code-moved')").await, Value::Null);
    let phone = stage.known(NAME).await["phone"].as_str().expect("a phone").to_owned();
    enter(&tab, "code", &stage.world.code(&phone).await).await;
    tab.until("document.querySelector('#code-moved')?.checkVisibility() === true").await;
    step(&tab, "code_wanted").await;
    assert_eq!(tab.tell("document.querySelector('#code-error')").await, Value::Null);
    let known = login(&stage).await;
    assert_eq!((&known["moved"], &known["wrong"]), (&json!(true), &json!(0)), "{known}");
    assert!(known["advice"].as_str().is_some_and(|advice| advice.contains("new one")), "{known}");
    enter(&tab, "code", &stage.world.code(&phone).await).await;
    step(&tab, "done").await;
    sends(&stage).await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_a_password_sign_in_after_wrong_ones() {
    let (stage, tab) = begun().await;
    let rules = json!({ "password": TWO_STEPS, "hint": "four words and a port", "terms": "Be kind." });
    stage.world.put("/telegram/accounts/fifth/sign-in", &rules).await;
    tab.press("#login-phone button").await;
    step(&tab, "code_wanted").await;
    resent(&stage, &tab).await;
    let code = stage.world.code(stage.known(NAME).await["phone"].as_str().expect("a phone")).await;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_is_given_up_at_any_step() {
    let (stage, tab) = begun().await;
    for (way, state) in [("#login-phone button", "code_wanted"), ("#login-qr button.primary", "qr_shown")] {
        tab.press(way).await;
        step(&tab, state).await;
        done(&tab, "form[action$='login/actions/cancel'] button").await;
        tab.is_at(PAGE).await;
        assert_eq!(login(&stage).await["state"], "none", "{way}");
        assert_eq!(stage.program.get("/v1/accounts/fifth").await.1["state"], "needs_login");
        tab.press(".page-head a.primary[href$='/login']").await;
        step(&tab, "none").await;
    }
    // A code that was asked for before is no way in any more.
    let (status, told) = stage.program.post(&format!("{LOGIN}/code"), &json!({ "code": "12345" })).await;
    assert_eq!((status, &told["code"]), (409, &json!("wrong_state")), "{told}");
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_declines_the_terms_is_not_signed_in_and_may_begin_again() {
    let (stage, tab) = begun().await;
    stage.world.put("/telegram/accounts/fifth/sign-in", &json!({ "terms": "Be kind." })).await;
    let number = stage.known(NAME).await["phone"].as_str().expect("a phone").to_owned();
    for (word, state) in [("no", "failed"), ("yes", "done")] {
        tab.press("#login-phone button").await;
        step(&tab, "code_wanted").await;
        let code = stage.world.code(&number).await;
        enter(&tab, "code", &code).await;
        step(&tab, "terms_wanted").await;
        assert_eq!(stage.program.get("/v1/accounts/fifth").await.1["state"], "needs_login");
        tab.press(&format!("#login-terms button[value={word}]")).await;
        step(&tab, state).await;
        assert_eq!(login(&stage).await["state"], state);
        if word == "no" {
            let why = tab.text("document.querySelector('#login .alert.bad[role=alert]').textContent").await;
            assert!(why.contains("terms"), "{why}");
            assert_eq!(stage.program.get("/v1/accounts/fifth").await.1["state"], "needs_login");
        }
    }
    sends(&stage).await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_number_is_asked_for_one_and_a_wrong_one_is_explained() {
    let stage = Stage::without(NAME).await;
    let known = stage.known(NAME).await;
    let order = json!({ "name": NAME, "api_id": known["api_id"], "api_hash": known["api_hash"] });
    let (status, added) = stage.program.post("/v1/accounts", &order).await;
    assert_eq!((status, &added["phone"]), (201, &Value::Null), "{added}");
    let tab = stage.tab().await;
    tab.open("/accounts/fifth/login").await;
    step(&tab, "none").await;
    let send = "#login-phone button";
    // Without a number nothing is sent.
    tab.press(send).await;
    assert_eq!(tab.tell("document.querySelector('input#phone').matches(':invalid')").await, true);
    assert_eq!(tab.tell("document.activeElement.id").await, "phone");
    assert_eq!(login(&stage).await["state"], "none");
    for wrong in ["my telephone", "12"] {
        tab.tell("document.querySelector('input#phone').value = ''").await;
        tab.fill("input#phone", wrong).await;
        let (note, is_refused) = noted(&tab, send).await;
        assert!(is_refused && note.contains("with its + and country code"), "{wrong}: {note}");
        step(&tab, "none").await;
        assert_eq!(login(&stage).await["state"], "none", "{wrong}");
    }
    assert_eq!(stage.world.calls("auth.sendCode").await, 0, "Telegram is asked for no number that is none");

    // As people write it down.
    let number = known["phone"].as_str().expect("a phone");
    let (country, rest) = number.split_at(2);
    let (area, rest) = rest.split_at(3);
    tab.tell("document.querySelector('input#phone').value = ''").await;
    tab.fill("input#phone", &format!("{country} ({area}) {rest}")).await;
    tab.keys(&[Key::Enter]).await;
    step(&tab, "code_wanted").await;
    enter(&tab, "code", &stage.world.code(number).await).await;
    step(&tab, "done").await;
    sends(&stage).await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_is_here_already_is_refused_and_named() {
    let stage = Stage::start().await;
    let known = stage.known("main").await;
    let order = json!({ "name": "twin", "api_id": known["api_id"], "api_hash": known["api_hash"], "phone": known["phone"] });
    assert_eq!(stage.program.post("/v1/accounts", &order).await.0, 201);
    let tab = stage.tab().await;
    tab.open("/accounts/twin/login").await;
    tab.press("#login-phone button").await;
    step(&tab, "code_wanted").await;
    enter(&tab, "code", &stage.world.code(known["phone"].as_str().expect("a phone")).await).await;
    step(&tab, "failed").await;
    let said = tab.text("document.querySelector('#login .alert.bad').innerText").await;
    assert!(said.contains("is the account main already") && !said.contains("Telegram said"), "{said}");
    tab.cookie("language", "ru").await;
    tab.open("/accounts/twin/login").await;
    let said = tab.text("document.querySelector('#login .alert.bad').innerText").await;
    assert!(said.contains("это уже аккаунт main"), "{said}");
    // The session of the one that was here goes on.
    stage.program.account_is("main", "ready").await;
    is_sound(&tab);
}
