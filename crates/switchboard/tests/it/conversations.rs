//! A customer writes between two messages of ours: the conversation has all three in order, and search finds the customer's.

use serde_json::{Value, json};
use testkit::{ACCOUNTS, Program, World};

use crate::binary;
use crate::shell::cli::{cli, running};

const QUESTION: &str = "how much is the screen?";

/// The texts of a list, the newest first.
async fn texts(program: &Program, path: &str) -> Vec<String> {
    let (status, page) = program.get(path).await;
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().expect("items").iter();
    items.map(|item| item["text"].as_str().expect("a text").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_customer_writes_between_two_messages_of_ours() {
    let world = World::start(binary()).await;
    let program = running(&world, &ACCOUNTS).await;
    program.has_read_dialogs("main").await;
    let path = "/v1/chats/@client_1/messages";
    for text in ["Good day", "It is 20."] {
        if text == "It is 20." {
            world
                .post("/telegram/messages", &json!({ "from": "@client_1", "chat": "main", "text": QUESTION }))
                .await;
            let is_there =
                || async { texts(&program, path).await.first().is_some_and(|last| last == QUESTION) };
            program.until("the question is kept", is_there).await;
        }
        let (status, sent) = program.send("@client_1", text).await;
        assert_eq!(status, 200, "{sent}");
    }
    let expected = ["It is 20.", QUESTION, "Good day"];
    assert_eq!(texts(&program, path).await, expected);
    assert_eq!(texts(&program, "/v1/messages?direction=in&q=SCREEN").await, [QUESTION]);
    assert_eq!(texts(&program, &format!("{path}?q=Screen")).await, [QUESTION]);
    assert_eq!(texts(&program, "/v1/messages").await, ["It is 20.", "Good day"]);
    let (_, page) = program.get(path).await;
    let received: &Value = &page["items"][1];
    let id = received["id"].as_str().expect("an id");
    assert!(id.starts_with("rcv_") && received["origin"] == "person", "{received}");
    assert_eq!(program.get(&format!("/v1/messages/{id}")).await, (200, received.clone()));
    let (_, history) = program.get("/v1/chats/@client_1/history?limit=5&account=main").await;
    let live = history["items"].as_array().expect("items").iter().find(|item| item["text"] == QUESTION);
    assert_eq!(live.expect("it is there")["id"], id, "{history}");

    let shown = cli(&world, &["chat", "messages", "@client_1"]).fine();
    let places: Vec<_> = expected.iter().map(|text| shown.find(text).expect("it is shown")).collect();
    assert!(places.is_sorted(), "{shown}");
    let found =
        cli(&world, &["message", "list", "--direction", "in", "--text", "screen", "--json"]).run().json();
    assert_eq!(found["items"][0], *received);
    let shown = cli(&world, &["message", "show", id]).run().json();
    assert_eq!(shown, *received);
    world.assert_nothing_unknown().await;
}
