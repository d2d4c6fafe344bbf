//! Rights by effect: what a key without a scope cannot bring about, by whatever call.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use access::Role;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use web::{Actor, InProcessApi};

use crate::client::{Call, Reply, Target};
use crate::world::{SOON, World, port_of, send_text_port};

const CHAT: &str = "-1001234567890";
/// What a person wrote.
const SECRET: &str = "the secret of Anna";

/// Calls that write to a provider, or have something written there that was not asked for before.
const WRITES: [&str; 42] = [
    "add_campaign_messages",
    "add_campaign_senders",
    "add_campaign_tasks",
    "add_members",
    "answer_turn",
    "approve_message",
    "begin_conversation",
    "change_campaign",
    "change_chat",
    "create_campaign",
    "create_chat",
    "delete_message",
    "edit_message",
    "hand_in",
    "hand_over_conversation",
    "leave_chat",
    "mark_read",
    "remove_member",
    "replay_message",
    "reply",
    "resend",
    "resolve_message",
    "resolve_operation",
    "resume_campaign",
    "retry_dead_letters",
    "retry_failed_messages",
    "retry_failed_request",
    "retry_failed_turns",
    "retry_message",
    "retry_operation",
    "see_conversation",
    "send_message",
    "show_typing",
    "start_campaign",
    "start_flow",
    "take_over_campaign",
    "unblock_campaign",
    "unblock_campaign_profile",
    // These change who answers, and so what is sent.
    "assign_conversation",
    "close_conversation",
    "reopen_conversation",
    "snooze_conversation",
];

/// Calls of keys without `send` that change something: here, or at a provider without a word to anyone.
const KEEPS: [&str; 47] = [
    "act_on_account",
    "act_on_service",
    "begin_client_import",
    "cancel_flood_clearing",
    "cancel_message",
    "cancel_operation",
    "cancel_retry_of_failed_messages",
    "change_client",
    "check_campaign_profile",
    "check_campaign_proxy",
    "check_channel",
    "check_flows",
    "clear_campaign",
    "clear_floods",
    "create_maintenance",
    "dismiss_suggestion",
    "drop_failed_request",
    "dry_run_flow",
    "erase_client",
    "forget_unresolved_chat",
    "merge_clients",
    "move_private_dialogs",
    "mute_alert",
    "mute_card",
    "pause_campaign",
    "pause_channel",
    "pause_webhook",
    "reject_message",
    "remove_account_note",
    "remove_campaign",
    "remove_campaign_sender",
    "remove_maintenance",
    "replay_webhook",
    "resume_channel",
    "resume_webhook",
    "retry_webhook",
    "retry_webhook_attempt",
    "simulate_flow",
    "split_client",
    "stop_campaign",
    "stop_flow",
    "take_over_clients",
    "test_webhook",
    "undo_client_import",
    "unmute_alert",
    "unmute_card",
    "write_account_note",
];

fn document() -> Value {
    serde_json::from_str(&web::openapi_json()).expect("JSON")
}

/// The calls of the document: their paths, methods and descriptions.
fn calls(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths =
        document["paths"].as_object().expect("paths").iter().filter(|(path, _)| path.starts_with("/v1"));
    paths.flat_map(|(path, calls)| {
        let calls = calls.as_object().expect("calls").iter();
        calls.map(move |(method, call)| (path.as_str(), method.as_str(), call))
    })
}

fn id(call: &Value) -> &str {
    call["operationId"].as_str().expect("an id")
}

/// Each set of scopes that a call takes, without those of admins.
fn sets(call: &Value) -> Vec<Vec<&str>> {
    let sets =
        call["security"].as_array().expect("scopes").iter().filter_map(|set| set["api_key"].as_array());
    sets.map(|set| set.iter().filter_map(Value::as_str).collect())
        .filter(|set: &Vec<&str>| !set.contains(&"admin"))
        .collect()
}

/// Whether a key can make the call that lacks this scope.
fn goes_without(call: &Value, scope: &str) -> bool {
    sets(call).iter().any(|set| !set.contains(&scope))
}

#[test]
fn the_page_of_rights_is_what_the_handlers_demand() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rights.md");
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let page = web::rights_page();
    assert!(page == kept, "docs/rights.md is stale: switchboard key rights > docs/rights.md");
}

