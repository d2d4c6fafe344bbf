//! Gateways for short messages: each is sent to, reports what became of it, and refuses.

use std::sync::Arc;

use channels::{CallError, FirstChat, HookRefusal, NoFirstChat, Outgoing, Provider, Setup};
use config::ChannelKind;
use delivery::{Dedup, MessageLookup};
use domain::media::MediaForm;
use domain::outcome::HoldScope;
use domain::{ExternalChat, InboundChange, Outcome, ProviderId, Timestamp};
use serde_json::{Value, json};

use crate::it::support::{Receiver, World, content_of, lone, messages, text};

const PHONE: &str = "+70000000001";

fn provider(world: &World, account: &str) -> Arc<dyn Provider> {
    channels::make(World::setup(world.fields_of(account))).unwrap()
}

fn id_of(outcome: &Outcome) -> String {
    let Outcome::Sent(ids) = outcome else { panic!("{outcome:?}") };
    let Some(ProviderId::Text(id)) = ids.first() else { panic!("{outcome:?}") };
    id.to_string()
}

async fn connected(world: &World, account: &str, query: &str) -> (Arc<dyn Provider>, Receiver) {
    let provider = provider(world, account);
    let receiver = Receiver::start(Arc::clone(&provider)).await;
    let url = format!("{}{query}", receiver.url);
    assert_eq!(provider.register(&url).await, Err(CallError::by_hand()));
    assert_eq!(world.type_hook(&json!({"channel": "sms", "account": account, "url": url})).await, 204);
    (provider, receiver)
}

fn deed(account: &str, more: &Value) -> Value {
    let mut deed = json!({"channel": "sms", "account": account, "from": PHONE});
    deed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    deed
}

/// Each refusal has its outcome.
async fn refuses(world: &World, account: &str, query: &str) {
    let (provider, _receiver) = connected(world, account, query).await;
    assert!(provider.check().await.unwrap().missing.is_empty());
    let refused = provider.send(&text("+7", "x", 2)).await;
    assert!(matches!(refused, Outcome::NotFound(_)), "{refused:?}");
    world.customer(deed(account, &json!({"action": "block"}))).await;
    let refused = provider.send(&text(PHONE, "blocked", 3)).await;
    assert!(matches!(refused, Outcome::Forbidden(_)), "{refused:?}");
    world.fault(json!({"provider": "sms", "fault": "rate_limit", "seconds": 60, "times": 1})).await;
    let held = provider.send(&text(PHONE, "held", 4)).await;
    assert!(matches!(held, Outcome::Held { scope: HoldScope::Account, .. }), "{held:?}");
}

#[test]
fn each_gateway_writes_first_to_a_number() {
    for gateway in ["smsc", "sms_ru", "twilio", "smpp", "http"] {
        let keys = format!(
            "gateway = \"{gateway}\"\nlogin = \"a\"\ntoken = \"b\"\nsender = \"DEMO\"\nsmpp = \"smpp://demo:b@127.0.0.1:1\""
        );
        let provider = lone(ChannelKind::Sms, &keys);
        let chat = ExternalChat::new(PHONE).unwrap();
        let first = FirstChat { chat, phone: Some(PHONE.to_owned()), email: None };
        for written in [PHONE, "70000000001", " +70000000001 "] {
            assert_eq!(provider.first_chat(written), Ok(first.clone()), "{gateway}: {written}");
        }
        let refused = provider.first_chat("DEMO");
        assert!(matches!(refused, Err(NoFirstChat::Wrong(_))), "{gateway}: {refused:?}");
    }
}

#[tokio::test]
async fn each_gateway_refuses() {
    let world = World::start().await;
    refuses(&world, "texts", "?charset=utf-8&sha1=1").await;
    refuses(&world, "texts_ru", "").await;
    refuses(&world, "texts_twilio", "").await;
    world.fault(json!({"provider": "sms", "fault": "token_expired", "times": 1})).await;
    for account in ["texts", "texts_ru", "texts_twilio"] {
        let provider = provider(&world, account);
        let lost = provider.send(&text(PHONE, "x", 1)).await;
        assert!(matches!(lost, Outcome::SessionLost(_)), "{account}: {lost:?}");
        let error = provider.check().await.unwrap_err();
        assert!(!error.to_string().contains("planted"), "{error}");
    }
    assert!(world.ledger("sms").await.is_empty());
}

