//! `/v1/events`: page by page and as a stream, from any place, over restarts, at any speed.

use std::time::Duration;

use axum::body::Body;
use domain::{InboundChange, InboundEvent, InboundMessage};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use store::{EventRetention, TakenFromChannel};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{Call, Target};
use crate::key_limits::{self, OTHER, OURS, key};
use crate::world::{SOON, World};

async fn send(world: &World, chat: &str) -> Value {
    let sent = world.message(&json!({"chat": chat, "text": "Do not tell"}).to_string()).send().await;
    assert_eq!(sent.status, 200, "{sent:?}");
    sent.json()["id"].clone()
}

async fn page(world: &World, query: &str) -> Value {
    world.call("GET", &format!("/v1/events?{query}")).send().await.json()
}

fn column(events: &[Value], field: &str) -> Vec<String> {
    events.iter().map(|event| event[field].as_str().unwrap_or_default().to_owned()).collect()
}

/// A reader of a stream over a connection of its own.
struct Reader {
    stream: TcpStream,
    text: String,
}

impl Reader {
    async fn open(world: &World, key: &str, query: &str, last: Option<&str>) -> Self {
        let Target::Port(address) = world.main() else { panic!("a port") };
        let mut stream = TcpStream::connect(address).await.expect("connects");
        let mut call = Call::new(&world.main(), "GET", &format!("/v1/events?{query}"))
            .key(key)
            .header("Accept", "text/event-stream");
        if let Some(last) = last {
            call = call.header("Last-Event-ID", last);
        }
        stream.write_all(&call.bytes()).await.expect("writes");
        let mut reader = Self { stream, text: String::new() };
        reader.until(": following").await;
        reader
    }

    async fn of(world: &World, query: &str, last: Option<&str>) -> Self {
        Self::open(world, &world.key, query, last).await
    }

    /// Reads until it has what is wanted; false at the end of the stream.
    async fn read(&mut self, has: impl Fn(&Self) -> bool) -> bool {
        let reading = async {
            let mut piece = [0; 4096];
            while !has(self) {
                let length = self.stream.read(&mut piece).await.unwrap_or(0);
                if length == 0 {
                    return false;
                }
                self.text.push_str(&String::from_utf8_lossy(&piece[..length]));
            }
            true
        };
        tokio::time::timeout(SOON, reading).await.expect("in time")
    }

    async fn until(&mut self, words: &str) {
        assert!(self.read(|reader| reader.text.contains(words)).await, "{words} is not in {}", self.text);
    }

    /// Reads until so many events have come.
    async fn count(&mut self, events: usize) {
        assert!(self.read(|reader| reader.events().len() >= events).await, "{}", self.text);
    }

    /// The events so far.
    fn events(&self) -> Vec<Value> {
        let pieces = self.text.split("\n\n").filter(|piece| piece.contains("id: evt_"));
        let data = pieces.filter_map(|piece| piece.split_once("\ndata: ")?.1.lines().next());
        data.filter_map(|data| serde_json::from_str(data).ok()).collect()
    }
}

#[tokio::test]
async fn events_are_listed_page_by_page() {
    let world = World::new().await;
    let ids = [send(&world, "-1001234567890").await, send(&world, "@demo_channel").await];
    let first = page(&world, "type=message.*&limit=1").await;
    let event = &first["items"][0];
    assert_eq!((&event["type"], &event["chat"]), (&json!("message.accepted"), &json!("-1001234567890")));
    assert_eq!(event["data"]["message_id"], ids[0]);
    assert_eq!(first["next_cursor"], event["id"]);
    let all = page(&world, "").await;
    let items = all["items"].as_array().expect("items");
    assert!(!all.to_string().contains("Do not tell"), "{all}");
    let of_messages: Vec<Value> = items
        .iter()
        .filter(|event| event["type"].as_str().is_some_and(|kind| kind.starts_with("message.")))
        .cloned()
        .collect();
    assert_eq!(
        column(&of_messages, "type"),
        ["message.accepted", "message.sent", "message.accepted", "message.sent"]
    );
    let sent = page(&world, "type=message.sent,chat.*&account=main").await;
    assert_eq!(
        column(sent["items"].as_array().expect("items"), "chat"),
        ["-1001234567890", "-1000000000500"]
    );
    assert_eq!(sent["items"][0]["data"]["message_ids"], json!([45]));
    // Who has read everything keeps the place, also where nothing matched.
    let end = all["next_cursor"].as_str().expect("a cursor").to_owned();
    for query in [
        format!("after={end}"),
        format!("cursor={end}"),
        "after=0s".to_owned(),
        "type=alert.raised".to_owned(),
    ] {
        let read = page(&world, &query).await;
        assert_eq!((&read["items"], &read["next_cursor"]), (&json!([]), &json!(end)), "{query}");
    }
    let hour = page(&world, "after=1h&limit=500").await;
    assert_eq!(hour["items"], all["items"]);
}

