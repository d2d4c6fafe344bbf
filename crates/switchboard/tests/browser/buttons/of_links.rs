//! Links that look like buttons lead where they say; every question is closed without an answer and leaves all as it is.

use std::time::Duration;

use serde_json::json;

use super::{done, is_sound};
use crate::buttons::of_importing::files;
use crate::chromium::{Tab, Theme};
use crate::demo::Demo;
use crate::stage::Stage;

/// Presses a link of a page; it leads there, and the page has this.
async fn leads(tab: &Tab, page: &str, link: &str, there: &str, sign: &str) {
    tab.open(page).await;
    tab.press(link).await;
    tab.is_at(there).await;
    let seen = format!("document.querySelector({sign:?})?.checkVisibility() === true");
    tab.until(&seen).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn links_lead_where_they_say_and_questions_are_closed() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    let tab = stage.tab().await;
    of_work(&tab, &demo).await;
    of_accounts(&tab).await;
    not_now(&stage, &tab).await;
    of_lines(&stage, &tab, &demo).await;
    questions(&stage, &tab, &demo).await;
    without_scripts(&tab).await;
    is_sound(&tab);
}

async fn of_work(tab: &Tab, demo: &Demo) {
    let Demo { doubted_message, doubted_operation, chat, operation, .. } = demo;
    leads(tab, "/", ".page-head a[href='/diagnostics']", "/diagnostics", "form[action$=examine]").await;
    let (of_message, of_operation) =
        (format!("/doubt/{doubted_message}"), format!("/doubt/{doubted_operation}"));
    leads(tab, &format!("/messages/{doubted_message}"), ".alert a.btn", &of_message, "#act button.danger")
        .await;
    leads(
        tab,
        &format!("/operations/{doubted_operation}"),
        ".alert a.btn",
        &of_operation,
        "#act button.danger",
    )
    .await;
    let page = format!("/chats/{chat}");
    let (messages, operations) = (format!("/messages?chat={chat}"), format!("/operations?chat={chat}"));
    let encoded = |path: &str| path.replace("=-", "=%2D");
    leads(tab, &page, ".page-head a[href^='/messages']", &encoded(&messages), "table.list").await;
    assert_eq!(
        tab.tell("document.querySelectorAll('table.list tbody tr').length").await,
        2,
        "the texts to it"
    );
    leads(tab, &page, ".page-head a[href^='/operations']", &encoded(&operations), "table.list").await;
    leads(
        tab,
        &page,
        "aside a[href^='/operations/']",
        &format!("/operations/{}", made(tab, &page).await),
        "ol.why",
    )
    .await;
    leads(
        tab,
        &format!("/operations/{operation}"),
        "aside a[href^='/chats/']",
        &chat_of(tab, operation).await,
        "#who-title",
    )
    .await;
    // A page that there is not leads back.
    tab.open("/messages/msg_1").await;
    tab.press("main a.btn").await;
    tab.is_at("/").await;
    assert!(tab.complaints().iter().all(|one| one.contains("status of 404")));
}

/// The work that made a chat, as its page names it.
async fn made(tab: &Tab, page: &str) -> String {
    tab.open(page).await;
    tab.text("document.querySelector('aside a[href^=\"/operations/\"]').textContent").await
}

/// Where the page of a piece of work leads to its chat.
async fn chat_of(tab: &Tab, operation: &str) -> String {
    tab.open(&format!("/operations/{operation}")).await;
    tab.text("document.querySelector('aside a[href^=\"/chats/\"]').getAttribute('href')").await
}

