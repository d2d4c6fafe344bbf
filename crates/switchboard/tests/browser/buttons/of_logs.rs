//! The log: filters, a tail that can be held, a link to a line, taking lines away.

use super::is_sound;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_followed_held_filtered_linked_and_taken_away() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/logs").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    let lines = "document.querySelectorAll('#lines > li[id]').length";
    let before = tab.tell(lines).await.as_u64().expect("a number");
    assert!(before > 0);
    // What happens now stands on top.
    assert_eq!(stage.program.post("/v1/accounts/fifth/actions/pause", &serde_json::json!({})).await.0, 200);
    tab.until(&format!("{lines} > {before}")).await;
    // Held, it is counted and not shown.
    tab.press("#hold").await;
    tab.until("document.querySelector('#tail .lamp.wait') !== null").await;
    let held = tab.tell(lines).await;
    assert_eq!(stage.program.post("/v1/accounts/fifth/actions/resume", &serde_json::json!({})).await.0, 200);
    tab.until("document.querySelector('#show-new:not([hidden])') !== null").await;
    assert_eq!(tab.tell(lines).await, held);
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.press("#show-new").await;
    tab.until(&format!("{lines} > {held}")).await;

    tab.press("#lines a.at").await;
    tab.until("document.querySelector('li.chosen .more') !== null && document.readyState === 'complete'")
        .await;
    let here = tab.text("location.pathname").await;
    assert_eq!(tab.text("document.querySelector('li.chosen').id").await, here.trim_start_matches("/logs/"));

    tab.open("/logs").await;
    tab.press("fieldset.seg label:nth-of-type(2)").await;
    tab.until("location.search.includes('level=') && document.readyState === 'complete'").await;
    tab.open("/logs?q=dialogs").await;
    let marked = tab.tell("document.querySelectorAll('#lines mark').length").await;
    assert!(marked.as_u64() > Some(0));
    let taken = tab
        .tell(
            "fetch(document.querySelector('a[download]').href).then((answer) => answer.text()).then((text) => text.includes('dialogs'))",
        )
        .await;
    assert_eq!(taken, true);
    is_sound(&tab);
}
