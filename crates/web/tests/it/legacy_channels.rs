//! The ports of the old channel servers, row by row, over accounts that do what the test says.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use channels::{
    Account, CallError, Deed, Fetched, Hook, HookAnswer, HookPost, HookRefusal, Identity, Incoming, LogIn,
    OldCall, Outgoing, Pacing, Provider, Registered,
};
use delivery::{Action, Album, Capabilities, Dedup, MediaKind};
use domain::outcome::{RejectionCode, SentIds};
use domain::text::{ParseMode, TextLimit, Unit};
use domain::{
    AdSource, ExternalChat, InboundChange, InboundEvent, InboundMedia, InboundMessage, Outcome, Timestamp,
};
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use serde_json::{Value, json};
use testkit::Hoster;

use crate::client::{Call, Reply};
use crate::world::World;

mod answers;
mod rights;
mod states;
mod webhooks;

const KEY: &str = "old key / 1";
/// What the old servers were asked, and answered.
const SCRIPT: &str = include_str!("channel_ports.txt");
const CHANNELS: [&str; 6] = ["avito", "whatsapp", "vk", "max", "instagram", "form"];

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A provider that remembers what it was asked for.
#[derive(Default)]
pub(crate) struct Shop {
    outcomes: Mutex<VecDeque<Outcome>>,
    sent: Mutex<Vec<Outgoing>>,
    deeds: Mutex<Vec<(String, Deed)>>,
    old_calls: Mutex<Vec<OldCall>>,
    urls: Mutex<Vec<String>>,
    /// How often it still refuses to register an address.
    refusals: Mutex<u32>,
    /// Whether its tokens are renewed.
    renews: Mutex<bool>,
    /// In bytes.
    pub(crate) largest_post: Option<usize>,
}

