//! `/v1/logs`: searching, one line in its place, counting, downloading, following.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Call, Target};
use crate::world::{SOON, World};

fn log(world: &World, log: impl FnOnce()) {
    tracing::dispatcher::with_default(&world.log, log);
}

fn log_some(world: &World) {
    log(world, || {
        for number in 0..30 {
            tracing::info!(number, account = "main", "a line");
        }
        tracing::warn!(
            account = "backup_1",
            code = "FLOOD_WAIT_7",
            subject = "msg_1",
            service = "send_text",
            "it waits"
        );
        tracing::error!(account = "main", "<b>it broke</b>\n");
    });
}

#[tokio::test]
async fn lines_are_found_page_by_page() {
    let world = World::new().await;
    log_some(&world);
    let found = world.call("GET", "/v1/logs?level=warn&limit=1").send().await.json();
    assert_eq!(found["items"][0]["message"], "<b>it broke</b>\n");
    let cursor = found["next_cursor"].as_str().expect("a next page").to_owned();
    let next = world.call("GET", &format!("/v1/logs?level=warn&limit=1&cursor={cursor}")).send().await.json();
    let line = &next["items"][0];
    assert_eq!((&line["service"], &line["level"]), (&"send_text".into(), &"warn".into()));
    assert_eq!((&line["account"], &line["subject"]), (&"backup_1".into(), &"msg_1".into()));
    assert_eq!((&line["error"], &line["fields"]["code"]), (&"flood_wait".into(), &"FLOOD_WAIT_7".into()));
    assert!(next["next_cursor"].is_null());
    for (query, count) in [
        ("q=a%20LINE", 30),
        ("q=a%20LINE&match_case=true", 0),
        ("account=main", 31),
        ("error=flood_wait,banned", 1),
        ("subject=msg_1", 1),
        ("service=send_text", 1),
        ("since=1h", 32),
        ("until=1h", 0),
        ("q=number%3D17", 1),
        ("q=", 32),
    ] {
        let found = world.call("GET", &format!("/v1/logs?{query}")).send().await.json();
        assert_eq!(found["items"].as_array().map(Vec::len), Some(count), "{query}: {found}");
    }
}

