//! The log: filters, a tail that can be held and loses nothing, a link to a line, taking lines away.

use serde_json::{Value, json};

use super::is_sound;
use crate::chromium::{Key, Tab};
use crate::proxy::Proxy;
use crate::stage::{NAME, PASSWORD, Stage, sign_in};

/// The tail follows, and nothing waits.
const LIVE: &str = "document.querySelector('#tail:not([hidden]) .lamp.ok') !== null";

/// The tail has stopped for the reader.
const PAUSED: &str = "document.querySelector('#tail .lamp.wait') !== null";

/// Rows between which there are lines that are not shown.
const HOLES: &str = "(() => {
    const letters = '0123456789abcdefghjkmnpqrstvwxyz';
    const number = (row) => [...row.id.slice(4)].reduce((sum, letter) => sum * 32 + letters.indexOf(letter), 0);
    const numbers = [...document.querySelectorAll('#lines > li[id]')].map(number);
    return numbers.filter((one, place) => place > 0 && numbers[place - 1] !== one + 1).length;
})()";

/// Something happens that is logged: the id of a message that was sent.
async fn sent(stage: &Stage) -> String {
    let (status, reply) = stage.program.send("@client_1", "Your phone is ready.").await;
    assert_eq!(status, 200, "{reply}");
    let id = reply["id"].as_str().expect("an id").to_owned();
    // Its lines are in the store when a search finds its last one.
    let path = format!("/v1/logs?subject={id}&q=ended");
    stage
        .program
        .until("its lines", || async { stage.program.get(&path).await.1["items"][0].is_object() })
        .await;
    id
}

/// Whether a line of this message is shown.
fn shown(id: &str) -> String {
    format!(
        "[...document.querySelectorAll('#lines > li[id]')].some((row) => row.textContent.includes('{id}'))"
    )
}

/// The clock of the visitor's machine jumps so many seconds, and the page notices.
async fn jumps(tab: &Tab, seconds: i32) {
    let jump =
        format!("{{ const before = Date.now; Date.now = () => before() + {seconds} * 1000; page.now(); }}");
    tab.tell(&jump).await;
}

/// The visitor comes back to the tab.
async fn comes_back(tab: &Tab) {
    tab.tell("document.dispatchEvent(new Event('visibilitychange'))").await;
}

/// The log behind a proxy, seen by the owner.
async fn behind(stage: &Stage, proxy: &Proxy) -> Tab {
    let tab = stage.owner.tab(proxy.address()).await;
    tab.open("/sign-in").await;
    sign_in(&tab, NAME, PASSWORD).await;
    tab.open("/logs").await;
    tab
}

