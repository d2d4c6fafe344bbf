//! The ports of the old channel servers, row by row, over accounts that do what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use channels::{
    Account, CallError, Deed, Fetched, Hook, HookAnswer, HookPost, HookRefusal, Identity, Incoming, Outgoing,
    Pacing, Provider, Registered,
};
use delivery::{Action, Capabilities, Dedup, MediaKind};
use domain::outcome::{RejectionCode, SentIds};
use domain::text::{TextLimit, Unit};
use domain::{ExternalChat, InboundChange, InboundEvent, InboundMedia, InboundMessage, Outcome, Timestamp};
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use serde_json::{Value, json};
use testkit::Hoster;

use crate::client::{Call, Reply};
use crate::world::World;

const KEY: &str = "old key / 1";
const CHANNELS: [&str; 6] = ["avito", "whatsapp", "vk", "max", "instagram", "form"];

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A provider that remembers what it was asked for.
#[derive(Default)]
struct Shop {
    outcomes: Mutex<VecDeque<Outcome>>,
    sent: Mutex<Vec<Outgoing>>,
    deeds: Mutex<Vec<(String, Deed)>>,
    urls: Mutex<Vec<String>>,
}

impl Shop {
    fn texts(&self) -> Vec<(String, String)> {
        let sent = lock(&self.sent);
        sent.iter().map(|one| (one.chat.to_string(), one.text.text.clone())).collect()
    }

    fn deeds(&self) -> Vec<(String, Deed)> {
        std::mem::take(&mut *lock(&self.deeds))
    }

    fn then(&self, outcome: Outcome) {
        lock(&self.outcomes).push_back(outcome);
    }
}

impl Provider for Shop {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            text: TextLimit::new(1_000, Unit::Characters),
            caption: Some(TextLimit::new(1_000, Unit::Characters)),
            sends: true,
            reply: true,
            album: 1,
            parse_modes: &[],
            media: &[MediaKind::Photo, MediaKind::Document],
            actions: &[Action::Edit, Action::Delete, Action::MarkRead],
            states: &[],
            dedup: Dedup::None,
        }
    }

    fn receives(&self) -> &'static [Incoming] {
        &[Incoming::Webhook, Incoming::Text]
    }

    fn pacing(&self) -> Pacing {
        Pacing { account: Duration::ZERO, chat: Duration::ZERO, burst: 1 }
    }

    fn send<'a>(&'a self, outgoing: &'a Outgoing) -> BoxFuture<'a, Outcome> {
        let mut sent = lock(&self.sent);
        sent.push(outgoing.clone());
        let id = format!("{}:{}", outgoing.chat, sent.len());
        let planned = lock(&self.outcomes).pop_front();
        ready(planned.unwrap_or_else(|| Outcome::Sent(SentIds::one(Some(id.as_str()))))).boxed()
    }

    fn act<'a>(&'a self, chat: &'a ExternalChat, deed: &'a Deed) -> BoxFuture<'a, Result<(), CallError>> {
        lock(&self.deeds).push((chat.to_string(), deed.clone()));
        ready(Ok(())).boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        let unreadable = |why: &str| HookRefusal::Unreadable(why.to_owned());
        if post.method == "GET" {
            return Ok(Hook::text("challenge"));
        }
        let told: Value = serde_json::from_slice(&post.body).map_err(|_| unreadable("it is no JSON"))?;
        match told["kind"].as_str() {
            Some("forged") => return Err(HookRefusal::NotGenuine),
            Some("other") => return Err(HookRefusal::OtherAccount("2".to_owned())),
            Some("note") => return Ok(Hook::default()),
            _ => {}
        }
        if told["form"] == true && told["phone"].is_null() {
            return Err(unreadable("phone: field required"));
        }
        let word = |name: &str| told[name].as_str().unwrap_or("1").to_owned();
        let chat = ExternalChat::new(&word("chat")).ok_or_else(|| unreadable("it has no chat"))?;
        let at = Timestamp::from_micros(told["at"].as_i64().unwrap_or_default());
        let mut message = InboundMessage::text(chat, word("id"), word("text"), at);
        (message.user, message.name) = (Some("7".to_owned()), Some("Anna Demo".to_owned()));
        let change = InboundChange::Message(Box::new(message));
        let events = vec![InboundEvent { key: word("id"), change }];
        let answer = if told["form"] == true {
            HookAnswer::json(json!({ "success": true, "submission_id": word("id") }).to_string())
        } else {
            HookAnswer::default()
        };
        Ok(Hook { events, answer })
    }

    fn fetch<'a>(&'a self, _: &'a InboundMedia, _: u64) -> BoxFuture<'a, Result<Fetched, CallError>> {
        ready(Err(CallError::NotFound("nothing".to_owned()))).boxed()
    }

    fn check(&self) -> BoxFuture<'_, Result<Identity, CallError>> {
        ready(Ok(Identity { id: "100".to_owned(), name: "Demo shop".to_owned(), missing: Vec::new() }))
            .boxed()
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        let urls = lock(&self.urls).clone();
        Some(ready(Ok(Registered { urls, ..Registered::default() })).boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        lock(&self.urls).push(url.to_owned());
        ready(Ok(())).boxed()
    }

    fn unregister<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        lock(&self.urls).retain(|known| known != url);
        ready(Ok(())).boxed()
    }
}