#[tokio::test]
async fn line_is_shown_in_context_or_not_found() {
    let world = World::new().await;
    log_some(&world);
    let found = world.call("GET", "/v1/logs?q=number%3D17").send().await.json();
    let id = found["items"][0]["id"].as_str().expect("an id");
    let place = world.call("GET", &format!("/v1/logs/{id}?around=2")).send().await.json();
    let numbers = |lines: &Value| -> Vec<String> {
        let lines = lines.as_array().into_iter().flatten();
        lines.map(|line| line["fields"]["number"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(place["line"], found["items"][0]);
    assert_eq!(
        (numbers(&place["before"]), numbers(&place["after"])),
        (vec!["15".to_owned(), "16".to_owned()], vec!["18".to_owned(), "19".to_owned()],)
    );
    for id in ["log_0000000000001", "msg_1", "log_%00"] {
        world.call("GET", &format!("/v1/logs/{id}")).send().await.problem(404, "log_line_not_found");
    }
}

#[tokio::test]
async fn lines_are_counted_minute_by_minute() {
    let world = World::new().await;
    log_some(&world);
    let counted = world.call("GET", "/v1/logs/histogram?since=10m&bucket=5m").send().await.json();
    let items = counted["items"].as_array().expect("items");
    let sum = |what: &str| items.iter().filter_map(|item| item[what].as_u64()).sum::<u64>();
    assert!(items.len() == 2 || items.len() == 3, "{counted}");
    assert_eq!((sum("lines"), sum("errors")), (32, 1));
    assert_eq!((&counted["counted_from"], &counted["damaged"]), (&serde_json::Value::Null, &0.into()));
    let usual = world.call("GET", "/v1/logs/histogram").send().await.json();
    assert_eq!(usual["items"].as_array().map(Vec::len), Some(120));
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let world = World::new().await;
    for (path, field) in [
        ("/v1/logs?level=loud", "level"),
        ("/v1/logs?service=sendtext", "service"),
        ("/v1/logs?error=flod", "error"),
        ("/v1/logs?since=yesterday", "since"),
        ("/v1/logs?order=up", "order"),
        ("/v1/logs?cursor=7", "cursor"),
        ("/v1/logs?limit=0", "limit"),
        ("/v1/logs?grep=x", "grep"),
        ("/v1/logs/log_0000000000001?around=900", "around"),
        ("/v1/logs/histogram?bucket=1ms", "bucket"),
        ("/v1/logs/histogram?since=30d&bucket=1s", "since"),
        ("/v1/logs/histogram?since=1m&until=2m", "since"),
        ("/v1/logs/download?format=xml", "format"),
        ("/v1/logs/tail?level=loud", "level"),
        ("/v1/logs/tail?for=ever", "for"),
    ] {
        let problem = world.call("GET", path).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{path}: {problem}");
    }
    let sender = world.make_key(&["send"]).await;
    for path in ["/v1/logs", "/v1/logs/log_1", "/v1/logs/tail", "/v1/logs/histogram", "/v1/logs/download"] {
        Call::new(&world.main(), "GET", path).key(&sender).send().await.problem(403, "forbidden_scope");
    }
}

#[tokio::test]
async fn lines_are_downloaded_as_text_and_as_json() {
    let world = World::new().await;
    log_some(&world);
    let text = world.call("GET", "/v1/logs/download").send().await;
    assert_eq!(text.header("content-disposition"), Some("attachment; filename=\"switchboard-logs.txt\""));
    assert!(text.body.contains("a line number=0 account=main"), "{}", text.body);
    assert!(text.body.contains("<b>it broke</b>\\n account=main"), "{}", text.body);
    let json = world.call("GET", "/v1/logs/download?format=json&level=warn").send().await;
    assert_eq!(json.header("content-type"), Some("application/x-ndjson"));
    let messages: Vec<String> = json
        .body
        .split('{')
        .filter_map(|piece| piece.split("\"message\":\"").nth(1)?.split('"').next().map(str::to_owned))
        .collect();
    assert_eq!(messages, ["it waits", "<b>it broke</b>\\n"]);
}

/// Opens a stream of events.
async fn follow(world: &World, path: &str, last: Option<&str>) -> TcpStream {
    follow_with(world, &world.key, path, last).await
}

/// Opens a stream of events with a key.
async fn follow_with(world: &World, key: &str, path: &str, last: Option<&str>) -> TcpStream {
    let Target::Port(address) = world.main() else { panic!("a port") };
    let mut stream = TcpStream::connect(address).await.expect("connects");
    let mut call = Call::new(&world.main(), "GET", path).key(key);
    if let Some(last) = last {
        call = call.header("Last-Event-ID", last);
    }
    stream.write_all(&call.bytes()).await.expect("writes");
    stream
}

/// Reads until this is there.
async fn until(stream: &mut TcpStream, words: &str) -> String {
    let mut read = String::new();
    let reading = async {
        let mut piece = [0; 4096];
        while !read.contains(words) {
            let length = stream.read(&mut piece).await.expect("reads");
            assert!(length > 0, "it ended: {read}");
            read.push_str(&String::from_utf8_lossy(&piece[..length]));
        }
    };
    tokio::time::timeout(SOON, reading).await.expect("in time");
    read
}

#[tokio::test]
async fn lines_are_followed_without_gaps_after_a_reconnect() {
    let world = World::new().await;
    log_some(&world);
    let mut stream = follow(&world, "/v1/logs/tail?level=warn", None).await;
    let head = until(&mut stream, ": following").await.to_ascii_lowercase();
    assert!(head.contains("content-type: text/event-stream"), "{head}");
    assert!(head.contains("x-accel-buffering: no") && head.contains("cache-control: no-store"), "{head}");
    log(&world, || {
        tracing::info!("nobody wants this");
        tracing::warn!("first <new>");
    });
    let event = until(&mut stream, "first <new>").await;
    assert!(!event.contains("nobody wants"), "{event}");
    let id = event.rsplit("id: ").next().and_then(|rest| rest.lines().next()).expect("an id").to_owned();
    drop(stream);

    log(&world, || tracing::warn!("while away"));
    let mut stream = follow(&world, "/v1/logs/tail?level=warn", Some(&id)).await;
    let text = until(&mut stream, "while away").await;
    assert!(!text.contains("first <new>"), "{text}");
    log(&world, || tracing::warn!("later"));
    let text = until(&mut stream, "\"later\"").await;
    assert!(!text.contains("while away"), "each once: {text}");

    // Nothing is said for a while, but that the stream is there.
    world.clock.advance(Duration::from_secs(15));
    until(&mut stream, "\n:\n\n").await;

    // A reader that wants to leave after a while does.
    let short = world.call("GET", "/v1/logs/tail?for=1ms").send().await;
    assert_eq!((short.status, short.header("content-type")), (200, Some("text/event-stream")));

    // The server ends, and with it the stream.
    world.stop.cancel();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream ends with the server");
}

#[tokio::test]
async fn a_stream_ends_with_its_key() {
    let world = World::new().await;
    let key = world.make_key(&["read"]).await;
    let mut stream = follow_with(&world, &key, "/v1/logs/tail", None).await;
    until(&mut stream, ": following").await;
    // While the key is good, also when it is not remembered any more.
    world.make_key(&["read"]).await;
    world.clock.advance(Duration::from_secs(15));
    until(&mut stream, "\n:\n\n").await;

    let keys = world.call("GET", "/v1/keys").send().await.json();
    let items = keys["items"].as_array().expect("keys").clone();
    for id in items.iter().filter(|item| item["name"] == "test").filter_map(|item| item["id"].as_str()) {
        Call::new(&world.control(), "DELETE", &format!("/v1/keys/{id}")).send().await;
    }
    world.clock.advance(Duration::from_secs(15));
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(SOON, stream.read_to_end(&mut rest)).await;
    assert!(ended.is_ok(), "the stream ends with its key");
}