async fn of_accounts(tab: &Tab) {
    let page = "/accounts/main";
    for (list, row) in [("messages", "table.list"), ("chats", "table.list"), ("operations", "table.list")] {
        leads(tab, page, &format!("nav a[href^='/{list}?']"), &format!("/{list}?account=main"), row).await;
        let field = "document.querySelector('form.filters select[name=account]').value";
        assert_eq!(tab.text(field).await, "main");
    }
    tab.open(page).await;
    tab.press("nav a[href^='/logs?']").await;
    tab.until("location.pathname === '/logs' && new URLSearchParams(location.search).get('account') === 'main' && document.readyState === 'complete'").await;
    leads(tab, page, ".crumbs a", "/accounts", "#accounts").await;
    // Who is signed out is signed in from the list too.
    leads(tab, "/accounts", "a[href='/accounts/fifth/login']", "/accounts/fifth/login", "#login-qr").await;
    leads(tab, "/accounts/add", ".page-head a[href='/accounts/import']", "/accounts/import", "#file").await;
    leads(tab, "/accounts/add", "#add-account a.btn", "/accounts", "#accounts").await;
    leads(tab, "/accounts/import", "#import-files a.btn", "/accounts", "#accounts").await;
    leads(tab, "/accounts/fifth/login", "a[href='/accounts/import']", "/accounts/import", "#file").await;
}

/// Whoever thinks better of it has no second factor.
async fn not_now(stage: &Stage, tab: &Tab) {
    tab.open("/settings/me").await;
    tab.press("form[action$=offer-second-factor] button").await;
    tab.is_at("/settings/me/second-factor").await;
    tab.press("main form a.btn").await;
    tab.is_at("/settings/me").await;
    assert_eq!(stage.program.get("/v1/users/admin").await.1["second_factor"], false);
}

/// A line leads to itself, to what it is about and to the lines about that.
async fn of_lines(stage: &Stage, tab: &Tab, demo: &Demo) {
    let sent = &demo.sent;
    let (_, told) = stage.program.get(&format!("/v1/logs?subject={sent}")).await;
    let id = told["items"][0]["id"].as_str().expect("a line").to_owned();
    let line = format!("/logs/{id}");
    tab.open(&line).await;
    tab.press(".page-head a.btn").await;
    tab.until(&format!(
        "location.hash === '#{id}' && document.querySelector(':target')?.classList.contains('chosen')"
    ))
    .await;
    leads(tab, &line, "li.chosen a[href^='/messages/']", &format!("/messages/{sent}"), "ol.why").await;
    leads(
        tab,
        &line,
        "li.chosen a[href^='/logs?subject=']",
        &format!("/logs?subject={sent}&range=7d"),
        "#lines > li[id]",
    )
    .await;
    leads(tab, "/logs?q=nobody+wrote+this", ".empty a.btn", "/logs", "#lines > li[id]").await;
    leads(
        tab,
        &format!("/operations/{}", demo.operation),
        ".page-head a[href^='/logs']",
        &format!("/logs?subject={}&range=7d", demo.operation.replace('_', "%5F")),
        "#lines > li[id]",
    )
    .await;
    // On a telephone more fields are behind a word.
    tab.look(390, Theme::Light).await;
    tab.open("/logs").await;
    let field = "document.querySelector('select[name=service]').checkVisibility()";
    assert_eq!(tab.tell(field).await, false);
    tab.press(".more-filters summary").await;
    tab.until(field).await;
    tab.look(1280, Theme::Light).await;
    // What the doctor saw is under each of his headings.
    tab.open("/diagnostics").await;
    tab.press("details.area summary").await;
    tab.until("document.querySelector('details.area[open] dl dd')?.checkVisibility() === true").await;
}