impl Shop {
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        let sent = lock(&self.sent);
        sent.iter().map(|one| (one.chat.to_string(), one.text.text.clone())).collect()
    }

    /// The addresses that it posts to.
    pub(crate) fn urls(&self) -> MutexGuard<'_, Vec<String>> {
        lock(&self.urls)
    }

    pub(crate) fn refuses_to_register(&self, times: u32) {
        *lock(&self.refusals) = times;
    }

    pub(crate) fn deeds(&self) -> Vec<(String, Deed)> {
        std::mem::take(&mut *lock(&self.deeds))
    }

    fn old_calls(&self) -> Vec<OldCall> {
        std::mem::take(&mut *lock(&self.old_calls))
    }

    pub(crate) fn then(&self, outcome: Outcome) {
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
            album: Album { visual: 10, ..Album::NONE },
            parse_modes: &[ParseMode::Html],
            media: &[
                MediaKind::Photo,
                MediaKind::Video,
                MediaKind::Voice,
                MediaKind::Audio,
                MediaKind::Document,
            ],
            actions: &[Action::Edit, Action::Delete, Action::MarkRead],
            states: &[],
            dedup: Dedup::None,
        }
    }

    /// It is written to at addresses alone.
    fn first_chat(&self, who: &str) -> Result<channels::FirstChat, channels::NoFirstChat> {
        let chat = ExternalChat::new(who).filter(|_| who.contains('@'));
        let chat = chat.ok_or(channels::NoFirstChat::TheyWriteFirst)?;
        Ok(channels::FirstChat { chat, phone: None, email: Some(who.to_owned()) })
    }

    fn largest_post(&self) -> Option<usize> {
        self.largest_post
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

    fn old_call<'a>(&'a self, call: &'a OldCall) -> BoxFuture<'a, Result<Value, CallError>> {
        lock(&self.old_calls).push(call.clone());
        let answer = match call {
            OldCall::CheckNumber { .. } => json!({ "on_whatsapp": true }),
            OldCall::ConfirmationCode => json!({ "code": "c0ffee42" }),
            _ => json!({ "success": true }),
        };
        ready(Ok(answer)).boxed()
    }

    fn log_in<'a>(&'a self, _: Option<&'a str>) -> BoxFuture<'a, Result<LogIn, CallError>> {
        ready(Ok(LogIn::Picture(b"\x89PNG".to_vec()))).boxed()
    }

    fn hook(&self, post: &HookPost) -> Result<Hook, HookRefusal> {
        let unreadable = |why: &str| HookRefusal::Unreadable(why.to_owned());
        if post.method == "GET" {
            return Ok(Hook::text("challenge"));
        }
        let body: Value = serde_json::from_slice(&post.body).map_err(|_| unreadable("it is no JSON"))?;
        match body["kind"].as_str() {
            Some("forged") => return Err(HookRefusal::NotGenuine),
            Some("other") => return Err(HookRefusal::OtherAccount("2".to_owned())),
            Some("note") => return Ok(Hook::default()),
            _ => {}
        }
        if body["form"] == true && body["phone"].is_null() {
            return Err(unreadable("phone: is missing"));
        }
        let word = |name: &str| body[name].as_str().unwrap_or("1").to_owned();
        let chat = ExternalChat::new(&word("chat")).ok_or_else(|| unreadable("it has no chat"))?;
        let at = Timestamp::from_micros(body["at"].as_i64().unwrap_or_default());
        let mut message = InboundMessage::private(chat, word("id"), word("text"), at);
        (message.user, message.name) = (Some("7".to_owned()), Some("Anna Demo".to_owned()));
        let ad = body["ad"].as_str().map(str::to_owned);
        message.ad = ad.map(|id| AdSource { channel: "avito".to_owned(), id: Some(id) });
        let change = InboundChange::Message(Box::new(message));
        let events = vec![InboundEvent { key: word("id"), change }];
        let answer = if body["form"] == true {
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
        ready(Ok(Identity { id: "100".to_owned(), name: "Demo shop".to_owned(), ..Identity::default() }))
            .boxed()
    }

    fn renew_token(&self) -> BoxFuture<'_, Result<(), CallError>> {
        let refused = CallError::refused("not_supported", "tokens of this channel are not renewed");
        ready(if *lock(&self.renews) { Ok(()) } else { Err(refused) }).boxed()
    }

    fn token_start(&self, most: usize) -> Option<String> {
        Some("0123456789".repeat(9)[..most].to_owned())
    }

    fn registered(&self) -> Option<BoxFuture<'_, Result<Registered, CallError>>> {
        let urls = lock(&self.urls).clone();
        Some(ready(Ok(Registered { urls, ..Registered::default() })).boxed())
    }

    fn register<'a>(&'a self, url: &'a str) -> BoxFuture<'a, Result<(), CallError>> {
        let refusals = &mut *lock(&self.refusals);
        if *refusals > 0 {
            *refusals -= 1;
            return ready(Err(CallError::Server("500".to_owned()))).boxed();
        }
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
        *lock(&shops[Self::number("avito")].renews) = true;
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
    async fn provider_posts(&self, channel: &str, mut body: Value) -> Reply {
        self.world.clock.advance(Duration::from_secs(1));
        body["at"] = self.world.clock.now().as_micros().into();
        let path = format!("/webhook/{channel}");
        self.bare(channel, "POST", &path).json(body.to_string()).send().await
    }
}

/// A call of the script: who makes it, at which port, and the answer that is recorded.
struct Recorded {
    line: &'static str,
    answer: &'static str,
}

fn script() -> Vec<Recorded> {
    let mut script: Vec<Recorded> = Vec::new();
    for line in SCRIPT.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.strip_prefix("  "), script.last_mut()) {
            (Some(answer), Some(last)) => last.answer = answer,
            _ => script.push(Recorded { line, answer: "" }),
        }
    }
    script
}

/// Whether an answer has the recorded form: `…` stands for any value, and no field is missing or more.
fn is_as(recorded: &Value, got: &Value) -> bool {
    match (recorded, got) {
        (Value::String(word), _) if word == "…" => true,
        (Value::Object(all), Value::Object(found)) => {
            all.len() == found.len()
                && all.iter().all(|(name, value)| found.get(name).is_some_and(|it| is_as(value, it)))
        }
        (Value::Array(all), Value::Array(found)) => {
            all.len() == found.len() && all.iter().zip(found).all(|(one, other)| is_as(one, other))
        }
        _ => recorded == got,
    }
}

/// The status and the body of an answer as the script has them.
fn answer(text: &str) -> (u16, Value) {
    let (status, body) = text.split_once(' ').unwrap_or((text, ""));
    let body = serde_json::from_str(body).unwrap_or_else(|_| body.into());
    (status.parse().unwrap_or_default(), body)
}

