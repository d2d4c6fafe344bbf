//! The health strip, pointed at: a dot shows its minute and what came of it.

use serde_json::{Value, json};

use crate::chromium::Tab;
use crate::stage::Stage;

/// How many minutes a strip shows.
const MINUTES: usize = 120;
/// How many cells of three minutes the board shows them in.
const CELLS: usize = 40;

const CARD: &str = r#"[id="c-account:main"]"#;
const TIP: &str = "document.querySelector('.tip')?.textContent";

/// A minute ends late enough for a test to look at the strip meanwhile.
async fn a_minute_is_young(stage: &Stage) {
    let second = stage.program.now().await[17..19].parse::<u64>().expect("seconds");
    if second > 5 {
        stage.pass(61 - second).await;
    }
}

/// The account is lost after minutes in which it answered.
async fn lost(stage: &Stage) {
    stage.pass(180).await;
    stage.world.fault("session_revoked", json!({ "account": "main" })).await;
    stage.pass(120).await;
    stage.program.account_is("main", "needs_login").await;
}

/// The minutes of the account, and the place of the first one that failed.
async fn minutes(stage: &Stage) -> (Vec<Value>, usize) {
    let (_, card) = stage.program.get("/v1/cards/account:main").await;
    let strip = card["strip"].as_array().expect("minutes");
    assert_eq!(strip.len(), MINUTES);
    let place = strip.iter().position(|minute| minute["answer"] == "failed").expect("a minute that failed");
    assert_eq!(strip[place]["reason"], "session_revoked", "{card}");
    (strip.clone(), place)
}

/// The time of day of a minute.
fn time(minute: &Value) -> String {
    minute["at"].as_str().expect("an instant")[11..16].to_owned()
}

/// The number of a minute since midnight.
fn number(minute: &Value) -> usize {
    let time = time(minute);
    let [hour, minute] = [&time[..2], &time[3..]].map(|part| part.parse::<usize>().expect("a number"));
    hour * 60 + minute
}

/// The place of the first cell that failed among so many, and the time of its first minute that did.
async fn first_failure(stage: &Stage, cells: usize) -> (usize, String) {
    let (minutes, place) = minutes(stage).await;
    let cell = |minute: &Value| number(minute) / (MINUTES / cells);
    let last = cell(minutes.last().expect("a minute"));
    let late = (last + 24 * 60 - cell(&minutes[place])) % (24 * 60 * cells / MINUTES);
    (cells - 1 - late, time(&minutes[place]))
}

/// How long the answer took of the minute that failed first but one, as a tip says it.
async fn took(stage: &Stage) -> String {
    let (minutes, place) = minutes(stage).await;
    let minute = &minutes[place - 1];
    assert_eq!(minute["answer"], "answered", "{minute}");
    // The pretend Telegram is on this machine: it may take less than one.
    match minute["latency_ms"].as_u64().expect("a latency") {
        0 => "<\u{202f}1\u{a0}".to_owned(),
        1..1000 => format!("{}\u{a0}", minute["latency_ms"]),
        slow => format!("{}\u{202f}{:03}\u{a0}", slow / 1000, slow % 1000),
    }
}

fn middle(place: usize, cells: usize) -> f64 {
    let [place, cells] = [place, cells].map(|number| f64::from(u32::try_from(number).expect("few")));
    (place + 0.5) / cells
}

/// The tip is in the window, and its dot where the minute is drawn.
async fn lies_well(tab: &Tab, strip: &str, place: usize, cells: usize) {
    let lies = format!(
        "(() => {{ const tip = document.querySelector('.tip').getBoundingClientRect(), dot = document.querySelector('{strip} .dot').getBoundingClientRect();
           const box = document.querySelector('{strip} svg').getBoundingClientRect(), x = box.left + box.width * {};
           return tip.left >= 0 && tip.right <= innerWidth && tip.top >= 0 && tip.bottom <= box.top
             && Math.abs((dot.left + dot.right) / 2 - x) <= box.width / {cells}; }})()",
        middle(place, cells)
    );
    assert_eq!(tab.tell(&lies).await, true, "{place}");
}

/// Points at a minute of a strip; what its tip says.
async fn pointed_at(tab: &Tab, strip: &str, place: usize, cells: usize) -> String {
    tab.point_away().await;
    tab.until("document.querySelector('.tip') === null").await;
    tab.point_into(&format!("{strip} svg"), middle(place, cells)).await;
    tab.until("document.querySelector('.tip') !== null").await;
    lies_well(tab, strip, place, cells).await;
    tab.text(TIP).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dot_that_is_pointed_at_tells_its_minute_and_why_it_is_red() {
    let stage = Stage::start().await;
    lost(&stage).await;
    let tab = stage.tab().await;
    for (path, strip, cells) in
        [("/", format!("{CARD} .strip"), CELLS), ("/accounts/main", "main .strip.wide".to_owned(), MINUTES)]
    {
        a_minute_is_young(&stage).await;
        let (place, time) = first_failure(&stage, cells).await;
        tab.open(path).await;
        // It is drawn where the API has it.
        let drawn = format!(
            "document.querySelector('{strip} path.f')?.getAttribute('d').startsWith('M{} 9h')",
            3 * place
        );
        tab.until(&drawn).await;
        // What is green is seen as dots, with a gap after each that is half as wide.
        let dot = format!(
            "(() => {{ const box = document.querySelector('{strip} svg').getBoundingClientRect(); return box.width / {cells} >= 5; }})()"
        );
        assert_eq!(tab.tell(&dot).await, true, "{path}");
        let tooltip = pointed_at(&tab, &strip, place, cells).await;
        assert!(
            tooltip.contains(&time)
                && tooltip.contains("failed")
                && tooltip.ends_with(": the session was ended elsewhere"),
            "{time}: {tooltip}"
        );
        assert_eq!(tab.findings().await, Vec::<String>::new());
        let before = pointed_at(&tab, &strip, place - 1, cells).await;
        assert!(before.contains("answered in "), "{before}");
        if cells == MINUTES {
            let took = took(&stage).await;
            assert!(before.ends_with(&format!("answered in {took}ms")), "{took}: {before}");
        }
        let unchecked = pointed_at(&tab, &strip, 0, cells).await;
        assert!(unchecked.contains("not asked"), "{unchecked}");
        tab.point_away().await;
        tab.until("document.querySelector('.tip') === null && document.querySelector('.dot') === null").await;
    }
    tab.cookie("language", "ru").await;
    tab.open("/").await;
    a_minute_is_young(&stage).await;
    let (place, _) = first_failure(&stage, CELLS).await;
    let tooltip = pointed_at(&tab, &format!("{CARD} .strip"), place, CELLS).await;
    assert!(
        tooltip.contains("ошибка") && tooltip.ends_with(": сессия завершена с другого устройства"),
        "{tooltip}"
    );
    let before = pointed_at(&tab, &format!("{CARD} .strip"), place - 1, CELLS).await;
    assert!(before.contains("ответ за ") && before.ends_with("мс"), "{before}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
