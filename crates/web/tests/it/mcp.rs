//! The Model Context Protocol at `/mcp`: what a key sees and may, what it may not, and what a refusal says.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Call, Reply, Target};
use crate::script::able;
use crate::world::World;
use delivery::sender::Readiness;

const CHAT: &str = "-1001234567890";

/// A server that goes by the name that calls of tests have.
async fn world() -> World {
    let world = World::with(|options| {
        Arc::make_mut(&mut options.examined.settings).mcp.hosts = vec!["desk.test".to_owned()];
    })
    .await;
    world.candidates_are(&able(&[("main", Readiness::Ready)]));
    world
}

fn message(method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string()
}

fn post(target: &Target, method: &str, params: &Value) -> Call {
    let call = Call::new(target, "POST", "/mcp").header("Accept", "application/json, text/event-stream");
    call.json(message(method, params))
}

async fn ask(world: &World, key: &str, method: &str, params: Value) -> Value {
    let reply = post(&world.main(), method, &params).key(key).send().await;
    assert_eq!((reply.status, reply.header("mcp-session-id")), (200, None), "{reply:?}");
    reply.json()
}

/// What a tool answers, where it goes well.
async fn fine(world: &World, key: &str, tool: &str, arguments: Value) -> Value {
    let answer = ask(world, key, "tools/call", json!({ "name": tool, "arguments": arguments })).await;
    let result = &answer["result"];
    assert_eq!(result["isError"], json!(false), "{tool}: {answer}");
    let text: Value =
        serde_json::from_str(result["content"][0]["text"].as_str().expect("text")).expect("JSON");
    assert_eq!(text, result["structuredContent"], "{tool}");
    text
}

/// The problem by which a tool refuses.
async fn refused(world: &World, key: &str, tool: &str, arguments: Value) -> Value {
    let answer = ask(world, key, "tools/call", json!({ "name": tool, "arguments": arguments })).await;
    let result = &answer["result"];
    assert_eq!(result["isError"], json!(true), "{tool}: {answer}");
    serde_json::from_str(result["content"][0]["text"].as_str().expect("text")).expect("JSON")
}

async fn tools(world: &World, key: &str) -> Vec<String> {
    let listed = ask(world, key, "tools/list", json!({})).await;
    let tools = listed["result"]["tools"].as_array().expect("tools").iter();
    tools.map(|tool| tool["name"].as_str().expect("a name").to_owned()).collect()
}

#[tokio::test]
async fn a_key_sees_the_tools_that_it_may_call_and_no_others() {
    let world = world().await;
    let all = tools(&world, &world.key).await;
    let arguments = json!({
        "chat": CHAT, "text": "hello", "title": "Order 1", "idempotency_key": "a-1", "chat_id": CHAT, "id": "msg_00000000000000000000000000",
        "client_id": "client_00000000000000000000000000",
    });
    let limited = json!({ "name": "test", "scopes": ["read", "send"], "accounts": ["main"] });
    let limited = world.call("POST", "/v1/keys").json(limited.to_string()).send().await.json();
    let keys = [
        world.make_key(&["read"]).await,
        world.make_key(&["send"]).await,
        world.make_key(&["operate"]).await,
        limited["key"].as_str().expect("a key").to_owned(),
    ];
    let mut counts = Vec::new();
    for key in &keys {
        let open = tools(&world, key).await;
        for tool in &all {
            let schema = ask(&world, &world.key, "tools/list", json!({})).await;
            let tools = schema["result"]["tools"].as_array().expect("tools").clone();
            let schema = tools.into_iter().find(|one| one["name"] == **tool).expect("the tool");
            let mut given = arguments.clone();
            given
                .as_object_mut()
                .expect("fields")
                .retain(|name, _| schema["inputSchema"]["properties"][name].is_object());
            let call = json!({ "name": tool, "arguments": given });
            let output =
                ask(&world, key, "tools/call", call).await["result"]["content"][0]["text"].to_string();
            let closed = output.contains("forbidden_scope") || output.contains("key_limited");
            assert_eq!(closed, !open.contains(tool), "{tool}: {output}");
        }
        counts.push(open.len());
    }
    assert_eq!((all.len(), counts), (21, vec![15, 6, 0, 10]));
}