#[tokio::test]
async fn recorded_calls_are_answered_as_recorded() {
    let (ports, hoster) = (Ports::new().await, Hoster::start().await);
    let (mut got, mut wrong, mut mailing) = (String::new(), Vec::new(), String::new());
    for Recorded { line, answer: recorded } in script() {
        let [who, channel, method, rest] = line.splitn(4, ' ').collect::<Vec<_>>()[..] else {
            panic!("{line}")
        };
        let (path, body) = rest.split_once(' ').unwrap_or((rest, ""));
        let (path, body) = (path.replace("{mailing}", &mailing), body.replace("{hoster}", &hoster.url("")));
        let reply = if method == "POST" && path == format!("/webhook/{channel}") && who == "open" {
            ports.provider_posts(channel, serde_json::from_str(&body).expect(line)).await
        } else {
            let call = match who {
                "keyed" => ports.call(channel, method, &path),
                "page" => ports.bare(channel, method, &path).header("Origin", "https://example.com"),
                _ => ports.bare(channel, method, &path),
            };
            if body.is_empty() { call.send().await } else { call.json(body).send().await }
        };
        let answered = format!("{} {}", reply.status, reply.body);
        if let Some(id) = answer(&answered).1["mailing_id"].as_str() {
            id.clone_into(&mut mailing);
        }
        let (recorded, repeated) = (answer(recorded), answer(&answered));
        if recorded.0 != repeated.0 || !is_as(&recorded.1, &repeated.1) {
            wrong.push(line);
        }
        got.extend([line, "\n  ", &answered, "\n"]);
    }
    assert!(wrong.is_empty(), "{wrong:#?} are not answered as recorded; all answers now:\n{got}");
    assert_sent(&ports);
    assert_called(&ports);
}

/// What reached the providers of it.
fn assert_sent(ports: &Ports) {
    let texts = |channel: &str| ports.shop(channel).texts();
    assert_eq!(texts("avito")[2], ("u2i-1".to_owned(), "see\nhttps://example.com/a".to_owned()));
    assert_eq!((texts("avito").len(), texts("max")[1].0.as_str()), (5, "user:7"));
    let read = |chat: &str| (chat.to_owned(), Deed::MarkRead { external_id: None });
    let edit = |chat: &str, id: &str, text: &str| {
        (chat.to_owned(), Deed::Edit { external_id: id.to_owned(), text: text.to_owned() })
    };
    let delete = |chat: &str, id: &str| (chat.to_owned(), Deed::Delete { external_id: id.to_owned() });
    let deeds = |channel: &str| ports.shop(channel).deeds();
    assert_eq!(deeds("avito"), [read("u2i-1"), delete("u2i-1", "m-9")]);
    assert_eq!(deeds("vk"), [edit("2001", "2001:1", "better text"), delete("2001", "2001:1"), read("2001")]);
    // MAX finds a message by its id alone; its chat is that of the store.
    assert_eq!(deeds("max"), [edit("5001", "5001:1", "better"), delete("5001", "5001:1"), read("5001")]);
    let image = lock(&ports.shop("avito").sent)[1].file.clone();
    assert_eq!(image.expect("a file").mime, "image/png");
    let document = lock(&ports.shop("whatsapp").sent)[2].clone();
    let name = document.file.expect("a file").name;
    assert_eq!((document.chat.as_str(), name.as_str()), ("70000000001@c.us", "a.png"));
    let two = lock(&ports.shop("max").sent)[2].clone();
    assert_eq!((two.text.text.as_str(), two.files().count()), ("two", 2));
    let bold = lock(&ports.shop("max").sent)[4].clone();
    assert_eq!((bold.text.text.as_str(), bold.text.entities.len()), ("bold", 1));
    assert_eq!((bold.silent, bold.preview, two.silent, two.preview), (true, false, false, true));
    let answered = |channel: &str, place: usize| lock(&ports.shop(channel).sent)[place].reply_to.clone();
    assert_eq!(answered("whatsapp", 0), Some("A1".into()));
    assert_eq!((answered("vk", 0), answered("vk", 3)), (None, Some("2001:1".into())));
    let mimes = |channel: &str| {
        let sent = lock(&ports.shop(channel).sent);
        sent.iter().filter_map(|one| Some(one.file.as_ref()?.mime.clone())).collect::<Vec<_>>()
    };
    assert_eq!(mimes("whatsapp"), ["image/png", "image/png", "audio/ogg"]);
    assert_eq!(mimes("instagram"), ["image/png", "audio/ogg", "video/mp4"]);
    let options = |channel: &str| {
        let sent = lock(&ports.shop(channel).sent);
        sent.iter().filter_map(|one| one.provider_options.clone()).collect::<Vec<_>>()
    };
    let keyboard = r#"{"buttons":[]}"#;
    assert_eq!(options("vk"), [json!({ "attachment": "photo1_2,doc-3_4", "keyboard": keyboard })]);
    let buttons = json!([{ "type": "inline_keyboard", "payload": { "buttons": [] } }]);
    assert_eq!(options("max"), [json!({ "attachments": buttons })]);
    let reply =
        |title: &str, payload: &str| json!({ "content_type": "text", "title": title, "payload": payload });
    assert_eq!(options("instagram"), [json!({ "quick_replies": [reply("Yes", "Yes"), reply("No", "n")] })]);
}

