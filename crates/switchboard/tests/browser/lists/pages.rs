//! Lists that are longer than a page: each row is on one page, and the way back is one press.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::{LED_TO, items, rows};
use crate::chromium::Tab;
use crate::stage::Stage;

/// More than a page of a list shows.
const MANY: usize = 52;

/// Rows without a page of their own, by their words and the instants in them.
const WORDS: &str = r"[...document.querySelectorAll('main tbody tr')]
  .map((one) => `${one.innerText.replace(/\s+/g, ' ')} ${one.querySelector('time').getAttribute('datetime')}`).join('\n')";

/// Lines of the log.
const LINES: &str = "[...document.querySelectorAll('#lines > li[id]')].map((one) => one.id).join('\\n')";

/// Goes to the page that a link of the pager leads to.
async fn turn(tab: &Tab, link: &str) {
    let here = tab.text("location.pathname + location.search").await;
    tab.press(link).await;
    tab.until(&format!(
        "location.pathname + location.search !== {} && document.readyState === 'complete'",
        json!(here)
    ))
    .await;
}

/// Turns all pages of a list, and goes back to the first one; how many rows there are on all of them.
async fn turned(tab: &Tab, path: &str, expression: &str, next: &str) -> usize {
    tab.open(path).await;
    let first = rows(tab, expression).await;
    let mut pages = vec![first.clone()];
    assert_eq!(tab.findings().await, Vec::<String>::new(), "{path}");
    while tab.tell(&format!("document.querySelector({}) !== null", json!(next))).await == true {
        turn(tab, next).await;
        let page = rows(tab, expression).await;
        assert!(!page.is_empty(), "{path}: a page has nothing");
        pages.push(page);
    }
    assert!(pages.len() > 1, "{path} has one page: {first:?}");
    let all: BTreeSet<_> = pages.iter().flatten().collect();
    let number = pages.iter().map(Vec::len).sum();
    assert_eq!(all.len(), number, "{path}: a row is on two pages");
    // One that is not the last leads on, and the last one back to the first.
    turn(tab, &format!(".pager a:not({})", next.trim_start_matches(".pager a"))).await;
    tab.is_at(path).await;
    assert_eq!(rows(tab, expression).await, first, "{path}");
    number
}

/// What the API lists, over all its pages.
async fn listed(stage: &Stage, path: &str) -> usize {
    let (mut number, mut cursor) = (0, String::new());
    loop {
        let (status, told) = stage.program.get(&format!("{path}{cursor}")).await;
        assert_eq!(status, 200, "{told}");
        number += told["items"].as_array().expect("items").len();
        let Some(next) = told["next_cursor"].as_str() else { return number };
        cursor = format!("&cursor={next}");
    }
}

/// Much of everything: chats for which another account stood in, chats that nobody finds, requests that came to nothing,
/// messages in doubt, accounts.
async fn much(stage: &Stage) {
    let (world, program) = (&stage.world, &stage.program);
    let create = "channels.createChannel";
    let full =
        json!({ "account": "backup_2", "method": create, "code": 400, "message": "CHANNELS_TOO_MUCH" });
    world.fault("rpc_error", full).await;
    let port = world.legacy_port(5029);
    for number in 0..MANY {
        let order = json!({ "title": format!("Refused {number}"), "usernames": ["client_3"] });
        let call = program.legacy(port, "/create_chat", &order);
        let (status, told) = program.as_time_goes_by(Duration::from_millis(500), call).await;
        assert_eq!(status, 500, "{told}");
    }
    let flood = json!({ "account": "main", "method": create, "seconds": 5400 });
    world.fault("flood_wait", flood).await;
    for number in 0..MANY {
        let (status, made) = program.post("/v1/chats", &json!({ "title": format!("Made {number}") })).await;
        assert_eq!((status, &made["account"]), (201, &json!("backup_1")), "{made}");
        assert_eq!(program.send(&format!("-10099999{number:05}"), "Is anybody there?").await.0, 404);
        let order = json!({
            "name": format!("spare_{number:02}"), "api_id": 1000 + number, "api_hash": "0123456789abcdef0123456789abcdef",
            "phone": format!("+700000010{number:02}"),
        });
        assert_eq!(program.post("/v1/accounts", &order).await.0, 201);
    }
    let send = "messages.sendMessage";
    world.fault("drop_answer", json!({ "account": "backup_3", "method": send, "times": MANY })).await;
    let before = world.effects(send).await.len();
    for number in 0..MANY {
        let order = json!({ "chat": format!("@client_{}", number + 1), "text": "Did it arrive?", "account": "backup_3", "wait": 0 });
        assert_eq!(program.post("/v1/messages", &order).await.0, 202);
    }
    program.until("all are there", || async { world.effects(send).await.len() == before + MANY }).await;
    world.fault("banned", json!({ "account": "backup_3" })).await;
    let doubts = async {
        program
            .until("all are in doubt", || async {
                items(stage, "/v1/operations?state=in_doubt&limit=200").await.len() == MANY
            })
            .await;
    };
    program.as_time_goes_by(Duration::from_secs(5), doubts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_row_of_a_long_list_is_on_one_of_its_pages() {
    let stage = Stage::start().await;
    much(&stage).await;
    let tab = stage.tab().await;
    for (path, api) in [
        ("/messages", "/v1/messages"),
        ("/operations", "/v1/operations?kind=operation&"),
        ("/failovers", "/v1/failovers"),
        ("/chats", "/v1/chats"),
        ("/accounts", "/v1/accounts"),
        ("/failed?state=pending", "/v1/failed-requests"),
    ] {
        let shown = turned(&tab, path, LED_TO, ".pager a[rel=next]").await;
        assert_eq!(
            shown,
            listed(&stage, &format!("{api}{}limit=200", if api.ends_with('&') { "" } else { "?" })).await,
            "{path}"
        );
    }
    let shown = turned(&tab, "/doubt", LED_TO, ".pager a[rel=next]").await;
    assert_eq!(shown, MANY);
    let shown = turned(&tab, "/chats/unresolved", WORDS, ".pager a[rel=next]").await;
    assert_eq!(shown, MANY);
    let shown = turned(&tab, "/settings/audit", WORDS, ".pager a.push").await;
    assert_eq!(shown, listed(&stage, "/v1/audit?limit=100").await);
    let shown = turned(&tab, "/logs?q=operation&range=1d", LINES, ".pager a[rel=next]").await;
    assert!(shown > 200, "{shown}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