#[tokio::test]
async fn smsc_finds_what_it_has_and_takes_no_repeats() {
    let world = World::start().await;
    let (provider, receiver) = connected(&world, "texts", "?sha1=1").await;
    assert_eq!(provider.capabilities().dedup, Dedup::ReadBack);
    let since = Timestamp::from_micros(0);
    let out = text(PHONE, "Привет", 7);
    world.fault(json!({"provider": "sms", "method": "send", "fault": "cut", "times": 1})).await;
    assert!(matches!(provider.send(&out).await, Outcome::Unknown(_)));
    assert_eq!(provider.find(&out, since).await, MessageLookup::NotThere);
    world
        .fault(json!({"provider": "sms", "method": "send", "fault": "cut", "effect": true, "times": 1}))
        .await;
    assert!(matches!(provider.send(&out).await, Outcome::Unknown(_)));
    let MessageLookup::Here(found) = provider.find(&out, since).await else { panic!("it is there") };
    // Sent once more it is refused as a repeat, which is the message itself.
    assert_eq!(provider.send(&out).await, Outcome::Sent(found));
    // Another with the same text waits.
    let other = provider.send(&text(PHONE, "Привет", 8)).await;
    assert!(matches!(other, Outcome::Held { scope: HoldScope::Chat, .. }), "{other:?}");
    world.fault(json!({"provider": "sms", "method": "status", "fault": "error"})).await;
    assert!(matches!(provider.send(&text(PHONE, "Привет", 8)).await, Outcome::Unknown(_)));
    assert_eq!(provider.find(&out, since).await, MessageLookup::CannotTell);
    world.clear_faults().await;
    assert_eq!(world.ledger("sms").await.len(), 1);

    // Of windows-1251, as its address asks for no other.
    let done = world.customer(deed("texts", &json!({"text": "Ещё 2?"}))).await;
    let post = receiver.next().await;
    let events = provider.hook(&post).unwrap().events;
    let message = messages(&events)[0];
    assert_eq!((&*message.text, message.chat.as_str()), ("Ещё 2?", PHONE));
    assert_eq!(
        (message.external_id.as_str(), message.phone.as_ref().map(|phone| phone.value.as_str())),
        (done["message_id"].as_str().unwrap(), Some(PHONE))
    );
    let mut unsigned = post.clone();
    let form = String::from_utf8(post.body).unwrap();
    unsigned.body = form.split("&sha1").next().unwrap().as_bytes().to_vec();
    assert_eq!(provider.hook(&unsigned), Err(HookRefusal::NotGenuine));
}

#[tokio::test]
async fn sms_ru_wants_the_answer_100() {
    let world = World::start().await;
    let provider = provider(&world, "texts_ru");
    assert_eq!(provider.capabilities().dedup, Dedup::None);
    id_of(&provider.send(&text(PHONE, "x", 1)).await);
    let calls = std::sync::atomic::AtomicUsize::new(0);
    let of_hook = Arc::clone(&provider);
    let receiver = Receiver::answering(move |post| {
        let first = calls.fetch_add(1, std::sync::atomic::Ordering::Relaxed) == 0;
        let answer = of_hook.hook(post).map(|hook| hook.answer.body).unwrap_or_default();
        (200, if first { "ok".to_owned() } else { answer })
    })
    .await;
    let order = json!({"channel": "sms", "account": "texts_ru", "url": receiver.url});
    assert_eq!(world.type_hook(&order).await, 204);
    world.customer(deed("texts_ru", &json!({"action": "deliver"}))).await;
    let (first, again) = (receiver.next().await, receiver.next().await);
    assert_eq!(first.body, again.body);
    let hook = provider.hook(&again).unwrap();
    assert_eq!((hook.events.len(), hook.answer.body.as_str()), (1, "100"));
}

