//! A session that belongs to nobody: given to an account, or deleted.

use serde_json::{Value, json};

use super::{answered, is_sound};
use crate::chromium::Tab;
use crate::stage::Stage;

const NAME: &str = "fifth";
const API: &str = "/v1/accounts/fifth";

async fn ownerless(stage: &Stage) -> Value {
    stage.program.get("/v1/ownerless-sessions").await.1["items"].clone()
}

/// The account goes, its session stays.
async fn orphan(stage: &Stage, tab: &Tab) {
    let (status, told) = stage.program.delete(API).await;
    assert_eq!(status, 204, "{told}");
    tab.open("/accounts").await;
    tab.until("document.querySelectorAll('#ownerless tbody tr').length === 1").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_nobody_is_given_to_an_account_or_deleted() {
    let stage = Stage::without(NAME).await;
    stage.add(NAME).await;
    stage.sign_in_to(NAME).await;
    let tab = stage.tab().await;
    orphan(&stage, &tab).await;
    stage.add(NAME).await;
    assert_eq!(stage.program.get(API).await.1["state"], "needs_login");
    tab.press("#ownerless a[href$='/give']").await;
    // Of all accounts only the one that is this person, or may yet be, can have it.
    tab.until(
        "[...document.querySelectorAll('dialog[open] option')].map((one) => one.value).join() === 'fifth'",
    )
    .await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.press("dialog input[name=send_text]").await;
    let note = super::done(&tab, "dialog button.primary").await;
    assert!(note.contains(NAME), "{note}");
    tab.until("document.querySelector('#ownerless') === null").await;
    stage.program.account_is(NAME, "ready").await;
    let (_, account) = stage.program.get(API).await;
    assert_eq!(
        (&account["lines"][0]["purposes"], ownerless(&stage).await),
        (&json!(["send_text"]), json!([]))
    );
    let order = json!({ "chat": "@client_1", "text": "It is given back.", "account": NAME, "wait": 20 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 200);
    assert_eq!(stage.world.sent().await, ["It is given back."]);

    orphan(&stage, &tab).await;
    answered(&tab, "#ownerless a[href$='/drop']", "dialog button.danger").await;
    tab.until("document.querySelector('#ownerless') === null").await;
    assert_eq!(ownerless(&stage).await, json!([]));
    is_sound(&tab);
}