#[tokio::test]
async fn tools_say_what_they_change() {
    let world = world().await;
    let listed = ask(&world, &world.key, "tools/list", json!({})).await;
    let document: Value = serde_json::from_str(&web::openapi_json()).expect("JSON");
    let reading: Vec<_> = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .map(|path| &path["get"]["operationId"])
        .collect();
    for tool in listed["result"]["tools"].as_array().expect("tools") {
        let name = tool["name"].as_str().expect("a name");
        // Read only, open world, idempotent, destructive.
        let expected = match name {
            "send_message" | "create_chat" | "reply" => json!([false, true, true, false]),
            "add_note" => json!([false, false, false, false]),
            "hand_over_conversation" | "close_conversation" => json!([false, false, true, true]),
            _ => json!([true, false, null, null]),
        };
        let hints = &tool["annotations"];
        let found = ["readOnlyHint", "openWorldHint", "idempotentHint", "destructiveHint"];
        assert_eq!(json!(found.map(|hint| &hints[hint])), expected, "{tool}");
        assert_eq!(hints["readOnlyHint"], reading.contains(&&tool["name"]), "{name}");
        let required = tool["inputSchema"]["required"].as_array().expect("a list");
        assert_eq!(hints["openWorldHint"], required.contains(&json!("idempotency_key")), "{name}");
        assert_eq!(
            (&tool["inputSchema"]["type"], &tool["outputSchema"]["type"]),
            (&json!("object"), &json!("object"))
        );
    }
    // What a model reads before it does anything at all.
    assert!(listed.to_string().len() < 90_000, "{}", listed.to_string().len());
    let begun = ask(
        &world,
        &world.key,
        "initialize",
        json!({
            "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": { "name": "test", "version": "1" },
        }),
    );
    let begun = begun.await;
    assert_eq!(begun["result"]["protocolVersion"], "2025-06-18", "{begun}");
    assert_eq!(begun["result"]["serverInfo"]["name"], "switchboard");
}

#[tokio::test]
async fn a_message_is_sent_once_however_often_the_tool_is_called() {
    let world = world().await;
    let order = |text: &str, key: &str| json!({ "chat": CHAT, "text": text, "idempotency_key": key });
    let first = fine(&world, &world.key, "send_message", order("hello", "order-1")).await;
    assert_eq!(first["state"], "sent", "{first}");
    let again = fine(&world, &world.key, "send_message", order("hello", "order-1")).await;
    assert_eq!((&again["id"], world.script.sent().len()), (&first["id"], 1));
    // The same on /v1: it is one API.
    let v1 = world.message(&json!({ "chat": CHAT, "text": "hello" }).to_string());
    let v1 = v1.header("Idempotency-Key", "order-1").send().await;
    assert_eq!((v1.json()["id"].clone(), world.script.sent().len()), (first["id"].clone(), 1));
    let other = refused(&world, &world.key, "send_message", order("bye", "order-1")).await;
    assert_eq!(other["code"], "idempotency_conflict", "{other}");
    let without = refused(&world, &world.key, "send_message", json!({ "chat": CHAT, "text": "hello" })).await;
    assert_eq!(
        (&without["code"], &without["errors"][0]["field"]),
        (&json!("invalid_request"), &json!("idempotency_key"))
    );

    let id = first["id"].clone();
    assert_eq!(fine(&world, &world.key, "get_message", json!({ "id": id })).await["text"], "hello");
    let why = fine(&world, &world.key, "explain_message", json!({ "id": id })).await;
    assert!(why.to_string().contains("main"), "{why}");
    let found = fine(&world, &world.key, "list_messages", json!({ "text": "HELLO", "limit": "5" })).await;
    assert_eq!(found["items"][0]["id"], id, "{found}");
    let read = fine(&world, &world.key, "read_conversation", json!({ "chat_id": CHAT })).await;
    assert_eq!(read["items"][0]["id"], id, "{read}");
}

