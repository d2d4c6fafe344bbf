//! Filters, the buttons of a card, the rail on a telephone.

use super::{answered, done, is_sound};
use crate::chromium::{Key, Tab, Theme};
use crate::stage::Stage;

const CARD: &str = "#c-service\\:send_text";

async fn state_is(tab: &Tab, state: &str) {
    tab.point_away().await;
    tab.until(&format!("document.getElementById('c-service:send_text').dataset.state === '{state}'")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cards_are_found_stopped_and_started() {
    let stage = Stage::start().await;
    stage.pass(30).await;
    let tab = stage.tab().await;
    filters(&tab).await;
    // The question before a stop can be closed without an answer.
    let stop = format!("{CARD} .acts a[href$=stop]");
    tab.press(&stop).await;
    tab.press("dialog [data-close]").await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    state_is(&tab, "active").await;
    let note = answered(&tab, &stop, "dialog button.danger").await;
    assert!(note.contains("send_text"), "{note}");
    state_is(&tab, "stopped").await;
    tab.is_at("/").await;
    done(&tab, &format!("{CARD} .acts button[formaction$=start]")).await;
    state_is(&tab, "active").await;
    // An account is paused and given work again where it is.
    for (action, state) in [("pause", "paused"), ("resume", "ready")] {
        let note = done(&tab, &format!("#c-account\\:fifth .acts button[formaction$={action}]")).await;
        assert!(note.contains("fifth"), "{note}");
        stage.program.account_is("fifth", state).await;
        tab.point_away().await;
        tab.until(&format!("document.getElementById('c-account:fifth').dataset.state === '{state}'")).await;
        tab.is_at("/").await;
    }
    // An account's own page has the same buttons; the address of its card leads there.
    tab.open("/cards/account%3Afifth").await;
    for (action, state) in [("pause", "paused"), ("resume", "ready"), ("restart", "ready")] {
        done(&tab, &format!(".page-head button[formaction$={action}]")).await;
        stage.program.account_is("fifth", state).await;
    }
    answered(&tab, ".page-head a[href$=stop]", "dialog button.danger").await;
    stage.program.account_is("fifth", "offline").await;
    done(&tab, ".page-head button[formaction$=start]").await;
    stage.program.account_is("fifth", "ready").await;
    // On a telephone the rail is behind a button.
    tab.look(390, Theme::Light).await;
    tab.open("/").await;
    tab.press("button[popovertarget=rail]").await;
    tab.until("document.querySelector('#rail:popover-open') !== null").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.press("#rail a[href='/messages']").await;
    tab.is_at("/messages").await;
    is_sound(&tab);
}

async fn filters(tab: &Tab) {
    tab.open("/").await;
    tab.press_words("#kinds a", "Services").await;
    tab.is_at("/?kind=service").await;
    assert_eq!(tab.tell("document.querySelectorAll('.card').length").await, 4);
    // What was put in place is left again by going back, and come to by going forward.
    tab.tell("history.back()").await;
    tab.until("document.querySelectorAll('.card').length > 4").await;
    tab.is_at("/").await;
    tab.tell("history.forward()").await;
    tab.until("location.search !== '' && document.querySelectorAll('.card').length === 4").await;
    tab.is_at("/?kind=service").await;
    tab.tell("document.querySelector('[name=group]').focus()").await;
    tab.keys(&[Key::Letter('b'), Key::Letter('y'), Key::Space, Key::Letter('k'), Key::Enter]).await;
    tab.until("location.search.includes('group=kind') && document.readyState === 'complete'").await;
    tab.open("/").await;
    tab.keys(&[Key::Slash]).await;
    tab.until("document.activeElement.name === 'q'").await;
    tab.types("nothing is called so").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('.empty') !== null && document.activeElement.name === 'q'").await;
    tab.press(".empty a").await;
    tab.is_at("/").await;
}
