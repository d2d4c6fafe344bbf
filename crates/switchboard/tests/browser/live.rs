//! A page that keeps itself up to date: under a person's hands, when the program is gone, after a sleep, behind a proxy
//! that gathers; and two people who press opposite buttons.

use serde_json::json;
use testkit::Program;

use crate::chromium::{Key, Tab};
use crate::proxy::Proxy;
use crate::stage::{NAME, PASSWORD, Stage, run, sign_in};

const MAIN: &str = "document.getElementById('c-account:main')";
const LAMP: &str = "document.querySelector('#live .lamp').className";

/// The page's clock is so many seconds ahead: what it waits for comes sooner.
pub(crate) async fn sleeps(tab: &Tab, seconds: u32) {
    tab.tell(&format!("{{ const before = Date.now; Date.now = () => before() + {seconds} * 1000; }}")).await;
}

async fn is_live(tab: &Tab) {
    tab.until(&format!("{LAMP} === 'lamp ok'")).await;
}

async fn is_late(tab: &Tab) {
    tab.until(&format!("{LAMP} === 'lamp wait'")).await;
}

async fn main_is_red(tab: &Tab) {
    tab.until(&format!("{MAIN}?.querySelector('.lamp').classList.contains('bad') === true")).await;
}

async fn lose_main(stage: &Stage) {
    lose(stage, "main").await;
}