/// Each question, closed with its own button: over its page, and as a page of its own.
async fn questions(stage: &Stage, tab: &Tab, demo: &Demo) {
    for (path, order) in [
        ("/v1/alert-targets", json!({ "name": "pager", "kind": "telegram", "chat": "@client_63" })),
        ("/v1/keys", json!({ "name": "workshop", "scopes": ["read"] })),
    ] {
        assert_eq!(stage.program.post(path, &order).await.0, 201);
    }
    let chat = format!("/chats/{}", demo.chat);
    let (_, before) = stage.program.get("/v1/audit?limit=1").await;
    for (page, link) in [
        ("/accounts/main", ".page-head a[href$='/stop']"),
        ("/accounts/main", "a[href$='/export']"),
        (chat.as_str(), "a[href$='/leave']"),
        ("/failed", "table.list a"),
        ("/settings/people/anna", "a[href$='/remove']"),
        ("/settings/keys", "a[href$='/revoke']"),
        ("/settings/alerts", "a[href$='/remove']"),
        ("/settings/maintenance", "tbody a[href$='/remove']"),
        ("/flood-clearing", ""),
    ] {
        tab.open(page).await;
        let asks = match page {
            "/failed" => {
                tab.press(link).await;
                tab.until("location.pathname.startsWith('/failed/') && document.readyState === 'complete'")
                    .await;
                ".page-head a[href*='do=drop']"
            }
            _ => link,
        };
        if !asks.is_empty() {
            let here = tab.text("location.pathname").await;
            let question =
                tab.text(&format!("document.querySelector({}).getAttribute('href')", json!(asks))).await;
            tab.press(asks).await;
            tab.until("document.querySelector('dialog[open] #ask') !== null").await;
            tab.press("dialog[open] [data-close]").await;
            tab.until("document.querySelector('dialog[open]') === null").await;
            assert_eq!(tab.text("location.pathname").await, here);
            tab.open(&question).await;
        }
        tab.press("main #ask a[data-close]").await;
        tab.until("document.querySelector('main #ask') === null && document.querySelector('main h1') !== null && document.readyState === 'complete'").await;
    }
    // Nothing was done by any of it.
    let (_, after) = stage.program.get("/v1/audit?limit=1").await;
    assert_eq!(before["items"][0]["number"], after["items"][0]["number"], "{after}");
}

