//! The Model Context Protocol as its official SDK speaks it: over HTTP and over the pipes of `switchboard mcp`.

use serde_json::{Value, json};
use testkit::{KEY, Program, Start, World};

use crate::channels::writes;
use crate::pipeline::{answering, answers};
use crate::{binary, python};

async fn report_of(target: &Value, deeds: &Value) -> Value {
    python::run_json("mcp_client.py", &[&target.to_string(), &deeds.to_string()]).await
}

fn over_http(program: &Program, key: &str) -> Value {
    json!({ "url": format!("{}/mcp", program.address()), "key": key })
}

/// A program that has read its dialogs, and a group of them.
async fn program(world: &World) -> (Program, String) {
    let program = Start::on(world, binary(), "data").ready().await;
    program.has_read_dialogs("main").await;
    (program, world.chat_titled("Demo supergroup").await)
}

/// How often this text was sent.
async fn sent(world: &World, text: &str) -> usize {
    world.ledger().await.iter().filter(|row| row["text"] == text).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_uses_every_tool_over_http() {
    let world = World::start(binary()).await;
    let (program, group) = program(&world).await;
    let order = json!({ "chat": group, "text": "by a tool", "idempotency_key": "order-1" });
    let made = json!({ "title": "Order 1", "idempotency_key": "chat-1" });
    let deeds = json!([
        ["call", "list_accounts", {}],
        ["call", "list_channels", {}],
        ["call", "list_chats", { "q": "demo" }],
        ["call", "send_message", order],
        ["call", "send_message", order],
        ["call", "list_messages", { "text": "by a tool", "direction": "out" }],
        ["call", "read_conversation", { "chat_id": group, "limit": 10 }],
        ["call", "create_chat", made],
        ["call", "list_operations", { "limit": 5 }],
        ["call", "list_campaigns", {}],
        ["read", "switchboard://accounts/main"],
        ["read", format!("switchboard://chats/{group}")],
    ]);
    let report = report_of(&over_http(&program, KEY), &deeds).await;
    assert_eq!(
        (&report["server"], &report["protocol"]),
        (&json!("switchboard"), &json!("2026-07-28")),
        "{report}"
    );
    let changing =
        ["reply", "add_note", "hand_over_conversation", "close_conversation", "send_message", "create_chat"];
    assert_eq!(report["changing"], json!(changing), "{report}");
    let results = report["results"].as_array().expect("results");
    for (result, deed) in results.iter().zip(deeds.as_array().expect("deeds")) {
        assert!(result.get("refused").is_none() && result["error"] != true, "{deed}: {result}");
    }
    let id = &results[3]["structured"]["id"];
    assert_eq!((&results[3]["structured"]["state"], &results[4]["structured"]["id"]), (&json!("sent"), id));
    assert_eq!(results[5]["structured"]["items"][0]["id"], *id, "{}", results[5]);
    assert!(results[11]["text"].as_str().is_some_and(|text| text.contains("by a tool")), "{}", results[11]);
    assert_eq!(sent(&world, "by a tool").await, 1);

    // The handshake of before 2026-07-28, by a client that asks about one message.
    let mut old = over_http(&program, KEY);
    old["mode"] = json!("legacy");
    let asks = json!([
        ["call", "get_message", { "id": id }],
        ["call", "explain_message", { "id": id }],
        ["call", "get_message", { "id": "msg_00000000000000000000000000" }],
        ["call", "erase_everything", {}],
    ]);
    let report = report_of(&old, &asks).await;
    let results = report["results"].as_array().unwrap_or_else(|| panic!("{report}"));
    assert_eq!((&results[0]["structured"]["id"], &results[1]["error"]), (id, &json!(false)), "{report}");
    assert_eq!(results[2]["error"], true, "{report}");
    assert!(results[2]["text"].as_str().is_some_and(|text| text.contains("message_not_found")), "{report}");
    assert!(results[3]["refused"].as_str().is_some_and(|text| text.contains("list_accounts")), "{report}");
    assert!(!program.output().contains("by a tool"), "{}", program.output());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_official_client_works_on_conversations_with_clients() {
    let world = World::start(binary()).await;
    let (program, _) = answering(&world, "100ms").await;
    writes(&world, "vk", "club", "I want to talk to an operator").await;
    let waiting = async || program.get("/v1/conversations?state=waiting_us").await.1["items"][0].clone();
    program.until("a person is to answer", || async { waiting().await["client"]["id"].is_string() }).await;
    let id = waiting().await["client"]["id"].as_str().expect("a client").to_owned();
    let answer =
        json!({ "client_id": id, "text": "Good day, an operator is here", "idempotency_key": "answer-1" });
    let deeds = json!([
        ["call", "list_conversations", { "state": "waiting_us" }],
        ["call", "get_conversation", { "client_id": id }],
        ["call", "reply", answer],
        ["call", "reply", answer],
        ["call", "list_conversation_messages", { "client_id": id, "limit": 10 }],
        ["call", "add_note", { "client_id": id, "text": "Wants it on Friday" }],
        ["call", "hand_over_conversation", { "client_id": id, "to": "human" }],
        ["call", "close_conversation", { "client_id": id }],
        ["call", "list_clients", { "limit": 5 }],
        ["call", "get_client", { "client_id": id }],
        ["call", "get_pipeline", {}],
        ["read", format!("switchboard://conversations/{id}")],
        ["read", format!("switchboard://clients/{id}")],
        ["call", "list_conversations", { "search": "anna operator" }],
    ]);
    let report = report_of(&over_http(&program, KEY), &deeds).await;
    let results = report["results"].as_array().unwrap_or_else(|| panic!("{report}"));
    for (result, deed) in results.iter().zip(deeds.as_array().expect("deeds")) {
        assert!(result.get("refused").is_none() && result["error"] != true, "{deed}: {result}");
    }
    for place in [0, 13] {
        assert_eq!(results[place]["structured"]["items"][0]["client"]["id"], json!(id), "{report}");
    }
    assert_eq!(results[2]["structured"]["id"], results[3]["structured"]["id"], "{report}");
    assert_eq!(results[7]["structured"]["state"], "closed", "{}", results[7]);
    for place in [11, 4] {
        let text = results[place]["text"].as_str().unwrap_or_default();
        assert!(text.contains("I want to talk to an operator"), "{text}");
    }
    assert_eq!(answers(&world, "vk", "Good day, an operator is here").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_closed_to_wrong_keys_and_other_names() {
    let world = World::start(binary()).await;
    let (program, group) = program(&world).await;
    let body = json!({ "name": "reader", "scopes": ["read"] });
    let made = program.post("/v1/keys", &body).await.1;
    let reader = made["key"].as_str().expect("a key");
    let order = json!({ "chat": group, "text": "not mine", "idempotency_key": "order-1" });
    let report = report_of(&over_http(&program, reader), &json!([["call", "send_message", order]])).await;
    assert_eq!((&report["changing"], &report["results"][0]["error"]), (&json!([]), &json!(true)), "{report}");
    assert!(
        report["results"][0]["text"].as_str().is_some_and(|text| text.contains("forbidden_scope")),
        "{report}"
    );

    let mut renamed = over_http(&program, KEY);
    renamed["host"] = json!("evil.example.com");
    for target in [over_http(&program, "swb_wrong"), renamed] {
        let report = report_of(&target, &json!([])).await;
        assert!(report["refused"].is_string(), "{target}: {report}");
    }
    assert_eq!(sent(&world, "not mine").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_serves_it_over_its_pipes() {
    let world = World::start(binary()).await;
    let (mut program, group) = program(&world).await;
    let binary = binary().to_str().expect("UTF-8");
    let data = world.data_dir("data");
    let own = json!({ "command": [binary, "mcp", "--data-dir", data.to_str().expect("UTF-8")] });
    let order = json!({ "chat": group, "text": "by pipe", "idempotency_key": "order-1" });
    let deeds = json!([
        ["call", "send_message", order],
        ["call", "send_message", order],
        ["read", format!("switchboard://chats/{group}")],
    ]);
    let mut legacy = own.clone();
    legacy["mode"] = json!("legacy");
    for (target, protocol) in [(&own, "2026-07-28"), (&legacy, "2025-11-25")] {
        let report = report_of(target, &deeds).await;
        assert_eq!(report["protocol"], protocol, "{report}");
        assert_eq!(report["results"][1]["structured"]["state"], "sent", "{report}");
        assert!(
            report["results"][2]["text"].as_str().is_some_and(|text| text.contains("by pipe")),
            "{report}"
        );
    }
    assert_eq!(sent(&world, "by pipe").await, 1);

    // With a key of its own, by the address of the server.
    let made = program.post("/v1/keys", &json!({ "name": "reader", "scopes": ["read"] })).await.1;
    let elsewhere = json!({
        "command": [binary, "mcp", "--url", program.address()],
        "env": { "SWITCHBOARD_API_KEY": made["key"] },
    });
    let report = report_of(&elsewhere, &json!([["call", "list_accounts", {}]])).await;
    assert_eq!(
        (&report["changing"], &report["results"][0]["error"]),
        (&json!([]), &json!(false)),
        "{report}"
    );
    let unkeyed = json!({ "command": [binary, "mcp", "--url", program.address()] });
    assert!(report_of(&unkeyed, &json!([])).await["refused"].is_string());

    assert_eq!(program.terminate().await, Some(0));
    let report = report_of(&own, &json!([])).await;
    assert!(report["refused"].is_string(), "{report}");
}