#[test]
fn what_writes_to_a_provider_takes_the_scope_send() {
    let document = document();
    let (mut unknown, mut seen) = (Vec::new(), BTreeSet::new());
    for (_, method, call) in calls(&document) {
        let id = id(call);
        seen.insert(id);
        if WRITES.contains(&id) {
            assert!(!goes_without(call, "send"), "{id} goes without send");
        } else if method != "get" && goes_without(call, "send") && !KEEPS.contains(&id) {
            unknown.push(id);
        }
    }
    assert_eq!(unknown, [""; 0], "do they write to a provider?");
    let gone: Vec<_> = WRITES.iter().chain(&KEEPS).filter(|id| !seen.contains(**id)).collect();
    assert_eq!(gone, Vec::<&&str>::new());
}

#[test]
fn data_of_clients_takes_the_scope_personal() {
    let document = document();
    let personal = |call: &Value| sets(call).iter().all(|set| set.contains(&"personal"));
    let found: Vec<&str> = calls(&document)
        .map(|(_, _, call)| call)
        .filter(|call| !sets(call).is_empty() && personal(call))
        .map(id)
        .collect();
    let expected = [
        "begin_client_import",
        "take_over_clients",
        "undo_client_import",
        "erase_client",
        "change_client",
        "dismiss_suggestion",
        "export_client",
        "merge_clients",
        "split_client",
    ];
    let sorted = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<_>>();
    assert_eq!(sorted(&found), sorted(&expected));
    let export = calls(&document).find(|(_, _, call)| id(call) == "export_client").expect("the export");
    assert_eq!(sets(export.2), [vec!["personal", "read"]]);
}

/// Fields of answers to keys without `read` that have no words of people: ids, names of ours, states, and what the program itself
/// says.
const NO_WORDS: &str = include_str!("no_words.txt");

#[test]
fn each_field_of_answers_without_read_is_marked_or_has_no_words() {
    fn fields(
        document: &Value,
        schema: &Value,
        of: &str,
        seen: &mut BTreeSet<String>,
        found: &mut BTreeSet<String>,
    ) {
        if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
            if seen.insert(name.to_owned()) {
                fields(document, &document["components"]["schemas"][name], name, seen, found);
            }
            return;
        }
        for choice in ["allOf", "anyOf", "oneOf"] {
            for schema in schema[choice].as_array().into_iter().flatten() {
                fields(document, schema, of, seen, found);
            }
        }
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            if field["x-words"] == true || field["items"]["x-words"] == true {
                continue;
            }
            let kinds = field["type"].as_str().map(|kind| vec![kind]);
            let kinds = kinds.unwrap_or_else(|| {
                field["type"].as_array().into_iter().flatten().filter_map(Value::as_str).collect()
            });
            let is_text = kinds.contains(&"string") || field["items"]["type"] == "string";
            if is_text && field["enum"].is_null() && field["format"] != "date-time" {
                found.insert(format!("{of}.{name}"));
            }
            fields(document, field, of, seen, found);
        }
        for inner in ["items", "additionalProperties"] {
            if schema[inner].is_object() {
                fields(document, &schema[inner], of, seen, found);
            }
        }
    }
    let document = document();
    let (mut seen, mut found) = (BTreeSet::new(), BTreeSet::new());
    for (_, _, call) in calls(&document).filter(|(_, _, call)| goes_without(call, "read")) {
        for (_, answer) in call["responses"]
            .as_object()
            .expect("answers")
            .iter()
            .filter(|(status, _)| status.starts_with('2'))
        {
            for (kind, content) in answer["content"].as_object().into_iter().flatten() {
                assert_eq!(kind, "application/json", "{}: only JSON is searched for words", id(call));
                fields(&document, &content["schema"], id(call), &mut seen, &mut found);
            }
        }
    }
    let known: BTreeSet<String> = NO_WORDS.lines().map(str::to_owned).collect();
    let new: Vec<_> = found.difference(&known).collect();
    assert_eq!(
        new,
        Vec::<&String>::new(),
        "has it words of people? Mark it with x-words, or add it to no_words.txt"
    );
}

/// A world with a port of the old servers, and a message of an admin in each state that others may change.
async fn world_with_messages() -> (World, Vec<String>) {
    let world = World::with(|options| {
        options.legacy.ports = vec![send_text_port(), port_of(domain::Service::LeaveChat)];
    })
    .await;
    let tomorrow = world.clock.now().plus(Duration::from_hours(24));
    let mut paths = Vec::new();
    for extra in [json!({ "needs_approval": true }), json!({ "send_at": tomorrow })] {
        let mut body = json!({ "chat": CHAT, "text": SECRET, "wait": 0 });
        body.as_object_mut().expect("fields").extend(extra.as_object().expect("fields").clone());
        let made = world.message(&body.to_string()).send().await;
        assert_eq!(made.status, 202, "{made:?}");
        paths.push(format!("/v1/messages/{}", made.json()["id"].as_str().expect("an id")));
    }
    (world, paths)
}

