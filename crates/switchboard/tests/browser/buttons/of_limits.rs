//! How many messages an account may send: written on its form, told on its pages, and taken away again.

use serde_json::{Value, json};

use super::{done, is_sound};
use crate::stage::Stage;

const NAME: &str = "fifth";
const PAGE: &str = "/accounts/fifth";

#[tokio::test(flavor = "multi_thread")]
async fn limits_are_written_used_up_and_taken_away() {
    let stage = Stage::without(NAME).await;
    stage.add(NAME).await;
    stage.sign_in_to(NAME).await;
    let tab = stage.tab().await;
    let save = "#change-account button.primary";
    let says = |words: &str| format!("document.querySelector('main').innerText.includes({words:?})");
    tab.open(PAGE).await;
    tab.until(&says("none of ours")).await;
    tab.press(&format!("a[href='{PAGE}/change']")).await;
    tab.is_at(&format!("{PAGE}/change")).await;
    tab.fill("#messages_per_hour", "2").await;
    tab.fill("#messages_per_day", "20").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    done(&tab, save).await;
    tab.is_at(PAGE).await;
    tab.until(&says("0 of 2 an hour")).await;
    tab.until(&says("0 of 20 in 24 hours")).await;

    let order =
        |text: &str, wait: u8| json!({ "chat": "@client_1", "text": text, "account": NAME, "wait": wait });
    for text in ["one", "two"] {
        assert_eq!(stage.program.post("/v1/messages", &order(text, 20)).await.0, 200);
    }
    let (status, third) = stage.program.post("/v1/messages", &order("three", 0)).await;
    assert_eq!(status, 202, "{third}");
    tab.open(PAGE).await;
    tab.until(&says("2 of 2 an hour")).await;
    tab.until("document.querySelector('main .alert.wait').innerText.includes('At its limit until')").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    tab.open("/accounts").await;
    tab.until("document.querySelector('#accounts').innerText.includes('2 of 2 an hour')").await;
    // What waits says why on its own page.
    tab.open(&format!("/messages/{}", third["id"].as_str().expect("an id"))).await;
    tab.until(&says("has sent as many messages as its limits allow")).await;

    tab.open(&format!("{PAGE}/change")).await;
    assert_eq!(tab.text("document.querySelector('#messages_per_hour').value").await, "2");
    tab.fill("#messages_per_hour", "").await;
    tab.fill("#messages_per_day", "").await;
    done(&tab, save).await;
    tab.is_at(PAGE).await;
    tab.until(&says("none of ours")).await;
    let (_, account) = stage.program.get("/v1/accounts/fifth").await;
    assert_eq!(account["limits"]["messages_per_hour"], Value::Null);
    // Whatever waited for it leaves at once.
    let sent = || async { stage.world.sent().await == ["one", "two", "three"] };
    stage.program.until("the third is sent", sent).await;
    is_sound(&tab);
}
