//! Without scripts: every page can be read, and what its buttons do is done with pages alone.

use serde_json::json;

use crate::chromium::Tab;
use crate::stage::Stage;
use crate::sweep;

/// What pages have to be read: cards, rows of lists, steps of a timeline, facts, log lines.
const READ: [&str; 5] = [".card", "tbody tr", "ol.why li", "dl dd", "#lines > li"];

/// How much of each there is, outside of what is folded, and how much of it can be seen.
async fn visible_counts(tab: &Tab) -> [[u64; 2]; 5] {
    let all = tab
        .tell(&format!(
            "{}.map((what) => [...document.querySelectorAll(`main ${{what}}`)].filter((one) => !one.closest('details:not([open])')))
               .map((all) => [all.length, all.filter((one) => one.checkVisibility()).length])",
            json!(READ)
        ))
        .await;
    serde_json::from_value(all).expect("numbers")
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_read_and_buttons_pressed_without_scripts() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    let tab = stage.tab().await;
    let paths = sweep::paths(&tab, &demo).await;
    let _ = tab.complaints();
    tab.scripts(false).await;
    let mut sum = [0; READ.len()];
    for path in paths {
        tab.open(&path).await;
        let there = visible_counts(&tab).await;
        // Some facts are for narrow windows alone.
        let (facts, rest): (Vec<_>, Vec<_>) = READ.iter().zip(there).partition(|(what, _)| **what == "dl dd");
        assert!(rest.iter().all(|(_, [all, seen])| all == seen), "{path}: {rest:?}");
        assert!(facts.iter().all(|(_, [all, seen])| (*all > 0) == (*seen > 0)), "{path}: {facts:?}");
        for (sum, [_, seen]) in sum.iter_mut().zip(there) {
            *sum += seen;
        }
        let title = tab.text("document.querySelector('main h1')?.innerText").await;
        assert!(!title.is_empty(), "{path} has no title");
        assert_eq!(tab.tell("document.documentElement.classList.contains('script')").await, false);
        // What only scripts can do is not offered.
        let idle = tab.tell(
            "[...document.querySelectorAll('[data-script]')].filter((one) => one.checkVisibility()).length",
        );
        assert_eq!(idle.await, 0, "{path}");
        assert_eq!(sweep::complaints(&tab, &path).collect::<Vec<_>>(), Vec::<String>::new(), "{path}");
    }
    assert!(sum.iter().all(|count| *count > 0), "{READ:?}: {sum:?}");
    tab.open("/?kind=service").await;
    tab.press("#c-service\\:send_text .acts a[href$=stop]").await;
    tab.is_at("/cards/service%3Asend%5Ftext/stop").await;
    tab.press("#ask button.danger").await;
    tab.until("document.querySelector('#notes .toast') !== null").await;
    let (_, services) = stage.program.get("/v1/services").await;
    let stopped = services["items"].as_array().expect("items").iter().find(|one| one["state"] == "stopped");
    assert!(stopped.is_some(), "{services}");
    tab.open("/").await;
    tab.press("#c-service\\:send_text .acts button[formaction$=start]").await;
    tab.until("document.getElementById('c-service:send_text').dataset.state !== 'stopped'").await;
    let path = format!("/v1/messages/{}", demo.failed);
    tab.open(&format!("/messages/{}", demo.failed)).await;
    tab.press("button[formaction$=retry]").await;
    tab.until("document.querySelector('#notes .toast') !== null").await;
    stage
        .program
        .until("it is sent", || async { stage.program.get(&path).await.1["state"] == json!("sent") })
        .await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
