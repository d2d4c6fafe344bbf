//! An account is added; a wrong field of the form says what to write.

use serde_json::json;

use super::{done, is_sound};
use crate::chromium::Tab;
use crate::stage::Stage;

const NAME: &str = "fifth";
const API: &str = "/v1/accounts/fifth";

/// What stands in a field.
async fn written(tab: &Tab, field: &str) -> String {
    tab.text(&format!("document.querySelector('{field}').value")).await
}

/// The form came back with a message at this field, and with nothing that the browser minds but the status of a refusal.
async fn is_wrong(tab: &Tab, field: &str) {
    tab.until(&format!(
        "document.querySelector('#{field}[aria-invalid=true]')?.getAttribute('aria-describedby').includes('{field}-error') \
         && document.querySelector('#{field}-error').checkVisibility() && document.querySelector('[role=alert]') !== null"
    ))
    .await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    let complaints = tab.complaints();
    assert!(complaints.iter().all(|one| one.contains("422")), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_and_a_wrong_field_says_what_to_write() {
    let stage = Stage::without(NAME).await;
    let known = stage.known(NAME).await;
    let text = |field: &str| known[field].as_str().expect("a text").to_owned();
    let tab = stage.tab().await;
    tab.open("/accounts").await;
    tab.press("a[href='/accounts/add']").await;
    tab.is_at("/accounts/add").await;
    let add = "#add-account button.primary";
    tab.fill("#name", NAME).await;
    tab.fill("#api_id", "many").await;
    tab.fill("#api_hash", &text("api_hash")).await;
    tab.fill("#priority", "7").await;
    tab.press("input[name=pool]").await;
    tab.press(add).await;
    is_wrong(&tab, "api_id").await;
    for (field, kept) in [("#name", NAME), ("#api_id", "many"), ("#priority", "7"), ("#api_hash", "")] {
        assert_eq!(written(&tab, field).await, kept, "{field}");
    }
    assert_eq!(tab.tell("document.querySelector('input[name=pool]').checked").await, false);
    assert_eq!(stage.program.get(API).await.0, 404);

    tab.fill("#api_id", &known["api_id"].to_string()).await;
    tab.fill("#api_hash", &text("api_hash")).await;
    tab.fill("#name", "main").await;
    tab.press(add).await;
    is_wrong(&tab, "name").await;
    tab.fill("#name", NAME).await;
    tab.fill("#api_hash", &text("api_hash")).await;
    tab.fill("#phone", &text("phone")).await;
    assert!(done(&tab, add).await.contains(NAME));
    // Signing in comes next.
    tab.is_at("/accounts/fifth/login").await;
    let (status, added) = stage.program.get(API).await;
    let shown = ["state", "priority", "pool", "proxy", "source"].map(|field| added[field].clone());
    let wanted = [json!("needs_login"), json!(7), json!(false), json!(false), json!("store")];
    assert_eq!((status, shown), (200, wanted), "{added}");
    is_sound(&tab);
}