#[tokio::test]
async fn a_stream_goes_on_where_it_was_left() {
    let world = World::new().await;
    send(&world, "-1001000000001").await;
    let mut reader = Reader::of(&world, "type=message.*", None).await;
    let second = send(&world, "-1001000000002").await;
    reader.count(2).await;
    let head = reader.text.to_ascii_lowercase();
    assert!(
        head.contains("content-type: text/event-stream") && head.contains("cache-control: no-store"),
        "{head}"
    );
    let events = reader.events();
    assert_eq!(column(&events, "type"), ["message.accepted", "message.sent"]);
    assert_eq!(events[0]["data"]["message_id"], second, "it begins with what happens then");
    let last = events[0]["id"].as_str().expect("an id").to_owned();
    drop(reader);

    send(&world, "-1001000000003").await;
    let mut one = Reader::of(&world, "type=message.*", Some(&last)).await;
    let mut other = Reader::of(&world, "type=message.*&after=0", Some(&last)).await;
    send(&world, "-1001000000004").await;
    for reader in [&mut one, &mut other] {
        reader.count(5).await;
        let kinds = column(&reader.events(), "type");
        assert_eq!(
            kinds[..5],
            ["message.sent", "message.accepted", "message.sent", "message.accepted", "message.sent"]
        );
    }
    drop((one, other));

    // The same after a crash, whatever the stream was in the middle of.
    let again = world.after_a_crash().await;
    let mut reader = Reader::of(&again, "type=message.*", Some(&last)).await;
    reader.count(5).await;
    let ids = column(&reader.events(), "id");
    assert!(ids.is_sorted() && !ids.contains(&last), "{ids:?}");
}

#[tokio::test]
async fn a_stream_shows_requested_events_that_its_key_may_see() {
    let world = key_limits::world().await;
    let (mut sent_ids, mut readers) = (Vec::new(), Vec::new());
    for round in 0..3 {
        for (chat, account) in [(OURS, "main"), (OTHER, "main"), (OURS, "backup_1"), (OTHER, "backup_1")] {
            let body = json!({"chat": chat, "text": "a", "account": account}).to_string();
            let sent = world.message(&body).send().await;
            assert_eq!(sent.status, 200, "{sent:?}");
            sent_ids.push(sent.json()["id"].clone());
        }
        // They catch up on the first round, and the others come live.
        if round == 0 {
            for (limits, filter, places) in [
                (json!({}), format!("&chat={OURS}&account=main"), vec![0]),
                (json!({"chats": [OURS]}), String::new(), vec![0, 2]),
                (json!({"accounts": ["backup_1"]}), String::new(), vec![2, 3]),
                (json!({"accounts": ["main"], "chats": [OTHER]}), String::new(), vec![1]),
            ] {
                let key = key(&world, limits).await;
                let query = format!("type=message.sent&after=0{filter}");
                readers.push((Reader::open(&world, &key, &query, None).await, places));
            }
        }
    }
    for (reader, places) in &mut readers {
        let of_it = sent_ids.iter().enumerate().filter(|(number, _)| places.contains(&(*number % 4)));
        let expected: Vec<&Value> = of_it.map(|(_, id)| id).collect();
        reader.count(expected.len()).await;
        let events = reader.events();
        let seen: Vec<&Value> = events.iter().map(|event| &event["data"]["message_id"]).collect();
        assert_eq!(seen, expected, "{places:?}");
    }
}