#[tokio::test]
async fn contacts_on_the_do_not_contact_list_get_no_message() {
    let world = world().await;
    let entry = r#"{"contact":"@demo_channel","reason":"asked to stop"}"#;
    assert_eq!(world.call("POST", "/v1/do-not-contact").json(entry).send().await.status, 200);
    let order = json!({ "chat": "https://t.me/Demo_Channel", "text": "hello", "idempotency_key": "a-1" });
    let problem = refused(&world, &world.key, "send_message", order).await;
    assert_eq!(problem["code"], "do_not_contact", "{problem}");
    let order = json!({ "title": "A", "members": ["@demo_channel"], "idempotency_key": "a-2" });
    let problem = refused(&world, &world.key, "create_chat", order).await;
    assert_eq!(problem["code"], "do_not_contact", "{problem}");
    assert_eq!((world.script.sent().len(), world.hands.count("create")), (0, 0));
}

#[tokio::test]
async fn the_limits_and_the_rate_of_a_key_hold() {
    let world = world().await;
    let body = json!({
        "name": "test", "scopes": ["read", "send"], "chats": ["-1009876543210"], "rate": "1/m", "burst": "4",
    });
    let made = world.call("POST", "/v1/keys").json(body.to_string()).send().await.json();
    let key = made["key"].as_str().expect("a key");
    let order = json!({ "chat": CHAT, "text": "hello", "idempotency_key": "a-1" });
    assert_eq!(refused(&world, key, "send_message", order).await["code"], "key_limited");
    assert_eq!(
        refused(&world, key, "read_conversation", json!({ "chat_id": CHAT })).await["code"],
        "key_limited"
    );
    let read =
        ask(&world, key, "resources/read", json!({ "uri": format!("switchboard://chats/{CHAT}") })).await;
    assert_eq!(read["error"]["data"]["code"], "key_limited", "{read}");
    // A call of a tool counts as one request, as on /v1.
    let last = post(&world.main(), "ping", &json!({})).key(key).send().await;
    assert!(last.header("ratelimit").is_some_and(|left| left.starts_with("\"key\";r=0;")), "{last:?}");
    post(&world.main(), "ping", &json!({})).key(key).send().await;
    let refused = post(&world.main(), "ping", &json!({})).key(key).send().await;
    assert_eq!((refused.status, refused.json()["code"].clone()), (429, json!("rate_limited")));
    assert_eq!(world.script.sent().len(), 0);
}

#[tokio::test]
async fn resources_are_read_as_the_calls_that_show_them() {
    let world = world().await;
    let order = json!({ "chat": CHAT, "text": "hello", "idempotency_key": "a-1" });
    fine(&world, &world.key, "send_message", order).await;
    let templates = ask(&world, &world.key, "resources/templates/list", json!({})).await;
    assert_eq!(templates["result"]["resourceTemplates"][0]["uriTemplate"], "switchboard://chats/{chat_id}");
    let uri = format!("switchboard://chats/{CHAT}");
    let read = ask(&world, &world.key, "resources/read", json!({ "uri": uri })).await;
    let content = &read["result"]["contents"][0];
    assert_eq!((&content["uri"], &content["mimeType"]), (&json!(uri), &json!("application/json")), "{read}");
    assert!(content["text"].as_str().is_some_and(|text| text.contains("hello")), "{read}");
    for (uri, code) in [("switchboard://accounts/nobody", -32002), ("switchboard://keys/all", -32002)] {
        let missing = ask(&world, &world.key, "resources/read", json!({ "uri": uri })).await;
        assert_eq!(missing["error"]["code"], code, "{uri}: {missing}");
    }
    let send = world.make_key(&["send"]).await;
    let none = ask(&world, &send, "resources/templates/list", json!({})).await;
    assert_eq!(none["result"]["resourceTemplates"], json!([]));
    let closed = ask(&world, &send, "resources/read", json!({ "uri": uri })).await;
    assert_eq!(closed["error"]["data"]["code"], "forbidden_scope", "{closed}");
}

