//! Session files: chosen or dropped, looked through, taken back, imported.

use std::path::{Path, PathBuf};

use domain::Secret;
use serde_json::json;
use session_files::{Key, Session};

use super::is_sound;
use crate::chromium::Tab;
use crate::stage::Stage;

/// The account that has a session in another program so far.
const MOVING: &str = "fifth";

const LOOK: &str = "#import-files button.primary";

/// A session file of the account, as the other program left it, and one that is none.
pub(crate) async fn files(stage: &Stage) -> [PathBuf; 2] {
    let known = stage.world.account(MOVING).await;
    let key = known["auth_key"].as_str().expect("a key");
    let byte = |at| u8::from_str_radix(&key[at..at + 2], 16).expect("hexadecimal");
    let key: Vec<u8> = (0..key.len()).step_by(2).map(byte).collect();
    let key = Key::new(Secret::new(Box::new(key.try_into().expect("256 bytes")))).expect("a key");
    let dc_id = known["dc_id"].as_i64().and_then(|id| i32::try_from(id).ok()).expect("a number");
    let [session, other] = ["old.session", "notes.session"].map(|name| stage.world.data_dir(name));
    session_files::write_telethon(&session, &Session::new(dc_id, key)).expect("written");
    std::fs::write(&other, "This is no session at all.").expect("written");
    [session, other]
}

/// Sends what is chosen and waits for the page about it.
async fn look_through(tab: &Tab) {
    tab.press(LOOK).await;
    tab.until("location.pathname.startsWith('/accounts/import/imp_') && document.readyState === 'complete'")
        .await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
}

/// The form shows the names of what is chosen.
async fn are_chosen(tab: &Tab, files: &[&Path]) {
    let names = files.iter().map(|file| file.file_name().expect("a name").to_string_lossy());
    let names = names.collect::<Vec<_>>().join(", ");
    tab.until(&format!("document.querySelector('[data-chosen]').textContent === '{names}'")).await;
}

/// The rows of the table, in words.
async fn rows(tab: &Tab) -> Vec<String> {
    let all = tab.text("[...document.querySelectorAll('table.list tbody tr')].map((one) => one.innerText.replace(/\\s+/g, ' ')).join('\\n')").await;
    all.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_dropped_becomes_an_account_that_sends() {
    let stage = Stage::without(MOVING).await;
    let [session, _] = files(&stage).await;
    let known = stage.world.account(MOVING).await;
    let tab = stage.tab().await;
    tab.open("/accounts/import").await;
    tab.drop_files("[data-drop]", &[&session]).await;
    are_chosen(&tab, &[&session]).await;
    look_through(&tab).await;
    let import = "#import-now button.primary";
    tab.fill("#api_id", &known["api_id"].to_string()).await;
    tab.fill("#api_hash", known["api_hash"].as_str().expect("a text")).await;
    // Not before a person says that the other program is stopped.
    tab.press(import).await;
    assert_eq!(tab.tell("document.querySelector('input[name=stopped]').matches(':invalid')").await, true);
    tab.press("input[name=stopped]").await;
    tab.press(import).await;
    tab.until("location.pathname === '/accounts/import/under-way' && document.querySelector('a.primary[href=\"/accounts\"]') !== null")
        .await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    let rows = rows(&tab).await;
    assert!(rows.len() == 1 && rows[0].contains("old.session"), "{rows:?}");
    let (_, accounts) = stage.program.get("/v1/accounts").await;
    let mut accounts = accounts["items"].as_array().expect("items").iter();
    let made = accounts.find(|one| one["user_id"] == known["user_id"]).expect("the account");
    let name = made["name"].as_str().expect("a name");
    assert!(rows[0].contains(name), "{rows:?}");
    stage.program.account_is(name, "ready").await;
    let order = json!({ "chat": "@client_1", "text": "It moved in.", "account": name, "wait": 20 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 200);
    assert_eq!(stage.world.sent().await, ["It moved in."]);
    tab.press("a.primary[href='/accounts']").await;
    tab.until(&format!("document.querySelector('#accounts').innerText.includes({name:?})")).await;
    is_sound(&tab);
}
