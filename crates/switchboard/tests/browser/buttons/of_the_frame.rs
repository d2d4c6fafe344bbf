//! What surrounds every page: the link past the rail, the colours, the language, the notes; and the door's own language.

use super::{done, is_sound};
use crate::chromium::{Key, Tab, Theme};
use crate::stage::Stage;

/// The button for the colours.
const COLOURS: &str = "#rail a[href*='theme=']";

/// The link to the other language.
const LANGUAGE: &str = "#rail a[href*='lang=']";

/// What the page is painted on.
async fn paper(tab: &Tab) -> String {
    tab.text("getComputedStyle(document.body).backgroundColor").await
}

/// The colours are these, now and after another load; the page is the same.
async fn colours_are_kept(tab: &Tab, here: &str, forced: &str, background: &str) {
    let theme = format!("(document.documentElement.dataset.theme || '') === '{forced}'");
    tab.until(&format!("{theme} && document.readyState === 'complete'")).await;
    tab.is_at(here).await;
    assert_eq!(paper(tab).await, background, "{forced}");
    tab.open(here).await;
    tab.until(&theme).await;
    assert_eq!(paper(tab).await, background, "{forced} after another load");
}

#[tokio::test(flavor = "multi_thread")]
async fn colours_and_language_are_chosen_on_any_page_and_kept() {
    let stage = Stage::start().await;
    let tab = stage.tab().await;
    let here = "/messages?state=failed";
    tab.open(here).await;
    let light = paper(&tab).await;
    tab.look(1280, Theme::Dark).await;
    let dark = paper(&tab).await;
    assert_ne!(light, dark, "without a choice the browser decides");
    tab.look(1280, Theme::Light).await;
    // From the browser's to dark, to light, and back to the browser's.
    tab.press(COLOURS).await;
    colours_are_kept(&tab, here, "dark", &dark).await;
    tab.press(COLOURS).await;
    colours_are_kept(&tab, here, "light", &light).await;
    tab.look(1280, Theme::Dark).await;
    assert_eq!(paper(&tab).await, light, "the choice counts, and not the system");
    tab.press(COLOURS).await;
    colours_are_kept(&tab, here, "", &dark).await;
    tab.look(1280, Theme::Light).await;
    assert_eq!(paper(&tab).await, light);

    for (language, title) in [("ru", "Сообщения"), ("en", "Messages")] {
        tab.press(LANGUAGE).await;
        tab.until(&format!(
            "document.documentElement.lang === '{language}' && document.readyState === 'complete'"
        ))
        .await;
        tab.is_at(here).await;
        assert_eq!(tab.text("document.querySelector('h1').textContent").await, title);
        tab.open("/chats").await;
        assert_eq!(tab.text("document.documentElement.lang").await, language, "it is kept");
        tab.open(here).await;
    }
    past_the_rail(&tab).await;
    notes(&tab).await;
    at_the_door(&stage).await;
    is_sound(&tab);
}

/// The first step of Tab leads past the rail.
async fn past_the_rail(tab: &Tab) {
    tab.open("/messages").await;
    tab.keys(&[Key::Tab]).await;
    assert_eq!(tab.tell("document.activeElement.matches('a.skip') && document.activeElement.getBoundingClientRect().top >= 0").await, true);
    tab.keys(&[Key::Enter]).await;
    tab.until("document.activeElement.id === 'content'").await;
    tab.keys(&[Key::Tab]).await;
    assert_eq!(tab.tell("document.querySelector('#content').contains(document.activeElement)").await, true);
}

/// A note is closed by its reader.
async fn notes(tab: &Tab) {
    tab.open("/diagnostics").await;
    done(tab, "form[action$=examine] button").await;
    tab.press("#notes .toast .btn").await;
    tab.until("document.querySelector('#notes .toast') === null").await;
}

/// A visitor who is not signed in has the language too, and learns what to do about a password that is gone.
async fn at_the_door(stage: &Stage) {
    let tab = stage.stranger().await;
    tab.open("/chats").await;
    tab.is_at("/sign-in?next=%2Fchats").await;
    tab.press("summary").await;
    tab.until("document.querySelector('details code').checkVisibility()").await;
    assert_eq!(
        tab.text("document.querySelector('details code').textContent").await,
        "switchboard user password admin"
    );
    tab.press("a[href*='lang=ru']").await;
    tab.until("document.documentElement.lang === 'ru' && document.readyState === 'complete'").await;
    tab.is_at("/sign-in?next=%2Fchats").await;
    is_sound(&tab);
}