/// The six ports, each with an account of its channel.
struct Ports {
    world: World,
    shops: Vec<Arc<Shop>>,
    key: Option<&'static str>,
}

impl Ports {
    async fn with(key: Option<&'static str>, old_hook: bool) -> Self {
        let shops: Vec<Arc<Shop>> = CHANNELS.iter().map(|_| Arc::default()).collect();
        let account = |(channel, shop): (&&str, &Arc<Shop>)| {
            let fields = json!({
                "name": format!("{channel}_1"), "channel": channel, "old_hook": old_hook,
                "forward_to": "http://127.0.0.1:9/hook",
            });
            let fields = serde_json::from_value(fields).expect("an account");
            Account::new(fields, channel.parse().expect("a channel"), Arc::clone(shop) as _, "made-up".into())
        };
        let accounts = CHANNELS.iter().zip(&shops).map(account).collect();
        let world = World::with_channels(accounts, |options| {
            let port = |channel| json!({ "port": 0, "channel": channel, "key": key });
            options.legacy.ports = Vec::new();
            options.legacy.channel_ports = CHANNELS
                .iter()
                .map(|channel| serde_json::from_value(port(channel)).expect("a port"))
                .collect();
        });
        Self { world: world.await, shops, key }
    }

    async fn new() -> Self {
        Self::with(Some(KEY), true).await
    }

    fn number(channel: &str) -> usize {
        CHANNELS.iter().position(|known| *known == channel).expect("a channel")
    }

    fn shop(&self, channel: &str) -> &Shop {
        &self.shops[Self::number(channel)]
    }

    /// A call without a key.
    fn bare(&self, channel: &str, method: &str, path: &str) -> Call {
        Call::new(&self.world.old_at(Self::number(channel)), method, path)
    }

    fn call(&self, channel: &str, method: &str, path: &str) -> Call {
        let call = self.bare(channel, method, path);
        match self.key {
            Some(key) => call.key(key),
            None => call,
        }
    }

    async fn get(&self, channel: &str, path: &str) -> (u16, Value) {
        let reply = self.call(channel, "GET", path).send().await;
        (reply.status, reply.json())
    }

    async fn post(&self, channel: &str, path: &str, body: Value) -> (u16, Value) {
        let reply = self.call(channel, "POST", path).json(body.to_string()).send().await;
        (reply.status, reply.json())
    }

    /// What the provider posts.
    async fn told(&self, channel: &str, mut body: Value) -> Reply {
        self.world.clock.advance(Duration::from_secs(1));
        body["at"] = self.world.clock.now().as_micros().into();
        let path = format!("/webhook/{channel}");
        self.bare(channel, "POST", &path).json(body.to_string()).send().await
    }
}

