//! The inbox without a pointer: a new conversation is notified of, one is found, assigned, answered and closed; what was written
//! is kept over a reload. And on a phone: a thread goes on while it is open and is answered there.

use serde_json::json;
use testkit::{World, free_port};

use crate::binary;
use crate::chromium::{Key, Tab, Theme};
use crate::keyboard::walk_to;
use crate::stage::{NAME, Stage, beginning};

const PIPELINE: &str = "\n[pipeline]\nenabled = true\nresponder = \"human\"\nsilence = \"100ms\"\n";

/// Keeps what a person would be notified of, and has what a page does every few seconds done sooner.
const NOTICES: &str = "window.notices = [];
    window.Notification = class {
        static permission = 'default';
        static async requestPermission() { return (this.permission = 'granted'); }
        constructor(title) { this.title = title; notices.push(this); }
    };
    const every = window.setInterval;
    window.setInterval = (job, wait) => every(job, Math.min(wait, 500));";

async fn writes(world: &World, from: &str, name: &str) {
    let deed = json!({
        "channel": "vk", "account": "club", "from": from, "name": name, "text": "Is it there?"
    });
    world.post("/customers/messages", &deed).await;
}

/// A world with a community on VK that a customer wrote to; the path of the conversation.
async fn written_to() -> (Stage, String) {
    let (world, port) = (World::start(binary()).await, free_port());
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    world.edit_settings(|text| text + PIPELINE);
    let program = beginning(&world).at(port).ready().await;
    let (status, answer) = program.post("/v1/channels/club/connect", &json!({})).await;
    assert_eq!(status, 200, "{answer}");
    writes(&world, "2000002", "Anna").await;
    let listed = || async { program.get("/v1/conversations?state=waiting_us").await.1["items"][0].clone() };
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
    tab.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": NOTICES })).await;
    tab.open("/inbox").await;
    tab.until("document.querySelector('#rail [data-unread] b').textContent === '1'").await;
    walk_to(&tab, "[data-notify]").await;
    tab.keys(&[Key::Enter]).await;
    // What was there before is no news.
    tab.until("localStorage.getItem('news') !== null").await;
    writes(&stage.world, "2000003", "Boris").await;
    tab.until("notices.length > 0").await;
    assert_eq!(tab.text("notices[0].title").await, "Boris");
    // Where the pointer is over the list, the list offers what is new.
    let is_listed = "document.querySelectorAll('#conversations [data-item]').length === 2
        || document.querySelector('#conversations [data-show-new]')?.hidden === false";
    tab.until(is_listed).await;
    tab.tell("notices[0].onclick()").await;
    tab.until("document.querySelector('h1')?.textContent === 'Boris' && document.readyState === 'complete'")
        .await;

    tab.open("/inbox").await;
    tab.until("document.querySelectorAll('#conversations [data-item]').length === 2").await;
    for (key, row) in [('j', 0), ('j', 1), ('k', 0)] {
        tab.keys(&[Key::Letter(key)]).await;
        let row = format!("document.querySelectorAll('#conversations [data-item]')[{row}]");
        tab.until(&format!("document.activeElement === {row}")).await;
    }
    tab.keys(&[Key::Slash]).await;
    tab.until("document.activeElement.matches('[data-find]')").await;
    tab.types("Anna").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("location.search.includes('q=Anna') && document.readyState === 'complete'").await;
    tab.until("document.querySelectorAll('#conversations [data-item]').length === 1").await;
    tab.keys(&[Key::Letter('j'), Key::Enter]).await;
    tab.is_at(&path).await;
    let conversation = path.replacen("/inbox", "/v1/conversations", 1);
    let appeal = async |field: &str| stage.program.get(&conversation).await.1["appeal"][field].clone();
    tab.keys(&[Key::Letter('a')]).await;
    stage.program.until("it is assigned", || async { appeal("assignee").await == NAME }).await;
    tab.until("document.querySelector('[data-key=a]') === null").await;

    tab.keys(&[Key::Letter('r')]).await;
    tab.until("document.activeElement.id === 'text'").await;
    tab.types("Come by until seven.").await;
    let is_announced = || async {
        stage.program.post(&format!("{conversation}/writing"), &json!({ "writing": true })).await;
        !tab.text("document.querySelector('#writing').textContent").await.is_empty()
    };
    stage.program.until("it is said that someone else writes", is_announced).await;
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
    let is_shown = "[...document.querySelectorAll('#content *')].some((one) => !one.closest('.composer')
        && one.children.length === 0 && one.textContent.trim() === 'Come by until seven.')";
    tab.until(is_shown).await;
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
    tab.keys(&[Key::Letter('e')]).await;
    stage.program.until("it is closed", || async { appeal("state").await == "closed" }).await;
    tab.until("document.querySelector('[formaction$=reopen]') !== null").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_is_live_and_answered_on_a_phone() {
    let (stage, path) = written_to().await;
    let conversation = path.replacen("/inbox", "/v1/conversations", 1);
    let template = stage.program.request("PUT", "/v1/reply-templates/greeting");
    let template = template.header("content-type", "application/json");
    let template = template.body(json!({ "text": "Hello, {{client.name}}!" }).to_string());
    assert_eq!(template.send().await.expect("an answer").status(), 200);
    let tab = stage.tab().await;
    tab.look(390, Theme::Light).await;
    tab.open(&path).await;
    tab.until("document.querySelector('#live .lamp').className === 'lamp ok'").await;
    tab.tell("window.kept = true").await;

    writes(&stage.world, "2000002", "Anna").await;
    tab.until("document.querySelectorAll('#thread > li[id]').length === 2").await;
    let is_read = || async { stage.program.get(&conversation).await.1["appeal"]["unread"] == json!(0) };
    stage.program.until("what is seen is read", is_read).await;
    let other_answers = async |text: &str| {
        let reply = json!({ "text": text, "wait": 30 });
        let (status, sent) = stage.program.post(&format!("{conversation}/reply"), &reply).await;
        assert_eq!((status, &sent["state"]), (200, &json!("sent")), "{sent}");
    };
    let shows = async |text: &str| {
        let bubbles = "[...document.querySelectorAll('#thread .bubble > p')]";
        tab.until(&format!("{bubbles}.some((one) => one.textContent === {})", json!(text))).await;
    };
    // What was there before an answer is begun has been seen.
    other_answers("It is.").await;
    shows("It is.").await;
    tab.press("#templates > summary").await;
    tab.press("#templates a[data-insert]").await;
    text_is(&tab, "Hello, Anna!").await;
    tab.press(".composer button.primary").await;
    shows("Hello, Anna!").await;
    text_is(&tab, "").await;
    assert_eq!(tab.complaints(), Vec::<String>::new());

    // Of what comes while it is written its writer is warned, once.
    tab.press("#text").await;
    tab.types("Come by.").await;
    other_answers("Until seven.").await;
    shows("Until seven.").await;
    tab.press(".composer button.primary").await;
    tab.until("document.querySelector('#text-error') !== null").await;
    text_is(&tab, "Come by.").await;
    tab.press(".composer button.primary").await;
    shows("Come by.").await;
    assert_eq!(tab.tell("window.kept").await, true);
}
