//! Messages, chats and what is in doubt, without a pointer.

use serde_json::{Value, json};

use super::{answered, asked, done, enter, focus_is, follow, walk_to, write};
use crate::buttons::of_many::failed_messages;
use crate::chromium::{Key, Tab};
use crate::stage::Stage;

async fn state(stage: &Stage, path: &str) -> Value {
    stage.program.get(path).await.1["state"].clone()
}

async fn until_state(stage: &Stage, path: &str, wanted: &str) {
    stage.program.until(wanted, || async { state(stage, path).await == wanted }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_chats_and_doubts_are_decided_without_a_pointer() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    let tab = stage.tab().await;
    tab.open("/").await;
    doubts(&stage, &tab, &demo.doubted_message, &demo.doubted_operation).await;
    messages(&stage, &tab, &demo.failed).await;
    chats(&stage, &tab, &demo.chat).await;
    assert_eq!(tab.complaints(), Vec::<String>::new());
}

/// Both buttons; what is wrong with a chat's id leads into its field.
async fn doubts(stage: &Stage, tab: &Tab, message: &str, operation: &str) {
    follow(tab, "#rail a[href='/doubt']", "/doubt").await;
    follow(tab, &format!("main a[href='/doubt/{message}']"), &format!("/doubt/{message}")).await;
    let before = stage.world.sent().await.len();
    enter(tab, "#act button[formaction$=sent]").await;
    done(tab).await;
    assert_eq!(state(stage, &format!("/v1/messages/{message}")).await, "sent");
    assert_eq!(stage.world.sent().await.len(), before, "nothing was sent again");

    follow(tab, "#rail a[href='/doubt']", "/doubt").await;
    follow(tab, &format!("main a[href='/doubt/{operation}']"), &format!("/doubt/{operation}")).await;
    write(tab, "#chat_id", "42").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("document.querySelector('#chat_id[aria-invalid=true]') !== null").await;
    focus_is(tab, "#chat_id").await;
    let path = format!("/v1/operations/{operation}");
    assert_eq!(state(stage, &path).await, "in_doubt");
    tab.tell("document.querySelector('#notes').replaceChildren()").await;
    enter(tab, "#act button.danger[formaction$=again]").await;
    done(tab).await;
    assert_ne!(state(stage, &path).await, "in_doubt");
}

/// Found by its words; tried again; cancelled; all failed ones tried again after a question.
async fn messages(stage: &Stage, tab: &Tab, failed: &str) {
    follow(tab, "#rail a[href='/messages']", "/messages").await;
    tab.keys(&[Key::Slash]).await;
    focus_is(tab, "input[name=q]").await;
    tab.types("reminder of your visit").await;
    tab.keys(&[Key::Enter]).await;
    tab.until("location.search.includes('q=') && document.readyState === 'complete' && document.querySelectorAll('table.list tbody tr').length === 1").await;
    follow(tab, "table.list a", &format!("/messages/{failed}")).await;
    enter(tab, "#act button[formaction$=retry]").await;
    done(tab).await;
    until_state(stage, &format!("/v1/messages/{failed}"), "sent").await;

    let later = tab.text("new Date(Date.now() + 30 * 86400000).toISOString()").await;
    let order = json!({ "chat": "@client_11", "text": "Next month", "send_at": later, "wait": 0 });
    let (status, waiting) = stage.program.post("/v1/messages", &order).await;
    assert_eq!(status, 202, "{waiting}");
    let path = format!("/messages/{}", waiting["id"].as_str().expect("an id"));
    follow(tab, "#rail a[href='/messages']", "/messages").await;
    follow(tab, &format!("table.list a[href='{path}']"), &path).await;
    enter(tab, "#act button[formaction$=cancel]").await;
    done(tab).await;
    assert_eq!(state(stage, &format!("/v1{path}")).await, "cancelled");

    failed_messages(stage, &["one", "two"]).await;
    follow(tab, "#rail a[href='/messages']", "/messages").await;
    walk_to(tab, "select[name=state]").await;
    tab.take_option("failed").await;
    tab.until("location.search.includes('state=failed') && document.readyState === 'complete'").await;
    let before = stage.world.sent().await.len();
    asked(tab, "a[href^='/messages/retry-failed']").await;
    assert_eq!(stage.world.sent().await.len(), before, "nobody has answered yet");
    enter(tab, "dialog button.primary").await;
    tab.until("document.querySelector('#notes .toast:not(.bad)') !== null").await;
    let sent = || async { stage.world.sent().await.len() == before + 2 };
    stage.program.until("both are sent", sent).await;
    if tab.tell("document.querySelector('dialog[open]') !== null").await == true {
        tab.keys(&[Key::Escape]).await;
    }
    tab.until("document.querySelector('dialog[open]') === null && document.activeElement !== document.body")
        .await;
}

/// Given to another account that is in it.
async fn chats(stage: &Stage, tab: &Tab, chat: &str) {
    let api = format!("/v1/chats/{chat}");
    for person in ["@demo_backup_1", "@demo_backup_2"] {
        let (status, told) =
            stage.program.post(&format!("{api}/members"), &json!({ "members": [person] })).await;
        assert!((200..300).contains(&status), "{status} {told}");
    }
    let all_in = || async {
        let (_, shown) = stage.program.get(&api).await;
        shown["accounts"].as_array().is_some_and(|all| all.len() >= 3)
    };
    stage.program.until("three are in it", all_in).await;
    follow(tab, "#rail a[href='/chats']", "/chats").await;
    follow(tab, &format!("table.list a[href='/chats/{chat}']"), &format!("/chats/{chat}")).await;
    asked(tab, "a[href$='/bind']").await;
    // The second of those who could have it.
    walk_to(tab, "dialog input[name=account]:checked").await;
    tab.keys(&[Key::Down]).await;
    let chosen = tab.text("document.querySelector('dialog input[name=account]:checked').value").await;
    enter(tab, "dialog button.primary").await;
    done(tab).await;
    assert_eq!(stage.program.get(&api).await.1["account"], chosen);
    assert_eq!(chosen, "backup_2");
    answered(tab, "a[href$='/leave']", "button.danger").await;
    until_state(stage, &api, "left").await;
}