/// An answer without what differs from one run to the next.
fn without(mut answer: (u16, Value), path: &str, field: &str) -> (u16, Value) {
    let inside = answer.1.pointer_mut(path).and_then(Value::as_object_mut).expect("an object");
    assert!(inside.remove(field).is_some(), "{field} is missing");
    answer
}

#[tokio::test]
async fn what_needs_a_key_and_what_does_not() {
    let ports = Ports::new().await;
    let denied = r#"{"detail":"Invalid API key"}"#;
    for (channel, service, info, keyed) in [
        ("avito", "avito-messenger-api", 200, "/api/chats"),
        ("whatsapp", "whatsapp-api-wappi", 200, "/api/chats"),
        ("vk", "vk-messages-api", 200, "/api/conversations"),
        ("max", "max-mcp-server", 401, "/api/chats"),
        ("instagram", "instagram-mcp-server", 401, "/api/conversations"),
        ("form", "form-submission-api", 200, ""),
    ] {
        let health = ports.bare(channel, "GET", "/health").send().await;
        let is_short = ["max", "instagram"].contains(&channel);
        let status = if is_short { "ok" } else { "healthy" };
        assert_eq!((health.status, &health.json()["status"]), (200, &json!(status)), "{channel}");
        assert_eq!(
            (&health.json()["service"], health.json()["timestamp"].is_null()),
            (&json!(service), is_short)
        );
        assert_eq!(health.header("access-control-allow-origin"), Some("*"));
        assert_eq!(ports.bare(channel, "GET", "/info").send().await.status, info, "{channel}");
        assert_eq!(ports.get(channel, "/info").await.0, 200, "{channel}");
        if channel == "form" {
            let reply = ports.bare(channel, "POST", "/webhook/form").json("{}").send().await;
            assert_eq!((reply.status, reply.body.as_str()), (401, denied));
            continue;
        }
        for call in [ports.bare(channel, "GET", keyed), ports.bare(channel, "GET", keyed).key("wrong")] {
            let reply = call.send().await;
            assert_eq!((reply.status, reply.body.as_str()), (401, denied), "{channel}");
        }
        assert_eq!(ports.get(channel, keyed).await.0, 200, "{channel}");
        let missing = if is_short { json!("Not Found") } else { Value::Null };
        let (status, answer) = ports.get(channel, "/nothing").await;
        assert_eq!((status, &answer["detail"]), (404, &missing), "{channel}: {answer}");
    }
    let preflight =
        ports.bare("avito", "OPTIONS", "/api/messages/send").header("Origin", "https://example.com");
    assert_eq!(preflight.send().await.status, 204);
}

#[tokio::test]
async fn without_a_key_programs_of_this_machine_call() {
    let ports = Ports::with(None, false).await;
    assert_eq!(ports.get("avito", "/api/chats").await.0, 200);
    let page = ports.bare("avito", "GET", "/api/chats").header("Origin", "https://example.com").send().await;
    assert_eq!(page.status, 403, "{page:?}");
    let told = ports.told("avito", json!({ "chat": "u2i-1", "id": "m-1", "text": "hello" })).await;
    assert_eq!((told.status, &told.json()["success"]), (404, &json!(false)), "old_hook is off");
}

