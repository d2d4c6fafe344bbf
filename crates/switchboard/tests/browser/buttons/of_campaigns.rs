//! A campaign on its pages: a trial of one chat is started, goes on, pauses, goes on again, and is stopped.

use serde_json::json;

use super::{answered, done, is_sound};
use crate::stage::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_campaign_is_started_paused_and_stopped() {
    let stage = Stage::start().await;
    let chats = (1..=5).map(|number| format!("@client_{number}")).collect::<Vec<_>>().join("\n");
    for (path, order) in [
        ("/v1/campaigns", json!({"name": "spring", "settings": {"delay_seconds": 600, "cycles": 1}})),
        ("/v1/campaigns/spring/senders", json!({"accounts": ["main"]})),
        ("/v1/campaigns/spring/tasks", json!({"file": chats})),
        ("/v1/campaigns/spring/messages", json!({"file": "[\"New batteries are in.\"]"})),
    ] {
        let (status, answer) = stage.program.post(path, &order).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
    }
    let is = async |state: &str, sent: u64| {
        stage
            .program
            .until(&format!("it is {state} with {sent} sent"), || async {
                let run = &stage.program.get("/v1/campaigns/spring").await.1["run"];
                run["state"] == state && run["attempts"]["sent"] == sent
            })
            .await;
    };
    let tab = stage.tab().await;
    tab.open("/campaigns/spring").await;
    tab.press("a[href$='/forecast'].btn").await;
    tab.is_at("/campaigns/spring/forecast").await;
    tab.fill("#limit", "1").await;
    tab.press("form[action$='/actions/start'] button.primary").await;
    tab.is_at("/campaigns/spring").await;
    is("paused", 1).await;

    // The trial is over: its page offers to go on. The delay counts from the last message, so the next one waits.
    tab.open("/campaigns/spring/forecast").await;
    tab.press("form[action$='/actions/start'] button.primary").await;
    tab.is_at("/campaigns/spring").await;
    is("running", 1).await;

    // From here on the page stays open, and says by itself what becomes of the campaign.
    tab.open("/campaigns/spring").await;
    tab.until("document.querySelector('#live .lamp').className === 'lamp ok'").await;
    tab.tell("window.kept = true").await;
    let (status, answer) =
        stage.program.post("/v1/campaigns/spring/tasks", &json!({"file": "@client_6"})).await;
    assert_eq!(status, 200, "{answer}");
    let shows =
        |part: &str, text: &str| format!("document.querySelector('{part}').textContent.includes('{text}')");
    tab.until(&shows("#campaign-progress", "of 6 chats")).await;
    done(&tab, "form[action$='/actions/pause'] button").await;
    is("paused", 1).await;
    done(&tab, "form[action$='/actions/resume'] button").await;
    is("running", 1).await;
    tab.until(&shows("#campaign-head", "Runs")).await;
    answered(&tab, "a[href$='/stop']", "dialog button.danger").await;
    is("stopped", 1).await;
    tab.until(&shows("#campaign-head", "Stopped")).await;
    assert_eq!(tab.tell("window.kept").await, true);
    is_sound(&tab);
}
