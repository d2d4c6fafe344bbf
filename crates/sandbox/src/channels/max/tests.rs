//! What the pretend MAX refuses.

use domain::Timestamp;

use super::*;
use crate::channels::fake::CustomerAction;

struct Stage {
    fake: MaxFake,
    outside: Outside,
}

impl Stage {
    fn new() -> Self {
        let outside = Outside {
            now: Timestamp::from_micros(1_760_000_000_000_000),
            base: "http://127.0.0.1:1/providers/max".to_owned(),
            files: Vec::new(),
            effects: Vec::new(),
            posts: Vec::new(),
        };
        let mut stage = Self { fake: MaxFake::new(), outside };
        stage.customer(CustomerAction::Write, "Hello");
        stage
    }

    fn customer(&mut self, action: CustomerAction, text: &str) -> CustomerDone {
        let deed = CustomerDeed {
            from: "7".to_owned(),
            action,
            text: Some(text.to_owned()),
            ..CustomerDeed::default()
        };
        self.fake.customer(&deed, &mut self.outside).unwrap()
    }

    fn call(&mut self, method: &str, path: &str, query: &str, body: &Value) -> (u16, Value) {
        let request = Request {
            method: method.to_owned(),
            path: path.to_owned(),
            headers: vec![("authorization".to_owned(), TOKEN.to_owned())],
            body: body.to_string().into_bytes(),
            ..Request::default()
        };
        let request = Request { query: query.to_owned(), ..request };
        let reply = self.fake.answer(&request, &mut self.outside).unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    fn send(&mut self, body: &Value) -> (u16, Value) {
        self.call("POST", "/messages", "chat_id=1000000007", body)
    }
}

#[test]
fn only_the_bare_token_in_its_header_counts() {
    let mut stage = Stage::new();
    for (header, query) in [(Some("Bearer planted-max-token"), ""), (None, "access_token=planted-max-token")]
    {
        let headers =
            header.map(|value| ("authorization".to_owned(), value.to_owned())).into_iter().collect();
        let request =
            Request { headers, query: query.to_owned(), path: "/me".to_owned(), ..Request::default() };
        assert!(stage.fake.answer(&request, &mut stage.outside).is_none());
    }
}

#[test]
fn wrong_messages_are_refused() {
    let mut stage = Stage::new();
    let file = |kind: &str| json!({"type": kind, "payload": {"token": "x"}});
    let button = |text: String| {
        let row = json!([{"type": "callback", "text": text, "payload": "p"}]);
        json!({"text": "t", "attachments": [{"type": "inline_keyboard", "payload": {"buttons": [row]}}]})
    };
    for body in [
        json!({}),
        json!({"text": "x".repeat(4_001)}),
        json!({"text": "x", "format": "rtf"}),
        json!({"attachments": [file("audio"), file("image")]}),
        json!({"attachments": [file("image")]}),
        json!({"text": "x", "link": {"type": "reply", "mid": "mid.none"}}),
        button("x".repeat(129)),
        button(String::new()),
    ] {
        assert_eq!(stage.send(&body).0, 400, "{body}");
    }
    assert_eq!(stage.send(&button("Yes".to_owned())).0, 200);
    assert_eq!(stage.call("POST", "/messages", "", &json!({"text": "x"})).0, 400);
    assert_eq!(stage.call("POST", "/messages", "chat_id=5", &json!({"text": "x"})).0, 404);
    assert_eq!(stage.call("GET", "/chats", "", &Value::Null).0, 404);
    stage.customer(CustomerAction::Block, "");
    assert_eq!(stage.send(&json!({"text": "x"})).1["code"], "chat.denied");
}

#[test]
fn too_many_messages_in_a_second_are_refused() {
    let mut stage = Stage::new();
    for _ in 0..MOST_A_SECOND {
        assert_eq!(stage.send(&json!({"text": "x"})).0, 200);
    }
    assert_eq!(stage.send(&json!({"text": "x"})).0, 429);
    stage.outside.now = stage.outside.now.plus(std::time::Duration::from_secs(1));
    assert_eq!(stage.send(&json!({"text": "x"})).0, 200);
}

#[test]
fn old_messages_cannot_be_edited_or_deleted() {
    let mut stage = Stage::new();
    let (_, sent) = stage.send(&json!({"text": "x"}));
    let query = format!("message_id={}", sent["message"]["body"]["mid"].as_str().unwrap());
    assert_eq!(stage.call("PUT", "/messages", &query, &json!({"text": "y"})).0, 200);
    stage.outside.now = stage.outside.now.plus(std::time::Duration::from_hours(25));
    assert_eq!(stage.call("PUT", "/messages", &query, &json!({"text": "z"})).0, 400);
    assert_eq!(stage.call("DELETE", "/messages", &query, &Value::Null).0, 400);
}

#[test]
fn a_marker_confirms_all_earlier_updates() {
    let mut stage = Stage::new();
    stage.customer(CustomerAction::Write, "Again");
    let (_, all) = stage.call("GET", "/updates", "", &Value::Null);
    assert_eq!((all["updates"].as_array().map(Vec::len), &all["marker"]), (Some(2), &json!(2)));
    let (_, again) = stage.call("GET", "/updates", "limit=1", &Value::Null);
    assert_eq!((again["updates"].as_array().map(Vec::len), &again["marker"]), (Some(1), &json!(1)));
    let (_, none) = stage.call("GET", "/updates", "marker=2", &Value::Null);
    assert_eq!(none, json!({"updates": [], "marker": null}));
    for wrong in ["limit=0", "timeout=91", "marker=x"] {
        assert_eq!(stage.call("GET", "/updates", wrong, &Value::Null).0, 400, "{wrong}");
    }
}

#[test]
fn an_address_without_success_is_dropped() {
    let mut stage = Stage::new();
    for (url, secret) in [
        ("http://example.com/", "abcde"),
        ("https://example.com:8443/", "abcde"),
        ("https://example.com/", "a b"),
    ] {
        let body = json!({"url": url, "secret": secret});
        assert_eq!(stage.call("POST", "/subscriptions", "", &body).0, 400, "{url} {secret}");
    }
    let body =
        json!({"url": "https://example.com/hook", "secret": "abcde", "update_types": ["message_created"]});
    assert_eq!(stage.call("POST", "/subscriptions", "", &body).0, 200);
    assert_eq!(stage.call("GET", "/updates", "", &Value::Null).0, 400);
    stage.customer(CustomerAction::Write, "Hi");
    let mut post = stage.outside.posts.remove(0);
    assert_eq!(post.headers, [("X-Max-Bot-Api-Secret".to_owned(), "abcde".to_owned())]);
    stage.fake.posted(&post, None, &mut stage.outside);
    assert_eq!(stage.fake.subscriptions.len(), 1);
    post.tries = GAPS.len();
    stage.fake.posted(&post, None, &mut stage.outside);
    assert!(stage.fake.subscriptions.is_empty());
    let (_, response) = stage.call("DELETE", "/subscriptions", "url=https://example.com/hook", &Value::Null);
    assert_eq!(response["success"], false);
}
