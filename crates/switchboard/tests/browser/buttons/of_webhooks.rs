//! A webhook from its form to its end: made with the keyboard alone, its secret copied, its events as they come, and removed.

use testkit::Receiver;

use super::{answered, done, is_sound};
use crate::chromium::Key;
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_lives_on_its_pages() {
    let (stage, receiver) = (Stage::start().await, Receiver::start().await);
    let tab = stage.tab().await;
    stage.owner.allow_clipboard(tab.site()).await;
    tab.open("/webhooks/add").await;
    tab.fill("#url", receiver.address()).await;
    tab.fill("#events", "message.*").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('#secret')?.textContent.startsWith('whsec_') === true").await;
    let secret = tab.text("document.querySelector('#secret').textContent").await;
    assert_eq!(tab.copied("button[data-copy=secret]").await, secret);
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.press("main a.primary").await;
    tab.until("document.querySelector('#attempts') !== null").await;
    assert!(done(&tab, "[formaction$='/actions/test']").await.contains("200"));

    // What happens comes onto the page that is open, and what is unfolded stays so.
    tab.until("document.querySelector('#live .lamp').className === 'lamp ok'").await;
    assert_eq!(stage.program.send("@client_1", "planted").await.0, 200);
    let rows = "document.querySelectorAll('#attempts tbody tr').length";
    tab.until(&format!("{rows} >= 2 && document.querySelectorAll('#attempts .pill.ok').length === {rows}"))
        .await;
    tab.press("#attempts tbody summary").await;
    let shown = "document.querySelector('#attempts details[open] pre')?.checkVisibility() === true";
    tab.until(shown).await;
    assert!(tab.tell("document.body.textContent.includes('planted')").await == false);
    assert_eq!(tab.findings().await, Vec::<String>::new());
    let before = receiver.bodies().len();
    done(&tab, "#attempts tbody form button").await;
    tab.until(shown).await;
    stage.program.until("it is posted once more", || async { receiver.bodies().len() > before }).await;

    answered(&tab, "a[href$='/remove']", "dialog button.danger").await;
    tab.is_at("/webhooks").await;
    is_sound(&tab);
}