#[tokio::test]
async fn avito_sends_and_shows() {
    let ports = Ports::new().await;
    let sent =
        ports.post("avito", "/api/messages/send", json!({ "chat_id": "u2i-1", "text": "hello" })).await;
    assert_eq!(
        without(sent, "/response", "message_id"),
        (
            200,
            json!({ "success": true, "chat_id": "u2i-1", "message": "Message sent", "response": { "id": "u2i-1:1" } })
        )
    );
    let link = json!({ "chat_id": "u2i-1", "url": "https://example.com/a", "text": "see" });
    assert_eq!(ports.post("avito", "/api/messages/send/link", link).await.0, 200);
    let bulk = json!({ "messages": [{ "chat_id": "u2i-1", "text": "a" }, { "chat_id": 2, "text": "b" }, { "text": "c" }] });
    let (status, answer) = ports.post("avito", "/api/messages/send/bulk", bulk).await;
    assert_eq!(
        (status, &answer["total"], &answer["sent"], &answer["failed"]),
        (200, &json!(3), &json!(2), &json!(1))
    );
    assert_eq!(answer["results"][0], json!({ "chat_id": "u2i-1", "success": true, "message_id": "u2i-1:3" }));
    let texts = ports.shop("avito").texts();
    assert_eq!(texts[1], ("u2i-1".to_owned(), "see\nhttps://example.com/a".to_owned()));
    assert_eq!(texts.len(), 4);

    let told = ports.told("avito", json!({ "chat": "u2i-1", "id": "m-1", "text": "how much?" })).await;
    assert_eq!(
        (told.status, told.json()),
        (200, json!({ "ok": true, "forwarded": true, "message_id": "m-1" }))
    );
    let noted = ports.told("avito", json!({ "kind": "note" })).await;
    assert_eq!((noted.status, &noted.json()["skipped"]), (200, &json!(true)));
    for (kind, status) in [("forged", 401), ("other", 403)] {
        assert_eq!(ports.told("avito", json!({ "kind": kind })).await.status, status, "{kind}");
    }
    let (_, chats) = ports.get("avito", "/api/chats?unread_only=true").await;
    assert_eq!((&chats["success"], &chats["count"]), (&json!(true), &json!(1)), "{chats}");
    assert_eq!(chats["chats"][0]["users"], json!([{ "id": 7, "name": "Anna Demo" }]));
    assert_eq!(ports.get("avito", "/api/chats/unread/count").await.1, json!({ "success": true, "count": 1 }));
    assert_eq!(ports.get("avito", "/api/messages/unread/all").await.1["messages"][0]["chat_id"], "u2i-1");
    assert_eq!(ports.get("avito", "/api/chats/u2i-1").await.1["chat"]["id"], "u2i-1");
    assert_eq!(ports.get("avito", "/api/chats/u2i-2").await.0, 404);
    let (_, messages) = ports.get("avito", "/api/chats/u2i-1/messages?limit=2").await;
    assert_eq!((&messages["chat_id"], &messages["count"]), (&json!("u2i-1"), &json!(2)), "{messages}");
    let directions = ["in", "out"].map(Value::from);
    assert_eq!(
        [&messages["messages"][0]["direction"], &messages["messages"][1]["direction"]],
        directions.each_ref()
    );

    assert_eq!(ports.post("avito", "/api/chats/u2i-1/read", json!({})).await.0, 200);
    let removed = ports.call("avito", "DELETE", "/api/chats/u2i-1/messages/m-9").send().await;
    assert_eq!(removed.status, 200, "{removed:?}");
    let deeds = vec![
        ("u2i-1".to_owned(), Deed::MarkRead { external_id: None }),
        ("u2i-1".to_owned(), Deed::Delete { external_id: "m-9".to_owned() }),
    ];
    assert_eq!(ports.shop("avito").deeds(), deeds);
    let (status, token) = ports.get("avito", "/api/token").await;
    assert_eq!((status, &token["success"], &token["token"]), (200, &json!(true), &Value::Null));
    assert_eq!(ports.post("avito", "/api/token/refresh", json!({})).await.0, 501, "it is not renewed");
    assert_eq!(ports.post("avito", "/api/blacklist", json!({ "user_id": 7 })).await.0, 501);
}