/// The calls that only one old server had.
fn assert_called(ports: &Ports) {
    let calls = |channel: &str| ports.shop(channel).old_calls();
    let blocked = |user, because| OldCall::Block { user, because };
    assert_eq!(calls("avito"), [blocked(7, None), blocked(8, Some((555_001, 1)))]);
    assert_eq!(calls("whatsapp"), [OldCall::CheckNumber { digits: "70000000001".to_owned() }]);
    let events = vec![("like_add".to_owned(), false), ("wall_post_new".to_owned(), true)];
    let url = "https://example.com/hook".to_owned();
    assert_eq!(calls("vk"), [OldCall::CallbackSettings { url, events }, OldCall::ConfirmationCode]);
    let chat = ExternalChat::new("5001").expect("a chat");
    let pressed = |notification: Option<&str>, message| {
        let notification = notification.map(str::to_owned);
        OldCall::AnswerPress { callback: "f9L1".to_owned(), notification, message }
    };
    let action = "sending_photo".to_owned();
    assert_eq!(
        calls("max"),
        [
            OldCall::Members { chat: chat.clone(), count: 20, marker: None },
            OldCall::ShowAction { chat, action },
            pressed(Some("Noted"), None),
            pressed(None, Some(json!({ "text": "<b>Noted</b>", "format": "html" }))),
        ]
    );
    let (comment, text) = ("1".to_owned(), "Ten".to_owned());
    let question = json!({ "question": "Are you open?", "payload": "open" });
    assert_eq!(
        calls("instagram"),
        [
            OldCall::IceBreakers,
            OldCall::SetIceBreakers { all: json!([{ "call_to_actions": [question], "locale": "default" }]) },
            OldCall::RemoveIceBreakers,
            OldCall::Posts { limit: 25, after: None },
            OldCall::Comments { post: "1".to_owned(), limit: 5, after: Some("b".to_owned()) },
            OldCall::ReplyToComment { comment: comment.clone(), text },
            OldCall::HideComment { comment: comment.clone(), is_hidden: true },
            OldCall::DeleteComment { comment },
        ]
    );
}

#[tokio::test]
async fn a_stopped_mailing_sends_no_more() {
    let ports = Ports::new().await;
    let to = ["70000000001", "70000000002", "70000000003"];
    let bulk = json!({ "recipients": to, "text": "sale", "delay_min": 600, "delay_max": 600 });
    let (_, accepted) = ports.post("whatsapp", "/api/messages/send/bulk", bulk).await;
    let other = json!({ "to": "70000000004", "text": "sale" });
    assert_eq!(ports.post("whatsapp", "/api/messages/send", other).await.0, 200);
    let path = format!("/api/mailing/{}", accepted["mailing_id"].as_str().expect("a mailing"));
    let (_, stopped) = ports.post("whatsapp", &format!("{path}/stop"), Value::Null).await;
    let counts = |report: &Value| ["total", "sent", "queued", "cancelled"].map(|name| report[name].as_u64());
    // The first is due at once: it may have left.
    let left = stopped["cancelled"] == 2;
    assert!(left || stopped["cancelled"] == 3, "{stopped}");
    assert_eq!(stopped["stopped"], stopped["cancelled"]);
    ports.world.clock.advance(Duration::from_hours(1));
    let report = loop {
        let (_, report) = ports.get("whatsapp", &format!("{path}/status")).await;
        if report["status"] == "stopped" {
            break report;
        }
        tokio::task::yield_now().await;
    };
    let sent = u64::from(left);
    assert_eq!(counts(&report), [Some(3), Some(sent), Some(0), Some(3 - sent)], "{report}");
    assert_eq!(ports.shop("whatsapp").texts().len() as u64, 1 + sent);
    assert_eq!(ports.get("whatsapp", "/api/mailing/msg_1.msg_2/status").await.0, 404);
}