fn code(reply: &Reply) -> (u16, Value) {
    (reply.status, reply.json()["code"].clone())
}

#[tokio::test]
async fn a_missing_key_wrong_host_or_switched_off_server_refuses() {
    let world = world().await;
    let ping = |world: &World| post(&world.main(), "ping", &json!({}));
    assert_eq!(code(&ping(&world).send().await), (401, json!("unauthorized")));
    assert_eq!(code(&ping(&world).key("swb_wrong").send().await), (401, json!("unauthorized")));
    let origin = |origin: &str| ping(&world).key(&world.key).header("Origin", origin);
    assert_eq!(origin("http://localhost:3000").send().await.status, 200);
    assert_eq!(code(&origin("https://evil.example.com").send().await), (403, json!("forbidden_host")));
    // No key is needed where only the owner of the data directory gets.
    assert_eq!(post(&world.control(), "ping", &json!({})).send().await.status, 200);
    // There is no stream to be opened and no session to be ended.
    for method in ["GET", "DELETE"] {
        let call = Call::new(&world.main(), method, "/mcp").key(&world.key);
        assert_eq!(call.header("Accept", "text/event-stream").send().await.status, 405);
    }

    let elsewhere = World::new().await;
    assert_eq!(code(&ping(&elsewhere).key(&elsewhere.key).send().await), (403, json!("forbidden_host")));
    let public = World::with(|options| {
        let settings = Arc::make_mut(&mut options.examined.settings);
        settings.public_url = Some("https://desk.test/base".to_owned());
    });
    let public = public.await;
    assert_eq!(ping(&public).key(&public.key).send().await.status, 200);
    let off = World::with(|options| Arc::make_mut(&mut options.examined.settings).mcp.enabled = false).await;
    assert_eq!(code(&ping(&off).key(&off.key).send().await), (404, json!("not_found")));
}

#[tokio::test]
async fn changes_through_mcp_are_audited() {
    let world = world().await;
    let key = world.make_key(&["send"]).await;
    let order = json!({ "title": "Order 1", "idempotency_key": "a-1" });
    fine(&world, &key, "create_chat", order).await;
    let audit = world.call("GET", "/v1/audit?action=create_chat").send().await.json();
    assert_eq!(audit["items"].as_array().map(Vec::len), Some(1), "{audit}");
    assert_eq!(audit["items"][0]["result"], "done", "{audit}");
    assert!(audit["items"][0]["address"].as_str().is_some_and(|address| address == "127.0.0.1"), "{audit}");
}

#[tokio::test]
async fn clients_with_other_headers_are_served_and_errors_are_of_json_rpc() {
    let world = world().await;
    let call = || Call::new(&world.main(), "POST", "/mcp").key(&world.key);
    let ping = message("ping", &json!({}));
    for (accept, kind) in [
        ("*/*", "application/json; charset=utf-8"),
        ("application/*", "text/plain"),
        ("application/json", "application/octet-stream"),
    ] {
        let call = call().header("Accept", accept).header("Content-Type", kind);
        let reply = call.body(format!("\u{feff}{ping}")).send().await;
        assert_eq!((reply.status, &reply.json()["result"]), (200, &json!({})), "{accept} {kind}");
    }
    assert_eq!(call().body(ping.clone()).send().await.status, 200, "without both headers");
    for (body, code) in [("{", -32_700), ("", -32_700), ("[]", -32_600), ("{\"id\":1}", -32_600)] {
        let reply = call().body(body.to_owned()).send().await;
        assert_eq!((reply.status, &reply.json()["error"]["code"]), (400, &json!(code)), "{body}");
    }
    let unknown = call().header("MCP-Protocol-Version", "1999-01-01").body(ping).send().await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (400, &json!(-32_600)));
}
