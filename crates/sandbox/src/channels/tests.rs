//! What pretend providers refuse, and when, by a clock of the test. MAX and Wappi have theirs beside them.

use serde_json::{Value, json};

use super::fake::{CustomerMedia, PostAnswer};
use super::*;

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

struct Stage {
    fake: Box<dyn Fake>,
    outside: Outside,
}

impl Stage {
    fn of(channel: &str) -> Self {
        let outside = Outside {
            now: Timestamp::from_micros(1_760_000_000_000_000),
            base: format!("http://127.0.0.1:1/providers/{channel}"),
            files: Vec::new(),
            effects: Vec::new(),
            posts: Vec::new(),
        };
        let (_, fake) = all().into_iter().find(|(name, _)| *name == channel).unwrap();
        Self { fake, outside }
    }

    fn later(&mut self, by: Duration) {
        self.outside.now = self.outside.now.plus(by);
    }

    /// A customer writes; the chat.
    fn written(&mut self, from: &str, media: Vec<CustomerMedia>) -> String {
        let (from, text) = (from.to_owned(), Some("Hello".to_owned()));
        let deed = CustomerDeed { from, text, media, ..CustomerDeed::default() };
        self.fake.customer(&deed, &mut self.outside).unwrap().chat_id
    }

    fn call(&mut self, request: &Request) -> (u16, Value) {
        let reply = self.fake.answer(request, &mut self.outside).unwrap();
        (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
    }

    /// A call with a body of JSON.
    fn json(&mut self, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let headers = [("content-type", "application/json".to_owned()), ("authorization", bearer(token))];
        self.call(&Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).to_vec(),
            body: body.to_string().into_bytes(),
            ..Request::default()
        })
    }

    fn form(&mut self, path: &str, fields: &[(&str, &str)]) -> (u16, Value) {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        self.call(&Request {
            method: "POST".to_owned(),
            path: path.to_owned(),
            headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: body.into_bytes(),
            ..Request::default()
        })
    }

    fn get(&mut self, path: &str, query: &str, token: &str) -> (u16, Value) {
        self.call(&Request {
            method: "GET".to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            headers: vec![("authorization".to_owned(), bearer(token))],
            ..Request::default()
        })
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

/// A method of VK: what it responds, or the code of its error.
fn vk(stage: &mut Stage, method: &str, fields: &[(&str, &str)]) -> Result<Value, i64> {
    let fields = [&[("access_token", "demo-vk-key"), ("v", "5.199")][..], fields].concat();
    let (status, answer) = stage.form(&format!("/method/{method}"), &fields);
    assert_eq!(status, 200, "VK refuses with 200");
    answer["error"]["error_code"].as_i64().map_or_else(|| Ok(answer["response"].clone()), Err)
}

#[test]
fn vk_refuses_missing_parameters_and_too_many_calls() {
    let mut stage = Stage::of("vk");
    stage.written("2001", Vec::new());
    for (method, fields, code) in [
        ("messages.send", &[("peer_id", "2001"), ("message", "x")][..], 100),
        ("messages.send", &[("peer_id", "2001"), ("random_id", "1")], 100),
        ("messages.send", &[("peer_id", "2002"), ("random_id", "1"), ("message", "x")], 901),
        ("messages.send", &[("peer_id", "2000000001"), ("random_id", "1"), ("message", "x")], 917),
        ("groups.getCallbackServers", &[("group_id", "1")], 125),
        ("messages.shout", &[], 3),
    ] {
        assert_eq!(vk(&mut stage, method, fields), Err(code), "{method} {fields:?}");
    }
    // Neither JSON nor another version is read.
    let body = json!({ "v": "5.199", "user_ids": "2001" });
    assert_eq!(stage.json("/method/users.get", "demo-vk-key", &body).1["error"]["error_code"], 100);
    let old = [("access_token", "demo-vk-key"), ("v", "5.80"), ("user_ids", "2001")];
    assert_eq!(stage.form("/method/users.get", &old).1["error"]["error_code"], 100);

    stage.later(Duration::from_secs(1));
    let mut get_user = || vk(&mut stage, "users.get", &[("user_ids", "2001")]);
    assert!((0..20).all(|_| get_user().is_ok()));
    assert_eq!(get_user(), Err(6));
    stage.later(Duration::from_secs(1));
    assert!(vk(&mut stage, "users.get", &[("user_ids", "2001")]).is_ok());
}

#[test]
fn vk_deduplicates_for_an_hour_and_edits_for_a_day() {
    let mut stage = Stage::of("vk");
    stage.written("2001", Vec::new());
    let send = |stage: &mut Stage| {
        vk(stage, "messages.send", &[("peer_id", "2001"), ("random_id", "7"), ("message", "x")]).unwrap()
    };
    let (first, again) = (send(&mut stage), send(&mut stage));
    assert_eq!((&first, stage.outside.effects.len()), (&again, 1));
    let edit = |stage: &mut Stage| {
        vk(stage, "messages.edit", &[("peer_id", "2001"), ("cmid", "2"), ("message", "y")])
    };
    assert_eq!(edit(&mut stage), Ok(json!(1)));
    stage.later(HOUR);
    assert_ne!(first, send(&mut stage));
    stage.later(DAY);
    assert_eq!(edit(&mut stage), Err(909));
    let delete = [("peer_id", "2001"), ("cmids", "2"), ("delete_for_all", "1")];
    let answer = vk(&mut stage, "messages.delete", &delete).unwrap();
    assert_eq!(answer[0]["error"]["code"], 924, "{answer}");
}

#[test]
fn avito_refuses_by_account_by_age_and_by_token() {
    let mut stage = Stage::of("avito");
    let chat = stage.written("2000002", Vec::new());
    let keys = [("client_id", "demo-avito-client"), ("client_secret", "demo-avito-secret")];
    let grant = |kind| [&keys[..], &[("grant_type", kind)]].concat();
    assert_eq!(stage.form("/token", &grant("password")).0, 400);
    let (status, answer) = stage.form("/token/", &grant("client_credentials"));
    let token = answer["access_token"].as_str().unwrap_or_default().to_owned();
    assert_eq!((status, &answer["expires_in"]), (200, &json!(86_400)));

    let text = json!({ "type": "text", "message": { "text": "x" } });
    let messages = |owner: &str| format!("/messenger/v1/accounts/{owner}/chats/{chat}/messages");
    assert_eq!(stage.json(&messages("1000001"), "made-up", &text).0, 401);
    assert_eq!(stage.json(&messages("1000002"), &token, &text).0, 403);
    let mut sent = Vec::new();
    for _ in 0..2 {
        let (status, answer) = stage.json(&messages("1000001"), &token, &text);
        assert_eq!(status, 200, "{answer}");
        sent.push(format!("{}/{}", messages("1000001"), answer["id"].as_str().unwrap_or_default()));
    }
    assert_eq!(stage.json(&sent[0], &token, &json!({})).0, 200);
    stage.later(HOUR + Duration::from_secs(1));
    assert_eq!(stage.json(&sent[1], &token, &json!({})).0, 400, "it is too old to be deleted");
    let mut list = |query| stage.get("/messenger/v2/accounts/1000001/chats", query, &token).0;
    assert_eq!(["limit=100", "limit=101", "offset=1001"].map(&mut list), [200, 400, 400]);
    let upload = "/messenger/v1/accounts/1000001/uploadImages";
    assert_eq!(stage.json(upload, &token, &json!({})).0, 400);
    stage.later(DAY);
    assert_eq!(stage.json(&messages("1000001"), &token, &text).0, 403, "the token has ended");
}

#[test]
fn instagram_refuses_invalid_messages_and_old_chats() {
    const TOKEN: &str = "planted-instagram-token";
    let mut stage = Stage::of("instagram");
    let picture = CustomerMedia { kind: "image".to_owned(), ..CustomerMedia::default() };
    let user = stage.written("5550001", vec![picture]);
    assert_eq!(stage.outside.files[0].until, Some(stage.outside.now.plus(HOUR)));
    let to = json!({ "id": user });
    let code =
        |(status, answer): (u16, Value)| (status, answer["error"]["code"].as_i64().unwrap_or_default());
    let text = json!({ "recipient": to, "message": { "text": "x" } });
    assert_eq!(code(stage.json("/v23.0/me/messages", TOKEN, &text)), (200, 0));
    assert_eq!(code(stage.json("/v1.0/me/messages", TOKEN, &text)), (400, 2_635));
    let file = json!({ "type": "image", "payload": { "url": "http://127.0.0.1:1/a.png" } });
    for body in [
        json!({ "message": { "text": "x" } }),
        json!({ "recipient": to, "message": {} }),
        json!({ "recipient": to, "message": { "text": "x", "attachment": file } }),
        json!({ "recipient": to, "message": { "attachment": file } }),
        json!({ "recipient": to, "sender_action": "dance" }),
    ] {
        assert_eq!(code(stage.json("/v23.0/me/messages", TOKEN, &body)), (400, 100), "{body}");
    }

    let refresh = "grant_type=ig_refresh_token";
    let renewed = stage.get("/refresh_access_token", refresh, TOKEN).1["access_token"].clone();
    let renewed = renewed.as_str().unwrap_or_default();
    assert_eq!(code(stage.get("/refresh_access_token", refresh, renewed)), (400, 100), "it is too young");
    stage.later(60 * DAY);
    assert_eq!(stage.get("/me", "", renewed).0, 200);
    stage.later(HOUR);
    let (status, answer) = stage.get("/me", "", renewed);
    assert_eq!((status, &answer["error"]["error_subcode"]), (400, &json!(463)), "{answer}");
}

#[test]
fn instagram_accepts_the_tokens_of_an_earlier_run() {
    let (mut before, mut after) = (Stage::of("instagram"), Stage::of("instagram"));
    let refresh = "grant_type=ig_refresh_token";
    let renewed = before.get("/refresh_access_token", refresh, "planted-instagram-token").1;
    let renewed = renewed["access_token"].as_str().unwrap_or_default();
    assert_eq!(after.get("/me", "", renewed).0, 200);
    assert_eq!(after.get("/me", "", "aWdftoken1").0, 401);
    let wide = format!("aWdftoken{}", "x".repeat(40));
    assert_eq!(after.get("/me", "", &wide).0, 401);
}

#[test]
fn instagram_posts_only_to_verified_addresses() {
    let mut stage = Stage::of("instagram");
    let url = "http://127.0.0.1:1/hook".to_owned();
    for status in [403, 200] {
        let order = HookOrder {
            url: url.clone(),
            verify_token: Some("planted-word".to_owned()),
            ..HookOrder::default()
        };
        stage.fake.type_hook(&order, &mut stage.outside).unwrap();
        let post = stage.outside.posts.remove(0);
        let body = post.url.rsplit("hub.challenge=").next().unwrap_or_default().to_owned();
        stage.fake.posted(&post, Some(&PostAnswer { status, body }), &mut stage.outside);
        assert_eq!(stage.fake.typed_hook("studio"), (status == 200).then(|| url.clone()));
    }
}

#[test]
fn telegram_refuses_by_token_by_rate_and_by_age() {
    const TOKEN: &str = "7000000001:AApretend_token_of_the_demo_bot_0001";
    let mut stage = Stage::of("telegram");
    let voice = CustomerMedia { kind: "voice".to_owned(), ..CustomerMedia::default() };
    stage.written("2001", vec![voice]);
    let ask = |stage: &mut Stage, method: &str, body: Value| {
        stage.json(&format!("/bot{TOKEN}/{method}"), "", &body)
    };
    for (path, status) in [("/botx/getMe", 404), ("/bot7000000001:another_word_1/getMe", 401)] {
        assert_eq!(stage.json(path, "", &json!({})).0, status, "{path}");
    }
    for url in ["http://example.com/hook", "https://example.com:8444/hook"] {
        assert_eq!(ask(&mut stage, "setWebhook", json!({ "url": url })).0, 400, "{url}");
    }

    let text = json!({ "chat_id": 2001, "text": "x" });
    assert!((0..20).all(|_| ask(&mut stage, "sendMessage", text.clone()).0 == 200));
    let (status, answer) = ask(&mut stage, "sendMessage", text.clone());
    assert_eq!((status, &answer["parameters"]["retry_after"]), (429, &json!(2)), "{answer}");
    stage.later(Duration::from_secs(2));
    assert_eq!(ask(&mut stage, "sendMessage", text).0, 200);

    let updates = ask(&mut stage, "getUpdates", json!({})).1;
    let id = updates["result"][0]["message"]["voice"]["file_id"].clone();
    let answer = ask(&mut stage, "getFile", json!({ "file_id": id })).1;
    let path = format!("/file/bot{TOKEN}/{}", answer["result"]["file_path"].as_str().unwrap_or_default());
    assert_eq!(stage.get(&path, "", "").0, 200, "{answer}");
    stage.later(HOUR);
    assert_eq!(stage.get(&path, "", "").0, 404);
    stage.later(DAY);
    assert_eq!(ask(&mut stage, "getUpdates", json!({})).1["result"], json!([]));
}
