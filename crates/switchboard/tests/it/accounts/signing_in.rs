//! Signing in over the API, step by step, while the rest works on.

use serde_json::{Value, json};
use testkit::Program;

use super::stage::{NAME, PASSWORD, Stage, TERMS};

const LOGIN: &str = "/v1/accounts/fifth/login";

async fn begin(program: &Program, body: Value) -> Value {
    let (status, login) = program.post(LOGIN, &body).await;
    assert_eq!(status, 200, "{login}");
    login
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_and_a_password_make_an_account_that_sends() {
    let stage = Stage::with_password().await;
    let program = stage.program().await;
    stage.add(&program).await;

    let login = begin(&program, json!({ "by": "phone" })).await;
    for (field, value) in [
        ("account", json!(NAME)),
        ("state", json!("code_wanted")),
        ("sent_by", json!("app")),
        ("length", json!(5)),
        (
            "next_step",
            json!({ "method": "POST", "path": "/v1/accounts/fifth/login/code", "body": { "code": "…" } }),
        ),
    ] {
        assert_eq!(login[field], value, "{field}: {login}");
    }
    assert!(login["advice"].as_str().is_some_and(|advice| !advice.is_empty()), "{login}");
    // The same call answers the same and sends no second code.
    assert_eq!(begin(&program, json!({ "by": "phone" })).await["state"], "code_wanted");
    assert_eq!(stage.world.calls("auth.sendCode").await, 1);

    let path = |step: &str| format!("{LOGIN}/{step}");
    let wrong = json!({ "code": stage.wrong_code().await });
    let (status, problem) = program.post(&path("code"), &wrong).await;
    assert_eq!((status, &problem["code"]), (422, &json!("code_invalid")), "{problem}");
    assert_eq!(program.get(LOGIN).await.1["state"], "code_wanted");
    let (status, problem) = program.post(&path("password"), &json!({ "password": "too early" })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("wrong_state")), "{problem}");

    let (status, login) = program.post(&path("code"), &json!({ "code": stage.code().await })).await;
    assert_eq!((status, &login["state"]), (200, &json!("password_wanted")), "{login}");
    assert_eq!(login["hint"], "four words and a port", "{login}");
    assert_eq!(login["next_step"]["path"], path("password"), "{login}");
    let (status, problem) = program.post(&path("password"), &json!({ "password": "another" })).await;
    assert_eq!((status, &problem["code"]), (422, &json!("password_invalid")), "{problem}");
    let (status, login) = program.post(&path("password"), &json!({ "password": PASSWORD })).await;
    assert_eq!((status, &login["state"]), (200, &json!("done")), "{login}");
    assert_eq!(
        (&login["user"]["user_id"], &login["next_step"]),
        (&json!(stage.user_id), &Value::Null),
        "{login}"
    );

    program.account_is(NAME, "ready").await;
    let (status, sent) = stage.send(&program, "signed in", 20).await;
    assert_eq!((status, &sent["account"]), (200, &json!(NAME)), "{sent}");
    assert_eq!(stage.world.sent().await, ["signed in"]);
    stage.world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_qr_code_that_someone_accepts_signs_in() {
    let stage = Stage::new().await;
    let program = stage.program().await;
    stage.add(&program).await;
    let login = begin(&program, json!({ "by": "qr", "for": ["send_text"] })).await;
    assert_eq!(login["state"], "qr_shown", "{login}");
    assert!(login["expires_at"].is_string(), "{login}");
    let url = login["url"].as_str().expect("an address");
    assert!(url.starts_with("tg://login?token="), "{url}");
    stage.accept(url).await;
    program.until("it is signed in", || async { program.get(LOGIN).await.1["state"] == "done" }).await;
    program.account_is(NAME, "ready").await;
    let (_, account) = program.get("/v1/accounts/fifth").await;
    assert_eq!(account["lines"][0]["purposes"], json!(["send_text"]), "{account}");
    assert_eq!(stage.send(&program, "by QR", 20).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_may_be_killed_between_any_two_steps() {
    let stage = Stage::with_password().await;
    let mut program = stage.program().await;
    stage.add(&program).await;
    begin(&program, json!({ "by": "phone" })).await;
    program.kill();

    let mut program = stage.program().await;
    assert_eq!(program.get(LOGIN).await.1["state"], "code_wanted");
    let (_, login) = program.post(&format!("{LOGIN}/code"), &json!({ "code": stage.code().await })).await;
    assert_eq!(login["state"], "password_wanted", "{login}");
    program.kill();

    let mut program = stage.program().await;
    let (_, login) = program.post(&format!("{LOGIN}/password"), &json!({ "password": PASSWORD })).await;
    assert_eq!(login["state"], "done", "{login}");
    program.kill();

    let program = stage.program().await;
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.world.calls("auth.sendCode").await, 1, "one code was enough");
    assert_eq!(stage.send(&program, "after all that", 20).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn terms_of_service_are_accepted_or_the_new_session_ends() {
    let stage = Stage::new().await;
    stage.show_terms().await;
    let mut program = stage.program().await;
    stage.add(&program).await;
    let (path, code) = (format!("{LOGIN}/terms"), format!("{LOGIN}/code"));
    let (status, problem) = program.post(&path, &json!({ "accept": true })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("wrong_state")), "{problem}");
    begin(&program, json!({ "by": "phone" })).await;
    let (status, login) = program.post(&code, &json!({ "code": stage.code().await })).await;
    assert_eq!(
        (status, &login["state"], &login["text"]),
        (200, &json!("terms_wanted"), &json!(TERMS)),
        "{login}"
    );
    let next = json!({ "method": "POST", "path": path, "body": { "accept": true } });
    assert_eq!(login["next_step"], next, "{login}");
    let (status, problem) = program.post(&path, &json!({ "accept": "perhaps" })).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_request")), "{problem}");

    let (status, problem) = program.post(&path, &json!({ "accept": false })).await;
    assert_eq!((status, &problem["code"]), (409, &json!("terms_declined")), "{problem}");
    assert_eq!(stage.world.calls("auth.logOut").await, 1, "the new session, and no other");
    let (_, login) = program.get(LOGIN).await;
    assert_eq!((&login["state"], &login["code"]), (&json!("failed"), &json!("terms_declined")), "{login}");
    program.account_is("main", "ready").await;

    begin(&program, json!({ "by": "phone" })).await;
    program.post(&code, &json!({ "code": stage.code().await })).await;
    program.kill();
    let program = stage.program().await;
    let (_, login) = program.get(LOGIN).await;
    assert_eq!((&login["state"], &login["text"]), (&json!("terms_wanted"), &json!(TERMS)), "{login}");
    let (status, login) = program.post(&path, &json!({ "accept": true })).await;
    assert_eq!((status, &login["state"]), (200, &json!("done")), "{login}");
    program.account_is(NAME, "ready").await;
    assert_eq!(stage.send(&program, "on these terms", 20).await.0, 200);
    stage.world.assert_nothing_unknown().await;
}