/// An account is lost, and its card red within a minute of the program's time.
async fn lose(stage: &Stage, name: &str) {
    stage.world.fault("session_revoked", json!({ "account": name })).await;
    stage.pass(60).await;
    stage.program.account_is(name, "needs_login").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_element_in_use_stays_in_its_position() {
    let stage = Stage::start().await;
    stage.pass(60).await;
    let tab = stage.tab().await;
    tab.open("/").await;
    is_live(&tab).await;
    let focused = "document.activeElement.closest('.card')?.id";
    tab.tell("document.getElementById('c-store').querySelector('h3 a').focus()").await;
    let place = "document.activeElement.getBoundingClientRect().top";
    let before = tab.tell(place).await.as_f64().expect("a number");
    lose_main(&stage).await;
    tab.until(
        "[...document.querySelectorAll('[data-trouble] b')].some((one) => Number(one.textContent) > 0)",
    )
    .await;
    main_is_red(&tab).await;
    let after = tab.tell(place).await.as_f64().expect("a number");
    assert_eq!(tab.tell(focused).await, "c-store");
    // A browser scrolls by whole pixels of the screen; what moved is parts of one.
    assert!((after - before).abs() <= 1.0, "it went from {before} to {after}");
    // Once no one holds it, trouble is on top.
    tab.tell("document.activeElement.blur()").await;
    tab.point_away().await;
    tab.until("document.querySelector('#board .card').querySelector('.lamp').classList.contains('bad')")
        .await;
    sorted_by_hand(&stage, &tab).await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_cards_are_morphed_in_place() {
    let stage = Stage::start().await;
    stage.pass(60).await;
    let tab = stage.tab().await;
    tab.open("/").await;
    is_live(&tab).await;
    let strip = tab.text(&format!("{MAIN}.querySelector('.strip').innerHTML")).await;
    tab.tell(&format!("{MAIN}.known = true")).await;
    let shows_more = format!("{MAIN}.querySelector('.strip').innerHTML !== {}", json!(strip));
    for _ in 0..3 {
        stage.pass(60).await;
    }
    tab.until(&shows_more).await;
    assert_eq!(tab.tell(&format!("{MAIN}.known")).await, true);
    // By a press of the person in it, too: the button that was pressed is there to be pressed again.
    let restart = format!("{MAIN}.querySelector('button[formaction$=restart]')");
    tab.tell(&format!("{restart}.focus()")).await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('#notes .toast:not(.bad)') !== null").await;
    tab.until(&format!("document.activeElement === {restart}")).await;
    stage.program.account_is("main", "ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_is_live_and_rows_under_a_hand_stay() {
    let stage = Stage::start().await;
    assert_eq!(stage.program.send("@client_1", "The first.").await.0, 200);
    let tab = stage.tab().await;
    tab.open("/messages").await;
    is_live(&tab).await;
    tab.tell("window.kept = true").await;
    tab.point_away().await;
    let shows = |text: &str| format!("document.querySelector('#messages').textContent.includes('{text}')");
    assert_eq!(stage.program.send("@client_2", "The second.").await.0, 200);
    tab.until(&shows("The second.")).await;
    // Someone is at a row: it stays where it is, and another one waits for a press.
    tab.tell("[...document.querySelectorAll('[data-item]')].at(-1).focus()").await;
    let place = "document.activeElement.getBoundingClientRect().top";
    let before = tab.tell(place).await.as_f64().expect("a number");
    assert_eq!(stage.program.send("@client_3", "The third.").await.0, 200);
    let button = "document.querySelector('[data-show-new]')";
    tab.until(&format!("!{button}.hidden")).await;
    assert_eq!(tab.tell(&shows("The third.")).await, false);
    let after = tab.tell(place).await.as_f64().expect("a number");
    assert!((after - before).abs() <= 1.0, "it went from {before} to {after}");
    tab.press("[data-show-new]").await;
    tab.until(&shows("The third.")).await;
    // One message says what becomes of it while someone looks.
    let later = tab.text("new Date(Date.now() + 30 * 86400000).toISOString()").await;
    let order = json!({ "chat": "@client_1", "text": "Next month", "send_at": later, "wait": 0 });
    let (_, waiting) = stage.program.post("/v1/messages", &order).await;
    let id = waiting["id"].as_str().expect("an id");
    tab.open(&format!("/messages/{id}")).await;
    is_live(&tab).await;
    tab.tell("window.kept = true").await;
    assert_eq!(stage.program.post(&format!("/v1/messages/{id}/cancel"), &json!({})).await.0, 200);
    tab.until("document.querySelector('h1').textContent.includes('Cancelled')").await;
    assert_eq!(tab.tell("window.kept").await, true);
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn chats_an_operation_and_an_account_are_live() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/chats").await;
    is_live(&tab).await;
    tab.tell("window.kept = true").await;
    tab.point_away().await;
    let (status, made) = stage.program.post("/v1/chats", &json!({ "title": "Repair 7041, screen" })).await;
    assert_eq!(status, 201, "{made}");
    tab.until("document.querySelector('#chats').textContent.includes('Repair 7041, screen')").await;
    assert_eq!(tab.tell("window.kept").await, true);

    let flood =
        |seconds: u32| json!({ "account": "main", "method": "channels.createChannel", "seconds": seconds });
    stage.world.fault("flood_wait", flood(3600)).await;
    let order = json!({ "title": "Repair 7042, battery", "account": "main", "wait": 0 });
    let (_, begun) = stage.program.post("/v1/chats", &order).await;
    let id = begun["id"].as_str().expect("an id");
    tab.open(&format!("/operations/{id}")).await;
    is_live(&tab).await;
    tab.tell("window.kept = true").await;
    assert_eq!(stage.program.post(&format!("/v1/operations/{id}/cancel"), &json!({})).await.0, 200);
    tab.until("document.querySelector('.page-head .pill').textContent === 'Cancelled'").await;
    assert_eq!(tab.tell("window.kept").await, true);

    tab.open("/accounts/backup_1").await;
    is_live(&tab).await;
    tab.tell("window.kept = true").await;
    lose(&stage, "backup_1").await;
    tab.until("document.querySelector('.page-head .pill').classList.contains('bad')").await;
    assert_eq!(tab.tell("window.kept").await, true);
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

/// While a finger is on the screen now and then no row moves by itself, until someone asks for it.
async fn sorted_by_hand(stage: &Stage, tab: &Tab) {
    tab.tell("setInterval(() => dispatchEvent(new Event('touchstart')), 1000)").await;
    tab.tell("dispatchEvent(new Event('touchstart'))").await;
    let sort = "document.querySelector('[data-sort]')";
    tab.until(&format!("{sort}.hidden")).await;
    lose(stage, "fifth").await;
    tab.until(&format!("!{sort}.hidden")).await;
    let place =
        "[...document.querySelectorAll('#board .card')].findIndex((one) => one.id === 'c-account:fifth')";
    let before = tab.tell(place).await.as_i64().expect("a place");
    tab.press("[data-sort]").await;
    tab.until(&format!("{sort}.hidden")).await;
    let after = tab.tell(place).await.as_i64().expect("a place");
    assert!((0..before).contains(&after), "it went from {before} to {after}");
}

/// A tab of the owner's on the overview, behind a proxy.
async fn behind(stage: &Stage, proxy: &Proxy) -> Tab {
    let tab = stage.owner.tab(proxy.address()).await;
    tab.open("/sign-in").await;
    sign_in(&tab, NAME, PASSWORD).await;
    tab.is_at("/").await;
    tab
}

#[tokio::test(flavor = "multi_thread")]
async fn page_catches_up_after_an_outage() {
    let mut stage = Stage::start().await;
    let proxy = Proxy::start(stage.program.address(), false).await;
    let tab = behind(&stage, &proxy).await;
    is_live(&tab).await;
    stage.program.kill();
    sleeps(&tab, 10).await;
    is_late(&tab).await;
    stage.program = again(&stage).await;
    proxy.lead_to(stage.program.address());
    sleeps(&tab, 20).await;
    is_live(&tab).await;
    lose_main(&stage).await;
    main_is_red(&tab).await;
}

async fn again(stage: &Stage) -> Program {
    let program = run(&stage.world, &[]).await;
    program.account_is("main", "ready").await;
    program
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_gathers_makes_the_page_ask_by_itself() {
    let stage = Stage::start().await;
    let proxy = Proxy::start(stage.program.address(), true).await;
    let tab = behind(&stage, &proxy).await;
    lose_main(&stage).await;
    sleeps(&tab, 45).await;
    is_late(&tab).await;
    main_is_red(&tab).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_that_slept_shows_the_current_state() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    is_live(&tab).await;
    tab.call("Page.setWebLifecycleState", json!({ "state": "frozen" })).await;
    lose_main(&stage).await;
    tab.call("Page.setWebLifecycleState", json!({ "state": "active" })).await;
    sleeps(&tab, 3600).await;
    tab.tell("document.dispatchEvent(new Event('visibilitychange'))").await;
    main_is_red(&tab).await;
    is_live(&tab).await;
}
