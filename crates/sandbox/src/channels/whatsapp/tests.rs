//! What the pretend Wappi refuses.

use domain::Timestamp;

use super::*;

fn outside() -> Outside {
    Outside {
        now: Timestamp::from_micros(1_760_000_000_000_000),
        base: "http://127.0.0.1:1/providers/whatsapp".to_owned(),
        files: Vec::new(),
        effects: Vec::new(),
        posts: Vec::new(),
    }
}

fn call(fake: &mut WhatsappFake, token: &str, (path, query): (&str, &str), body: &Value) -> (u16, Value) {
    let request = Request {
        method: "POST".to_owned(),
        path: path.to_owned(),
        headers: vec![("authorization".to_owned(), token.to_owned())],
        body: body.to_string().into_bytes(),
        ..Request::default()
    };
    let request = Request { query: query.to_owned(), ..request };
    let reply = fake.answer(&request, &mut outside()).unwrap();
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

const SEND: (&str, &str) = ("/api/sync/message/send", "profile_id=1a2b3c4d-5e6f");

#[test]
fn token_and_profile_must_be_right() {
    let mut fake = WhatsappFake::new();
    let body = json!({"recipient": "70000000001", "body": "x"});
    assert_eq!(call(&mut fake, TOKEN, SEND, &body).0, 200);
    assert_eq!(call(&mut fake, "Bearer planted-wappi-token", SEND, &body).0, 401);
    assert_eq!(call(&mut fake, TOKEN, (SEND.0, ""), &body).0, 400);
    assert_eq!(call(&mut fake, TOKEN, (SEND.0, "profile_id=x"), &body).0, 404);
    fake.mode.is_authorized = false;
    let (status, response) = call(&mut fake, TOKEN, SEND, &body);
    assert_eq!((status, &response["status"]), (200, &json!("error")));
    fake.mode.is_paid = false;
    assert_eq!(call(&mut fake, TOKEN, SEND, &body).0, 402);
}

#[test]
fn wrong_messages_are_refused() {
    let mut fake = WhatsappFake::new();
    let profile = "profile_id=1a2b3c4d-5e6f";
    for (path, body) in [
        ("message/send", json!({"recipient": "+70000000001", "body": "x"})),
        ("message/send", json!({"recipient": "70000000001@c.us", "body": "x"})),
        ("message/send", json!({"recipient": "70000000001"})),
        (
            "message/img/send",
            json!({"recipient": "70000000001", "b64_file": "data:image/png;base64,QQ==", "file_name": "a"}),
        ),
        ("message/img/send", json!({"recipient": "70000000001", "b64_file": "QQ=="})),
        ("message/file/url/send", json!({"recipient": "70000000001", "url": "file:///x", "file_name": "a"})),
        ("message/typing", json!({})),
    ] {
        let path = format!("/api/sync/{path}");
        assert!(call(&mut fake, TOKEN, (&path, profile), &body).0 >= 400, "{path} {body}");
    }
    let (status, response) = call(&mut fake, TOKEN, SEND, &json!({"recipient": "99900000001", "body": "x"}));
    assert_eq!((status, &response["status"]), (200, &json!("error")));
}
