//! Tab alone, round every page: whatever can be pressed or filled in is reached, nothing holds the focus, and where it is can be seen.

use serde_json::json;

use crate::chromium::{Key, Tab};
use crate::stage::Stage;
use crate::sweep;

/// What has the focus is noted; where it cannot be seen, it is reported.
const STEP: &str = "(() => {
    const one = document.activeElement, box = one.getBoundingClientRect(), style = getComputedStyle(one);
    if (one === document.body) return 'the end';
    window.reached ??= new Set();
    if (one === window.first && reached.size > 1) return 'round';
    window.first ??= one;
    reached.add(one);
    const marked = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 1;
    return marked && box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight ? ''
      : 'the focus cannot be seen on ' + one.outerHTML.slice(0, 160);
})()";

/// What is there to be pressed or filled in and is not reached. Of choices that exclude each other one is reached by Tab, the
/// others from it by the arrows. A name beside a new password is there for the browser's own store of passwords, not for people.
const LEFT_OUT: &str =
    "[...document.querySelectorAll('a[href], button, input, select, summary, textarea')].filter((one) =>
      one.type !== 'hidden' && !one.disabled && !one.closest('[inert]') && one.checkVisibility({ visibilityProperty: true })
      && (one.tabIndex < 0 || !reached.has(one))
      && !one.matches('input[aria-hidden=true][readonly][autocomplete=username]')
      && !(one.type === 'radio' && [...reached].some((other) => other.type === 'radio' && other.name === one.name && other.form === one.form)))
    .map((one) => `not reached (tabIndex ${one.tabIndex}): ` + one.outerHTML.slice(0, 160))";

/// The most steps on a page that has most of them.
const MOST_STEPS: usize = 600;

/// Leads past the rail, which is the same on every page.
const PAST_THE_RAIL: &str =
    "(() => { document.querySelector('#rail')?.setAttribute('inert', ''); return 0; })()";

/// Goes round a page; what is wrong on the way, and how many steps it took.
async fn walked(tab: &Tab, path: &str) -> (Vec<String>, usize) {
    tab.open(path).await;
    if path != "/" {
        tab.tell(PAST_THE_RAIL).await;
    }
    let (mut wrong, mut steps) = (Vec::new(), 0);
    loop {
        tab.keys(&[Key::Tab]).await;
        let finding = tab.text(STEP).await;
        steps += 1;
        match finding.as_str() {
            "round" => break,
            "" | "the end" => {}
            _ => wrong.push(finding),
        }
        if steps > MOST_STEPS {
            let here = tab.text("document.activeElement.outerHTML.slice(0, 160)").await;
            wrong.push(format!("no way on from {here}"));
            break;
        }
    }
    let left_out = tab.tell(LEFT_OUT).await;
    let left_out = left_out.as_array().expect("a list").iter().filter_map(|one| one.as_str());
    wrong.extend(left_out.map(str::to_owned));
    (wrong.into_iter().map(|one| format!("{path}: {one}")).collect(), steps)
}

#[tokio::test(flavor = "multi_thread")]
async fn tab_reaches_every_control_on_every_page() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    let tab = stage.tab().await;
    let paths = sweep::paths(&tab, &demo).await;
    let (mut wrong, mut steps) = (Vec::new(), 0);
    for path in &paths {
        let (mut found, taken) = walked(&tab, path).await;
        // Pages are live: what appeared behind the focus is reached on the next walk.
        if !found.is_empty() {
            found = walked(&tab, path).await.0;
        }
        wrong.extend(found);
        steps += taken;
    }
    assert!(wrong.is_empty(), "{} findings:\n{}", wrong.len(), wrong.join("\n"));
    assert!(steps > 4 * paths.len(), "{steps} steps on {} pages", paths.len());
}

/// The same walk on a page that was spoilt on purpose.
#[tokio::test(flavor = "multi_thread")]
async fn an_element_that_tab_cannot_reach_is_found() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    let spoil = "addEventListener('DOMContentLoaded', () => {
        document.querySelector('main').insertAdjacentHTML('afterbegin', '<button id=\"beside\" tabindex=\"-1\">x</button><button id=\"unseen\">y</button>');
        document.styleSheets[0].insertRule('#unseen { outline: none !important; }'); })";
    tab.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": spoil })).await;
    let wrong = walked(&tab, "/settings/maintenance").await.0.join("\n");
    assert!(wrong.contains("not reached (tabIndex -1): <button id=\"beside\""), "{wrong}");
    assert!(wrong.contains("cannot be seen on <button id=\"unseen\""), "{wrong}");
    let hold = "addEventListener('keydown', (event) => event.key === 'Tab' && document.activeElement.closest('main') && event.preventDefault())";
    tab.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": hold })).await;
    let wrong = walked(&tab, "/settings/maintenance").await.0.join("\n");
    assert!(wrong.contains("no way on from"), "{wrong}");
}
