//! How high the overview is: what matters is seen at once, on a desktop and on a telephone.

use serde_json::json;
use testkit::ACCOUNTS;

use crate::chromium::{Tab, Theme};
use crate::stage::Stage;

/// How high a telephone is.
const TELEPHONE: u64 = 844;

/// How high the overview is in a window of this width, in each language.
async fn heights(tab: &Tab, width: u32) -> Vec<(u64, &'static str)> {
    tab.look(width, Theme::Light).await;
    let mut heights = Vec::new();
    for language in ["en", "ru"] {
        tab.cookie("language", language).await;
        tab.open("/").await;
        assert_eq!(tab.findings().await, Vec::<String>::new());
        let height = "document.documentElement.scrollHeight";
        heights.push((tab.tell(height).await.as_u64().expect("a height"), language));
    }
    heights
}

/// What is shown of the cards, from top to bottom, by the ids of the elements in this order.
async fn order(tab: &Tab) -> String {
    tab.text(
        "[...document.querySelectorAll('#verdict, #needs, #facts, #f-list')].map((one) => one.id).join(' ')",
    )
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn five_accounts_fit_a_screen_and_two_of_a_telephone() {
    let stage = Stage::start().await;
    stage.pass(60).await;
    let tab = stage.tab().await;
    for (height, language) in heights(&tab, 1280).await {
        assert!(height <= 800, "all well: {height} px in {language}");
    }
    // What is well is in a fold there, and opens.
    tab.press("[id='f-g-port'] > summary").await;
    tab.until("document.querySelector('[id=\"c-port:main\"]').checkVisibility()").await;
    for (height, language) in heights(&tab, 390).await {
        assert!(height <= 2 * TELEPHONE, "all well: {height} px in {language}");
    }
    let card = "document.querySelector('[id=\"c-account:main\"]').checkVisibility()";
    assert_eq!(tab.tell(card).await, false);
    tab.press("#f-list > summary").await;
    tab.until(card).await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn four_in_trouble_fit_a_desktop_and_two_telephones() {
    let stage = Stage::start().await;
    stage.pass(60).await;
    let [spared, lost @ ..] = ACCOUNTS;
    for (name, fault) in lost.iter().zip(["banned", "session_revoked", "deaf", "session_revoked"]) {
        stage.world.fault(fault, json!({ "account": name })).await;
    }
    stage.pass(150).await;
    for name in lost {
        let red =
            async || stage.program.get(&format!("/v1/cards/account:{name}")).await.1["lamp"] == "trouble";
        stage.program.until("it is red", red).await;
    }
    let tab = stage.tab().await;
    for (height, language) in heights(&tab, 1280).await {
        assert!(height <= 1000, "four in trouble: {height} px in {language}");
    }
    let red = "[...document.querySelectorAll('#needs .card.bad')].length";
    assert_eq!(tab.tell(red).await, lost.len());
    assert_eq!(
        tab.tell(&format!("document.querySelector('#needs [id=\"c-account:{spared}\"]')")).await,
        json!(null)
    );
    for (height, language) in heights(&tab, 390).await {
        assert!(height <= 2 * TELEPHONE, "four in trouble: {height} px in {language}");
    }
    assert_eq!(order(&tab).await, "verdict needs facts f-list");
    // Each has one button at most, and it helps: a ban is not mended by a restart.
    let buttons = "[...document.querySelectorAll('#needs .card')].every((one) => one.querySelectorAll('.primary').length <= 1)";
    assert_eq!(tab.tell(buttons).await, true);
    tab.cookie("language", "en").await;
    tab.open("/").await;
    tab.press_words("[id='c-account:backup_1'] .cure .primary", "How to recover").await;
    tab.until("location.pathname === '/accounts/backup_1' && document.querySelector('#recovery li')?.checkVisibility()").await;
    assert_eq!((tab.findings().await, tab.complaints()), (Vec::new(), Vec::new()));
}
