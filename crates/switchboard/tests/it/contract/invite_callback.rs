//! The invite callback: sent after a chat was made, kept until it is delivered, never in the way of the caller's answer.

use std::time::Duration;

use serde_json::{Value, json};
use testkit::Receiver;

use super::stage::{Setup, Stage};
use crate::shell::cli::cli;

async fn with_receiver(receiver: &Receiver) -> Stage {
    let legacy = format!("invite_callback = {{ url = \"{}\", group_id = \"demo\" }}", receiver.address());
    Stage::with(Setup { legacy, ..Setup::default() }).await
}

/// Asks for a chat; returns its invite link.
async fn ask(stage: &Stage, title: &str, client: Value) -> Value {
    let body = json!({ "title": title, "usernames": ["@client_1"], "client_tg_id": client });
    let reply = stage.create(&body).await;
    assert_eq!((reply.status, &reply.json()["status"]), (200, &json!("ok")), "{}", reply.text);
    reply.json()["invite_link"].clone()
}

async fn until_got(stage: &Stage, receiver: &Receiver, count: usize, by: Duration) {
    let what = format!("{count} callbacks have come");
    stage
        .program
        .until(&what, || async {
            if !by.is_zero() {
                stage.program.advance(by).await;
            }
            receiver.bodies().len() >= count
        })
        .await;
}

fn callback(client: &str, link: &Value) -> Value {
    json!({
        "message": "send_invite_link",
        "user_id": client,
        "group_id": "demo",
        "tg_business": 1,
        "invite_link": link,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_the_link_and_only_when_asked_to() {
    let receiver = Receiver::start().await;
    let stage = with_receiver(&receiver).await;
    stage.made("No one is notified", &["@client_1"]).await;
    ask(&stage, "Nor here", Value::Null).await;
    let number = ask(&stage, "A number", json!(123_456_789_012_i64)).await;
    until_got(&stage, &receiver, 1, Duration::ZERO).await;
    let text = ask(&stage, "A text", json!("client-7")).await;
    until_got(&stage, &receiver, 2, Duration::ZERO).await;
    let got = receiver.bodies();
    assert_eq!(got[0], callback("123456789012", &number));
    assert_eq!(got[1], callback("client-7", &text));
    // What was delivered is not sent again.
    stage.program.advance(Duration::from_hours(8)).await;
    ask(&stage, "One more", json!(1)).await;
    until_got(&stage, &receiver, 3, Duration::ZERO).await;
    assert_eq!(receiver.bodies().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_outlives_a_kill() {
    let receiver = Receiver::start().await;
    receiver.answer(Receiver::SILENCE);
    let mut stage = with_receiver(&receiver).await;
    let link = ask(&stage, "Killed meanwhile", json!(9)).await;
    until_got(&stage, &receiver, 1, Duration::ZERO).await;
    receiver.answer(200);
    stage.restart_hard().await;
    until_got(&stage, &receiver, 2, Duration::from_secs(30)).await;
    assert_eq!(receiver.bodies()[1], callback("9", &link));
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_it_is_kept_for_a_retry_by_hand() {
    let receiver = Receiver::start().await;
    receiver.answer(503);
    let stage = with_receiver(&receiver).await;
    let link = ask(&stage, "Given up", json!(10)).await;
    let listed = async |state: &str| {
        let (_, list) = stage.program.get(&format!("/v1/failed-requests?state={state}")).await;
        list["items"].as_array().cloned().unwrap_or_default()
    };
    // While it waits for its next try it is listed, with what was answered.
    stage.program.until("it waits", || async { !listed("waiting").await.is_empty() }).await;
    let waiting = listed("waiting").await.remove(0);
    let says = |field: &str| waiting[field].as_str().unwrap_or_default().to_owned();
    assert!(says("error").contains("503") && says("next_try_at") > says("at"), "{waiting}");
    let shown = cli(&stage.world, &["failed", "list"]).fine();
    assert!(shown.contains(&says("id")) && shown.contains("waiting"), "{shown}");
    stage
        .program
        .until("it is given up", || async {
            stage.program.advance(Duration::from_mins(30)).await;
            !listed("pending").await.is_empty()
        })
        .await;
    let (_, list) = stage.program.get("/v1/failed-requests").await;
    let row = &list["items"][0];
    assert_eq!(
        (&row["service"], &row["direction"], &row["state"]),
        (&json!("create_chat"), &json!("outbound"), &json!("pending")),
        "{row}"
    );
    let id = row["id"].as_str().expect("an id");
    let listed = cli(&stage.world, &["failed", "list"]).fine();
    assert!(listed.contains(id), "{listed}");
    let tried = receiver.bodies().len();
    assert!(tried > 1, "tried {tried} times");
    receiver.answer(200);
    cli(&stage.world, &["failed", "retry", id]).fine();
    until_got(&stage, &receiver, tried + 1, Duration::ZERO).await;
    assert_eq!(receiver.bodies()[tried], callback("10", &link));
    stage
        .program
        .until("the row is done", || async {
            stage.program.get(&format!("/v1/failed-requests/{id}")).await.1["state"] == "done"
        })
        .await;
}
