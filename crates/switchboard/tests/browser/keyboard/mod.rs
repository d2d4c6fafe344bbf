//! The keyboard alone: signing in, the minutes of a strip, stopping a service and starting it again; and Tab round every page.

mod of_every_page;

use crate::chromium::{Key, Tab};
use crate::stage::{NAME, PASSWORD, Stage};

/// The most steps to anything on a page.
const MOST_STEPS: usize = 120;

/// Goes on with Tab until the focus is on what a selector names. On every step the focus can be seen.
pub(crate) async fn walk_to(tab: &Tab, selector: &str) {
    for _ in 0..MOST_STEPS {
        tab.keys(&[Key::Tab]).await;
        let seen = tab
            .tell(
                "(() => { const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
                   const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
                   return one === document.body || marked && box.width > 0 && box.bottom > 0 && box.top < innerHeight; })()",
            )
            .await;
        let here = tab.text("document.activeElement.outerHTML.slice(0, 200)").await;
        assert_eq!(seen, true, "the focus cannot be seen on {here}");
        if tab.tell(&format!("document.activeElement.matches({selector:?})")).await == true {
            return;
        }
    }
    panic!("no way to {selector}");
}

async fn state_is(tab: &Tab, state: &str) {
    tab.until(&format!("document.getElementById('c-service:send_text').dataset.state === '{state}'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_is_stopped_and_started_without_a_pointer() {
    let stage = Stage::start().await;
    stage.pass(40).await;
    let tab = stage.stranger().await;
    tab.open("/sign-in").await;
    tab.until("document.activeElement.id === 'name'").await;
    tab.types(NAME).await;
    tab.keys(&[Key::Tab]).await;
    tab.types(PASSWORD).await;
    tab.keys(&[Key::Enter]).await;
    tab.is_at("/").await;

    // The first step of all leads past the rail.
    tab.keys(&[Key::Tab]).await;
    assert_eq!(tab.text("document.activeElement.className").await, "skip");
    tab.keys(&[Key::Enter]).await;
    tab.until("document.activeElement.id === 'content'").await;
    walk_to(&tab, "#c-service\\:send_text .strip").await;
    tab.until("document.querySelector('.tip') !== null").await;
    let last = tab.text("document.querySelector('.tip').textContent").await;
    tab.keys(&[Key::Left]).await;
    tab.until(&format!("document.querySelector('.tip')?.textContent !== {last:?}")).await;
    tab.keys(&[Key::Right]).await;
    tab.until(&format!("document.querySelector('.tip')?.textContent === {last:?}")).await;
    tab.keys(&[Key::Escape]).await;
    tab.until("document.querySelector('.tip') === null").await;

    walk_to(&tab, "#c-service\\:send_text .acts a[href$=stop]").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('dialog[open]')?.contains(document.activeElement) === true").await;
    tab.keys(&[Key::Escape]).await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    assert_eq!(
        tab.tell("document.activeElement.matches('#c-service\\\\:send_text .acts a[href$=stop]')").await,
        true
    );
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('dialog[open]') !== null").await;
    walk_to(&tab, "dialog button.danger").await;
    tab.keys(&[Key::Enter]).await;
    state_is(&tab, "stopped").await;
    walk_to(&tab, "#c-service\\:send_text .acts button[formaction$=start]").await;
    tab.keys(&[Key::Enter]).await;
    state_is(&tab, "active").await;
    // `j` and `k` go from card to card.
    tab.tell("document.activeElement.blur()").await;
    tab.keys(&[Key::Letter('j')]).await;
    let first = tab.text("document.activeElement.closest('.card').id").await;
    tab.keys(&[Key::Letter('j'), Key::Letter('k')]).await;
    assert_eq!(tab.text("document.activeElement.closest('.card').id").await, first);
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
