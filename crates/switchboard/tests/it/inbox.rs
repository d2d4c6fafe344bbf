//! What people answer, end to end: they take over from a model, what failed is sent again, and a client is answered on the channel
//! that is chosen.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use testkit::{Program, World, free_port};

use crate::binary;
use crate::channels::{connect, sent, writes};
use crate::pipeline::{answering, answers};

const PIPELINE: &str = "\n[pipeline]\nenabled = true\nresponder = \"human\"\nsilence = \"100ms\"\n";

/// A program with every channel, whose customers are answered by people.
async fn answered_by_people(world: &World) -> Program {
    let port = free_port();
    world.with_channels(&format!("http://127.0.0.1:{port}"));
    world.edit_settings(|text| text + PIPELINE);
    connect(world, port).await.0
}

/// The client who wrote through a channel, once a person is to answer.
async fn client_of(program: &Program, channel: &str) -> String {
    let path = format!("/v1/conversations?state=waiting_us&channel={channel}");
    let found = || async { program.get(&path).await.1["items"][0]["client"]["id"].clone() };
    program.until("a person is to answer", || async { found().await.is_string() }).await;
    found().await.as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_takes_over_from_the_model_in_one_thread() {
    let world = World::start(binary()).await;
    let (program, _) = answering(&world, "100ms").await;
    writes(&world, "vk", "club", "Is it there?").await;
    program.until("the model answers", || async { answers(&world, "vk", "Is it there?").await > 0 }).await;
    let found = program.get("/v1/conversations?channel=vk").await.1;
    let path = format!("/v1/conversations/{}", found["items"][0]["client"]["id"].as_str().expect("an id"));
    let (status, appeal) = program.post(&format!("{path}/hand-over"), &json!({"to": "human"})).await;
    assert_eq!((status, &appeal["responder"]), (200, &json!("human")), "{appeal}");
    writes(&world, "vk", "club", "And in green?").await;
    let is_owed = || async { program.get(&path).await.1["appeal"]["state"] == "waiting_us" };
    program.until("the person is to answer", is_owed).await;
    let reply = json!({"text": "In green too.", "wait": 30});
    let (status, answer) = program.post(&format!("{path}/reply"), &reply).await;
    assert_eq!((status, &answer["state"]), (200, &json!("sent")), "{answer}");
    let thread = || async {
        let shown = program.get(&format!("{path}/messages")).await.1;
        let authors = shown["items"].as_array().into_iter().flatten();
        authors.filter_map(|one| one["author"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    program.until("all is in the thread", || async { thread().await.len() == 4 }).await;
    assert_eq!(thread().await, ["agent", "client", "ai", "client"]);
    for (text, count) in [("Is it there?", 1), ("In green too.", 1), ("And in green?", 0)] {
        assert_eq!(answers(&world, "vk", text).await, count, "{text}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_failed_says_why_and_is_sent_again() {
    const ANSWER: &str = "Yes, come by.";
    let world = World::start(binary()).await;
    let program = answered_by_people(&world).await;
    writes(&world, "vk", "club", "Is it there?").await;
    let path = format!("/v1/conversations/{}", client_of(&program, "vk").await);
    let does = async |action: &str| {
        let deed = json!({"channel": "vk", "account": "club", "from": "2000002", "action": action});
        world.post("/customers/messages", &deed).await;
    };
    does("block").await;
    let reply = json!({"text": ANSWER, "wait": 30});
    let (_, failed) = program.post(&format!("{path}/reply"), &reply).await;
    assert_eq!(failed["state"], "failed", "{failed}");
    let messages = format!("{path}/messages");
    let last = || async { program.get(&messages).await.1["items"][0].clone() };
    program.until("the conversation says why", || async { last().await["failure"].is_string() }).await;
    assert_eq!(last().await["id"], failed["id"]);
    assert!(sent(&world, "vk").await.is_empty());

    does("unblock").await;
    let again = format!("{messages}/{}/retry", failed["id"].as_str().expect("an id"));
    let (status, answer) = program.post(&again, &json!({})).await;
    assert!(status < 300, "{status}: {answer}");
    program.until("it is sent", || async { !sent(&world, "vk").await.is_empty() }).await;
    let (status, refused) = program.post(&again, &json!({})).await;
    assert_eq!(status, 409, "{refused}");
    program.until("it failed no more", || async { last().await["state"] != "failed" }).await;
    assert_eq!(sent(&world, "vk").await, BTreeMap::from([(ANSWER.to_owned(), 1)]));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_leaves_on_the_channel_that_is_chosen() {
    let world = World::start(binary()).await;
    let program = answered_by_people(&world).await;
    for (channel, account) in [("vk", "club"), ("max", "assistant")] {
        writes(&world, channel, account, "Is it there?").await;
    }
    let (one, other) = (client_of(&program, "vk").await, client_of(&program, "max").await);
    let (status, merge) = program.post(&format!("/v1/clients/{one}/merge"), &json!({"other": other})).await;
    assert_eq!(status, 200, "{merge}");
    let card = program.get(&format!("/v1/clients/{one}")).await.1;
    let chats = card["chats"].as_array().expect("chats");
    assert_eq!(chats.len(), 2, "{card}");
    let mut wanted: BTreeMap<&str, BTreeMap<String, usize>> = BTreeMap::new();
    for (number, channel) in ["vk", "max", "vk"].into_iter().enumerate() {
        let is_of = |chat: &str| chat.starts_with(&format!("{channel}:"));
        let chat = chats.iter().find(|chat| chat["chat"].as_str().is_some_and(is_of)).expect("a chat");
        let text = format!("Answer {number} goes to {channel}");
        let reply = json!({"text": text, "chat": chat["chat"], "wait": 30});
        let (status, answer) = program.post(&format!("/v1/conversations/{one}/reply"), &reply).await;
        assert_eq!((status, &answer["state"]), (200, &json!("sent")), "{answer}");
        wanted.entry(channel).or_default().insert(text, 1);
        for (channel, texts) in &wanted {
            assert_eq!(sent(&world, channel).await, *texts, "{channel}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_writes_first_where_the_channel_can() {
    let world = World::start(binary()).await;
    let program = answered_by_people(&world).await;
    program.account_is("main", "ready").await;
    let begins = async |channel: &str, account: &str, to: &str, text: &str| {
        let first = json!({"channel": channel, "channel_account": account, "to": to, "text": text});
        let request = program.request("POST", "/v1/conversations").header("idempotency-key", account);
        let answer = request.json(&first).send().await.expect("an answer");
        (answer.status().as_u16(), answer.json::<Value>().await.expect("JSON"))
    };
    for (channel, account, to) in [
        ("whatsapp", "phone", "+70000000003"),
        ("sms", "texts", "+70000000003"),
        ("sms", "texts_ru", "+70000000003"),
        ("sms", "texts_twilio", "+70000000003"),
        ("sms", "texts_smpp", "+70000000003"),
        ("email", "mail", "boris@example.com"),
        ("telegram_account", "main", "@client_1"),
    ] {
        let text = format!("Good day from {account}");
        let (status, begun) = begins(channel, account, to, &text).await;
        assert_eq!(status, 201, "{account}: {begun}");
        let again = begins(channel, account, to, &text).await.1;
        assert_eq!(again["message_id"], begun["message_id"], "{account}: {again}");
        let path = format!("/v1/messages/{}", begun["message_id"].as_str().expect("an id"));
        let is_sent = || async { program.get(&path).await.1["state"] == "sent" };
        program.until(&format!("{account} sends it"), is_sent).await;
        let ledger = world.ledger().await;
        assert_eq!(ledger.iter().filter(|row| row["text"] == text).count(), 1, "{account}: {ledger:?}");
    }
    let (status, refused) = begins("vk", "club", "2000002", "Good day from club").await;
    assert_eq!((status, &refused["errors"][0]["field"]), (422, &json!("channel")), "{refused}");
}
