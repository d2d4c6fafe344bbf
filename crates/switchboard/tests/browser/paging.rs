//! A board with more cards than a page shows: the next page, the first one, back, and what changes meanwhile.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::chromium::{Key, Tab};
use crate::stage::Stage;

/// How many cards a page shows.
const PAGE: usize = 48;

/// Accounts that no one has signed in to: someone has to, so they come first.
const SPARE: usize = 50;

async fn cards(tab: &Tab) -> BTreeSet<String> {
    let all = tab
        .text("[...document.querySelectorAll('#board .card')].map((one) => one.id.slice(2)).join(' ')")
        .await;
    all.split(' ').map(str::to_owned).collect()
}

async fn number(tab: &Tab, cards: usize) {
    tab.until(&format!("document.querySelectorAll('#board .card').length === {cards}")).await;
}

async fn all_cards(stage: &Stage) -> BTreeSet<String> {
    let (_, overview) = stage.program.get("/v1/overview?limit=200").await;
    let id = |card: &Value| card["id"].as_str().expect("an id").to_owned();
    // Sessions are in their accounts.
    overview["items"]
        .as_array()
        .expect("cards")
        .iter()
        .map(id)
        .filter(|id| !id.starts_with("line:"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_cards_are_turned_and_each_is_live() {
    let stage = Stage::start().await;
    for at in 1..=SPARE {
        let order = json!({
            "name": format!("spare_{at:02}"), "api_id": 1000 + at, "api_hash": "0123456789abcdef0123456789abcdef",
            "phone": format!("+700000010{at:02}"),
        });
        let (status, reply) = stage.program.post("/v1/accounts", &order).await;
        assert_eq!(status, 201, "{reply}");
    }
    stage.pass(30).await;
    let all = all_cards(&stage).await;
    let rest = all.len() - PAGE;
    assert!((1..PAGE).contains(&rest), "two pages: {}", all.len());
    let tab = stage.tab().await;
    tab.open("/").await;
    number(&tab, PAGE).await;
    assert!(
        tab.text("document.querySelector('#board .pager').innerText")
            .await
            .contains(&format!("{PAGE} of {}", all.len()))
    );
    let first = cards(&tab).await;
    tab.press("#board .pager a[rel=next]").await;
    tab.until("location.search.startsWith('?after=')").await;
    number(&tab, rest).await;
    let second = cards(&tab).await;
    equals_a_fresh_page(&tab).await;
    // A reader who turns a page reads on from its top.
    assert_eq!(tab.tell("[document.activeElement.id, scrollY]").await, json!(["content", 0]));
    // No card is on both, and none is left out.
    assert!(first.is_disjoint(&second), "{first:?} {second:?}");
    assert_eq!(first.union(&second).cloned().collect::<BTreeSet<_>>(), all);
    assert_eq!(tab.tell("document.querySelector('#board .pager a[rel=next]')").await, Value::Null);
    assert_eq!(tab.findings().await, Vec::<String>::new());
    let address = tab.text("location.pathname + location.search").await;

    // Back to the first page, and to the second again.
    tab.tell("history.back()").await;
    tab.is_at("/").await;
    number(&tab, PAGE).await;
    assert_eq!(cards(&tab).await, first);
    tab.tell("history.forward()").await;
    tab.is_at(&address).await;
    number(&tab, rest).await;
    assert_eq!(cards(&tab).await, second);

    changes_come_to_the_second_page(&stage, &tab, rest).await;
    tab.press_words("#board .pager a", "First page").await;
    tab.is_at("/").await;
    number(&tab, PAGE).await;
    equals_a_fresh_page(&tab).await;
    let top = "document.querySelector('#board .card').id";
    tab.until(&format!("{top} === 'c-account:backup_1'")).await;
    kinds_stay_together_over_pages(&tab, rest, &all).await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

/// Grouped by kind, the second page goes on with the kind that the first one ended with.
async fn kinds_stay_together_over_pages(tab: &Tab, rest: usize, all: &BTreeSet<String>) {
    let kinds = "[...document.querySelectorAll('#board .card')].map((one) => one.id.slice(2).split(':')[0]).join(' ')";
    tab.open("/?group=kind").await;
    number(tab, PAGE).await;
    let (mut order, mut shown) = (tab.text(kinds).await, cards(tab).await);
    tab.press("#board .pager a[rel=next]").await;
    number(tab, rest).await;
    order.push(' ');
    order.push_str(&tab.text(kinds).await);
    shown.extend(cards(tab).await);
    assert_eq!(shown, *all);
    let mut order: Vec<_> = order.split(' ').collect();
    order.dedup();
    assert_eq!(order, ["service", "account", "port", "store", "queue"]);
    tab.open("/").await;
}

/// What was changed in its place is what a new page would be.
async fn equals_a_fresh_page(tab: &Tab) {
    tab.until(
        r"fetch(location.href).then((answer) => answer.text()).then((text) => {
            const read = (text) => new DOMParser().parseFromString(text, 'text/html').querySelector('#content');
            const plain = (page) => page.outerHTML.replace(/>\s*\n\s*</g, '><').replace(/ data-marks=\S+/g, '');
            return read(plain(document.querySelector('#content'))).isEqualNode(read(plain(read(text))));
        })",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filtered_list_equals_a_fresh_page() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    for (kind, path) in [("Accounts", "account"), ("Services", "service"), ("Store", "store")] {
        tab.press_words("#kinds a", kind).await;
        tab.is_at(&format!("/?kind={path}")).await;
        equals_a_fresh_page(&tab).await;
        // The focus stays on what was pressed, and what was typed and not asked for is not shown as asked for.
        let focus = "document.activeElement.matches('#kinds [aria-current]')";
        assert_eq!(tab.tell(focus).await, true, "{kind}");
        tab.fill("[data-find]", "nobody asked").await;
    }
    tab.press_words("#kinds a", "All").await;
    tab.is_at("/").await;
    equals_a_fresh_page(&tab).await;
    assert_eq!(tab.tell("document.querySelector('[data-find]').value").await, "");
    tab.fill("[data-find]", "backup_2").await;
    tab.keys(&[Key::Enter]).await;
    tab.is_at("/?q=backup_2&group=").await;
    tab.types("4").await;
    equals_a_fresh_page(&tab).await;
    // Who writes goes on writing.
    assert_eq!(tab.tell("document.querySelector('[data-find]').value").await, "backup_24");
    tab.keys(&[Key::Enter]).await;
    tab.is_at("/?q=backup_24&group=").await;
    equals_a_fresh_page(&tab).await;
    tab.press(".empty a").await;
    tab.is_at("/").await;
    equals_a_fresh_page(&tab).await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

/// A card of the page changes in its place; one that is in trouble now belongs to the first page and leaves this one.
async fn changes_come_to_the_second_page(stage: &Stage, tab: &Tab, cards: usize) {
    let card = |id: &str| format!("document.getElementById('c-{id}')");
    let [service, account] = ["service:leave_chat", "account:backup_1"].map(card);
    tab.point_away().await;
    tab.until(&format!("{service}.dataset.state === 'active' && {account}.dataset.state === 'ready'")).await;
    assert_eq!(stage.program.post("/v1/services/leave_chat/actions/stop", &json!({})).await.0, 200);
    tab.until(&format!("{service}?.dataset.state === 'stopped'")).await;
    number(tab, cards).await;
    stage.world.fault("session_revoked", json!({ "account": "backup_1" })).await;
    stage.pass(60).await;
    stage.program.account_is("backup_1", "needs_login").await;
    tab.point_away().await;
    tab.until(&format!("{account} === null")).await;
    number(tab, cards - 1).await;
    tab.until(&format!("document.querySelector('[data-trouble] b').textContent === '{}'", SPARE + 1)).await;
}
