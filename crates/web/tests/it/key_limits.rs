//! Keys with limits, with an end and with a rate, over every call of the API.

use std::sync::Arc;
use std::time::Duration;

use delivery::sender::Readiness;
use domain::media::{FileKey, Sha256};
use domain::received_message::{ReceivedFile, ReceivedMedia};
use domain::saga::RegistryChange;
use domain::{AccessHash, ChatId, FileKind, FileRule, Outcome, ReceivedMessage, TelegramMessageId};
use serde_json::{Value, json};
use store::{FetchedFile, Missed, PeerKind, ReceivedChange, StoredPeer, TakenUpdates};

use crate::client::{Call, Reply, Target};
use crate::legacy_channels::Shop;
use crate::script::{able, account};
use crate::world::{SOON, World, send_text_port};

pub(crate) const OURS: &str = "-1001234567890";
pub(crate) const OTHER: &str = "-1009876543210";
const DAY: Duration = Duration::from_hours(24);

/// The text of a new key.
pub(crate) async fn key(world: &World, fields: Value) -> String {
    let mut body = json!({ "name": "test", "scopes": ["send", "read", "operate"] });
    if let (Some(body), Some(fields)) = (body.as_object_mut(), fields.as_object()) {
        body.extend(fields.clone());
    }
    let made = world.call("POST", "/v1/keys").json(body.to_string()).send().await;
    assert_eq!(made.status, 201, "{made:?}");
    made.json()["key"].as_str().expect("a key").to_owned()
}

async fn ask(world: &World, key: &str, method: &str, path: &str, body: &Value) -> Reply {
    Call::new(&world.main(), method, path).key(key).json(body.to_string()).send().await
}

async fn send(world: &World, key: &str, body: Value) -> Reply {
    ask(world, key, "POST", "/v1/messages", &body).await
}

pub(crate) async fn world() -> World {
    let world = World::new().await;
    let both = [("main", Readiness::Ready), ("backup_1", Readiness::Ready)];
    world.candidates_are(&able(&both));
    world
}

fn ids(reply: &Reply) -> Vec<Value> {
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()["items"].as_array().expect("items").iter().map(|item| item["id"].clone()).collect()
}