#[tokio::test]
async fn files_are_fetched_and_sent() {
    let (ports, hoster) = (Ports::new().await, Hoster::start().await);
    let image = json!({ "chat_id": "u2i-1", "image_url": hoster.url("/photo.png") });
    assert_eq!(ports.post("avito", "/api/messages/send/image", image).await.0, 200);
    let document =
        json!({ "to": "+7 000 000-00-01", "document_url": hoster.url("/photo.png"), "filename": "a.png" });
    assert_eq!(ports.post("whatsapp", "/api/messages/send/document", document).await.0, 200);
    let sent = lock(&ports.shop("whatsapp").sent)[0].clone();
    assert_eq!((sent.chat.as_str(), sent.file.expect("a file").name.as_str()), ("70000000001@c.us", "a.png"));
    let file = lock(&ports.shop("avito").sent)[0].file.clone().expect("a file");
    assert_eq!(file.mime, "image/png");
    let gone = json!({ "chat_id": "u2i-1", "image_url": hoster.url("/nothing") });
    let (status, answer) = ports.post("avito", "/api/messages/send/image", gone).await;
    assert_eq!((status, &answer["success"]), (422, &json!(false)), "{answer}");
}

#[tokio::test]
async fn what_is_refused_is_said_as_the_old_servers_did() {
    let ports = Ports::new().await;
    let (status, answer) = ports.post("avito", "/api/messages/send", json!({ "chat_id": ["u2i-1"] })).await;
    let wrong = json!({ "detail": [
        { "loc": ["body", "chat_id"], "msg": "Input should be a valid string", "type": "string_type" },
        { "loc": ["body", "text"], "msg": "Field required", "type": "missing" },
    ] });
    assert_eq!((status, answer), (422, wrong));
    assert_eq!(ports.post("max", "/api/subscribe", json!({ "url": "no" })).await.0, 422);
    let rejected = |code: &str| Outcome::Rejected { code: RejectionCode::Provider(code.to_owned()) };
    let vk = json!({ "peer_id": 2001, "message": "hello" });
    ports.shop("vk").then(rejected("914: Message is too long"));
    assert_eq!(
        ports.post("vk", "/api/messages/send", vk.clone()).await,
        (
            400,
            json!({ "success": false, "error": "914: Message is too long", "details": null, "error_code": 914 })
        )
    );
    ports.shop("max").then(rejected("proto.payload: too long"));
    let max = json!({ "chat_id": 5001, "text": "hello" });
    let detail = json!({ "detail": "proto.payload: too long" });
    assert_eq!(ports.post("max", "/api/send", max).await, (400, detail));
    ports.shop("avito").then(Outcome::NotFound("no chat".to_owned()));
    let text = json!({ "chat_id": "u2i-1", "text": "hello" });
    let (status, answer) = ports.post("avito", "/api/messages/send", text.clone()).await;
    assert_eq!((status, &answer["success"]), (404, &json!(false)), "{answer}");
    let until = ports.world.clock.now().plus(Duration::from_hours(1));
    ports.shop("avito").then(Outcome::held(until));
    let reply = ports.call("avito", "POST", "/api/messages/send").json(text.to_string()).send().await;
    assert_eq!((reply.status, &reply.json()["success"]), (429, &json!(false)), "{reply:?}");
    assert!(reply.header("retry-after").is_some(), "{reply:?}");
}