#[tokio::test]
async fn from_the_oldest_to_the_newest_none_is_skipped() {
    let world = World::new().await;
    // More than the page that a reader is read at once.
    for _ in 0..60 {
        send(&world, "-1001000000001").await;
    }
    let mut reader = Reader::of(&world, "after=0", None).await;
    send(&world, "-1001000000002").await;
    let all = page(&world, "limit=500").await;
    reader.count(all["items"].as_array().expect("items").len()).await;
    assert_eq!(column(&reader.events(), "id"), column(all["items"].as_array().expect("items"), "id"));
}

/// More than readers share, all at once: they read the rest in the store, page by page.
#[tokio::test]
async fn a_burst_beyond_what_readers_share_is_read_whole() {
    const ALL: usize = 2_500;
    let world = World::new().await;
    let mut reader = Reader::of(&world, "type=message.received", None).await;
    let chat = domain::ExternalChat::new("2000002").expect("a chat");
    let events = (0..ALL).map(|number| {
        let message = InboundMessage::private(chat.clone(), format!("m-{number}"), "x", world.clock.now());
        InboundEvent { key: format!("{number}"), change: InboundChange::Message(Box::new(message)) }
    });
    let taken = TakenFromChannel {
        channel: "vk".parse().expect("a channel"),
        account: "club".parse().expect("a name"),
        events: events.collect(),
        cursor: None,
        stores_files: false,
    };
    world.store.channels().take(taken).await.expect("taken");
    // The last one has its end.
    let all = |reader: &Reader| {
        let last = reader.text.rsplit("\ndata: ").next();
        last.is_some_and(|last| last.contains("\n\n")) && reader.text.matches("\ndata: ").count() >= ALL
    };
    assert!(reader.read(all).await, "the stream ended");
    let ids = column(&reader.events(), "id");
    assert!(ids.len() == ALL && ids.is_sorted_by(|one, next| one < next), "{} of {ALL}", ids.len());
}

#[tokio::test]
async fn a_stream_goes_on_when_the_clock_is_set_back() {
    let world = World::new().await;
    let mut reader = Reader::of(&world, "type=message.*", None).await;
    send(&world, "-1001000000001").await;
    reader.count(2).await;
    world.clock.set_back(Duration::from_hours(2));
    send(&world, "-1001000000002").await;
    reader.count(4).await;
    let ids = column(&reader.events(), "id");
    let mut again = Reader::of(&world, "type=message.*", Some(&ids[1])).await;
    again.count(2).await;
    assert_eq!(column(&again.events(), "id"), ids[2..]);
    assert!(ids.is_sorted(), "{ids:?}");
}

#[tokio::test]
async fn a_request_for_removed_events_is_refused() {
    let world = World::new().await;
    for _ in 0..5 {
        send(&world, "-1001000000001").await;
    }
    let all = page(&world, "").await;
    let first = all["items"][0]["id"].as_str().expect("an id").to_owned();
    let keep = EventRetention { keep: Duration::from_hours(1), most: 2 };
    assert!(world.store.events().sweep(keep).await.expect("swept") > 3);
    for accept in ["application/problem+json, application/json", "text/event-stream"] {
        let call = world.call("GET", &format!("/v1/events?after={first}")).header("Accept", accept);
        let problem = call.send().await.problem(410, "events_removed");
        let detail = problem["detail"].as_str().expect("a detail");
        let place = detail.split("after=").nth(1).and_then(|rest| rest.split(' ').next()).expect("a place");
        let read = page(&world, &format!("after={place}")).await;
        assert_eq!(read["items"].as_array().map(Vec::len), Some(2), "the way out leads on");
    }
    assert_eq!(page(&world, "after=0").await["items"].as_array().map(Vec::len), Some(2));
    // An id of a store that was lost since goes on with what comes.
    let mut reader = Reader::of(&world, "", Some("evt_9000000000000000000")).await;
    send(&world, "-1001000000002").await;
    reader.until("\"-1001000000002\"").await;
}