/// A call that names what the key may not, wherever it can: in its path, its query and its body.
fn outside(
    document: &Value,
    template: &str,
    call: &Value,
    message: &str,
    operation: &str,
) -> (String, Value) {
    let of = if template.starts_with("/v1/messages") { message } else { operation };
    let named = template.replace("{chat_id}", OURS).replace("{name}", "main").replace("{id}", of);
    let parts = named.split('/').map(|part| if part.starts_with('{') { "1" } else { part });
    let mut path = parts.collect::<Vec<_>>().join("/");
    let parameters = call["parameters"].as_array();
    let takes_account = |parameter: &Value| parameter["in"] == "query" && parameter["name"] == "account";
    if parameters.is_some_and(|all| all.iter().any(takes_account)) && template.contains("{chat_id}") {
        path += "?account=main";
    }
    // No stream begins with a limit that is none.
    if template == "/v1/events" {
        path += "?limit=none";
    }
    let schema =
        call["requestBody"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap_or_default();
    let schema = &document["components"]["schemas"][schema.rsplit('/').next().unwrap_or_default()];
    let mut body = json!({
        "chat": OURS, "text": "a", "title": "Order 2", "account": "main", "members": ["@client_1"],
    });
    if let Some(body) = body.as_object_mut() {
        body.retain(|field, _| schema["properties"][field.as_str()].is_object());
    }
    (path, body)
}

#[tokio::test]
async fn no_call_reaches_beyond_the_limits_of_its_key() {
    let world = world().await;
    let message =
        send(&world, &world.key, json!({"chat": OURS, "text": "a", "account": "main"})).await.json();
    let made = world.call("POST", "/v1/chats").json(r#"{"title":"Order 1","account":"main"}"#).send().await;
    let (message, operation) = (message["id"].clone(), made.json()["operation"].clone());
    let (message, operation) = (message.as_str().expect("an id"), operation.as_str().expect("an id"));
    let limits = [
        ("both", json!({"accounts": ["backup_1"], "chats": [OTHER]})),
        ("accounts", json!({"accounts": ["backup_1"]})),
        ("chats", json!({"chats": [OTHER]})),
        ("channels", json!({"channels": ["avito"]})),
    ];
    let document: Value = serde_json::from_str(&web::openapi_json()).expect("JSON");
    for (limited, fields) in limits {
        let key = key(&world, fields).await;
        let mut open = Vec::new();
        for (path, calls) in document["paths"].as_object().expect("paths") {
            for method in calls.as_object().expect("calls").keys().filter(|_| path.starts_with("/v1")) {
                let call = &calls[method];
                let method = method.to_uppercase();
                let (call, body) = outside(&document, path, call, message, operation);
                let reply = ask(&world, &key, &method, &call, &body).await;
                if reply.status != 403 {
                    open.push(format!("{method} {path} {}", reply.status));
                    continue;
                }
                let code = reply.json()["code"].clone();
                assert!(code == "key_limited" || code == "forbidden_scope", "{method} {path}: {reply:?}");
            }
        }
        // A file is of no account and of no chat.
        open.retain(|call| !call.contains("/v1/uploads"));
        // Lists show what the key may see.
        let mut lists: Vec<String> = [
            "GET /v1/accounts 200",
            "GET /v1/channels 200",
            "GET /v1/chats 200",
            "GET /v1/events 422",
            "GET /v1/messages 200",
            "GET /v1/operations 200",
        ]
        .map(str::to_owned)
        .into();
        match limited {
            "accounts" => {
                lists.extend(
                    ["GET /v1/chats/{chat_id} 404", "GET /v1/chats/{chat_id}/messages 200"]
                        .map(str::to_owned),
                );
            }
            // An account is seen whatever the chats.
            "chats" | "channels" => {
                lists.extend(["", "/gaps", "/note"].map(|of| format!("GET /v1/accounts/{{name}}{of} 404")));
                lists.push("GET /v1/channels/{name} 404".to_owned());
            }
            _ => {}
        }
        open.sort();
        lists.sort_unstable();
        assert_eq!(open, lists, "{limited}");
    }
    assert_eq!(world.script.sent().len(), 1);
    assert_eq!(world.hands.count("create"), 1);
}

#[tokio::test]
async fn a_key_sends_through_its_account_into_its_chats() {
    let world = world().await;
    let ours = key(&world, json!({"accounts": "backup_1", "chats": [OURS], "channels": ["telegram"]})).await;
    let sent = send(&world, &ours, json!({"chat": OURS, "text": "a"})).await;
    assert_eq!((sent.status, &sent.json()["account"]), (200, &json!("backup_1")), "{sent:?}");
    for (body, field) in [
        (json!({"chat": OTHER, "text": "a"}), "chat"),
        (json!({"chat": "me", "text": "a"}), "chat"),
        (json!({"chat": "+70000000001", "text": "a"}), "chat"),
        (json!({"chat": "avito:shop/u2i-1", "text": "a"}), "chat"),
        (json!({"chat": OURS, "text": "a", "account": "main"}), "account"),
    ] {
        let problem = send(&world, &ours, body).await.problem(403, "key_limited");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
        assert!(problem["detail"].as_str().is_some_and(|detail| detail.contains("; ")), "{problem}");
    }
    let both = key(&world, json!({"accounts": ["main", "backup_1"]})).await;
    let unnamed = send(&world, &both, json!({"chat": OURS, "text": "a"})).await.problem(403, "key_limited");
    assert_eq!(unnamed["errors"][0]["field"], "account");
    assert!(unnamed["detail"].as_str().is_some_and(|detail| detail.contains("main, backup_1")), "{unnamed}");
    let named = send(&world, &both, json!({"chat": OTHER, "text": "a", "account": "main"})).await;
    assert_eq!(named.status, 200, "{named:?}");
    // Without limits all is as it was.
    let free = key(&world, json!({"accounts": "", "chats": []})).await;
    assert_eq!(send(&world, &free, json!({"chat": OTHER, "text": "a"})).await.status, 200);
    assert_eq!(world.script.sent().len(), 3);
}

#[tokio::test]
async fn lists_and_events_show_what_the_key_may_see() {
    let world = world().await;
    let say = |chat: &'static str, account: &'static str| {
        let world = &world;
        async move {
            let sent = send(world, &world.key, json!({"chat": chat, "text": "a", "account": account})).await;
            assert_eq!(sent.status, 200, "{sent:?}");
            sent.json()["id"].clone()
        }
    };
    let mut sent_ids = Vec::new();
    for (chat, account) in [(OURS, "main"), (OTHER, "main"), (OURS, "backup_1"), (OTHER, "backup_1")] {
        sent_ids.push(say(chat, account).await);
    }
    for (limits, seen) in [
        (json!({"chats": [OURS]}), vec![2, 0]),
        (json!({"accounts": ["backup_1"]}), vec![3, 2]),
        (json!({"accounts": ["main"], "chats": [OTHER]}), vec![1]),
        (json!({"channels": ["telegram"]}), vec![3, 2, 1, 0]),
        (json!({"channels": ["avito"]}), vec![]),
    ] {
        let (key, seen) =
            (key(&world, limits.clone()).await, seen.into_iter().map(|place| sent_ids[place].clone()));
        let seen: Vec<Value> = seen.collect();
        for path in ["/v1/messages?limit=500", "/v1/messages?limit=2", "/v1/operations?limit=500"] {
            let mut found = ids(&ask(&world, &key, "GET", path, &json!({})).await);
            found.truncate(2);
            assert_eq!(found[..], seen[..seen.len().min(2)], "{path} {limits}");
        }
        for (place, id) in sent_ids.iter().enumerate() {
            let path = format!("/v1/messages/{}", id.as_str().expect("an id"));
            let status = ask(&world, &key, "GET", &path, &json!({})).await.status;
            assert_eq!(status == 200, seen.contains(id), "{place} {limits}: {status}");
        }
        let events = ask(&world, &key, "GET", "/v1/events?type=message.sent", &json!({})).await.json();
        let listed: Vec<&Value> = events["items"].as_array().expect("items").iter().collect();
        assert_eq!(listed.len(), seen.len(), "{limits}: {events}");
    }
    let ours = key(&world, json!({"accounts": ["main"]})).await;
    let conversation = ask(&world, &ours, "GET", &format!("/v1/chats/{OURS}/messages"), &json!({})).await;
    assert_eq!(ids(&conversation), [sent_ids[0].clone()]);
    for path in [
        "/v1/messages?account=backup_1",
        "/v1/messages?direction=in&account=backup_1",
        "/v1/operations?account=backup_1",
        "/v1/events?account=backup_1",
    ] {
        ask(&world, &ours, "GET", path, &json!({})).await.problem(403, "key_limited");
    }
}

#[tokio::test]
async fn an_old_port_keeps_to_the_limits_of_a_key() {
    let world = world().await;
    let ours = key(&world, json!({"accounts": ["backup_1"], "chats": [OURS]})).await;
    let ask = |chat: &str| world.text(&json!({"chat": chat, "text": "a"}).to_string()).key(&ours);
    assert_eq!(ask(OURS).send().await.status, 200);
    assert_eq!(world.script.sent()[0].account.as_str(), "backup_1");
    let refused = ask(OTHER).send().await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert!(refused.json()["error"].as_str().is_some_and(|error| error.contains(OURS)), "{refused:?}");
    assert_eq!(world.script.sent().len(), 1);
}

#[tokio::test]
async fn a_key_ends_and_says_so_before() {
    let world = world().await;
    let ends = key(&world, json!({"expires_in": "8d"})).await;
    let look = || ask(&world, &ends, "GET", "/v1/messages", &Value::Null);
    assert_eq!((look().await.status, look().await.header("api-key-expires")), (200, None));
    world.clock.advance(DAY + Duration::from_secs(1));
    let soon = look().await;
    let end = soon.header("api-key-expires").expect("the end is near").to_owned();
    let listed = world.call("GET", "/v1/keys").send().await.json();
    let one = listed["items"].as_array().expect("items").iter().find(|key| !key["expires_at"].is_null());
    let one = one.expect("it is listed").clone();
    assert_eq!(one["expires_at"], json!(end));
    world.clock.advance(7 * DAY);
    let over = look().await;
    over.problem(401, "key_expired");
    assert!(over.header("www-authenticate").is_some());
    // It is given more time.
    let path = format!("/v1/keys/{}", one["id"].as_str().expect("an id"));
    let changed = world.call("PATCH", &path).json(r#"{"expires_in":"30d","rate":""}"#).send().await;
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(look().await.status, 200);
    let never = world.call("PATCH", &path).json(r#"{"expires_at":"never"}"#).send().await.json();
    assert_eq!(never["expires_at"], json!(null));
    world.clock.advance(90 * DAY);
    assert_eq!(look().await.status, 200);
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let world = world().await;
    let ends = key(&world, json!({"expires_in": "1h"})).await;
    let Target::Port(address) = world.main() else { panic!("a port") };
    let mut stream = tokio::net::TcpStream::connect(address).await.expect("connects");
    let call = Call::new(&world.main(), "GET", "/v1/events").key(&ends).header("Accept", "text/event-stream");
    stream.write_all(&call.bytes()).await.expect("writes");
    let mut first = [0; 1024];
    assert!(stream.read(&mut first).await.expect("an answer") > 0);
    world.clock.advance(Duration::from_hours(2));
    let mut rest = Vec::new();
    tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await.expect("in time").expect("reads");
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("event: end") && rest.contains("unauthorized"), "{rest}");
}

#[tokio::test]
async fn the_last_use_of_a_key_is_shown() {
    let world = world().await;
    let used = key(&world, json!({})).await;
    let shown = || async {
        let listed = world.call("GET", "/v1/keys").send().await.json();
        let items = listed["items"].as_array().expect("items").clone();
        items.into_iter().next_back().expect("a key")
    };
    assert_eq!(shown().await["last_used_at"], json!(null));
    ask(&world, &used, "GET", "/v1/messages", &Value::Null).await;
    let until = |wanted: fn(&Value, &Value) -> bool, before: Value| async move {
        let waiting = async {
            loop {
                let at = shown().await["last_used_at"].clone();
                if wanted(&at, &before) {
                    return at;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(SOON, waiting).await.expect("it is noted")
    };
    let first = until(|at, _| at.is_string(), Value::Null).await;
    assert_eq!(shown().await["last_used_from"], "127.0.0.1");
    ask(&world, &used, "GET", "/v1/messages", &Value::Null).await;
    world.store.round_trip().await.expect("the store answers");
    assert_eq!(shown().await["last_used_at"], first, "once a minute");
    world.clock.advance(Duration::from_mins(1));
    ask(&world, &used, "GET", "/v1/messages", &Value::Null).await;
    until(|at, before| at != before, first).await;
}

#[tokio::test]
async fn a_key_with_a_rate_gets_its_remaining_quota() {
    let world = world().await;
    let slow = key(&world, json!({"rate": "1/m", "burst": "3"})).await;
    let look = || ask(&world, &slow, "GET", "/v1/accounts", &Value::Null);
    let mut left = Vec::new();
    for _ in 0..3 {
        let reply = look().await;
        assert_eq!((reply.status, reply.header("ratelimit-policy")), (200, Some("\"key\";q=3;w=180")));
        left.push(reply.header("ratelimit").expect("a quota").to_owned());
    }
    assert_eq!(left[0], "\"key\";r=2;t=60");
    assert!(left[1].starts_with("\"key\";r=1;t=") && left[2].starts_with("\"key\";r=0;t="), "{left:?}");
    let refused = look().await;
    refused.problem(429, "rate_limited");
    let wait: u64 = refused.header("retry-after").and_then(|wait| wait.parse().ok()).expect("a wait");
    assert!((1..=60).contains(&wait), "{wait}");
    assert!(
        refused.header("ratelimit").is_some_and(|left| left.starts_with("\"key\";r=0;t=")),
        "{refused:?}"
    );
    // Another key has its own, and one without a rate says nothing.
    let free = key(&world, json!({})).await;
    let reply = ask(&world, &free, "GET", "/v1/accounts", &Value::Null).await;
    assert_eq!((reply.status, reply.header("ratelimit")), (200, None));
    world.clock.advance(Duration::from_mins(1));
    assert_eq!(look().await.status, 200);
}

#[tokio::test]
async fn a_key_is_changed_and_invalid_fields_are_named() {
    let world = world().await;
    let made = world
        .call("POST", "/v1/keys")
        .json(r#"{"name":"shop","scopes":["send"],"accounts":"main,backup_1","expires_in":"","rate":"10/s","chats":""}"#)
        .send()
        .await
        .json();
    assert_eq!(made["accounts"], json!(["main", "backup_1"]), "{made}");
    let path = format!("/v1/keys/{}", made["id"].as_str().expect("an id"));
    let text = made["key"].as_str().expect("a key");
    let change = |body: &str| world.call("PATCH", &path).json(body);
    let changed = change(r#"{"name":"shop 2","accounts":["main"],"burst":20}"#).send().await.json();
    assert_eq!(
        (&changed["name"], &changed["accounts"], &changed["rate"], &changed["burst"]),
        (&json!("shop 2"), &json!(["main"]), &json!("10/s"), &json!(20)),
        "{changed}"
    );
    // It counts from the next request on.
    send(&world, text, json!({"chat": OURS, "text": "a", "account": "backup_1"}))
        .await
        .problem(403, "key_limited");
    for (body, field) in [
        (r#"{"accounts":["No Name"]}"#, "accounts[0]"),
        (r#"{"rate":"fast"}"#, "rate"),
        (r#"{"expires_in":"yesterday"}"#, "expires_in"),
        (r#"{"scopes":["admin"]}"#, "scopes"),
    ] {
        let problem = change(body).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{problem}");
    }
    world.call("PATCH", "/v1/keys/nonsense").json("{}").send().await.problem(404, "key_not_found");
    assert_eq!(world.call("DELETE", &path).send().await.status, 204);
    change("{}").send().await.problem(409, "wrong_state");
}

/// Each text in an answer that names what the key may not see.
fn named_beyond<'a>(value: &'a Value, beyond: &[&str], found: &mut Vec<&'a str>) {
    match value {
        Value::String(text) if beyond.iter().any(|name| text.contains(name)) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| named_beyond(item, beyond, found)),
        Value::Object(fields) => fields.values().for_each(|field| named_beyond(field, beyond, found)),
        _ => {}
    }
}

/// Two accounts, work in which both had a part, and what they missed in two chats: the message that one of them sent and the one
/// that none could send.
async fn entangled(world: &World) -> (String, String) {
    for name in ["main", "backup_1"] {
        let keep = json!({"rule": "private", "always": [OURS, OTHER], "never": [OTHER]});
        let hash = "0123456789abcdef0123456789abcdef";
        let account = json!({"name": name, "api_id": 7, "api_hash": hash, "keep_messages": keep});
        let added = world.call("POST", "/v1/accounts").json(account.to_string()).send().await;
        assert_eq!(added.status, 201, "{added:?}");
    }
    let chat: ChatId = OURS.parse().expect("a chat");
    let made = RegistryChange::Created {
        chat_id: chat,
        title: "Order".into(),
        about: String::new(),
        account: account("backup_1"),
    };
    world.store.chats().change(vec![made], world.clock.now()).await.expect("written");
    for name in ["main", "backup_1"] {
        let seen = StoredPeer {
            chat_id: chat,
            access_hash: AccessHash(1),
            username: None,
            title: "Order".into(),
            kind: PeerKind::Supergroup,
            dialog: true,
            phone: None,
            contact: false,
        };
        world.store.peers().save(&account(name), vec![seen]).await.expect("written");
    }
    for (name, channel) in [("main", OURS), ("main", OTHER), ("backup_1", OURS)] {
        let missed = vec![Missed { channel: channel.parse().ok(), since: world.clock.now() }];
        let taken = TakenUpdates { missed, ..TakenUpdates::new(account(name)) };
        world.store.received().take(taken).await.expect("noted");
    }
    world.candidates_are(&able(&[("backup_1", Readiness::Ready), ("main", Readiness::Ready)]));
    let refused = || Outcome::Forbidden("CHAT_WRITE_FORBIDDEN".into());
    world.script.then([refused()]);
    let moved = send(world, &world.key, json!({"chat": OURS, "text": "moved"})).await.json();
    assert_eq!(moved["account"], "main", "{moved}");
    world.script.then([refused(), refused()]);
    let lost = send(world, &world.key, json!({"chat": OURS, "text": "refused"})).await;
    let lost = lost.problem(403, "no_rights");
    let id = |answer: &Value| answer["id"].as_str().expect("an id").to_owned();
    (id(&moved), id(&lost))
}

#[tokio::test]
async fn no_answer_names_accounts_or_chats_beyond_the_limits() {
    let world = World::new().await;
    let (moved, lost) = entangled(&world).await;
    let mut paths: Vec<String> = [
        "/v1/accounts",
        "/v1/accounts/main",
        "/v1/accounts/main/gaps",
        "/v1/chats",
        "/v1/chats?q=Order",
        "/v1/messages",
        "/v1/messages?q=refused",
        "/v1/operations",
        "/v1/events",
    ]
    .map(str::to_owned)
    .into();
    paths.extend([format!("/v1/chats/{OURS}"), format!("/v1/chats/{OURS}/messages")]);
    for id in [&moved, &lost] {
        paths.extend([
            format!("/v1/messages/{id}"),
            format!("/v1/messages/{id}/why"),
            format!("/v1/operations/{id}"),
        ]);
    }
    let keys = [
        (json!({"accounts": ["main"]}), vec!["backup_1"]),
        (json!({"chats": [OURS]}), vec![OTHER]),
        (json!({}), vec![]),
    ];
    let mut naming_answers = 0;
    for (limits, beyond) in keys {
        let key = key(&world, limits.clone()).await;
        for path in &paths {
            let call = Call::new(&world.main(), "GET", path).key(&key).header("Accept", "application/json");
            let reply = call.send().await;
            let answer = reply.json();
            let mut found = Vec::new();
            named_beyond(&answer, &beyond, &mut found);
            assert!(found.is_empty(), "{path} {limits}: {found:?} in {answer}");
            // What no account sent is of none.
            let is_closed = reply.status == 403 && path.contains(&lost);
            assert!(reply.status == 200 || is_closed, "{path} {limits}: {answer}");
            if limits == json!({}) {
                named_beyond(&answer, &["backup_1", OTHER], &mut found);
                naming_answers += usize::from(!found.is_empty());
            }
        }
    }
    assert!(naming_answers >= 12, "a key without limits is shown them: {naming_answers}");
}

const PHOTO: &[u8] = b"planted photo";

/// A photo that `main` received in a chat and that is fetched by its rule: the path of its file, and where it is stored.
async fn received_photo(world: &World, number: i32) -> (String, std::path::PathBuf) {
    let file = Some(ReceivedFile { name: None, mime: "image/jpeg".into(), size: PHOTO.len() as u64 });
    let media = Some(ReceivedMedia { kind: "photo".into(), file });
    let chat = OURS.parse().expect("a chat");
    let written = testkit::customer_message(chat, number, "see here", world.clock.now());
    let message = ReceivedMessage { media, ..written };
    let (id, taking) = (message.id(), message.account.clone());
    let files = FileRule { kinds: vec![FileKind::Photo], ..FileRule::default() };
    let changes = vec![ReceivedChange::New(Box::new(message))];
    let received = world.store.received();
    received.take(TakenUpdates { changes, files, ..TakenUpdates::new(taking.clone()) }).await.expect("kept");
    let wanted = received.next_file(&taking).await.expect("readable").expect("one is wanted");
    let key: FileKey = format!("file_{number:032x}").parse().expect("a name");
    let place = world.dir().join("received").join(key.as_str());
    std::fs::write(&place, PHOTO).expect("written");
    let kept = FetchedFile::Stored { key, sha256: Sha256([7; 32]) };
    assert_eq!(received.note_file(wanted.seq, kept).await, Ok(true));
    (format!("/v1/messages/{id}/media/0"), place)
}

#[tokio::test]
async fn received_files_of_others_are_closed_and_ours_come_from_disk() {
    let world = World::new().await;
    entangled(&world).await;
    let (path, place) = received_photo(&world, 45).await;
    let by_chat = format!("/v1/chats/{OURS}/messages/45/media?account=main");
    let chat: ChatId = OURS.parse().expect("a chat");
    let number = TelegramMessageId::new(46).expect("a number");
    // Of a supergroup's message that is not stored no account is known.
    let unknown = domain::ReceivedId::new(chat, number, None).expect("an id");
    let unknown = format!("/v1/messages/{unknown}/media/0");
    for (limits, is_ours) in [
        (json!({}), true),
        (json!({"accounts": ["main"]}), true),
        (json!({"chats": [OURS]}), true),
        (json!({"accounts": ["backup_1"]}), false),
        (json!({"chats": [OTHER]}), false),
        (json!({"accounts": ["main"], "chats": [OTHER]}), false),
        (json!({"channels": ["avito"]}), false),
    ] {
        let key = key(&world, limits.clone()).await;
        let file = Call::new(&world.main(), "GET", &path).key(&key).send().await;
        if is_ours {
            assert_eq!((file.status, &file.bytes[..]), (200, PHOTO), "{limits}: {file:?}");
            let part = Call::new(&world.main(), "GET", &path).key(&key).header("Range", "bytes=8-");
            assert_eq!(&part.send().await.bytes[..], b"photo", "{limits}");
        } else {
            for closed in [&path, &by_chat] {
                ask(&world, &key, "GET", closed, &json!({})).await.problem(403, "key_limited");
            }
        }
        let closed = ask(&world, &key, "GET", &unknown, &json!({})).await;
        let may_ask = is_ours && limits.get("accounts").is_none();
        assert_eq!(closed.status == 403, !may_ask, "{limits}: {closed:?}");
    }
    // One that is gone from the disk is read from Telegram, where no account is connected.
    std::fs::remove_file(place).expect("removed");
    let gone = world.call("GET", &path).send().await;
    assert!(gone.status != 200, "{gone:?}");
}

#[tokio::test]
async fn members_and_phones_are_requested_from_own_accounts_only() {
    let world = World::new().await;
    entangled(&world).await;
    let (members, phone) = (format!("/v1/chats/{OURS}/members"), "/v1/chats/%2B70000000001");
    let other = format!("/v1/chats/{OTHER}/members");
    for limits in [json!({"chats": [OTHER]}), json!({"channels": ["avito"]})] {
        let key = key(&world, limits).await;
        for path in [members.as_str(), phone, &format!("{phone}/members"), "/v1/chats/me"] {
            ask(&world, &key, "GET", path, &json!({})).await.problem(403, "key_limited");
        }
    }
    let chat = key(&world, json!({"chats": [OTHER]})).await;
    assert!(ask(&world, &chat, "GET", &other, &json!({})).await.status != 403, "it is its own");
    let ours = key(&world, json!({"accounts": ["backup_1"]})).await;
    let elsewhere = format!("{members}?account=main");
    ask(&world, &ours, "GET", &elsewhere, &json!({})).await.problem(403, "key_limited");
    for path in [members.as_str(), phone] {
        // None is connected: what is answered says who was asked.
        let reply = ask(&world, &ours, "GET", path, &json!({})).await;
        assert!(reply.status >= 400 && reply.status != 403, "{path}: {reply:?}");
        assert!(!reply.body.contains("main"), "{path}: {reply:?}");
        let free = world.call("GET", path).send().await;
        assert!(free.body.contains("main"), "{path}: a key without limits asks it: {free:?}");
    }
}

#[tokio::test]
async fn an_old_port_shows_a_key_its_accounts_alone() {
    let world = World::of(crate::accounts::settings(), |options| {
        options.legacy.ports = vec![config::LegacyPort { key_required: true, ..send_text_port() }];
    })
    .await;
    let ours = key(&world, json!({"accounts": ["fifth"]})).await;
    let look = |method, path, key: &str| Call::new(&world.old(), method, path).key(key);
    for (key, seen) in [(&ours, vec!["fifth"]), (&world.key, vec!["main", "fifth"])] {
        let stats = look("GET", "/stats", key).send().await.json();
        let names: Vec<_> = stats["accounts"].as_array().expect("accounts").iter().collect();
        let names: Vec<_> = names.into_iter().map(|account| account["name"].clone()).collect();
        assert_eq!(names, seen, "{stats}");
    }
    let refused = look("POST", "/reload_cache", &ours).send().await;
    assert_eq!(refused.status, 403, "{refused:?}");
    assert_eq!(look("POST", "/reload_cache", &world.key).send().await.status, 200);
}

#[tokio::test]
async fn a_key_sees_an_account_of_its_channels_alone() {
    let fields = serde_json::from_value(json!({ "name": "vk_shop", "channel": "vk" })).expect("an account");
    let shop: Arc<Shop> = Arc::default();
    let shop = channels::Account::new(fields, "vk".parse().expect("a channel"), shop as _, "made-up".into());
    let world = World::with_channels(vec![shop], |_| {}).await;
    let look = async |channel: &str| {
        let key = key(&world, json!({"channels": [channel]})).await;
        ask(&world, &key, "GET", "/v1/channels/vk_shop", &Value::Null).await
    };
    look("avito").await.problem(403, "key_limited");
    assert_eq!(look("vk").await.status, 200);
}
