//! Messages, chats, failed requests, work in doubt.

use serde_json::{Value, json};

use super::{answered, done, is_sound, noted};
use crate::chromium::Tab;
use crate::demo::doubted_operation;
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
    assert_eq!(tab.tell("document.querySelectorAll('main tbody tr').length").await, 2);
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

/// One is dropped and one tried again on their pages, the one that is left is tried again with all that wait.
async fn failed_requests(stage: &Stage, tab: &Tab, ids: &[String]) {
    let path = |id: &str| format!("/v1/failed-requests/{id}");
    tab.open(&format!("/failed/{}", ids[0])).await;
    answered(tab, "a.danger[href*='do=drop']", "dialog button.danger").await;
    assert_eq!(stage.state(&path(&ids[0])).await, "dropped");
    tab.open(&format!("/failed/{}", ids[0])).await;
    assert_eq!(tab.tell("document.querySelectorAll('.page-head .btn').length").await, 0, "it is decided");
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
    // Closed without an answer, it stays where it is.
    tab.press("a[href$=bind]").await;
    tab.press("dialog [data-close]").await;
    tab.until("document.querySelector('dialog[open]') === null").await;
    assert_eq!(stage.program.get(&path).await.1["account"], "main");
    answered(tab, "a[href$=bind]", "dialog button.primary").await;
    assert_eq!(stage.program.get(&path).await.1["account"], "backup_1");
    answered(tab, "a[href$=leave]", "dialog button.danger").await;
    stage.until_state(&path, "left").await;
    tab.open("/chats/unresolved").await;
    done(tab, "form[action$=forget] button").await;
    tab.until("document.querySelector('.empty') !== null").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_somebody_found_ends_the_doubt_about_making_it() {
    let stage = Stage::start().await;
    let id = doubted_operation(&stage.world, &stage.program).await;
    let path = format!("/v1/operations/{id}");
    let chats = stage.world.chats_titled("Repair 7046, back glass").await;
    let tab = stage.tab().await;
    tab.open("/doubt").await;
    tab.press(&format!("main a[href='/doubt/{id}']")).await;
    tab.is_at(&format!("/doubt/{id}")).await;
    // What is no id of such a chat decides nothing: the form is there, with what was written and what is wrong with it.
    let (back, field) = (format!("/doubt/{id}"), "#act input[name=chat_id]");
    for (written, begins) in [("-7", "begins with -100"), ("", "Write the id of the chat")] {
        tab.tell(&format!("document.querySelector('{field}').value = ''")).await;
        tab.fill(field, written).await;
        let (note, is_refused) = noted(&tab, "#act button[formaction$='actions/done']").await;
        assert!(is_refused && note.contains(begins), "{note}");
        assert_eq!(tab.text("location.pathname").await, back);
        tab.until(&format!(
            "document.querySelector('{field}[aria-invalid=true]')?.getAttribute('aria-describedby') === 'chat_id-error' \
             && document.querySelector('#chat_id-error').textContent.includes('{begins}') \
             && document.activeElement === document.querySelector('{field}')"
        ))
        .await;
        assert_eq!(tab.text(&format!("document.querySelector('{field}').value")).await, written);
        assert_eq!(tab.findings().await, Vec::<String>::new());
        assert_eq!(stage.state(&path).await, "in_doubt");
    }
    // Another load of the page keeps it, in the language of whoever reads.
    tab.press("#live + a[lang=ru]").await;
    tab.until("document.documentElement.lang === 'ru' && document.querySelector('#chat_id-error')?.textContent.includes('Впишите id') === true").await;
    tab.press("#live + a[lang=en]").await;
    tab.until("document.documentElement.lang === 'en' && document.readyState === 'complete'").await;
    tab.fill("#act input[name=chat_id]", &chats[0]).await;
    done(&tab, "#act button[formaction$='actions/done']").await;
    stage.until_state(&path, "done").await;
    assert_eq!(stage.program.get(&path).await.1["chat_id"], chats[0]);
    assert_eq!(stage.world.chats_titled("Repair 7046, back glass").await, chats, "no other was made");
    tab.open("/doubt").await;
    tab.until("document.querySelector('.empty') !== null").await;
    is_sound(&tab);
}
