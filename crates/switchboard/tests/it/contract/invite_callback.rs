//! The invite callback: told after a chat was made, kept until it is told, never in the way of the caller's answer.

use std::time::Duration;

use serde_json::{Value, json};

use super::receiver::{Manner, Receiver};
use super::stage::{Setup, Stage};

async fn with_receiver(receiver: &Receiver) -> Stage {
    let legacy = format!("invite_callback = {{ url = \"{}\", group_id = \"demo\" }}", receiver.url());
    Stage::with(Setup { legacy, ..Setup::default() }).await
}

/// Asks for a chat; tells its invite link.
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
            receiver.got().len() >= count
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
    stage.made("Nobody is told", &["@client_1"]).await;
    ask(&stage, "Nor here", Value::Null).await;
    let number = ask(&stage, "A number", json!(123_456_789_012_i64)).await;
    until_got(&stage, &receiver, 1, Duration::ZERO).await;
    let text = ask(&stage, "A text", json!("client-7")).await;
    until_got(&stage, &receiver, 2, Duration::ZERO).await;
    let got = receiver.got();
    assert_eq!(got[0].body, callback("123456789012", &number));
    assert_eq!(got[1].body, callback("client-7", &text));
    let head = got[0].head.to_ascii_lowercase();
    assert!(head.starts_with("post /hook http/1.1"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    // What was told is told once.
    stage.program.advance(Duration::from_hours(8)).await;
    ask(&stage, "One more", json!(1)).await;
    until_got(&stage, &receiver, 3, Duration::ZERO).await;
    assert_eq!(receiver.got().len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_link_there_is_nothing_to_tell() {
    let receiver = Receiver::start().await;
    let stage = with_receiver(&receiver).await;
    let fault =
        json!({ "method": "messages.exportChatInvite", "code": 400, "message": "CHAT_ADMIN_REQUIRED" });
    stage.world.fault("rpc_error", fault).await;
    assert_eq!(ask(&stage, "No link", json!(5)).await, Value::Null);
    stage.world.delete("/faults").await;
    let link = ask(&stage, "A link", json!(6)).await;
    until_got(&stage, &receiver, 1, Duration::ZERO).await;
    assert_eq!(receiver.got()[0].body, callback("6", &link));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_is_tried_again_and_the_caller_never_hears_of_it() {
    let receiver = Receiver::start().await;
    receiver.meets([Manner::Status(500), Manner::Silent, Manner::Status(404)]);
    let stage = with_receiver(&receiver).await;
    let link = ask(&stage, "Told at last", json!(8)).await;
    until_got(&stage, &receiver, 4, Duration::from_mins(1)).await;
    assert!(receiver.got().iter().all(|got| got.body == callback("8", &link)));
}

#[tokio::test(flavor = "multi_thread")]
async fn it_outlives_a_kill() {
    let receiver = Receiver::start().await;
    receiver.meets([Manner::Silent]);
    let mut stage = with_receiver(&receiver).await;
    let link = ask(&stage, "Killed meanwhile", json!(9)).await;
    until_got(&stage, &receiver, 1, Duration::ZERO).await;
    stage.restart_hard().await;
    until_got(&stage, &receiver, 2, Duration::from_secs(30)).await;
    assert_eq!(receiver.got()[1].body, callback("9", &link));
    assert_eq!(stage.world.effects("channels.createChannel").await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn given_up_it_is_kept_for_a_retry_by_hand() {
    let receiver = Receiver::start().await;
    receiver.meets([Manner::Status(503); 40]);
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
    let (fine, shown) = stage.command(&["failed", "list"]).await;
    assert!(fine && shown.contains(&says("id")) && shown.contains("waiting"), "{shown}");
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
    let (fine, listed) = stage.command(&["failed", "list"]).await;
    assert!(fine && listed.contains(id), "{listed}");
    let tried = receiver.got().len();
    assert!(tried > 1, "tried {tried} times");
    receiver.meets_all_well();
    let (fine, said) = stage.command(&["failed", "retry", id]).await;
    assert!(fine, "{said}");
    until_got(&stage, &receiver, tried + 1, Duration::ZERO).await;
    assert_eq!(receiver.got()[tried].body, callback("10", &link));
    stage
        .program
        .until("the row is done", || async {
            stage.program.get(&format!("/v1/failed-requests/{id}")).await.1["state"] == "done"
        })
        .await;
}
