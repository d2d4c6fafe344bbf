//! Calls whose end is not known: a cut connection, a kill, a lost answer, a ban after it. The same body on the same port
//! joins what is under way; nothing is done twice.

use std::time::Duration;

use serde_json::{Value, json};
use store::testing::waiting_callers;

use super::stage::{CREATE, Stage, TEXT};

/// What a caller does again, and by which effect it is counted.
struct Again {
    old: u16,
    path: &'static str,
    body: Value,
    method: &'static str,
}

fn create() -> Again {
    let body = json!({ "title": "Joined", "usernames": ["@client_1"] });
    Again { old: CREATE, path: "/create_chat", body, method: "channels.createChannel" }
}

fn text() -> Again {
    let body = json!({ "chat": "@client_2", "text": "joined" });
    Again { old: TEXT, path: "/send_text", body, method: "messages.sendMessage" }
}

/// Makes the call and is gone while it is under way, which it is until [`goes_on`].
async fn hang_up(stage: &Stage, again: &Again) {
    let stream = begun(stage, again).await;
    let data_dir = stage.world.data_dir("data");
    stage.program.until("a caller waits", || async { waiting_callers(&data_dir) == Ok(1) }).await;
    drop(stream);
    stage
        .program
        .until("the store knows that it is gone", || async { waiting_callers(&data_dir) == Ok(0) })
        .await;
}

/// Makes the call, which Telegram has and does not answer until [`goes_on`].
async fn begun(stage: &Stage, again: &Again) -> tokio::net::TcpStream {
    stage.world.delete("/calls").await;
    stage.world.fault("delay", json!({ "method": again.method, "seconds": 3600, "times": 1 })).await;
    let stream = stage.call(again.old, again.path, &again.body).begin().await;
    until_called(stage, again.method).await;
    stream
}

/// What is under way is done.
async fn goes_on(stage: &Stage) {
    stage.world.delete("/faults").await;
}

async fn until_called(stage: &Stage, method: &str) {
    stage.program.until("the call is on the wire", || async { stage.world.calls(method).await >= 1 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_port_does_not_join() {
    let stage = Stage::plain().await;
    let again = create();
    hang_up(&stage, &again).await;
    let other = stage.call(5025, again.path, &again.body).send().await;
    assert_eq!(
        (other.status, &other.json()["debug"]["account"]),
        (200, &json!("backup_1")),
        "{}",
        other.text
    );
    goes_on(&stage).await;
    let own = stage.call(CREATE, again.path, &again.body).send().await;
    assert_eq!((own.status, &own.json()["debug"]["account"]), (200, &json!("main")), "{}", own.text);
    assert_eq!(stage.world.effects(again.method).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_kill_the_same_body_joins_what_was_begun() {
    for again in [create(), text()] {
        let mut stage = Stage::plain().await;
        let stream = begun(&stage, &again).await;
        stage.program.kill();
        drop(stream);
        // It comes late, and before a program that is started again looks for it.
        goes_on(&stage).await;
        let is_there = || async { stage.world.effects(again.method).await.len() == 1 };
        stage.program.until("the effect is there", is_there).await;
        stage.restart_hard().await;
        let call = stage.call(again.old, again.path, &again.body).send();
        let reply = stage.hurrying(Duration::from_secs(1), call).await;
        assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")), "{}", reply.text);
        assert_eq!(stage.world.effects(again.method).await.len(), 1, "{}", again.path);
    }
}

/// A call whose answer is lost and whose account is then banned; returns the answer in doubt.
async fn doubtful(stage: &Stage, again: &Again) -> Value {
    let fault = json!({ "account": "main", "method": again.method, "times": 1 });
    stage.world.fault("drop_answer", fault).await;
    let waiting = tokio::spawn(stage.call(again.old, again.path, &again.body).send());
    stage
        .program
        .until("the effect is there", || async { stage.world.effects(again.method).await.len() == 1 })
        .await;
    stage.world.fault("banned", json!({ "account": "main" })).await;
    let reply = stage.hurrying(Duration::from_secs(5), waiting).await.expect("no panic");
    let shape = json!({ "status": "error", "error": "<text>", "id": "<text>", "state": "in_doubt" });
    reply.must_be(500, &shape);
    reply.json()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_in_doubt_is_joined_and_resolved_by_a_person() {
    let stage = Stage::plain().await;
    let again = create();
    let doubt = doubtful(&stage, &again).await;
    let id = doubt["id"].as_str().expect("an id");
    assert!(id.starts_with("op_"), "{doubt}");
    let reply = stage.call(again.old, again.path, &again.body).send().await;
    assert_eq!((reply.status, &reply.json()["id"]), (500, &doubt["id"]), "{}", reply.text);
    let made = stage.world.effects(again.method).await;
    let chat = &made[0]["chat_id"];
    let (status, resolved) = stage
        .program
        .post(&format!("/v1/operations/{id}/resolve"), &json!({ "as": "done", "chat_id": chat }))
        .await;
    // Its later steps are tried now, so it need not be at its end.
    assert!(matches!(status, 200 | 202), "{status} {resolved}");
    let call = stage.call(again.old, again.path, &again.body).send();
    let reply = stage.hurrying(Duration::from_secs(1), call).await;
    assert_eq!((reply.status, &reply.json()["chat_id"]), (200, chat), "{}", reply.text);
    assert_eq!(stage.world.effects(again.method).await.len(), 1);
}
