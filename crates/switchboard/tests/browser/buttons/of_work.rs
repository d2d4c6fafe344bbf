//! Messages, chats, failed requests, work in doubt.

use serde_json::{Value, json};

use super::{answered, done, is_sound};
use crate::chromium::Tab;
use crate::stage::Stage;

impl Stage {
    async fn state(&self, path: &str) -> Value {
        self.program.get(path).await.1["state"].clone()
    }

    async fn until_state(&self, path: &str, state: &str) {
        self.program.until(&format!("{path} is {state}"), || async { self.state(path).await == state }).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_for_a_person_is_decided_by_one() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    let tab = stage.tab().await;
    messages(&stage, &tab, &demo.failed).await;
    failed_requests(&stage, &tab, &demo.failed_requests).await;
    operations(&stage, &tab).await;
    chats(&stage, &tab, &demo.chat).await;
    // Of what is in doubt, one was sent and the other is done again.
    tab.open("/doubt").await;
    assert_eq!(tab.tell("document.querySelectorAll('main article').length").await, 2);
    let doubted = &demo.doubted_message;
    tab.open(&format!("/doubt/{doubted}")).await;
    done(&tab, "button[formaction$=sent]").await;
    assert_eq!(stage.state(&format!("/v1/messages/{doubted}")).await, "sent");
    let doubted = &demo.doubted_operation;
    tab.open(&format!("/doubt/{doubted}")).await;
    done(&tab, "#act button.danger").await;
    assert_ne!(stage.state(&format!("/v1/operations/{doubted}")).await, "in_doubt");
    is_sound(&tab);
}

/// One is found by its words; a failed one is tried again; one that is not due yet is cancelled; all failed ones are retried.
async fn messages(stage: &Stage, tab: &Tab, failed: &str) {
    tab.open("/messages").await;
    tab.fill("input[name=q]", "пайки").await;
    tab.press("form.filters > button").await;
    tab.until("document.querySelectorAll('table.list tbody tr').length === 1").await;
    tab.press("table.list a").await;
    tab.until("document.querySelectorAll('ol.why li').length >= 3").await;

    tab.open(&format!("/messages/{failed}")).await;
    done(tab, "button[formaction$=retry]").await;
    stage.until_state(&format!("/v1/messages/{failed}"), "sent").await;

    let later = tab.text("new Date(Date.now() + 30 * 86400000).toISOString()").await;
    let order = json!({ "chat": "@client_11", "text": "Next month", "send_at": later, "wait": 0 });
    let (status, waiting) = stage.program.post("/v1/messages", &order).await;
    assert_eq!(status, 202, "{waiting}");
    let waiting = waiting["id"].as_str().expect("an id");
    tab.open(&format!("/messages/{waiting}")).await;
    done(tab, "button[formaction$=cancel]").await;
    assert_eq!(stage.state(&format!("/v1/messages/{waiting}")).await, "cancelled");

    let refusal = json!({ "method": "messages.sendMessage", "code": 400, "message": "MESSAGE_TOO_LONG" });
    stage.world.fault("rpc_error", refusal).await;
    for text in ["one", "two"] {
        let (status, told) = stage.program.send("@client_12", text).await;
        assert_eq!(status, 422, "{told}");
    }
    stage.world.delete("/faults").await;
    tab.open("/messages?state=failed").await;
    answered(tab, "a[href^='/messages/retry-failed']", "dialog button.primary").await;
    stage
        .program
        .until("both are sent", || async {
            let sent = stage.world.sent().await;
            ["one", "two"].iter().all(|text| sent.iter().any(|one| one == text))
        })
        .await;
}

/// A chat that could not be made is made on the second try.
async fn operations(stage: &Stage, tab: &Tab) {
    let full = json!({ "method": "channels.createChannel", "code": 400, "message": "CHANNELS_TOO_MUCH" });
    stage.world.fault("rpc_error", full).await;
    let order = json!({ "title": "Repair 7047, lens", "account": "backup_1" });
    let (status, told) = stage.program.post("/v1/chats", &order).await;
    assert!(status >= 400, "{told}");
    stage.world.delete("/faults").await;
    tab.open("/operations?kind=create_chat&state=finished").await;
    tab.press("table.list a").await;
    tab.until("location.pathname.startsWith('/operations/op_') && document.readyState === 'complete'").await;
    let path = format!("/v1{}", tab.text("location.pathname").await);
    done(tab, "button[formaction$=retry]").await;
    stage.until_state(&path, "done").await;
}

/// One is dropped, one is tried again, the one that is left is tried again with all that wait.
async fn failed_requests(stage: &Stage, tab: &Tab, ids: &[String]) {
    let path = |id: &str| format!("/v1/failed-requests/{id}");
    tab.open("/failed").await;
    tab.press(&format!("input[value='{}']", ids[0])).await;
    tab.press("button[value=drop]").await;
    tab.until("location.pathname === '/failed/question' && document.readyState === 'complete'").await;
    done(tab, "#ask button.danger").await;
    assert_eq!(stage.state(&path(&ids[0])).await, "dropped");
    tab.open(&format!("/failed/{}", ids[1])).await;
    answered(tab, "a[href*='do=retry']", "dialog button.primary").await;
    assert_ne!(stage.state(&path(&ids[1])).await, "pending");
    tab.open("/failed").await;
    tab.press("button[value=retry-all]").await;
    tab.until("location.pathname === '/failed/question' && document.readyState === 'complete'").await;
    done(tab, "#ask button.primary").await;
    assert_ne!(stage.state(&path(&ids[2])).await, "pending");
}

/// A chat is given to another account, then left; one that nobody finds is forgotten.
async fn chats(stage: &Stage, tab: &Tab, chat: &str) {
    let path = format!("/v1/chats/{chat}");
    let invite = json!({ "members": ["@demo_backup_1"] });
    let (status, told) = stage.program.post(&format!("{path}/members"), &invite).await;
    assert!((200..300).contains(&status), "{status} {told}");
    stage
        .program
        .until("both are in it", || async {
            let (_, shown) = stage.program.get(&path).await;
            shown["accounts"].as_array().is_some_and(|all| all.len() >= 2)
        })
        .await;
    tab.open(&format!("/chats/{chat}")).await;
    answered(tab, "a[href$=bind]", "dialog button.primary").await;
    assert_eq!(stage.program.get(&path).await.1["account"], "backup_1");
    answered(tab, "a[href$=leave]", "dialog button.danger").await;
    stage.until_state(&path, "left").await;
    tab.open("/chats/unresolved").await;
    done(tab, "form[action$=forget] button").await;
    tab.until("document.querySelector('.empty') !== null").await;
}