#[tokio::test]
async fn one_key_is_one_message() {
    let ports = Ports::new().await;
    let call = ports.call("avito", "POST", "/api/messages/send").header("Idempotency-Key", "order-1");
    let call = call.json(r#"{"chat_id":"u2i-1","text":"hello"}"#);
    let (first, second) = (call.send().await, call.send().await);
    assert_eq!((first.status, first.json()), (second.status, second.json()));
    assert_eq!(ports.shop("avito").texts().len(), 1);
}

#[tokio::test]
async fn webhooks_are_registered_and_removed() {
    let ports = Ports::new().await;
    let url = "https://example.com/hook";
    for (channel, set, remove) in [
        ("avito", "/api/webhook/subscribe", ("POST", "/api/webhook/unsubscribe")),
        ("whatsapp", "/api/webhook/set", ("DELETE", "/api/webhook")),
        ("vk", "/api/callback/servers", ("DELETE", "/api/callback/servers/1")),
        ("max", "/api/subscribe", ("DELETE", "/api/subscribe?url=https%3A%2F%2Fexample.com%2Fhook")),
    ] {
        let (status, answer) = ports.post(channel, set, json!({ "url": url })).await;
        assert_eq!(status, 200, "{channel}: {answer}");
        if channel == "avito" {
            assert_eq!((&answer["url"], &answer["version"]), (&json!(url), &json!(2)));
            let (_, status) = ports.get(channel, "/api/webhook/status").await;
            assert_eq!((&status["subscribed"], &status["here"]), (&json!(true), &json!(false)));
        }
        assert_eq!(*lock(&ports.shop(channel).urls), [url], "{channel}");
        let reply = ports.call(channel, remove.0, remove.1).send().await;
        assert_eq!(reply.status, 200, "{channel}: {reply:?}");
        assert!(lock(&ports.shop(channel).urls).is_empty(), "{channel}");
    }
}

#[tokio::test]
async fn whatsapp_sends_to_numbers() {
    let ports = Ports::new().await;
    let text = json!({ "to": "70000000001", "text": "hello", "reply_to": "A1" });
    let (status, answer) = ports.post("whatsapp", "/api/messages/send", text).await;
    assert_eq!((status, &answer["message_id"]), (200, &json!("70000000001@c.us:1")), "{answer}");
    let bulk = json!({ "recipients": ["70000000001", 70_000_000_002_u64], "text": "sale", "delay_min": 0, "delay_max": 0 });
    let (status, answer) = ports.post("whatsapp", "/api/messages/send/bulk", bulk).await;
    assert_eq!((status, &answer["queued"], &answer["failed"]), (200, &json!(2), &json!(0)), "{answer}");
    let told = ports.told("whatsapp", json!({ "chat": "70000000001@c.us", "id": "A2", "text": "yes" })).await;
    assert_eq!(told.json()["message_id"], "A2");
    let (_, chats) = ports.get("whatsapp", "/api/chats").await;
    assert_eq!(chats["chats"][0]["id"], "70000000001@c.us", "{chats}");
    assert_eq!(ports.get("whatsapp", "/api/groups").await.1["count"], 0);
    assert_eq!(ports.get("whatsapp", "/api/chats/70000000001/messages").await.0, 200);
    assert_eq!(ports.get("whatsapp", "/api/profile").await.1["profile"]["name"], "Demo shop");
    assert_eq!(ports.get("whatsapp", "/api/qr").await.0, 501);
}

#[tokio::test]
async fn vk_counts_in_numbers() {
    let ports = Ports::new().await;
    let sent = ports.post("vk", "/api/messages/send", json!({ "peer_id": "2001", "message": "hello" })).await;
    assert_eq!(
        sent,
        (200, json!({ "success": true, "peer_id": 2001, "message_id": 1, "message": "Message sent" }))
    );
    let (_, answer) = ports
        .post("vk", "/api/messages/send/bulk", json!({ "peer_ids": [2001, 2002], "message": "a" }))
        .await;
    assert_eq!(answer["results"][1]["success"], true, "{answer}");
    assert_eq!(
        ports.post("vk", "/api/messages/send", json!({ "peer_id": "x", "message": "a" })).await.0,
        422
    );
    let edited = ports.call("vk", "PUT", "/api/messages/1?peer_id=2001&message=better+text").send().await;
    assert_eq!(edited.status, 200, "{edited:?}");
    let removed = ports.call("vk", "DELETE", "/api/messages?message_ids=2001:1").send().await;
    assert_eq!(removed.status, 200, "{removed:?}");
    assert_eq!(ports.call("vk", "DELETE", "/api/messages?message_ids=1").send().await.status, 422);
    let external_id = "2001:1".to_owned();
    let edit = Deed::Edit { external_id: external_id.clone(), text: "better text".to_owned() };
    let chat = "2001".to_owned();
    assert_eq!(ports.shop("vk").deeds(), [(chat.clone(), edit), (chat, Deed::Delete { external_id })]);
    let told = ports.told("vk", json!({ "chat": "2001", "id": "2001:5", "text": "hello" })).await;
    assert_eq!((told.status, told.body.as_str()), (200, "ok"));
    assert_eq!(ports.bare("vk", "GET", "/webhook/vk").send().await.body, "challenge");
    let forged = ports.told("vk", json!({ "kind": "forged" })).await;
    assert_eq!((forged.status, &forged.json()["error"]), (403, &json!("bad secret")));
    assert_eq!(ports.get("vk", "/api/conversations/2001/history").await.1["items"][0]["id"], 5);
    let users = json!([{ "id": 2001, "first_name": "Anna", "last_name": "Demo" }]);
    assert_eq!(ports.get("vk", "/api/users/2001").await.1["users"], users);
    assert_eq!(ports.get("vk", "/api/group").await.1["group"]["id"], 100);
}

#[tokio::test]
async fn max_and_instagram_say_ok() {
    let ports = Ports::new().await;
    let (status, answer) = ports.post("max", "/api/send", json!({ "chat_id": 5001, "text": "hello" })).await;
    assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{answer}");
    assert_eq!(answer["result"]["message"]["body"], json!({ "mid": "5001:1", "text": "hello" }));
    assert_eq!(ports.post("max", "/api/send", json!({ "user_id": 7, "text": "a" })).await.0, 200);
    assert_eq!(ports.shop("max").texts()[1].0, "user:7");
    let nobody = json!({ "detail": "chat_id or user_id required" });
    assert_eq!(ports.post("max", "/api/send", json!({ "text": "a" })).await, (400, nobody));
    let told = ports.told("max", json!({ "chat": "5001", "id": "mid.1", "text": "hello" })).await;
    assert_eq!((told.status, told.json()), (200, json!({ "success": true })));
    assert_eq!(ports.get("max", "/api/message/mid.1").await.1["result"]["body"]["text"], "hello");
    assert_eq!(ports.get("max", "/api/chats").await.1["result"]["chats"][0]["chat_id"], 5001);
    assert_eq!(ports.post("max", "/api/chat/5001/action?action=mark_seen", json!({})).await.0, 200);
    assert_eq!(ports.post("max", "/api/chat/5001/action?action=typing_on", json!({})).await.0, 501);
    assert_eq!(ports.get("max", "/api/updates").await.0, 501);

    let sent = ports.post("instagram", "/api/send", json!({ "recipient_id": "555", "text": "hello" })).await;
    assert_eq!(
        without(sent, "/result", "id"),
        (200, json!({ "status": "ok", "result": { "recipient_id": "555", "message_id": "555:1" } }))
    );
    assert_eq!(
        ports.bare("instagram", "GET", "/webhook/instagram?hub.mode=subscribe").send().await.body,
        "challenge"
    );
    assert_eq!(
        ports.told("instagram", json!({ "chat": "555", "id": "mid", "text": "hi" })).await.status,
        200
    );
    assert_eq!(ports.get("instagram", "/api/user/555").await.1["result"]["name"], "Anna Demo");
    assert_eq!(
        ports.get("instagram", "/api/conversations/555/messages").await.1["result"]["data"][0]["message"],
        "hi"
    );
}

#[tokio::test]
async fn forms_are_taken_from_anyone() {
    let ports = Ports::new().await;
    let form =
        |id: usize| json!({ "form": true, "id": format!("f-{id}"), "phone": "+70000000001" }).to_string();
    for (number, path) in
        ["/api/submit", "/api/quiz", "/api/callback", "/api/contact"].into_iter().enumerate()
    {
        let reply =
            ports.bare("form", "POST", path).json(form(number)).header("Origin", "https://example.com");
        let reply = reply.send().await;
        assert_eq!((reply.status, &reply.json()["success"]), (200, &json!(true)), "{reply:?}");
        assert_eq!(reply.json()["submission_id"], format!("f-{number}"));
    }
    let wrong = ports.bare("form", "POST", "/api/submit").json(r#"{"form":true}"#).send().await;
    let detail =
        json!({ "detail": [{ "loc": ["body", "phone"], "msg": "field required", "type": "missing" }] });
    assert_eq!((wrong.status, wrong.json()), (422, detail));
    let large = json!({ "form": true, "phone": "1", "message": "a".repeat(64 * 1024) });
    assert_eq!(ports.bare("form", "POST", "/api/submit").json(large.to_string()).send().await.status, 413);
    let (status, taken) =
        ports.post("form", "/webhook/form", json!({ "form": true, "phone": "1", "id": "f-9" })).await;
    assert_eq!((status, &taken["message_id"]), (200, &json!("f-9")), "{taken}");
    let mut statuses = Vec::new();
    for number in 10..30 {
        statuses.push(ports.bare("form", "POST", "/api/submit").json(form(number)).send().await.status);
    }
    assert_eq!((statuses[0], statuses[19]), (200, 429));
}

#[tokio::test]
async fn a_paused_account_keeps_messages_and_still_receives() {
    let ports = Ports::new().await;
    let (world, shop) = (&ports.world, ports.shop("avito"));
    let switch = async |verb: &str| {
        let reply = world.call("POST", &format!("/v1/channels/avito_1/{verb}")).send().await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    };
    assert_eq!(switch("pause").await["switch"], "paused");
    let body = json!({"channel": "avito", "chat": "u2i-1", "text": "later"}).to_string();
    let accepted = world.message(&body).send().await.json();
    world.until_shown("/v1/channels/avito_1", |shown| shown["waiting"] == 1).await;
    let path = format!("/v1/messages/{}/why", accepted["id"].as_str().unwrap());
    let why = world.until_shown(&path, |why| why.to_string().contains("the account avito_1 is paused")).await;
    assert!(why.to_string().contains("is paused"), "{why}");
    assert!(lock(&shop.sent).is_empty());
    assert_eq!(ports.told("avito", json!({"id": "m-1", "chat": "u2i-1", "text": "Hello"})).await.status, 200);
    let deed = world.call("POST", "/v1/chats/avito:avito_1%2Fu2i-1/read").json("{}").send().await;
    assert_eq!((deed.status, &deed.json()["code"]), (409, &json!("wrong_state")), "{}", deed.body);
    let shown = world.call("GET", "/v1/channels/avito_1").send().await.json();
    assert!(!shown["last_in_at"].is_null() && shown["last_out_at"].is_null(), "{shown}");
    assert_eq!(world.store.accounts().switches().await.unwrap().len(), 1, "it outlives a restart");
    assert_eq!(switch("resume").await["switch"], "on");
    world.until_state(&accepted["id"], "sent").await;
    assert_eq!(lock(&shop.sent).len(), 1);
    let shown = world.call("GET", "/v1/channels/avito_1").send().await.json();
    assert!(!shown["last_out_at"].is_null() && shown["waiting"] == 0, "{shown}");
}

#[tokio::test]
async fn what_went_wrong_and_where_a_provider_posts_to_is_shown() {
    let ports = Ports::new().await;
    let (world, shop) = (&ports.world, ports.shop("vk"));
    lock(&shop.urls).push("https://old.example.com/planted-secret".to_owned());
    lock(&shop.outcomes).push_back(Outcome::Forbidden("the customer blocked it".to_owned()));
    let body = json!({"channel": "vk", "chat": "7", "text": "x", "wait": 30}).to_string();
    world.message(&body).send().await;
    let shown = world.call("POST", "/v1/channels/vk_1/check").send().await.json();
    assert_eq!(
        (&shown["errors"]["last_hour"], &shown["errors"]["last_day"]),
        (&json!(1), &json!(1)),
        "{shown}"
    );
    assert!(shown["errors"]["last"].as_str().unwrap().contains("blocked"), "{shown}");
    assert_eq!(shown["webhook"]["state"], "elsewhere");
    assert_eq!(shown["webhook"]["elsewhere"], json!(["https://old.example.com/…"]));
    assert!(!shown.to_string().contains("planted"), "{shown}");
}
