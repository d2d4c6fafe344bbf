//! An account: added, changed, switched, taken out and removed on its pages.

use std::process::Command;

use serde_json::{Value, json};

use super::{answered, done, is_sound, noted};
use crate::binary;
use crate::chromium::Tab;
use crate::socks::Socks;
use crate::stage::Stage;

const NAME: &str = "fifth";
const PAGE: &str = "/accounts/fifth";
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

#[tokio::test(flavor = "multi_thread")]
async fn priority_and_proxy_are_changed_and_the_account_goes_that_way() {
    let stage = Stage::without(NAME).await;
    stage.add(NAME).await;
    stage.sign_in_to(NAME).await;
    let socks = Socks::start().await;
    let tab = stage.tab().await;
    tab.open(PAGE).await;
    tab.press("a[href$='/change']").await;
    tab.is_at("/accounts/fifth/change").await;
    let save = "#change-account button.primary";
    tab.fill("#priority", "9").await;
    tab.press("input[name=pool]").await;
    tab.fill("#proxy", "ftp://127.0.0.1:1").await;
    tab.press(save).await;
    is_wrong(&tab, "proxy").await;
    assert_eq!(
        (written(&tab, "#priority").await, written(&tab, "#proxy").await),
        ("9".to_owned(), String::new())
    );
    assert_eq!(tab.tell("document.querySelector('input[name=pool]').checked").await, false);
    let (_, before) = stage.program.get(API).await;
    assert_eq!(
        (&before["priority"], &before["pool"], &before["proxy"]),
        (&json!(100), &json!(true), &json!(false))
    );

    tab.fill("#proxy", socks.address()).await;
    assert!(done(&tab, save).await.contains(NAME));
    tab.is_at(PAGE).await;
    let (_, changed) = stage.program.get(API).await;
    assert_eq!(
        (&changed["priority"], &changed["pool"], &changed["proxy"]),
        (&json!(9), &json!(false), &json!(true))
    );
    stage.program.until("it goes through the proxy", || async { socks.led() > 0 }).await;
    stage.program.account_is(NAME, "ready").await;
    let facts = tab.text("document.querySelector('aside').innerText").await;
    assert!(facts.contains('9') && !facts.contains(socks.address()), "{facts}");

    tab.press("a[href$='/change']").await;
    tab.is_at("/accounts/fifth/change").await;
    tab.press("input[name=no_proxy]").await;
    done(&tab, save).await;
    let (_, changed) = stage.program.get(API).await;
    assert_eq!((&changed["priority"], &changed["proxy"]), (&json!(9), &json!(false)), "{changed}");
    stage.program.account_is(NAME, "ready").await;
    is_sound(&tab);
}

/// Presses a button of the account's page; where it leaves the account, and what can be pressed next.
async fn switched(stage: &Stage, tab: &Tab, button: &str, becomes: &str, next: &str) {
    let press = format!(".page-head button[formaction$='actions/{button}']");
    let note = if button == "stop" {
        answered(tab, ".page-head a[href$='/stop']", "dialog button.danger").await
    } else {
        done(tab, &press).await
    };
    assert!(note.contains(NAME), "{note}");
    stage.program.account_is(NAME, becomes).await;
    tab.is_at(PAGE).await;
    tab.until(&format!(
        "document.querySelector(\".page-head button[formaction$='actions/{next}']\") !== null"
    ))
    .await;
}

/// Sends as the account; the status, and what the API says of it.
async fn sends(stage: &Stage, text: &str) -> (u16, Value) {
    let order = json!({ "chat": "@client_1", "text": text, "account": NAME, "wait": 20 });
    stage.program.post("/v1/messages", &order).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_paused_stopped_and_started_on_its_page() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open(PAGE).await;
    switched(&stage, &tab, "pause", "paused", "resume").await;
    let (status, refused) = sends(&stage, "while it is paused").await;
    assert_eq!((status, &refused["code"]), (503, &json!("no_account")), "{refused}");
    switched(&stage, &tab, "resume", "ready", "pause").await;
    assert_eq!(sends(&stage, "after the pause").await.0, 200);
    switched(&stage, &tab, "stop", "offline", "start").await;
    let (status, refused) = sends(&stage, "while it is stopped").await;
    assert_eq!((status, &refused["code"]), (503, &json!("no_account")), "{refused}");
    switched(&stage, &tab, "start", "ready", "pause").await;
    let (_, before) = stage.program.get(API).await;
    switched(&stage, &tab, "restart", "ready", "pause").await;
    assert_eq!(sends(&stage, "after it was started again").await.0, 200);
    let (_, after) = stage.program.get(API).await;
    assert_ne!(before["state_since"], after["state_since"], "its connections are new");
    assert_eq!(stage.world.sent().await, ["after the pause", "after it was started again"]);
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_is_taken_out_by_the_command_that_the_page_gives() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    stage.owner.allow_clipboard(tab.site()).await;
    tab.open(PAGE).await;
    tab.press("a[href$='/export']").await;
    tab.until("document.querySelectorAll('dialog[open] code').length === 3").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    // It never goes through a browser.
    assert_eq!(tab.tell("document.querySelectorAll('dialog form, dialog a[download]').length").await, 0);
    let command = tab.copied("dialog button[data-copy=export-telethon]").await;
    assert_eq!(command, "switchboard account export fifth --telethon fifth.session");
    let folder = tempfile::tempdir().expect("a folder");
    let ran = Command::new(binary())
        .args(command.split(' ').skip(1))
        .args(["--yes", "--config"])
        .arg(stage.world.settings_file())
        .arg("--data-dir")
        .arg(stage.world.data_dir("data"))
        .current_dir(folder.path())
        .output()
        .expect("runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    assert!(folder.path().join("fifth.session").exists());
    tab.press("dialog [data-close]").await;
    // As the page said.
    stage.program.account_is(NAME, "offline").await;
    tab.open(PAGE).await;
    switched(&stage, &tab, "start", "ready", "pause").await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_removed_by_whoever_types_its_name() {
    let stage = Stage::without(NAME).await;
    stage.add(NAME).await;
    stage.sign_in_to(NAME).await;
    let tab = stage.tab().await;
    tab.open(PAGE).await;
    tab.press("a[href$='/remove']").await;
    tab.fill("dialog #typed", "main").await;
    let (note, refused) = noted(&tab, "dialog button.danger").await;
    assert!(refused && note.contains("Nothing was removed"), "{note}");
    assert_eq!(stage.program.get(API).await.0, 200);
    tab.until("document.querySelector('dialog[open] #typed') !== null").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.fill("dialog #typed", NAME).await;
    let note = done(&tab, "dialog button.danger").await;
    assert!(note.contains(NAME), "{note}");
    tab.is_at("/accounts").await;
    let listed = tab.text("document.querySelector('#accounts').innerText").await;
    assert!(listed.contains("main") && !listed.contains(NAME), "{listed}");
    assert_eq!(stage.program.get(API).await.0, 404);
    // Its session is kept, and belongs to nobody.
    let person = stage.known(NAME).await["user_id"].clone();
    assert_eq!(stage.program.get("/v1/ownerless-sessions").await.1["items"][0]["user_id"], person);
    tab.until("document.querySelectorAll('#ownerless tbody tr').length === 1").await;
    is_sound(&tab);
}
