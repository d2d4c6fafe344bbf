//! The health strip, pointed at and walked with the arrows: a dot tells its minute and what came of it.

use serde_json::{Value, json};

use crate::chromium::{Key, Tab};
use crate::keyboard::walk_to;
use crate::stage::Stage;

/// How many minutes a strip shows.
const MINUTES: usize = 120;

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

/// The place of the first minute that failed, and its time of day to the minute.
async fn first_failure(stage: &Stage) -> (usize, String) {
    let (_, card) = stage.program.get("/v1/cards/account:main").await;
    let strip = card["strip"].as_array().expect("minutes");
    assert_eq!(strip.len(), MINUTES);
    let place = strip.iter().position(|minute| minute["answer"] == "failed").expect("a minute that failed");
    assert_eq!(strip[place]["reason"], "session_revoked", "{card}");
    (place, strip[place]["at"].as_str().expect("an instant")[11..16].to_owned())
}

/// What a tip says of how long the answer took that came in a minute.
async fn took(stage: &Stage, place: usize) -> String {
    let (_, card) = stage.program.get("/v1/cards/account:main").await;
    let minute = &card["strip"][place];
    assert_eq!(minute["answer"], "answered", "{minute}");
    // The pretend Telegram is on this machine: it may take less than one.
    match minute["latency_ms"].as_u64().expect("a latency") {
        0 => "<\u{202f}1\u{a0}".to_owned(),
        1..1000 => format!("{}\u{a0}", minute["latency_ms"]),
        slow => format!("{}\u{202f}{:03}\u{a0}", slow / 1000, slow % 1000),
    }
}

fn middle(place: usize) -> f64 {
    let place = u32::try_from(place).expect("few");
    (f64::from(place) + 0.5) / 120.0
}

/// The tip lies in the window, and its dot where the minute is drawn.
async fn lies_well(tab: &Tab, strip: &str, place: usize) {
    let lies = format!(
        "(() => {{ const tip = document.querySelector('.tip').getBoundingClientRect(), dot = document.querySelector('{strip} .dot').getBoundingClientRect();
           const box = document.querySelector('{strip} svg').getBoundingClientRect(), x = box.left + box.width * {};
           return tip.left >= 0 && tip.right <= innerWidth && tip.top >= 0 && tip.bottom <= box.top
             && Math.abs((dot.left + dot.right) / 2 - x) <= box.width / 120; }})()",
        middle(place)
    );
    assert_eq!(tab.tell(&lies).await, true, "{place}");
}

/// Points at a minute of a strip; what its tip says.
async fn pointed_at(tab: &Tab, strip: &str, place: usize) -> String {
    tab.point_away().await;
    tab.until("document.querySelector('.tip') === null").await;
    tab.point_into(&format!("{strip} svg"), middle(place)).await;
    tab.until("document.querySelector('.tip') !== null").await;
    lies_well(tab, strip, place).await;
    tab.text(TIP).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dot_that_is_pointed_at_tells_its_minute_and_why_it_is_red() {
    let stage = Stage::start().await;
    lost(&stage).await;
    let tab = stage.tab().await;
    for (path, strip) in
        [("/", format!("{CARD} .strip")), ("/cards/account%3Amain", "main .strip.wide".to_owned())]
    {
        a_minute_is_young(&stage).await;
        let (place, time) = first_failure(&stage).await;
        tab.open(path).await;
        // It is drawn where it is told to be.
        let drawn = format!(
            "document.querySelector('{strip} path.f')?.getAttribute('d').startsWith('M{} 9h')",
            2 * place
        );
        tab.until(&drawn).await;
        let said = pointed_at(&tab, &strip, place).await;
        assert!(
            said.contains(&time)
                && said.contains("failed")
                && said.ends_with(": the session was ended elsewhere"),
            "{time}: {said}"
        );
        assert_eq!(tab.findings().await, Vec::<String>::new());
        let before = pointed_at(&tab, &strip, place - 1).await;
        let took = took(&stage, place - 1).await;
        assert!(before.ends_with(&format!("answered in {took}ms")), "{took}: {before}");
        let nobody = pointed_at(&tab, &strip, 0).await;
        assert!(nobody.contains("not asked"), "{nobody}");
        tab.point_away().await;
        tab.until("document.querySelector('.tip') === null && document.querySelector('.dot') === null").await;
    }
    tab.cookie("language", "ru").await;
    tab.open("/").await;
    a_minute_is_young(&stage).await;
    let (place, _) = first_failure(&stage).await;
    let said = pointed_at(&tab, &format!("{CARD} .strip"), place).await;
    assert!(said.contains("ошибка") && said.ends_with(": сессия завершена с другого устройства"), "{said}");
    let before = pointed_at(&tab, &format!("{CARD} .strip"), place - 1).await;
    let took = took(&stage, place - 1).await;
    assert!(before.ends_with(&format!("ответ за {took}мс")), "{took}: {before}");
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_arrows_walk_to_the_dot_that_tells_why() {
    let stage = Stage::start().await;
    lost(&stage).await;
    a_minute_is_young(&stage).await;
    let (_, time) = first_failure(&stage).await;
    let tab = stage.tab().await;
    tab.open("/").await;
    walk_to(&tab, &format!("{CARD} .strip")).await;
    let mut steps = 0;
    loop {
        tab.until("document.querySelector('.tip') !== null").await;
        let said = tab.text(TIP).await;
        // The youngest minute may have begun just now, without a beat.
        let is_new = steps == 0 && said.contains("not asked");
        assert!(
            is_new || said.contains("failed") && said.ends_with(": the session was ended elsewhere"),
            "{said}"
        );
        if said.contains(&time) {
            break;
        }
        steps += 1;
        assert!(steps < MINUTES, "no dot is of {time}");
        tab.keys(&[Key::Left]).await;
        tab.until(&format!("{TIP} !== {}", Value::from(said))).await;
    }
    // Some minutes are red by now, and the one before them is not.
    assert!(steps > 0);
    lies_well(&tab, &format!("{CARD} .strip"), MINUTES - 1 - steps).await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    let first = tab.text(TIP).await;
    tab.keys(&[Key::Left]).await;
    tab.until(&format!("{TIP}?.includes('answered')")).await;
    tab.keys(&[Key::Right]).await;
    tab.until(&format!("{TIP} === {}", Value::from(first))).await;
    tab.keys(&[Key::Escape]).await;
    tab.until("document.querySelector('.tip') === null").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
