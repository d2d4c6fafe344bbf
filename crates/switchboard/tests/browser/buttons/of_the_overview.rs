//! Filters, the buttons of a card, clearing flood waits.

use std::time::Duration;

use serde_json::json;

use super::{answered, done, is_sound};
use crate::chromium::{Key, Tab, Theme};
use crate::stage::{ACCOUNTS, Stage};

const CARD: &str = "#c-service\\:send_text";

async fn state_is(tab: &Tab, state: &str) {
    tab.point_away().await;
    tab.until(&format!("document.getElementById('c-service:send_text').dataset.state === '{state}'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_found_stopped_and_started() {
    let stage = Stage::start().await;
    stage.pass(30).await;
    let tab = stage.tab().await;
    filters(&tab).await;
    // The question before a stop can be closed without an answer.
    let stop = format!("{CARD} .acts a[href$=stop]");
    tab.press(&stop).await;
    tab.press("dialog [data-close]").await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    state_is(&tab, "active").await;
    let note = answered(&tab, &stop, "dialog button.danger").await;
    assert!(note.contains("send_text"), "{note}");
    state_is(&tab, "stopped").await;
    tab.is_at("/").await;
    done(&tab, &format!("{CARD} .acts button[formaction$=start]")).await;
    state_is(&tab, "active").await;
    restarted(&stage, &tab).await;
    dialogs_read_again(&stage, &tab).await;
    // An account is paused and given work again where it stands.
    for (action, state) in [("pause", "paused"), ("resume", "ready")] {
        let note = done(&tab, &format!("#c-account\\:fifth .acts button[formaction$={action}]")).await;
        assert!(note.contains("fifth"), "{note}");
        stage.program.account_is("fifth", state).await;
        tab.point_away().await;
        tab.until(&format!("document.getElementById('c-account:fifth').dataset.state === '{state}'")).await;
        tab.is_at("/").await;
    }
    // An account's own page has the same buttons; the address of its card leads there.
    tab.open("/cards/account%3Afifth").await;
    for (action, state) in [("pause", "paused"), ("resume", "ready"), ("restart", "ready")] {
        done(&tab, &format!(".page-head button[formaction$={action}]")).await;
        stage.program.account_is("fifth", state).await;
    }
    answered(&tab, ".page-head a[href$=stop]", "dialog button.danger").await;
    stage.program.account_is("fifth", "offline").await;
    done(&tab, ".page-head button[formaction$=start]").await;
    stage.program.account_is("fifth", "ready").await;
    // On a telephone the rail is behind a button.
    tab.look(390, Theme::Light).await;
    tab.open("/").await;
    tab.press("button[popovertarget=rail]").await;
    tab.until("document.querySelector('#rail:popover-open') !== null").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.press("#rail a[href='/messages']").await;
    tab.is_at("/messages").await;
    is_sound(&tab);
}

/// A restart counts from nothing: what the card says of its work and of its time begins anew.
async fn restarted(stage: &Stage, tab: &Tab) {
    let service = || async { stage.program.get("/v1/services/send_text").await.1 };
    assert_eq!(stage.program.send("@client_1", "Before the restart.").await.0, 200);
    stage.pass(600).await;
    let up =
        format!("document.querySelector({}).textContent", json!(format!("{CARD} dl > div:last-child dd")));
    // On a slow machine it is more than the ten minutes that were let go by.
    let is_long = format!("/(^|[^0-9])[1-9][0-9]\u{a0}min/.test({up})");
    tab.point_away().await;
    tab.until(&is_long).await;
    let before = service().await;
    assert_eq!(before["operations"], 1, "{before}");
    done(tab, &format!("{CARD} .acts button[formaction$=restart]")).await;
    let after = service().await;
    assert_eq!((&after["operations"], &after["state"]), (&json!(0), &json!("active")), "{after}");
    assert_ne!(before["since"], after["since"]);
    tab.point_away().await;
    tab.until(&format!("!{is_long}")).await;
    state_is(tab, "active").await;
}

/// Every account asks Telegram for its dialogs once more.
async fn dialogs_read_again(stage: &Stage, tab: &Tab) {
    let (asking, told) = ("messages.getDialogs", "/v1/logs?q=all%20dialogs%20are%20read&limit=200");
    let (program, world) = (&stage.program, &stage.world);
    let lines = || async { program.get(told).await.1["items"].as_array().map_or(0, Vec::len) };
    for name in ACCOUNTS {
        program.has_read_dialogs(name).await;
    }
    let all = ACCOUNTS.len();
    program.until("the first reading is told", || async { lines().await == all }).await;
    let before = world.calls(asking).await;
    done(tab, &format!("{CARD} .acts button[formaction$=reload_cache]")).await;
    let again = async { program.until("they are read again", || async { lines().await == 2 * all }).await };
    program.as_time_goes_by(Duration::from_secs(1), again).await;
    assert!(world.calls(asking).await >= before + all as u64);
    state_is(tab, "active").await;
}

async fn filters(tab: &Tab) {
    tab.open("/").await;
    tab.press_words("#kinds a", "Services").await;
    tab.is_at("/?kind=service").await;
    assert_eq!(tab.tell("document.querySelectorAll('.card').length").await, 4);
    // What was put in place is left again by going back, and come to by going forward.
    tab.tell("history.back()").await;
    tab.until("document.querySelectorAll('.card').length > 4").await;
    tab.is_at("/").await;
    tab.tell("history.forward()").await;
    tab.until("location.search !== '' && document.querySelectorAll('.card').length === 4").await;
    tab.is_at("/?kind=service").await;
    tab.tell("document.querySelector('[name=group]').focus()").await;
    tab.keys(&[Key::Letter('b'), Key::Letter('y'), Key::Space, Key::Letter('k'), Key::Enter]).await;
    tab.until("location.search.includes('group=kind') && document.readyState === 'complete'").await;
    tab.open("/").await;
    tab.keys(&[Key::Slash]).await;
    tab.until("document.activeElement.name === 'q'").await;
    tab.types("nothing is called so").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('.empty') !== null && document.activeElement.name === 'q'").await;
    tab.press(".empty a").await;
    tab.is_at("/").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_what_is_wrong_is_the_button_that_mends_it() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    for path in ["/v1/services/send_text/actions/stop", "/v1/accounts/fifth/actions/pause"] {
        assert_eq!(stage.program.post(path, &json!({})).await.0, 200, "{path}");
    }
    tab.open("/cards/service%3Asend%5Ftext").await;
    done(&tab, ".cure button[formaction$=start]").await;
    assert_eq!(stage.program.get("/v1/services/send_text").await.1["state"], "active");
    stage.program.account_is("fifth", "paused").await;
    tab.open("/cards/account%3Afifth").await;
    done(&tab, ".cure button[formaction$=resume]").await;
    stage.program.account_is("fifth", "ready").await;

    // On the board it stands in the cards of those that need somebody.
    let flood = json!({ "account": "backup_1", "method": "messages.sendMessage", "seconds": 3600 });
    stage.world.fault("flood_wait", flood).await;
    let order = json!({ "chat": "@client_1", "text": "It waits.", "account": "backup_1", "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
    stage.program.account_is("backup_1", "flood_wait").await;
    stage.world.fault("session_revoked", json!({ "account": "main" })).await;
    stage.pass(60).await;
    stage.program.account_is("main", "needs_login").await;
    tab.open("/").await;
    tab.press("#c-account\\:backup_1.tall .cure a[data-dialog]").await;
    tab.until("document.querySelector('dialog[open] input[value=pause_flooded]') !== null").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.press("dialog [data-close]").await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    tab.press_words("#c-account\\:main.tall .cure a.primary", "Sign in again").await;
    tab.is_at("/accounts/main/login").await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn flood_waits_are_cleared_gently_or_all_at_once_and_cancelled() {
    let stage = Stage::start().await;
    let flood = json!({ "account": "main", "method": "messages.sendMessage", "seconds": 3600 });
    stage.world.fault("flood_wait", flood).await;
    let order = json!({ "chat": "@client_1", "text": "It waits.", "account": "main", "wait": 0 });
    assert_eq!(stage.program.post("/v1/messages", &order).await.0, 202);
    stage.program.account_is("main", "flood_wait").await;
    let tab = stage.tab().await;
    for way in ["pause_flooded", "stop_all"] {
        tab.open("/").await;
        tab.press(".page-head a[href='/flood-clearing']").await;
        tab.press(&format!("dialog input[value={way}]")).await;
        done(&tab, "dialog button.primary").await;
        tab.until("document.querySelector('#ask progress') !== null").await;
        let findings = tab.findings().await;
        assert!(findings.is_empty(), "{way}: {findings:?}");
        let (_, under_way) = stage.program.get("/v1/flood-clearing").await;
        assert!(under_way.to_string().contains(way), "{under_way}");
        done(&tab, "#ask form[action$=cancel] button").await;
    }
    let (_, services) = stage.program.get("/v1/services").await;
    let mut all = services["items"].as_array().expect("items").iter();
    assert!(all.all(|one| one["state"] == "active"), "{services}");
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_flood_nothing_is_chosen_to_be_cleared() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    tab.press(".page-head a[href='/flood-clearing']").await;
    tab.until("document.querySelector('dialog[open] input[name=how]') !== null").await;
    let chosen = "document.querySelector('dialog input[name=how]:checked')";
    assert_eq!(tab.tell(chosen).await, json!(null));
    assert_eq!(tab.tell("document.querySelector('dialog .primary')").await, json!(null));
    tab.until("document.querySelector('dialog').textContent.includes('There is nothing to clear')").await;
    // A press without a choice does nothing.
    tab.press("dialog form button:not([data-close])").await;
    let (_, clearing) = stage.program.get("/v1/flood-clearing").await;
    assert_eq!(clearing["running"], false, "{clearing}");
    assert_eq!(tab.findings().await, Vec::<String>::new());
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_account_the_overview_leads_to_adding_one() {
    let stage = Stage::empty().await;
    stage.pass(30).await;
    let tab = stage.tab().await;
    for (link, page) in [
        ("a.primary[href='/accounts/add']", "/accounts/add"),
        ("a[href='/accounts/import']", "/accounts/import"),
    ] {
        tab.open("/").await;
        assert_eq!(tab.findings().await, Vec::<String>::new());
        tab.press(&format!("#verdict {link}")).await;
        tab.is_at(page).await;
    }
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_is_drawn_hour_by_hour_over_a_restart() {
    let mut stage = Stage::start().await;
    for text in ["one", "two"] {
        assert_eq!(stage.program.send("@client_1", text).await.0, 200);
    }
    stage.pass(30).await;
    let tab = stage.tab().await;
    let drawn = "document.querySelector('#facts .hours svg')?.getAttribute('aria-label').includes('2 sent, 0 failed') \
                 && document.querySelectorAll('#facts .hours g').length === 24";
    tab.open("/").await;
    tab.until(drawn).await;
    assert_eq!(stage.program.terminate().await, Some(0));
    stage.program = crate::stage::run(&stage.world, &[]).await;
    stage.pass(30).await;
    let again = stage.tab().await;
    again.open("/").await;
    again.until(drawn).await;
    is_sound(&again);
}
