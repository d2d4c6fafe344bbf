//! Buttons for many at once: a question with their number, what is done with them, and ending it early.

use serde_json::{Value, json};

use super::{done, is_sound};
use crate::chromium::Tab;
use crate::stage::Stage;

const REFUSED: &str = "messages.sendMessage";
const QUESTION: &str = "document.querySelector('#ask-title')?.textContent";
const BUTTON: &str = "document.querySelector('dialog button.primary')?.textContent.trim()";

/// So many messages that Telegram refused.
pub(crate) async fn failed_messages(stage: &Stage, texts: &[&str]) {
    let refusal = json!({ "method": REFUSED, "code": 400, "message": "MESSAGE_TOO_LONG" });
    stage.world.fault("rpc_error", refusal).await;
    for text in texts {
        let (status, told) = stage.program.send("@client_12", text).await;
        assert_eq!(status, 422, "{told}");
    }
    stage.world.delete("/faults").await;
}

async fn count(stage: &Stage) -> Value {
    stage.program.get("/v1/failed-messages").await.1
}

/// Opens the question about all failed messages; it names how many they are.
async fn asked(tab: &Tab, number: usize) {
    tab.open("/messages?state=failed").await;
    assert_eq!(tab.tell("document.querySelectorAll('table.list tbody tr').length").await, number);
    tab.press("a[href^='/messages/retry-failed']").await;
    tab.until(&format!("{QUESTION} === 'Retry {number} failed messages?' && {BUTTON} === 'Retry {number}'"))
        .await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn all_failed_messages_are_tried_again_after_a_question_with_their_number() {
    let stage = Stage::start().await;
    let texts = ["one", "two", "three"];
    failed_messages(&stage, &texts).await;
    let tab = stage.tab().await;
    asked(&tab, texts.len()).await;
    // Closed without an answer, nothing happens.
    tab.press("dialog [data-close]").await;
    assert_eq!((&count(&stage).await["count"], stage.world.sent().await.len()), (&json!(3), 0));
    asked(&tab, texts.len()).await;
    let note = done(&tab, "dialog button.primary").await;
    assert!(note.contains('3'), "{note}");
    stage.program.until("all are sent", || async { stage.world.sent().await == texts }).await;
    let told = count(&stage).await;
    assert_eq!((&told["count"], &told["retry"]["total"]), (&json!(0), &json!(3)), "{told}");
    tab.open("/messages?state=failed").await;
    tab.until("document.querySelector('.empty') !== null").await;
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn trying_again_is_ended_early_and_what_was_not_reached_stays_failed() {
    let stage = Stage::start().await;
    failed_messages(&stage, &["one", "two", "three", "four"]).await;
    let tab = stage.tab().await;
    asked(&tab, 4).await;
    // The second of them is held for as long as it takes to press.
    stage.program.arm("store.retry.before", 1).await;
    done(&tab, "dialog button.primary").await;
    stage.program.until("it is held", || stage.program.stopped_at("store.retry.before")).await;
    tab.until("document.querySelector('dialog progress')?.max === 4").await;
    assert_eq!(tab.findings().await, Vec::<String>::new());
    done(&tab, "dialog form[action$=stop-retrying] button").await;
    stage.program.release("store.retry.before").await;
    stage
        .program
        .until("it has ended", || async { count(&stage).await["retry"]["state"] == "cancelled" })
        .await;
    stage
        .program
        .until("those that were begun are sent", || async { stage.world.sent().await.len() == 2 })
        .await;
    assert_eq!(
        (&count(&stage).await["count"], stage.world.sent().await),
        (&json!(2), vec!["one".to_owned(), "two".to_owned()])
    );
    tab.open("/messages?state=failed").await;
    assert_eq!(tab.tell("document.querySelectorAll('table.list tbody tr').length").await, 2);
    is_sound(&tab);
}

/// Presses a button about the failed requests that are ticked; the question about them has this heading.
async fn question(tab: &Tab, ids: &[String], word: &str, heading: &str) {
    tab.open("/failed").await;
    for id in ids {
        tab.press(&format!("input[value='{id}']")).await;
    }
    tab.press(&format!("button[value={word}]")).await;
    tab.until("location.pathname === '/failed/question' && document.readyState === 'complete'").await;
    assert_eq!(tab.text(QUESTION).await, heading);
    assert_eq!(tab.findings().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_the_failed_requests_those_that_are_ticked_are_meant() {
    let stage = Stage::start().await;
    let ids = stage.day().await.failed_requests;
    // Of what was in the way nothing is left.
    stage.world.delete("/faults").await;
    let now = |id: String| {
        let program = &stage.program;
        async move { program.get(&format!("/v1/failed-requests/{id}")).await.1["state"].clone() }
    };
    let tab = stage.tab().await;
    assert_eq!(ids.len(), 3);
    // Nothing is ticked: nothing to decide.
    tab.open("/failed").await;
    tab.press("button[value=drop]").await;
    tab.until("location.pathname === '/failed/question' && document.readyState === 'complete'").await;
    assert_eq!(tab.tell("document.querySelectorAll('#ask form').length").await, 0);
    question(&tab, &ids[..2], "retry", "Retry 2 requests?").await;
    tab.press("#ask a[href='/failed']").await;
    tab.is_at("/failed").await;
    for id in &ids {
        assert_eq!(now(id.clone()).await, "pending", "nobody answered the question");
    }
    question(&tab, &ids[..2], "retry", "Retry 2 requests?").await;
    let note = done(&tab, "#ask button.primary").await;
    assert!(note.contains('2'), "{note}");
    for id in &ids[..2] {
        stage.program.until("it is done", || async { now(id.clone()).await == "done" }).await;
    }
    assert_eq!(now(ids[2].clone()).await, "pending", "it was not ticked");
    question(&tab, &ids[2..], "drop", "Drop 1 request?").await;
    done(&tab, "#ask button.danger").await;
    assert_eq!(now(ids[2].clone()).await, "dropped");
    let titles = ["Repair 7043, camera", "Repair 7044, speaker", "Repair 7045, water"];
    let mut made = 0;
    for title in titles {
        made += stage.world.chats_titled(title).await.len();
    }
    assert_eq!(made, 2, "each that was meant is made once");
    is_sound(&tab);
}

#[tokio::test(flavor = "multi_thread")]
async fn doubts_that_are_ticked_are_ended_together() {
    let stage = Stage::start().await;
    let demo = stage.day().await;
    stage.world.delete("/faults").await;
    let state_of = |path: String| {
        let program = &stage.program;
        async move { program.get(&path).await.1["state"].clone() }
    };
    let message = format!("/v1/messages/{}", demo.doubted_message);
    let operation = format!("/v1/operations/{}", demo.doubted_operation);
    let tab = stage.tab().await;
    let asked = |id: String, word: &'static str| {
        let tab = &tab;
        async move {
            tab.open("/doubt").await;
            tab.press(&format!("input[value='{id}']")).await;
            tab.press(&format!("button[value={word}]")).await;
            tab.until("location.pathname === '/doubt/question' && document.readyState === 'complete'").await;
            assert_eq!(tab.findings().await, Vec::<String>::new());
        }
    };
    asked(demo.doubted_message.clone(), "happened").await;
    tab.press("#ask a[href='/doubt']").await;
    tab.is_at("/doubt").await;
    assert_eq!(state_of(message.clone()).await, "in_doubt", "nobody answered the question");
    let before = stage.world.sent().await.len();
    asked(demo.doubted_message.clone(), "happened").await;
    done(&tab, "#ask button.primary").await;
    assert_eq!(state_of(message).await, "sent");
    assert_eq!(stage.world.sent().await.len(), before, "nothing was sent again");
    // A chat that was made has to be named, so each is decided on its own page.
    asked(demo.doubted_operation.clone(), "happened").await;
    assert_eq!(tab.tell("document.querySelectorAll('#ask form').length").await, 0);
    tab.press_words("#ask a", "Repair 7046, back glass").await;
    tab.is_at(&format!("/doubt/{}", demo.doubted_operation)).await;
    asked(demo.doubted_operation.clone(), "again").await;
    done(&tab, "#ask button.danger").await;
    assert_ne!(state_of(operation).await, "in_doubt");
    is_sound(&tab);
}
