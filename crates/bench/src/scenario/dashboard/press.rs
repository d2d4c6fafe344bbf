//! Pressing what can be pressed, with a pointer, and the time until what it changed is painted.

use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::Press;
use super::page::milliseconds;
use crate::browser::Browser;
use crate::latency::Latencies;

/// Pressed are buttons of cards of this kind, each time of another one.
const ACCOUNT_CARDS: &str =
    r#"[...document.querySelectorAll('.card[id^="c-account:"][data-state="ready"]')].map((card) => card.id)"#;

/// A service that nothing waits for.
const SERVICE: &str = "c-service:leave_chat";

/// How long a change is waited for, in milliseconds; it counts as that long if it did not come.
const PATIENCE: u32 = 10_000;

/// Presses everything so many times.
pub(super) async fn all(browser: &Browser, place: &str, times: usize) -> Result<Vec<Press>> {
    let start = format!("{place}/");
    browser.open(&start).await?;
    let cards: Vec<String> = browser.ask(ACCOUNT_CARDS).await?;
    if cards.is_empty() {
        bail!("no card of an account that is ready is on the first page");
    }
    let [mut pause, mut resume, mut question, mut stop, mut begin] =
        std::array::from_fn(|_| Latencies::default());
    for card in cards.iter().cycle().take(times) {
        pause.add(press(browser, &button(card, "pause"), &is(card, "paused")).await?);
        resume.add(press(browser, &button(card, "resume"), &is(card, "ready")).await?);
        let asked = r#"document.querySelector("dialog[open] #ask") !== null"#;
        let link = format!("{} .acts a[data-dialog]", selector(SERVICE));
        question.add(press(browser, &link, asked).await?);
        stop.add(press(browser, "dialog[open] button.danger", &is(SERVICE, "stopped")).await?);
        let runs = format!("!({})", is(SERVICE, "stopped"));
        begin.add(press(browser, &button(SERVICE, "start"), &runs).await?);
    }
    let [mut find, mut next, mut card_page] = std::array::from_fn(|_| Latencies::default());
    for card in cards.iter().cycle().take(times) {
        browser.open(&start).await?;
        let name = card.trim_start_matches("c-account:");
        let found = format!(r#"document.querySelector("[data-find]")?.getAttribute("value") === {name:?}"#);
        let entered = async || browser.write("[data-find]", &format!("{name}\u{e007}")).await;
        find.add(change(browser, "submit", entered, &found).await?);
        browser.open(&start).await?;
        let later = r#"document.querySelector(".pager a:not([rel])") !== null"#;
        next.add(press(browser, ".pager [rel=next]", later).await?);
        browser.open(&start).await?;
        let link = format!("{} h3 a", selector(card));
        card_page.add(leave(browser, &link).await?);
    }
    browser.open(&start).await?;
    let row = |what, times: &Latencies| Press { what, times: times.summary() };
    Ok(vec![
        row("pause an account", &pause),
        row("resume it", &resume),
        row("ask before a service stops", &question),
        row("stop it", &stop),
        row("start it", &begin),
        row("find an account by its name", &find),
        row("the next page of cards", &next),
        row("the page of a card", &card_page),
    ])
}

/// The selector of an id: ids of cards have colons in them.
fn selector(id: &str) -> String {
    format!("[id=\"{id}\"]")
}

fn button(card: &str, action: &str) -> String {
    format!("{} .acts button[formaction$=\"/actions/{action}\"]", selector(card))
}

/// Whether a card shows a state, as an expression.
fn is(card: &str, state: &str) -> String {
    format!("document.getElementById({card:?})?.dataset.state === {state:?}")
}

/// Presses something that changes the page in place.
async fn press(browser: &Browser, what: &str, condition: &str) -> Result<Duration> {
    let pressed = change(browser, "click", async || browser.press(what).await, condition);
    pressed.await.with_context(|| format!("pressing {what}"))
}

/// Does something that changes the page in place. The time begins with the event that it made and ends after the frame in which
/// the condition first held.
async fn change(
    browser: &Browser,
    event: &str,
    act: impl AsyncFnOnce() -> Result<()>,
    condition: &str,
) -> Result<Duration> {
    let watch = format!(
        r"(globalThis.changed = new Promise((resolve) => {{
            let pressed;
            addEventListener({event:?}, (event) => (pressed = event.timeStamp), {{ capture: true, once: true }});
            const painted = () => requestAnimationFrame(() => {{
                const channel = new MessageChannel();
                channel.port1.onmessage = () => resolve(performance.now() - pressed);
                channel.port2.postMessage(0);
            }});
            const look = () => {{
                if (pressed === undefined || !({condition})) return;
                seen.disconnect();
                painted();
            }};
            const seen = new MutationObserver(look);
            seen.observe(document, {{ subtree: true, childList: true, attributes: true }});
            setTimeout(() => resolve({PATIENCE}), {PATIENCE});
        }}), true)"
    );
    browser.ask::<bool>(&watch).await?;
    act().await?;
    Ok(milliseconds(browser.ask("globalThis.changed").await?))
}

/// Follows a link to another page. The time begins with the click and ends with the first paint of that page.
async fn leave(browser: &Browser, link: &str) -> Result<Duration> {
    let note = r#"(addEventListener("click", (event) => (sessionStorage.left = performance.timeOrigin + event.timeStamp),
        { capture: true, once: true }), performance.timeOrigin)"#;
    let before: f64 = browser.ask(note).await?;
    browser.press(link).await?;
    let painted = r#"new Promise((resolve) => {
        const look = () => {
            const [first] = performance.getEntriesByName("first-contentful-paint");
            if (first) resolve([performance.timeOrigin, performance.timeOrigin + first.startTime - Number(sessionStorage.left)]);
            else setTimeout(look, 20);
        };
        look();
    })"#;
    // The click may be answered before the browser has left the page.
    for _ in 0..100 {
        let (origin, took): (f64, f64) = browser.ask(painted).await?;
        if origin > before {
            return Ok(milliseconds(took));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bail!("the browser stayed where it was")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_with_colons_are_found() {
        assert_eq!(
            button("c-account:main", "pause"),
            r#"[id="c-account:main"] .acts button[formaction$="/actions/pause"]"#
        );
        assert_eq!(
            is("c-account:main", "paused"),
            r#"document.getElementById("c-account:main")?.dataset.state === "paused""#
        );
    }
}
