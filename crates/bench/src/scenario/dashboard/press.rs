//! Pressing what can be pressed, with a pointer, and the time until what it changed is painted.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use tokio::time::sleep;

use super::Press;
use super::page::milliseconds;
use crate::browser::Browser;
use crate::latency::Latencies;

/// Pressed are buttons of cards of this kind, each time of another one.
const ACCOUNT_CARDS: &str =
    r#"[...document.querySelectorAll('.card[id^="c-account:"][data-state="ready"]')].map((card) => card.id)"#;

/// A service that nothing waits for.
const SERVICE: &str = "c-service:leave_chat";

/// A service that knows dialogs.
const READING_SERVICE: &str = "c-service:send_text";

/// A question is over the page.
const CONFIRMATION_IS_OPEN: &str = r#"document.querySelector("dialog[open] #ask") !== null"#;

/// How long a change is waited for, in milliseconds; it counts as that long if it did not come.
const TIMEOUT: u32 = 10_000;

/// What was pressed, in the order in which each was pressed first.
#[derive(Default)]
struct Pressed(Vec<(&'static str, Latencies)>);

impl Pressed {
    fn add(&mut self, what: &'static str, took: Duration) {
        if let Some((_, times)) = self.0.iter_mut().find(|(known, _)| *known == what) {
            return times.add(took);
        }
        let mut times = Latencies::default();
        times.add(took);
        self.0.push((what, times));
    }

    fn rows(self) -> Vec<Press> {
        self.0.into_iter().map(|(what, times)| Press { what, times: times.summary() }).collect()
    }
}

/// Presses everything so many times, but for what makes work that goes on for long.
pub(super) async fn all(browser: &Browser, base: &str, times: usize) -> Result<Vec<Press>> {
    let start = format!("{base}/");
    open(browser, &start).await?;
    let cards: Vec<String> = browser.ask(ACCOUNT_CARDS).await?;
    if cards.is_empty() {
        bail!("no card of an account that is ready is on the first page");
    }
    let mut pressed = Pressed::default();
    for card in cards.iter().cycle().take(times) {
        buttons(browser, card, &mut pressed).await?;
    }
    for card in cards.iter().cycle().take(times) {
        walk_through_overview(browser, &start, card, &mut pressed).await?;
    }
    open(browser, &start).await?;
    Ok(pressed.rows())
}

/// Has all dialogs read again, so many times. It is done last: every account asks Telegram for them, long after the answer,
/// and each time is left alone before the next.
pub(super) async fn reload(browser: &Browser, base: &str, times: usize, rest: Duration) -> Result<Press> {
    open(browser, &format!("{base}/")).await?;
    let mut pressed = Pressed::default();
    for _ in 0..times {
        let took = noted(browser, &button(READING_SERVICE, "reload_cache")).await?;
        pressed.add("reload the cache of a service", took);
        sleep(rest).await;
    }
    pressed.rows().pop().context("nothing was pressed")
}

async fn buttons(browser: &Browser, card: &str, pressed: &mut Pressed) -> Result<()> {
    let took = press(browser, &button(card, "pause"), &is(card, "paused")).await?;
    pressed.add("pause an account", took);
    let took = press(browser, &button(card, "resume"), &is(card, "ready")).await?;
    pressed.add("resume it", took);
    pressed.add("restart it", noted(browser, &button(card, "restart")).await?);
    let link = format!("{} .acts a[data-dialog]", selector(SERVICE));
    pressed.add("ask before a service stops", press(browser, &link, CONFIRMATION_IS_OPEN).await?);
    let took = press(browser, "dialog[open] button.danger", &is(SERVICE, "stopped")).await?;
    pressed.add("stop it", took);
    let runs = format!("!({})", is(SERVICE, "stopped"));
    pressed.add("start it", press(browser, &button(SERVICE, "start"), &runs).await?);
    pressed.add("restart a service", noted(browser, &button(SERVICE, "restart")).await?);
    Ok(())
}

/// The ways through the overview, each from a fresh one.
async fn walk_through_overview(
    browser: &Browser,
    start: &str,
    card: &str,
    pressed: &mut Pressed,
) -> Result<()> {
    open(browser, start).await?;
    let name = card.trim_start_matches("c-account:");
    let found = format!(r#"document.querySelector("[data-find]")?.getAttribute("value") === {name:?}"#);
    let entered = async || browser.write("[data-find]", &format!("{name}\u{e007}")).await;
    pressed.add("find an account by its name", change(browser, "submit", entered, &found).await?);
    open(browser, start).await?;
    let link = r#"#kinds a[href$="kind=account"]"#;
    let chosen = format!(r#"document.querySelector({link:?})?.getAttribute("aria-current") === "true""#);
    pressed.add("filter by kind", press(browser, link, &chosen).await?);
    open(browser, start).await?;
    let option = r#"#group-cards option[value="kind"]"#;
    let grouped = format!(r#"document.querySelector({option:?})?.hasAttribute("selected") === true"#);
    let choose = async || browser.press(option).await;
    pressed.add("group by kind", change(browser, "change", choose, &grouped).await?);
    open(browser, start).await?;
    let later = r#"document.querySelector(".pager a:not([rel])") !== null"#;
    pressed.add("the next page of cards", press(browser, ".pager [rel=next]", later).await?);
    open(browser, start).await?;
    let flood = r#"a[href="/flood-clearing"][data-dialog]"#;
    pressed.add("open \u{201c}clear flood wait\u{201d}", press(browser, flood, CONFIRMATION_IS_OPEN).await?);
    open(browser, start).await?;
    let link = format!("{} h3 a", selector(card));
    pressed.add("the page of a card", leave(browser, &link).await?);
    Ok(())
}

/// Opens the overview with all cards in sight: what is well is folded.
async fn open(browser: &Browser, overview: &str) -> Result<()> {
    browser.open(overview).await?;
    let unfold =
        r##"(document.querySelectorAll("#f-list, .kind-fold").forEach((fold) => (fold.open = true)), true)"##;
    browser.ask::<bool>(unfold).await?;
    Ok(())
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

/// Presses something whose end a note reports, and no state of a card: it is green before and after.
async fn noted(browser: &Browser, what: &str) -> Result<Duration> {
    browser.ask::<bool>(r##"(document.querySelector("#notes").replaceChildren(), true)"##).await?;
    press(browser, what, r##"document.querySelector("#notes .toast:not(.bad)") !== null"##).await
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
            setTimeout(() => resolve({TIMEOUT}), {TIMEOUT});
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
        sleep(Duration::from_millis(20)).await;
    }
    bail!("the browser stayed where it was")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_action_has_one_row_in_order_of_first_press() {
        let mut pressed = Pressed::default();
        for (what, took) in [("b", 3), ("a", 1), ("b", 5)] {
            pressed.add(what, Duration::from_millis(took));
        }
        let rows: Vec<_> =
            pressed.rows().iter().map(|row| (row.what, row.times.count, row.times.max)).collect();
        assert_eq!(rows, [("b", 2, 5_000), ("a", 1, 1_000)]);
    }

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
