//! The inbox without a pointer: a conversation is opened, an answer written, kept over a reload, sent and seen.

use serde_json::json;
use testkit::{World, free_port};

use crate::binary;
use crate::chromium::{Key, Tab};
use crate::keyboard::walk_to;
use crate::stage::{Stage, beginning};

const PIPELINE: &str = "\n[pipeline]\nenabled = true\nresponder = \"human\"\nsilence = \"100ms\"\n";

/// A world with a community on VK that a customer wrote to; the path of the conversation.
async fn written_to() -> (Stage, String) {
    let (world, port) = (World::start(binary()).await, free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    world.edit_settings(|text| text + PIPELINE);
    let program = beginning(&world).at(port).ready().await;
    let (status, answer) = program.post("/v1/channels/club/connect", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    let deed = json!({
        "channel": "vk", "account": "club", "from": "2000002", "name": "Anna", "text": "Is it there?"
    });
    world.post("/customers/messages", &deed).await;
    let listed = || async { program.get("/v1/conversations").await.1["items"][0].clone() };
    program.until("the conversation is there", || async { listed().await["client"]["id"].is_string() }).await;
    let path = format!("/inbox/{}", listed().await["client"]["id"].as_str().expect("an id"));
    (Stage::of(world, program).await, path)
}

async fn text_is(tab: &Tab, text: &str) {
    tab.until(&format!("document.querySelector('.composer textarea')?.value === {}", json!(text))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_written_and_sent_without_a_pointer() {
    let (stage, path) = written_to().await;
    let tab = stage.tab().await;
    tab.open("/inbox").await;
    tab.until("document.querySelector('#rail [data-unread] b').textContent === '1'").await;
    walk_to(&tab, "#conversations a[data-item]").await;
    tab.keys(&[Key::Enter]).await;
    tab.is_at(&path).await;

    tab.keys(&[Key::Letter('r')]).await;
    tab.until("document.activeElement.id === 'text'").await;
    tab.types("Come by until seven.").await;
    tab.open(&path).await;
    text_is(&tab, "Come by until seven.").await;
    tab.until("document.querySelector('#rail [data-unread]').hidden").await;

    tab.keys(&[Key::Letter('r')]).await;
    tab.until("document.activeElement.id === 'text'").await;
    for kind in ["rawKeyDown", "keyUp"] {
        let stroke = json!({
            "type": kind, "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "modifiers": 2
        });
        tab.call("Input.dispatchKeyEvent", stroke).await;
    }
    text_is(&tab, "").await;
    let said = "[...document.querySelectorAll('#content *')].some((one) => !one.closest('.composer')
        && one.children.length === 0 && one.textContent.trim() === 'Come by until seven.')";
    tab.until(said).await;
    let is_sent = || async {
        let ledger = stage.world.ledger().await;
        let is_answer =
            |row: &&serde_json::Value| row["provider"] == "vk" && row["text"] == "Come by until seven.";
        ledger.iter().filter(is_answer).count() == 1
    };
    stage.program.until("it was sent once", is_sent).await;
    tab.until(&format!("localStorage.getItem({}) === null", json!(format!("draft:{path}")))).await;
    tab.open(&path).await;
    text_is(&tab, "").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}
