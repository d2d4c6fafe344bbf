//! What the README promises: a text goes out once, over the API and over the old port, and its steps can be shown.

use serde_json::json;
use testkit::{Program, Start};

use crate::binary;
use crate::shell::cli::started;

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_is_the_same_message_also_after_a_restart() {
    let (world, mut program) = started(&["main"]).await;
    let order = |program: &Program| {
        let body = json!({"chat": "@client_2", "text": "Order 42 is packed."}).to_string();
        program
            .request("POST", "/v1/messages")
            .header("content-type", "application/json")
            .header("idempotency-key", "order-42")
            .body(body)
            .send()
    };
    let (first, second) = tokio::join!(order(&program), order(&program));
    let (first, second) = (first.expect("an answer"), second.expect("an answer"));
    assert_eq!((first.status(), second.status()), (reqwest::StatusCode::OK, reqwest::StatusCode::OK));
    let replayed = [&first, &second].map(|answer| answer.headers().contains_key("idempotency-replayed"));
    assert_eq!(replayed.iter().filter(|replayed| **replayed).count(), 1, "one of the two is the repeat");
    program.kill();

    let program = Start::on(&world, binary(), "data").ready().await;
    let third = order(&program).await.expect("an answer");
    assert!(third.headers().contains_key("idempotency-replayed"));
    assert_eq!(world.sent().await, ["Order 42 is packed."]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_port_answers_as_it_always_did() {
    let (world, program) = started(&["main"]).await;
    let port = world.legacy_port(5022);
    let (status, sent) =
        program.legacy(port, "/send_text", &json!({"chat": "client_3", "text": "Hello"})).await;
    assert_eq!(
        (status, &sent["status"], &sent["chat_type"]),
        (200, &json!("ok"), &json!("private")),
        "{sent}"
    );
    assert!(sent["chat_id"].is_i64() && sent["message_id"].is_i64(), "{sent}");
    let (status, refused) = program.legacy(port, "/send_text", &json!({"text": "Hello"})).await;
    assert_eq!((status, refused), (400, json!({"error": "chat is required"})));
    let missing = json!({"chat": "-1009999999999", "text": "Hello"});
    let (status, refused) = program.legacy(port, "/send_text", &missing).await;
    let message = refused["error"].as_str().expect("a reason");
    assert_eq!(status, 500);
    assert!(message.starts_with("Cannot find chat -1009999999999") && message.contains("main"), "{message}");
    assert_eq!(world.sent().await, ["Hello"]);
    world.assert_nothing_unknown().await;
}
