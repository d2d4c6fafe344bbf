//! What the README promises: a text goes out once, over the API and over the old port, and its way can be told.

use serde_json::json;
use testkit::{Program, Start};

use crate::binary;
use crate::shell::cli::started;

#[tokio::test(flavor = "multi_thread")]
async fn a_text_goes_out_and_comes_back_with_its_way() {
    let (world, mut program) = started(&["main"]).await;
    let (status, sent) = program
        .post(
            "/v1/messages",
            &json!({"chat": "@client_1", "text": "Ready, <b>come by</b>", "parse_mode": "html"}),
        )
        .await;
    assert_eq!(status, 200, "{sent}");
    assert_eq!((&sent["state"], &sent["account"]), (&json!("sent"), &json!("main")));
    assert_eq!(sent["attempts"][0]["outcome"], "sent", "{sent}");
    let ledger = world.get("/ledger").await;
    let row = &ledger["items"][0];
    assert_eq!(
        (&row["account"], &row["text"], &row["chat_id"], &row["message_id"]),
        (&json!("main"), &json!("Ready, come by"), &sent["chat_id"], &sent["message_ids"][0])
    );

    let id = sent["id"].as_str().expect("an id");
    let (_, why) = program.get(&format!("/v1/messages/{id}/why")).await;
    assert!(why["timeline"].as_array().is_some_and(|steps| steps.len() == 3), "{why}");
    let (_, again) = program.get(&format!("/v1/messages/{id}")).await;
    assert_eq!(again["message_ids"], sent["message_ids"]);
    let (_, list) = program.get("/v1/messages?state=sent&limit=1").await;
    assert_eq!(list["items"][0]["id"], sent["id"]);

    assert_eq!(program.terminate().await, Some(0), "SIGTERM drains and exits with 0");
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_chosen_once_does_not_keep_the_dialog() {
    let (_world, program) = started(&["main"]).await;
    program.account_is("fifth", "ready").await;
    let body = json!({"chat": "@client_5", "text": "by pin", "account": "fifth"});
    assert_eq!(program.post("/v1/messages", &body).await.1["account"], "fifth");
    assert_eq!(program.send("@client_5", "as ever").await.1["account"], "main");
}

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
    let said = refused["error"].as_str().expect("a reason");
    assert_eq!(status, 500);
    assert!(said.starts_with("Cannot find chat -1009999999999") && said.contains("main"), "{said}");
    assert_eq!(world.sent().await, ["Hello"]);
    world.assert_nothing_unknown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_is_written_to_and_a_long_text_leaves_in_two_parts() {
    let (world, program) = started(&["main"]).await;
    let chats = world.get("/telegram/chats").await;
    let group = chats["items"]
        .as_array()
        .expect("items")
        .iter()
        .find(|chat| chat["title"] == "Demo supergroup")
        .expect("the demo supergroup");
    let text = format!("{}\n\n{}", "a".repeat(4_000), "b".repeat(97));
    assert_eq!(text.len(), 4_099);
    let chat_id = group["chat_id"].as_str().expect("an id");
    // The first reading of the dialogs may still be under way; the chat is known as soon as its page was read.
    program.until("the group is known", || async { program.send(chat_id, "hello").await.0 == 200 }).await;
    let (status, sent) = program.send(chat_id, &text).await;
    assert_eq!((status, sent["message_ids"].as_array().map(Vec::len)), (200, Some(2)), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_and_its_pages_come_from_the_program_alone() {
    let (_world, program) = started(&["main"]).await;
    let (status, openapi) = program.get("/openapi.json").await;
    assert_eq!((status, &openapi["openapi"]), (200, &json!("3.1.0")));
    let page =
        program.request("GET", "/docs/").send().await.expect("an answer").text().await.expect("a body");
    assert!(page.contains("swagger-ui"), "{page}");
    assert!(!page.contains("https://"), "no asset from outside: {page}");
}