#[tokio::test]
async fn twilio_carries_files_and_hears_of_stops() {
    let world = World::start().await;
    let (provider, receiver) = connected(&world, "texts_twilio", "").await;
    assert_eq!(provider.capabilities().dedup, Dedup::None);
    let photo = MediaForm::Photo { width: 1, height: 1 };
    let bare = world.file(photo, "a.png", "image/png", b"planted");
    let refused = provider.send(&Outgoing { file: Some(bare), ..text(PHONE, "", 1) }).await;
    assert!(refused.detail().unwrap().contains("public_url"), "{refused:?}");
    let written = deed("texts_twilio", &json!({"text": "Look", "media": [{"kind": "image"}]}));
    let done = world.customer(written).await;
    let post = receiver.next().await;
    let events = provider.hook(&post).unwrap().events;
    let message = messages(&events)[0];
    assert_eq!((&*message.text, &json!(message.external_id)), ("Look", &done["message_id"]));
    let fetched = provider.fetch(&message.media[0], 1_000).await.unwrap();
    assert_eq!(fetched.mime.as_deref(), Some("image/jpeg"));
    assert_eq!(content_of(fetched).await, b"a pretend image");
    let mut elsewhere = post.clone();
    elsewhere.url = "https://example.com/hook".to_owned();
    assert_eq!(provider.hook(&elsewhere), Err(HookRefusal::NotGenuine));
    world.customer(deed("texts_twilio", &json!({"action": "block"}))).await;
    let events = provider.hook(&receiver.next().await).unwrap().events;
    assert!(matches!(events[1].change, InboundChange::Reachable { can: false, .. }), "{events:?}");
}

#[tokio::test]
async fn twilio_reports_to_an_address_that_was_not_connected() {
    let world = World::start().await;
    let receiver = Receiver::answering(|_| (200, String::new())).await;
    let setup = World::setup(world.fields_of("texts_twilio"));
    let provider = channels::make(Setup { hook_url: Some(receiver.url.clone()), ..setup }).unwrap();
    let id = id_of(&provider.send(&text(PHONE, "x", 1)).await);
    world.customer(deed("texts_twilio", &json!({"action": "deliver"}))).await;
    let events = provider.hook(&receiver.next().await).unwrap().events;
    let is_reported =
        matches!(&events[0].change, InboundChange::Receipt { external_id, .. } if *external_id == id);
    assert!(is_reported, "{events:?}");
}

#[tokio::test]
async fn any_other_gateway_takes_what_the_template_says() {
    let answers = std::sync::Mutex::new(vec![
        (200, r#"{"status": "ok", "result": {"id": 17}}"#),
        (200, r#"{"status": "no money"}"#),
        (200, "<html>"),
        (500, "{}"),
        (401, "{}"),
        (429, "{}"),
    ]);
    let gateway = Receiver::answering(move |post| {
        let is_check = post.method == "HEAD";
        let (status, body) = if is_check { (404, "") } else { answers.lock().unwrap().remove(0) };
        (status, body.to_owned())
    })
    .await;
    let made = |request: &str| {
        let keys = format!(
            "name = \"other\"\nchannel = \"sms\"\ngateway = \"http\"\napi = \"{}\"\ntoken = \"planted-token\"\nsender = \"DEMO\"\nrequest = '{request}'\n\
             success = \"/status=ok\"\nmessage_id = \"/result/id\"",
            gateway.url
        );
        channels::make(World::setup(toml::from_str(&keys).unwrap()))
    };
    let provider = made(r#"{"phone": "{to}", "message": "{text}", "from": "{sender}"}"#).unwrap();
    assert_eq!(provider.capabilities().dedup, Dedup::None);
    provider.check().await.unwrap();
    assert_eq!(gateway.next().await.method, "HEAD");
    let words = "Привет \"{token}\" & co";
    assert_eq!(id_of(&provider.send(&text(PHONE, words, 1)).await), "17");
    let post = gateway.next().await;
    let body: Value = serde_json::from_slice(&post.body).unwrap();
    assert_eq!(body, json!({"phone": PHONE, "message": words, "from": "DEMO"}));
    assert_eq!(post.header("authorization"), Some(b"Bearer planted-token".as_slice()));
    for wanted in ["Rejected", "Unknown", "Unknown", "SessionLost", "Held"] {
        let outcome = provider.send(&text(PHONE, "x", 2)).await;
        assert!(format!("{outcome:?}").starts_with(wanted), "{wanted}: {outcome:?}");
    }
    for request in ["to={to}", "text={text}", r#"{"to": {to}, "text": {text}}"#] {
        let error = made(request).err().unwrap();
        assert!(error.to_string().starts_with("`request`"), "{error}");
    }
}
