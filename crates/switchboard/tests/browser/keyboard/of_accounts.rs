//! Accounts without a pointer: added, signed in by a picture, taken from files.

use serde_json::json;

use super::{done, enter, focus_is, follow, tick, walk_to, write};
use crate::buttons::of_importing::files;
use crate::chromium::Key;
use crate::live::sleeps;
use crate::stage::Stage;

const NAME: &str = "fifth";
const LOGIN: &str = "/v1/accounts/fifth/login";

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_added_and_signed_in_by_a_picture_without_a_pointer() {
    let stage = Stage::without(NAME).await;
    let known = stage.known(NAME).await;
    let text = |field: &str| known[field].as_str().expect("a text").to_owned();
    let tab = stage.tab().await;
    tab.open("/").await;
    follow(&tab, "#rail a[href='/accounts']", "/accounts").await;
    follow(&tab, ".page-head a[href='/accounts/add']", "/accounts/add").await;
    write(&tab, "#name", NAME).await;
    write(&tab, "#phone", &text("phone")).await;
    write(&tab, "#api_id", "many").await;
    write(&tab, "#api_hash", &text("api_hash")).await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('#api_id[aria-invalid=true]') !== null && document.activeElement !== document.body").await;
    walk_to(&tab, "#api_id").await;
    tab.tell("document.activeElement.select()").await;
    tab.types(&known["api_id"].to_string()).await;
    write(&tab, "#api_hash", &text("api_hash")).await;
    write(&tab, "#phone", &text("phone")).await;
    enter(&tab, "#add-account button.primary").await;
    done(&tab).await;
    tab.is_at("/accounts/fifth/login").await;

    // What the session is for is behind a word.
    enter(&tab, "#login-qr summary").await;
    tick(&tab, "#login-qr input[name=send_text]").await;
    enter(&tab, "#login-qr button.primary").await;
    tab.until("document.querySelector('#login')?.dataset.state === 'qr_shown'").await;
    walk_to(&tab, "#login-cancel").await;
    let (_, login) = stage.program.get(LOGIN).await;
    stage
        .world
        .post("/telegram/login-tokens/accept", &json!({ "token": login["url"], "account": NAME }))
        .await;
    let signed_in = || async { stage.program.get(LOGIN).await.1["state"] == "done" };
    stage.program.until("it is signed in", signed_in).await;
    sleeps(&tab, 10).await;
    tab.until("document.querySelector('#login')?.dataset.state === 'done'").await;
    follow(&tab, "#login a.primary", "/accounts/fifth").await;
    stage.program.account_is(NAME, "ready").await;
    // Paused and given work again, the focus stays where the buttons are.
    for (action, state) in [("pause", "paused"), ("resume", "ready")] {
        enter(&tab, &format!(".page-head button[formaction$='actions/{action}']")).await;
        done(&tab).await;
        stage.program.account_is(NAME, state).await;
    }
    let complaints = tab.complaints();
    assert!(complaints.iter().all(|one| one.contains("422")), "{complaints:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_files_are_imported_without_a_pointer() {
    let stage = Stage::without(NAME).await;
    let [session, _] = files(&stage).await;
    let known = stage.known(NAME).await;
    let tab = stage.tab().await;
    tab.open("/accounts").await;
    follow(&tab, ".page-head a[href='/accounts/import']", "/accounts/import").await;
    walk_to(&tab, "#file").await;
    // What the window of the system does that a press on it opens.
    tab.choose("#file", &[&session]).await;
    tab.until("document.querySelector('[data-chosen]').textContent === 'old.session'").await;
    focus_is(&tab, "#file").await;
    enter(&tab, "#import-files button.primary").await;
    tab.until("location.pathname.startsWith('/accounts/import/imp_') && document.readyState === 'complete'")
        .await;
    write(&tab, "#api_id", &known["api_id"].to_string()).await;
    write(&tab, "#api_hash", known["api_hash"].as_str().expect("a text")).await;
    tick(&tab, "input[name=stopped]").await;
    enter(&tab, "#import-now button.primary").await;
    tab.until("location.pathname === '/accounts/import/under-way' && document.querySelector('a.primary[href=\"/accounts\"]') !== null").await;
    tab.until("document.activeElement !== document.body").await;
    follow(&tab, "a.primary[href='/accounts']", "/accounts").await;
    let (_, accounts) = stage.program.get("/v1/accounts").await;
    let mut accounts = accounts["items"].as_array().expect("items").iter();
    let made = accounts.find(|one| one["user_id"] == known["user_id"]).expect("the account");
    stage.program.account_is(made["name"].as_str().expect("a name"), "ready").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
