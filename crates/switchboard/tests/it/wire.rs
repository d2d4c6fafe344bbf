//! The wire misbehaves: answers are lost, connections cut, calls delayed or never answered. Each message once, in order.

use std::time::Duration;

use crate::shell::cli::started;
use serde_json::{Value, json};

const SEND: &str = "messages.sendMessage";

/// Sends three texts into one chat while a fault is set, and expects each once and in order.
async fn three_through(fault: &str, more: Value, advance: Option<Duration>) {
    let (world, program) = started(&["main"]).await;
    world.fault(fault, more).await;
    let send = async {
        let mut ids = Vec::new();
        for text in ["one", "two", "three"] {
            let (status, sent) =
                program.post("/v1/messages", &json!({"chat": "@client_1", "text": text, "wait": 0})).await;
            assert!(status == 200 || status == 202, "{status} {sent}");
            ids.push(sent["id"].as_str().expect("an id").to_owned());
        }
        ids
    };
    let ids = send.await;
    for id in ids {
        program
            .until("it is sent", || async {
                if let Some(by) = advance {
                    program.advance(by).await;
                }
                program.get(&format!("/v1/messages/{id}")).await.1["state"] == "sent"
            })
            .await;
    }
    assert_eq!(world.sent().await, ["one", "two", "three"], "{}", program.output());
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pass_dropped_answers() {
    let by = Duration::from_secs(2);
    three_through("drop_answer", json!({"method": SEND, "times": 2}), Some(by)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pass_connections_cut_after_a_call() {
    three_through("disconnect", json!({"method": SEND, "times": 2}), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pass_connections_cut_before_a_call() {
    three_through("disconnect_before", json!({"method": SEND, "times": 2}), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pass_delayed_answers() {
    three_through("delay", json!({"method": SEND, "times": 2, "seconds": 0.3}), None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pass_a_deaf_connection() {
    let by = Duration::from_secs(5);
    three_through("deaf", json!({"method": SEND, "times": 2}), Some(by)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pass_a_flood_wait() {
    let by = Duration::from_secs(10);
    three_through("flood_wait", json!({"method": SEND, "times": 1, "seconds": 30}), Some(by)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_pass_server_errors() {
    let more = json!({"method": SEND, "times": 3, "code": 500, "message": "INTERNAL"});
    three_through("rpc_error", more, Some(Duration::from_millis(500))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_cut_connections_loses_and_doubles_nothing() {
    let (world, program) = started(&["main"]).await;
    for fault in ["disconnect", "disconnect_before"] {
        world.fault(fault, json!({"method": SEND, "probability": 0.2, "times": 12})).await;
    }
    let mut expected = Vec::new();
    let mut sending = tokio::task::JoinSet::new();
    for client in 1..=8 {
        for number in 0..5 {
            expected.push(format!("{client}/{number}"));
        }
        let requests: Vec<_> = (0..5)
            .map(|number| {
                let body = json!({"chat": format!("@client_{client}"), "text": format!("{client}/{number}"), "wait": 0});
                program
                    .request("POST", "/v1/messages")
                    .header("content-type", "application/json")
                    .body(body.to_string())
            })
            .collect();
        sending.spawn(async move {
            for request in requests {
                let answer = request.send().await.expect("an answer");
                assert!(matches!(answer.status().as_u16(), 200 | 202), "{answer:?}");
            }
        });
    }
    while let Some(done) = sending.join_next().await {
        done.expect("all are taken in");
    }
    // The more connections were cut, the longer is the wait before the next one.
    let all = || async { world.sent().await.len() == expected.len() };
    program.as_time_goes_by(Duration::from_millis(250), program.until("all are sent", all)).await;
    let mut sent = world.sent().await;
    for client in 1..=8 {
        let prefix = format!("{client}/");
        let own: Vec<_> = sent.iter().filter(|text| text.starts_with(&prefix)).cloned().collect();
        assert_eq!(own, (0..5).map(|n| format!("{client}/{n}")).collect::<Vec<_>>());
    }
    sent.sort();
    assert_eq!(sent, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_reported_and_no_message_is_sent() {
    let (world, program) = started(&["main"]).await;
    // A chat each: a missing right is remembered for its chat.
    for (chat, code, message, status, expected) in [
        ("@client_7", 400, "CHAT_WRITE_FORBIDDEN", 403, "no_rights"),
        ("@client_8", 400, "MESSAGE_TOO_LONG", 422, "rejected"),
        ("@client_9", 400, "PEER_ID_INVALID", 404, "chat_not_found"),
    ] {
        world.fault("rpc_error", json!({"method": SEND, "times": 1, "code": code, "message": message})).await;
        let (got, problem) =
            program.post("/v1/messages", &json!({"chat": chat, "text": "x", "account": "fifth"})).await;
        assert_eq!((got, &problem["code"]), (status, &json!(expected)), "{message}: {problem}");
        world.delete("/faults").await;
    }
    assert_eq!(world.sent().await, Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ban_after_a_lost_answer_is_doubt_until_a_person_ends_it() {
    let (world, program) = started(&["main"]).await;
    program.account_is("fifth", "ready").await;
    world.fault("drop_answer", json!({"account": "fifth", "method": SEND, "times": 1})).await;
    let body = json!({"chat": "@client_1", "text": "maybe", "account": "fifth", "wait": 0});
    let (_, sent) = program.post("/v1/messages", &body).await;
    let id = sent["id"].as_str().expect("an id").to_owned();
    program.until("the effect is there", || async { world.sent().await == ["maybe"] }).await;
    world.fault("banned", json!({"account": "fifth"})).await;
    program.advance(Duration::from_mins(1)).await;
    program
        .until("it is in doubt", || async {
            program.get(&format!("/v1/messages/{id}")).await.1["state"] == "in_doubt"
        })
        .await;
    let (status, resolved) =
        program.post(&format!("/v1/messages/{id}/resolve"), &json!({"as": "sent"})).await;
    assert_eq!((status, &resolved["state"]), (200, &json!("sent")), "{resolved}");
    assert_eq!(world.sent().await, ["maybe"]);
}