/// Lines enough that the page can be scrolled.
async fn much(stage: &Stage) {
    for _ in 0..60 {
        assert_eq!(stage.program.post("/v1/accounts/nobody/actions/pause", &json!({})).await.0, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_followed_held_filtered_linked_and_taken_away() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/logs").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    let lines = "document.querySelectorAll('#lines > li[id]').length";
    let before = tab.tell(lines).await.as_u64().expect("a number");
    assert!(before > 0);
    // What happens now is on top.
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

#[tokio::test(flavor = "multi_thread")]
async fn lines_wait_while_someone_reads_further_down() {
    let stage = Stage::start().await;
    much(&stage).await;
    let tab = stage.tab().await;
    tab.open("/logs").await;
    tab.until(LIVE).await;
    tab.tell("scrollTo({ top: 400, behavior: 'instant' })").await;
    let top = "(() => { const rows = [...document.querySelectorAll('#lines > li[id]')];
        const row = rows.find((one) => one.getBoundingClientRect().top > 100); return [row.id, Math.round(row.getBoundingClientRect().top)]; })()";
    let before = tab.tell(top).await;
    let id = sent(&stage).await;
    tab.until("document.querySelector('#show-new:not([hidden])') !== null").await;
    tab.until(PAUSED).await;
    assert!(tab.text("document.querySelector('#tail .new').textContent").await.starts_with('+'));
    assert_eq!((tab.tell(&shown(&id)).await, tab.tell(top).await), (Value::Bool(false), before));
    tab.tell("scrollTo({ top: 0, behavior: 'instant' })").await;
    tab.until(&shown(&id)).await;
    tab.until(&format!("{LIVE} && document.querySelector('#show-new').hidden")).await;
    assert_eq!(tab.tell(HOLES).await, 0);
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_refresh_is_live_or_every_half_minute_or_off() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/logs").await;
    tab.until(LIVE).await;
    tab.press("#hold").await;
    tab.until(PAUSED).await;
    let held = sent(&stage).await;
    tab.until("document.querySelector('#show-new:not([hidden])') !== null").await;
    assert_eq!(tab.tell(&shown(&held)).await, false);

    // What was held is not held for ever: the button that would let go is gone.
    tab.tell("document.querySelector('#refresh').focus()").await;
    tab.keys(&[Key::Right]).await;
    tab.until("document.querySelector('#refresh').value === '30' && document.querySelector('#tail').hidden")
        .await;
    tab.until(&shown(&held)).await;
    tab.requested_urls();
    let later = sent(&stage).await;
    comes_back(&tab).await;
    assert_eq!(tab.tell(&shown(&later)).await, false);
    jumps(&tab, 31).await;
    tab.until(&shown(&later)).await;
    let urls = tab.requested_urls();
    assert!(!urls.iter().any(|address| address.contains("/live/logs")), "{urls:?}");

    tab.keys(&[Key::Right]).await;
    tab.until("document.querySelector('#refresh').value === 'off'").await;
    let never = sent(&stage).await;
    tab.requested_urls();
    jumps(&tab, 120).await;
    comes_back(&tab).await;
    assert_eq!((tab.tell(&shown(&never)).await, tab.requested_urls()), (Value::Bool(false), Vec::new()));

    // The choice is kept, and nothing is lost by it.
    tab.open("/logs").await;
    tab.until("document.querySelector('#refresh').value === 'off'").await;
    let at_last = sent(&stage).await;
    tab.tell("document.querySelector('#refresh').focus()").await;
    tab.keys(&[Key::Left, Key::Left]).await;
    tab.until(&shown(&at_last)).await;
    tab.until(LIVE).await;
    assert_eq!(tab.tell(HOLES).await, 0);
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_have_no_gap_after_a_long_absence() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    tab.open("/logs").await;
    tab.until(LIVE).await;
    tab.tell("document.querySelector('#refresh').focus()").await;
    tab.keys(&[Key::Right, Key::Right]).await;
    tab.until("document.querySelector('#refresh').value === 'off'").await;
    // More than a stream sends at once, and than the page shows.
    for _ in 0..18 {
        much(&stage).await;
    }
    let id = sent(&stage).await;
    tab.keys(&[Key::Left, Key::Left]).await;
    jumps(&tab, 6).await;
    tab.until(&shown(&id)).await;
    tab.until(LIVE).await;
    assert_eq!(tab.tell(HOLES).await, 0);
    assert_eq!(tab.tell("document.querySelector('.pager a[rel=next]') !== null").await, true);
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_back_leaves_no_lamp_green() {
    let mut stage = Stage::start().await;
    let proxy = Proxy::start(stage.program.address(), true).await;
    let log = behind(&stage, &proxy).await;
    log.until(LIVE).await;
    jumps(&log, -3600).await;
    jumps(&log, 45).await;
    log.until(PAUSED).await;

    let overview = stage.tab().await;
    overview.open("/").await;
    let lamp = "document.querySelector('#live .lamp').className";
    overview.until(&format!("{lamp} === 'lamp ok'")).await;
    stage.program.kill();
    jumps(&overview, -3600).await;
    jumps(&overview, 45).await;
    overview.until(&format!("{lamp} === 'lamp wait'")).await;
}
