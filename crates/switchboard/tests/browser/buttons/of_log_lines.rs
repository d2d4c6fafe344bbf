//! Log lines in the hands of a reader: copied, downloaded, followed, and found from the message that they are about.

use serde_json::json;

use super::is_sound;
use crate::chromium::{Key, Tab};
use crate::stage::{NAME, PASSWORD, Stage, sign_in};

const LINES: &str = "document.querySelectorAll('#lines > li[id]').length";

/// The same person in a window of their own, so that neither hides the other's pages.
async fn somebody_else(stage: &Stage) -> Tab {
    let tab = stage.stranger().await;
    tab.open("/sign-in").await;
    sign_in(&tab, NAME, PASSWORD).await;
    tab
}

/// Something is written into the log.
async fn something_happens(stage: &Stage, word: &str) {
    let path = format!("/v1/accounts/fifth/actions/{word}");
    assert_eq!(stage.program.post(&path, &json!({})).await.0, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_copied_each_on_its_own_and_downloaded() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    stage.owner.allow_clipboard(tab.site()).await;
    let downloads = stage.owner.downloads().await;
    tab.open("/logs").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    let before = tab.tell(LINES).await;
    something_happens(&stage, "pause").await;
    tab.until(&format!("{LINES} > {before}")).await;
    // Held, so that what is copied can be compared with what is shown.
    tab.press("#hold").await;
    let shown = tab.text("[...document.querySelectorAll('#lines > li')].map((one) => one.textContent.replace(/\\s+/g, ' ').trim()).join('\\n')").await;
    let copied = tab.copied("button[data-copy=lines]").await;
    let tidy: Vec<String> = copied
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(tidy, shown.lines().collect::<Vec<_>>());

    tab.press("a[download]").await;
    let (name, text) = downloads.first().await;
    assert_eq!(name, "switchboard-logs.txt");
    let messages = tab.text("[...document.querySelectorAll('#lines > li[id] .msg')].map((one) => one.firstChild.textContent).slice(1, 6).join('\\n')").await;
    assert!(messages.lines().all(|message| text.contains(message)), "{messages}\nis not in\n{text}");
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tail_waits_while_somebody_reads_further_down() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    // More than a window is high.
    for _ in 0..10 {
        something_happens(&stage, "pause").await;
        something_happens(&stage, "resume").await;
    }
    tab.open("/logs").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    assert!(
        tab.tell("document.documentElement.scrollHeight").await.as_u64() > Some(1_200),
        "too few lines to scroll"
    );
    tab.scroll(350).await;
    tab.until("scrollY > 200").await;
    let (lines, place) = (tab.tell(LINES).await, tab.tell("scrollY").await);
    something_happens(&stage, "pause").await;
    tab.until("document.querySelector('#tail .lamp.wait') !== null && document.querySelector('#tail .new').textContent.startsWith('+')").await;
    assert_eq!((tab.tell(LINES).await, tab.tell("scrollY").await), (lines.clone(), place));
    assert_eq!(tab.findings().await, Vec::<String>::new());
    // Back at the top it goes on by itself.
    tab.scroll(-2_000).await;
    tab.until(&format!(
        "scrollY === 0 && {LINES} > {lines} && document.querySelector('#tail .lamp.ok') !== null"
    ))
    .await;
    is_sound(&tab);
}

/// Chooses how the page refreshes itself, with the keyboard.
async fn refresh(tab: &Tab, keys: &[Key], word: &str) {
    tab.tell("document.querySelector('#refresh').focus()").await;
    tab.keys(keys).await;
    tab.until(&format!("document.querySelector('#refresh').value === '{word}'")).await;
    tab.tell("document.activeElement.blur()").await;
    tab.until(&format!("document.querySelector('#tail').hidden === {}", word != "live")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_live_or_every_half_minute_or_not_at_all() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    // Half a minute of the page is half a second.
    let sooner =
        "{ const before = setInterval; window.setInterval = (what, after) => before(what, after / 60); }";
    tab.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": sooner })).await;
    tab.open("/logs").await;
    tab.until("document.querySelector('#tail:not([hidden]) .lamp.ok') !== null").await;
    refresh(&tab, &[Key::Down], "30").await;
    let shown = tab.tell(LINES).await;
    something_happens(&stage, "pause").await;
    tab.until(&format!("{LINES} > {shown}")).await;

    refresh(&tab, &[Key::Down], "off").await;
    let newest = "document.querySelector('#lines > li[id]').id";
    let shown = tab.text(newest).await;
    something_happens(&stage, "resume").await;
    // Somebody else has it by now.
    let other = somebody_else(&stage).await;
    other.open("/logs").await;
    let more = format!("document.querySelector('#lines > li[id]') !== null && {newest} > '{shown}'");
    while other.tell(&more).await == false {
        other.open("/logs").await;
    }
    assert_eq!(
        tab.text("document.visibilityState").await,
        "visible",
        "a page that nobody sees does not refresh"
    );
    tab.tell("new Promise((done) => setTimeout(done, 600))").await;
    assert_eq!(tab.text(newest).await, shown, "refreshing is off");
    // The choice is remembered, and can be taken back.
    tab.open("/logs").await;
    tab.until("document.querySelector('#refresh').value === 'off' && document.querySelector('#tail').hidden")
        .await;
    refresh(&tab, &[Key::Up, Key::Up], "live").await;
    tab.until("document.querySelector('#tail .lamp.ok') !== null").await;
    let shown = tab.tell(LINES).await;
    something_happens(&stage, "pause").await;
    tab.until(&format!("{LINES} > {shown}")).await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_leads_to_its_lines_and_a_line_to_its_message() {
    let stage = Stage::start().await;
    let refusal = json!({ "method": "messages.sendMessage", "code": 400, "message": "MESSAGE_TOO_LONG" });
    stage.world.fault("rpc_error", refusal).await;
    let (status, told) = stage.program.send("@client_1", "It is too long.").await;
    assert_eq!(status, 422, "{told}");
    let (_, found) = stage.program.get("/v1/messages?state=failed").await;
    let id = found["items"][0]["id"].as_str().expect("an id").to_owned();
    let (_, _) = stage.program.send("@client_2", "Another one.").await;
    let tab = stage.tab().await;
    tab.open(&format!("/messages/{id}")).await;
    tab.press(".page-head a[href^='/logs?subject=']").await;
    tab.until("location.pathname === '/logs' && document.readyState === 'complete'").await;
    let lines = tab
        .text("[...document.querySelectorAll('#lines > li[id]')].map((one) => one.textContent).join('\\n')")
        .await;
    assert!(!lines.is_empty(), "a message that failed left lines");
    tab.press("#lines a.at").await;
    tab.until("document.querySelector('li.chosen .more') !== null && document.readyState === 'complete'")
        .await;
    assert!(tab.text("document.querySelector('li.chosen').textContent").await.contains(&id));
    // The link to a line is one for others too.
    let other = somebody_else(&stage).await;
    other.open(&tab.text("location.pathname").await).await;
    assert_eq!(other.tell("document.querySelectorAll('li.chosen').length").await, 1);
    tab.press(&format!("li.chosen a[href='/messages/{id}']")).await;
    tab.is_at(&format!("/messages/{id}")).await;
    is_sound(&tab);
}