#[tokio::test]
async fn wrong_filters_are_named() {
    let world = World::new().await;
    for (query, field) in [
        ("type=message.gone", "type"),
        ("type=messages.*", "type"),
        ("account=MAIN", "account"),
        ("after=yesterday", "after"),
        ("cursor=7x", "cursor"),
        ("limit=501", "limit"),
        ("types=*", "types"),
    ] {
        let problem =
            world.call("GET", &format!("/v1/events?{query}")).send().await.problem(422, "invalid_request");
        assert_eq!(problem["errors"][0]["field"], field, "{query}: {problem}");
    }
    let empty = world.call("GET", "/v1/events?type=&chat=&after=&cursor=").header("Last-Event-ID", "");
    assert_eq!(empty.send().await.status, 200, "what is empty counts as absent");
    let sender = world.make_key(&["send"]).await;
    Call::new(&world.main(), "GET", "/v1/events").key(&sender).send().await.problem(403, "forbidden_scope");
}

#[tokio::test]
async fn a_stream_ends_with_its_key_or_the_server_and_says_so() {
    let world = World::new().await;
    let key = world.make_key(&["read"]).await;
    let mut reader = Reader::open(&world, &key, "", None).await;
    let mut other = Reader::of(&world, "type=alert.raised", None).await;
    let place = page(&world, "").await["next_cursor"].as_str().expect("a cursor").to_owned();
    world.clock.advance(Duration::from_secs(15));
    for reader in [&mut reader, &mut other] {
        reader.until(&format!("\n:\nid: {place}\n\n")).await;
    }
    let keys = world.call("GET", "/v1/keys").send().await.json();
    let items = keys["items"].as_array().expect("keys").clone();
    let ids = items
        .iter()
        .rev()
        .filter(|item| item["scopes"] == json!(["read"]))
        .filter_map(|item| item["id"].as_str());
    for id in ids {
        Call::new(&world.control(), "DELETE", &format!("/v1/keys/{id}")).send().await;
    }
    world.clock.advance(Duration::from_secs(15));
    reader.until("event: end\ndata: {\"code\":\"unauthorized\"").await;
    assert!(!reader.read(|_| false).await);
    world.stop.cancel();
    other.until("event: end\ndata: {\"code\":\"shutting_down\"").await;
}

#[tokio::test]
async fn a_slow_reader_is_cut_and_goes_on_from_its_last_id() {
    let world = World::new().await;
    for _ in 0..3 {
        send(&world, "-1001000000001").await;
    }
    let api = web::InProcessApi::new(&world.state);
    let follow = async |after: &str| {
        let request = http::Request::get(format!("/v1/events?type=message.*&after={after}"))
            .header("host", "localhost")
            .header("accept", "text/event-stream");
        api.answer(request.body(Body::empty()).expect("a request")).await.into_body()
    };
    let mut body = follow("0").await;
    let mut next = async || {
        let frame = tokio::time::timeout(SOON, body.frame()).await.expect("in time")?;
        Some(String::from_utf8(frame.expect("a frame").into_data().expect("data").to_vec()).expect("text"))
    };
    assert!(next().await.expect("a piece").contains(": following"));
    let taken = next().await.expect("events");
    send(&world, "-1001000000002").await;
    world.clock.advance(Duration::from_secs(11));
    let end = next().await.expect("the end");
    assert!(end.starts_with("event: end\n") && end.contains("too_slow"), "{end}");
    assert_eq!(next().await, None);
    let last = taken.rsplit("id: evt_").next().and_then(|rest| rest.lines().next()).expect("an id");
    let mut again = follow(last).await;
    again.frame().await.expect("a piece").expect("a frame");
    let rest = again.frame().await.expect("a piece").expect("a frame").into_data().expect("data").to_vec();
    let rest = String::from_utf8(rest).expect("text");
    assert_eq!((taken.matches("id: evt_").count(), rest.matches("id: evt_").count()), (6, 2), "{rest}");
    assert!(rest.contains("\"-1001000000002\"") && !rest.contains("\"-1001000000001\""), "{rest}");
}