#[tokio::test]
async fn messages_of_a_mailing_leave_10_to_30_seconds_apart() {
    let ports = Ports::new().await;
    let mut before = ports.world.clock.now();
    let bulk = json!({ "recipients": ["70000000001", "70000000002", "70000000003"], "text": "sale" });
    let (_, accepted) = ports.post("whatsapp", "/api/messages/send/bulk", bulk).await;
    // The first is due at once.
    for place in 1..3 {
        let path = format!("/v1/messages/{}", accepted["results"][place]["id"].as_str().expect("an id"));
        let shown = ports.world.call("GET", &path).send().await.json();
        let due: Timestamp = serde_json::from_value(shown["send_at"].clone()).expect("a time");
        let apart = due.since(before).as_secs();
        assert!((10..=30).contains(&apart), "{apart}");
        before = due;
    }
}

#[tokio::test]
async fn a_wrong_key_is_none_and_pages_may_ask() {
    let ports = Ports::new().await;
    for channel in ["avito", "whatsapp", "vk", "max", "instagram"] {
        let path = if ["vk", "instagram"].contains(&channel) { "/api/conversations" } else { "/api/chats" };
        let reply = ports.bare(channel, "GET", path).key("wrong").send().await;
        assert_eq!(
            (reply.status, reply.body.as_str()),
            (401, r#"{"detail":"Invalid API key"}"#),
            "{channel}"
        );
        let health = ports.bare(channel, "GET", "/health").send().await;
        assert_eq!(health.header("access-control-allow-origin"), Some("*"), "{channel}");
    }
    let preflight =
        ports.bare("avito", "OPTIONS", "/api/messages/send").header("Origin", "https://example.com");
    assert_eq!(preflight.send().await.status, 204);
}

#[tokio::test]
async fn without_a_key_programs_of_this_machine_call() {
    let ports = Ports::with(None, false).await;
    assert_eq!(ports.get("avito", "/api/chats").await.0, 200);
    for (name, value) in [
        ("Origin", "https://example.com"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Referer", "http://evil.example/"),
        ("Host", "evil.example:8765"),
    ] {
        let page = ports.bare("avito", "GET", "/api/chats").header(name, value).send().await;
        assert_eq!(page.status, 403, "{name}: {page:?}");
    }
    let revoked = ports.bare("avito", "GET", "/api/chats?api_key=swb_wrong").send().await;
    assert_eq!(revoked.status, 401, "{revoked:?}");
    let reply = ports.provider_posts("avito", json!({ "chat": "u2i-1", "id": "m-1", "text": "hello" })).await;
    assert_eq!((reply.status, &reply.json()["success"]), (404, &json!(false)), "old_hook is off");
}

#[tokio::test]
async fn refusals_are_reported_as_by_the_old_servers() {
    let ports = Ports::new().await;
    let (status, answer) = ports.post("avito", "/api/messages/send", json!({ "chat_id": ["u2i-1"] })).await;
    let wrong = json!({ "detail": [
        { "loc": ["body", "chat_id"], "msg": "Input should be a valid string", "type": "string_type" },
        { "loc": ["body", "text"], "msg": "Field required", "type": "missing" },
    ] });
    assert_eq!((status, answer), (422, wrong));
    assert_eq!(ports.post("max", "/api/subscribe", json!({ "url": "no" })).await.0, 422);
    *lock(&ports.shop("avito").renews) = false;
    let (status, answer) = ports.post("avito", "/api/token/refresh", Value::Null).await;
    assert_eq!((status, &answer["success"]), (501, &json!(false)), "{answer}");
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