#[tokio::test]
async fn a_key_without_send_gets_nothing_out() {
    let (world, messages) = world_with_messages().await;
    world.call("POST", "/v1/campaigns").json(r#"{"name":"spring"}"#).send().await;
    let key = world.make_key(&["read", "operate", "personal"]).await;
    let post =
        |path: &str, body: &Value| Call::new(&world.main(), "POST", path).key(&key).json(body.to_string());
    let mut refused = vec![
        ("/v1/messages".to_owned(), json!({ "chat": CHAT, "text": "hi" })),
        ("/v1/chats".to_owned(), json!({ "title": "hi" })),
        ("/v1/campaigns".to_owned(), json!({ "name": "mine" })),
        ("/v1/campaigns/spring/senders".to_owned(), json!({ "senders": ["account:main"] })),
        ("/v1/campaigns/spring/tasks".to_owned(), json!({ "file": "@client_1" })),
        ("/v1/campaigns/spring/messages".to_owned(), json!({ "file": "[\"Hi\"]" })),
        ("/v1/campaigns/spring/history".to_owned(), json!({})),
        ("/v1/campaigns/spring/start".to_owned(), json!({})),
        ("/v1/campaigns/spring/resume".to_owned(), json!({})),
        ("/v1/flows/any/start".to_owned(), json!({})),
        ("/v1/failed-messages/retry".to_owned(), json!({})),
        ("/v1/pipeline/dead-letters/retry".to_owned(), json!({})),
        ("/v1/pipeline/failed-turns/retry".to_owned(), json!({})),
        ("/v1/pipeline/messages/rcv_1/replay".to_owned(), json!({})),
        ("/v1/inbound".to_owned(), json!({ "channel": "shop" })),
        ("/v1/uploads".to_owned(), json!({})),
    ];
    for message in &messages {
        refused.push((format!("{message}/approve"), json!({})));
        refused.push((format!("{message}/retry"), json!({})));
        refused.push((format!("{message}/resolve"), json!({ "as": "resend" })));
    }
    for (path, body) in refused {
        post(&path, &body).send().await.problem(403, "forbidden_scope");
    }
    let patch =
        Call::new(&world.main(), "PATCH", "/v1/campaigns/spring").key(&key).json(r#"{"delay_seconds":0}"#);
    patch.send().await.problem(403, "forbidden_scope");
    // An old port that takes anyone from this machine does not take a key that may not send.
    for (number, path, body) in [
        (0, "/send_text", json!({ "chat": CHAT, "text": "hi" })),
        (1, "/leave_chat", json!({ "chat_id": CHAT })),
    ] {
        let old = |key: Option<&str>| {
            let call = Call::new(&world.old_at(number), "POST", path).json(body.to_string());
            key.map_or(call.clone(), |key| call.key(key))
        };
        assert_eq!(old(Some(&key)).send().await.status, 403, "{path}");
    }
    assert_eq!(world.script.sent().len(), 0);
    assert_eq!(world.text(&json!({ "chat": CHAT, "text": "as ever" }).to_string()).send().await.status, 200);
    assert_eq!(world.script.texts(), ["as ever"]);
}

#[tokio::test]
async fn no_answer_has_words_for_a_key_without_read() {
    let (world, messages) = world_with_messages().await;
    let keys = [
        world.make_key(&["send"]).await,
        world.make_key(&["operate"]).await,
        world.make_key(&["send", "operate", "personal"]).await,
    ];
    let silent = |reply: &Reply, what: &str| {
        assert!(!reply.body.contains(SECRET), "{what}: {}", reply.body);
        reply.status
    };
    let post = |key: &str, path: &str, body: &Value| {
        Call::new(&world.main(), "POST", path).key(key).json(body.to_string())
    };
    // What one key made, another one cancels, sends again, rejects.
    let [waiting, scheduled] = [&messages[0], &messages[1]];
    let nothing = json!({});
    assert_eq!(silent(&post(&keys[1], &format!("{waiting}/reject"), &nothing).send().await, "reject"), 200);
    assert_eq!(silent(&post(&keys[1], &format!("{scheduled}/cancel"), &nothing).send().await, "cancel"), 200);
    assert_eq!(silent(&post(&keys[1], &format!("{scheduled}/cancel"), &nothing).send().await, "again"), 409);
    assert_eq!(silent(&post(&keys[0], &format!("{scheduled}/retry"), &nothing).send().await, "retry"), 202);
    // Its own words are not said back either: what it repeats may have been changed meanwhile.
    let attempt = || {
        let body = json!({ "chat": CHAT, "text": SECRET });
        post(&keys[0], "/v1/messages", &body).header("Idempotency-Key", "a-1")
    };
    let first = attempt().send().await;
    let again = attempt().send().await;
    for reply in [&first, &again] {
        assert_eq!(silent(reply, "send"), 200);
        let sent = reply.json();
        assert_eq!((&sent["state"], &sent["text"]), (&json!("sent"), &json!("")), "{sent}");
    }
    assert_eq!(again.header("idempotency-replayed"), Some("true"));
    let chat = json!({ "title": SECRET, "members": [] });
    silent(&post(&keys[0], "/v1/chats", &chat).send().await, "create chat");
    // Those that read get them.
    let reader = world.make_key(&["send", "read"]).await;
    let sent = post(&reader, "/v1/messages", &json!({ "chat": CHAT, "text": SECRET })).send().await;
    assert_eq!(sent.json()["text"], SECRET);
    // Calls that show what others wrote do not take these keys at all.
    let document = document();
    for (path, method, call) in calls(&document).filter(|(_, method, _)| *method == "get") {
        if sets(call).is_empty() {
            continue;
        }
        assert!(!goes_without(call, "read"), "{method} {path}");
    }
}

#[tokio::test]
async fn unknown_parameters_are_refused_on_every_call() {
    let world = World::new().await;
    let document = document();
    for (path, method, call) in calls(&document) {
        let parts = path.split('/').map(|part| if part.starts_with('{') { "nothing" } else { part });
        let filled = parts.collect::<Vec<_>>().join("/");
        let known: Vec<&str> = call["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query")
            .filter_map(|parameter| parameter["name"].as_str())
            .collect();
        let body = if call["requestBody"].is_object() { "{}" } else { "" };
        let request = world.call(&method.to_uppercase(), &format!("{filled}?acount=fifth")).json(body);
        let problem = request.send().await.problem(422, "invalid_request");
        let error = &problem["errors"][0];
        assert_eq!(error["field"], "acount", "{method} {path}: {problem}");
        let message = error["message"].as_str().expect("a message");
        assert!(known.iter().all(|name| message.contains(name)), "{method} {path}: {message}");
    }
    // The parameter is named before anything is sent.
    let sent = world
        .call("POST", "/v1/messages?account=fifth")
        .json(json!({ "chat": CHAT, "text": "hi" }).to_string());
    sent.send().await.problem(422, "invalid_request");
    assert_eq!(world.script.sent().len(), 0);
    // Old callers said what they liked.
    let old = Call::new(&world.old(), "POST", "/send_text?account=fifth");
    assert_eq!(old.json(json!({ "chat": CHAT, "text": "hi" }).to_string()).send().await.status, 200);
}

/// An open stream of events.
async fn follow(world: &World, key: &str) -> TcpStream {
    let Target::Port(address) = world.main() else { panic!("a port") };
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let call = Call::new(&world.main(), "GET", "/v1/events").key(key).header("Accept", "text/event-stream");
    stream.write_all(&call.bytes()).await.expect("writes");
    let mut piece = [0; 4096];
    let mut text = String::new();
    while !text.contains(": following") {
        let length = stream.read(&mut piece).await.expect("reads");
        assert!(length > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
    stream
}

/// The rest of a stream that ends by itself. No time goes by on the clock of the program.
async fn rest(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut text)).await.expect("it ends").expect("reads");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test]
async fn open_streams_end_when_a_key_loses_what_they_take() {
    let world = World::new().await;
    let made = |scopes: &[&str], extra: Value| {
        let mut body = json!({ "name": "test", "scopes": scopes });
        body.as_object_mut().expect("fields").extend(extra.as_object().expect("fields").clone());
        world.call("POST", "/v1/keys").json(body.to_string())
    };
    let other = made(&["read"], json!({})).send().await.json();
    let mut stays = follow(&world, other["key"].as_str().expect("a key")).await;
    for (change, extra) in [
        (json!("revoke"), json!({})),
        (json!({ "accounts": ["main"] }), json!({})),
        (json!({ "accounts": ["main"] }), json!({ "accounts": ["main", "backup_1"] })),
        (json!({ "channels": ["telegram"] }), json!({})),
    ] {
        let key = made(&["read"], extra).send().await.json();
        let path = format!("/v1/keys/{}", key["id"].as_str().expect("an id"));
        let stream = follow(&world, key["key"].as_str().expect("a key")).await;
        let call = if change == "revoke" {
            world.call("DELETE", &path)
        } else {
            world.call("PATCH", &path).json(change.to_string())
        };
        assert!(call.send().await.status < 300, "{change}");
        let rest = rest(stream).await;
        assert!(rest.contains("event: end") && rest.contains("unauthorized"), "{change}: {rest}");
    }
    let ends = made(&["read"], json!({ "expires_in": "1h" })).send().await.json();
    let stream = follow(&world, ends["key"].as_str().expect("a key")).await;
    world.clock.advance(Duration::from_hours(1));
    assert!(rest(stream).await.contains("unauthorized"));
    // Another key's stream goes on.
    let mut text = String::new();
    let sent = world.message(&json!({ "chat": CHAT, "text": "hi" }).to_string()).send().await;
    assert_eq!(sent.status, 200);
    let mut piece = [0; 4096];
    while !text.contains("message.sent") {
        let length =
            tokio::time::timeout(SOON, stays.read(&mut piece)).await.expect("in time").expect("reads");
        assert!(length > 0, "it ended: {text}");
        text.push_str(&String::from_utf8_lossy(&piece[..length]));
    }
}

#[tokio::test]
async fn open_streams_end_when_a_user_goes_or_loses_the_role() {
    let world = World::new().await;
    for change in ["remove", "agent"] {
        let anna = json!({ "name": "anna", "role": "viewer", "password": "correct horse" });
        assert_eq!(world.call("POST", "/v1/users").json(anna.to_string()).send().await.status, 201);
        let actor = Actor { user: "anna".parse().expect("a name"), role: Role::Viewer, address: None };
        let request = Request::builder().uri("/v1/logs/tail").header("host", "localhost");
        let request = request.body(Body::empty()).expect("a request");
        let answer = InProcessApi::new(&world.state).answer_as(actor, request).await;
        assert_eq!(answer.status(), 200);
        let reading = tokio::spawn(async move {
            answer.into_body().collect().await.map(http_body_util::Collected::to_bytes)
        });
        let call = if change == "remove" {
            world.call("DELETE", "/v1/users/anna")
        } else {
            world.call("PATCH", "/v1/users/anna").json(json!({ "role": change }).to_string())
        };
        assert!(call.send().await.status < 300);
        let read =
            tokio::time::timeout(SOON, reading).await.expect("it ends").expect("no panic").expect("a body");
        let text = String::from_utf8_lossy(&read);
        assert!(text.contains("event: end") && text.contains("unauthorized"), "{change}: {text}");
        world.call("DELETE", "/v1/users/anna").send().await;
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_even_if_its_caller_hangs_up() {
    let world = World::new().await;
    let mut refusals = BTreeMap::new();
    for round in 0..2_u8 {
        let key =
            world.call("POST", "/v1/keys").json(r#"{"name":"test","scopes":["read"]}"#).send().await.json();
        let text = key["key"].as_str().expect("a key");
        let look = Call::new(&world.main(), "GET", "/v1/accounts").key(text);
        assert_eq!(look.send().await.status, 200);
        // The one who revokes it does not wait for the answer.
        let Target::Port(address) = world.main() else { panic!("a port") };
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let revoke = world.call("DELETE", &format!("/v1/keys/{}", key["id"].as_str().expect("an id")));
        stream.write_all(&revoke.bytes()).await.expect("writes");
        drop(stream);
        let refused = async {
            while look.send().await.status == 200 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        refusals.insert(round, tokio::time::timeout(Duration::from_secs(5), refused).await.is_ok());
        // Where the request was cut before it was read, nothing was revoked.
        let keys = world.call("GET", "/v1/keys?limit=500").send().await.json();
        let keys = keys["items"].as_array().expect("keys").clone();
        let revoked = keys.iter().any(|one| one["id"] == key["id"] && !one["revoked_at"].is_null());
        assert_eq!(refusals[&round], revoked);
    }
}