/// What stands there for a browser without scripts alone.
async fn without_scripts(tab: &Tab) {
    tab.scripts(false).await;
    tab.open("/").await;
    tab.fill("#find-card", "backup_2").await;
    tab.press("form.filters button[data-noscript]").await;
    tab.until(
        "new URLSearchParams(location.search).get('q') === 'backup_2' && document.readyState === 'complete'",
    )
    .await;
    let cards =
        "[...document.querySelectorAll('.card')].every((one) => one.textContent.includes('backup_2'))";
    assert_eq!(tab.tell(cards).await, true);
    tab.scripts(true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_adding_an_account_is_pressed() {
    let stage = Stage::without("fifth").await;
    let [session, other] = files(&stage).await;
    stage.add("fifth").await;
    let tab = stage.tab().await;
    // A look is taken once more; the account of a file is chosen by hand.
    let chosen = async || {
        tab.choose("#file", &[&session, &other]).await;
        tab.press("#import-files button.primary").await;
        tab.until(
            "location.pathname.startsWith('/accounts/import/imp_') && document.readyState === 'complete'",
        )
        .await;
        let look = tab.text("location.pathname").await;
        // The link leads to the page that it is on: the new document is the one without the mark.
        tab.tell("(document.body.dataset.former = '1', true)").await;
        tab.press(&format!("a[href='{look}']")).await;
        tab.until("document.readyState === 'complete' && !document.body.dataset.former").await;
        tab.choose_option("#account", "fifth").await;
        tab.press("input[name=stopped]").await;
        tab.press("#import-now button.primary").await;
        tab.is_at("/accounts/import/under-way").await;
    };
    tab.open("/accounts/import").await;
    stage.world.fault("deaf", json!({ "account": "fifth" })).await;
    chosen().await;
    leads(&tab, "/accounts/import", ".alert a.btn", "/accounts/import/under-way", "#import-run progress")
        .await;
    let over = tab.until("document.querySelector('a.primary[href=\"/accounts\"]') !== null");
    stage.program.as_time_goes_by(Duration::from_secs(1), over).await;
    stage.world.delete("/faults").await;
    // It came to nothing; more files are taken.
    tab.press("a.btn[href='/accounts/import']").await;
    tab.is_at("/accounts/import").await;
    chosen().await;
    tab.until("document.querySelector('a.primary[href=\"/accounts\"]') !== null").await;
    let rows = tab.text("document.querySelector('table.list').innerText").await;
    assert!(rows.contains("fifth"), "{rows}");
    stage.program.account_is("fifth", "ready").await;

    // Another application and no number; closing changes nothing.
    tab.open("/accounts/fifth/change").await;
    tab.fill("#priority", "3").await;
    tab.press("#change-account a.btn").await;
    tab.is_at("/accounts/fifth").await;
    assert_eq!(stage.program.get("/v1/accounts/fifth").await.1["priority"], 100);
    tab.open("/accounts/fifth/change").await;
    tab.press("#change-account summary").await;
    tab.fill("#api_id", "many").await;
    tab.press("#change-account button.primary").await;
    tab.until("document.querySelector('details[open] #api_id[aria-invalid=true]') !== null && document.querySelector('#api_id-error').checkVisibility()").await;
    assert!(tab.complaints().iter().all(|one| one.contains("422")));
    tab.fill("#api_id", "4242").await;
    tab.fill("#api_hash", "0123456789abcdef0123456789abcdef").await;
    tab.press("input[name=forget_phone]").await;
    done(&tab, "#change-account button.primary").await;
    assert_eq!(stage.program.get("/v1/accounts/fifth").await.1["phone"], json!(null));
    put_off(&stage, &tab).await;
    of_nobody(&stage, &tab).await;
    is_sound(&tab);
}

/// A question that is opened from a page and closed again.
async fn closed(tab: &Tab, link: &str) {
    tab.press(link).await;
    tab.until("document.querySelector('dialog[open] #ask') !== null").await;
    tab.press("dialog[open] [data-close]").await;
    tab.until("document.querySelector('dialog[open]') === null").await;
}

/// Removing is thought better of; a sign-in is left for later, and found again where it was.
async fn put_off(stage: &Stage, tab: &Tab) {
    tab.open("/accounts/fifth").await;
    closed(tab, "a[href$='/remove']").await;
    assert_eq!(stage.program.get("/v1/accounts/fifth").await.0, 200);
    tab.open("/accounts/fifth/login").await;
    tab.press("#login-qr button.primary").await;
    tab.until("document.querySelector('#login')?.dataset.state === 'qr_shown'").await;
    tab.press("#login-later").await;
    tab.is_at("/accounts/fifth").await;
    assert_eq!(stage.program.get("/v1/accounts/fifth/login").await.1["state"], "qr_shown");
    // Without scripts the page is looked at once more by hand.
    tab.scripts(false).await;
    tab.open("/accounts/fifth/login").await;
    tab.press("[data-noscript] a[href='/accounts/fifth/login']").await;
    tab.until("document.querySelector('#login')?.dataset.state === 'qr_shown' && document.readyState === 'complete'").await;
    tab.scripts(true).await;
    assert_eq!(stage.program.delete("/v1/accounts/fifth/login").await.0, 204);
}

/// Of the accounts that could have a session of nobody, another than the first is chosen.
async fn of_nobody(stage: &Stage, tab: &Tab) {
    assert_eq!(stage.program.delete("/v1/accounts/fifth").await.0, 204);
    for (name, api_id) in [("aside", 1), ("spare", 2)] {
        let order = json!({ "name": name, "api_id": api_id, "api_hash": "0123456789abcdef0123456789abcdef" });
        assert_eq!(stage.program.post("/v1/accounts", &order).await.0, 201);
    }
    tab.open("/accounts").await;
    closed(tab, "#ownerless a[href$='/drop']").await;
    closed(tab, "#ownerless a[href$='/give']").await;
    tab.until("document.querySelectorAll('#ownerless tbody tr').length === 1").await;
    tab.press("#ownerless a[href$='/give']").await;
    tab.until("document.querySelector('dialog[open] #give-account') !== null").await;
    tab.choose_option("#give-account", "spare").await;
    done(tab, "dialog button.primary").await;
    stage.program.account_is("spare", "ready").await;
    assert_eq!(stage.program.get("/v1/accounts/aside").await.1["state"], "needs_login");
}
