//! Gateways for short messages: each is sent to, tells what became of it, and refuses.

use std::sync::Arc;

use channels::{CallError, HookRefusal, Outgoing, Provider};
use delivery::{Dedup, MessageLookup};
use domain::media::MediaForm;
use domain::outcome::HoldScope;
use domain::{InboundChange, InboundReceipt, Outcome, ProviderId, Timestamp};
use serde_json::{Value, json};

use crate::support::{Receiver, World, messages, text};

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

/// Sends, has it delivered, not delivered, and told of by another; the ledger has each once.
async fn goes_and_is_told(world: &World, account: &str, query: &str) {
    let (provider, receiver) = connected(world, account, query).await;
    assert!(provider.check().await.unwrap().missing.is_empty());
    let sent = id_of(&provider.send(&text(PHONE, &format!("Привет {account}"), 1)).await);
    let ledger = world.ledger("sms").await;
    let of_account: Vec<&Value> = ledger.iter().filter(|entry| entry["account"] == account).collect();
    assert_eq!(of_account.len(), 1, "{ledger:?}");
    assert_eq!((&of_account[0]["chat_id"], &of_account[0]["external_id"]), (&json!(PHONE), &json!(sent)));

    for (action, wanted) in [("deliver", true), ("undeliver", false)] {
        world.customer(deed(account, &json!({"action": action}))).await;
        let events = provider.hook(&receiver.next().await).unwrap().events;
        let [event] = &events[..] else { panic!("{events:?}") };
        let InboundChange::Receipt { external_id, receipt, .. } = &event.change else { panic!("{event:?}") };
        assert_eq!((external_id, *receipt == InboundReceipt::Delivered), (&sent, wanted));
    }
    world.customer(deed(account, &json!({"action": "deliver", "forged": true}))).await;
    assert_eq!(provider.hook(&receiver.next().await), Err(HookRefusal::NotGenuine));
    let refused = provider.send(&text("+7", "x", 2)).await;
    assert!(matches!(refused, Outcome::NotFound(_)), "{refused:?}");
    world.customer(deed(account, &json!({"action": "block"}))).await;
    let refused = provider.send(&text(PHONE, "blocked", 3)).await;
    assert!(matches!(refused, Outcome::Forbidden(_)), "{refused:?}");
    world.fault(json!({"provider": "sms", "fault": "rate_limit", "seconds": 60, "times": 1})).await;
    let held = provider.send(&text(PHONE, "held", 4)).await;
    assert!(matches!(held, Outcome::Held { scope: HoldScope::Account, .. }), "{held:?}");
    for fault in ["error", "garbage", "cut"] {
        world.fault(json!({"provider": "sms", "fault": fault, "times": 1})).await;
        let unclear = provider.send(&text(PHONE, "unclear", 5)).await;
        assert!(matches!(unclear, Outcome::Unknown(_)), "{fault}: {unclear:?}");
    }
}

#[tokio::test]
async fn each_gateway_sends_and_tells() {
    let world = World::start().await;
    goes_and_is_told(&world, "texts", "?charset=utf-8&sha1=1").await;
    goes_and_is_told(&world, "texts_ru", "").await;
    goes_and_is_told(&world, "texts_twilio", "").await;
    world.fault(json!({"provider": "sms", "fault": "token_expired", "times": 1})).await;
    for account in ["texts", "texts_ru", "texts_twilio"] {
        let provider = provider(&world, account);
        let lost = provider.send(&text(PHONE, "x", 1)).await;
        assert!(matches!(lost, Outcome::SessionLost(_)), "{account}: {lost:?}");
        let error = provider.check().await.unwrap_err();
        assert!(!error.to_string().contains("planted"), "{error}");
    }
    assert_eq!(world.ledger("sms").await.len(), 3);
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
        (message.external_id.as_str(), message.phone.as_deref()),
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
    let bare = world.file(photo.clone(), "a.png", "image/png", b"planted");
    let refused = provider.send(&Outgoing { file: Some(bare), ..text(PHONE, "", 1) }).await;
    assert!(refused.detail().unwrap().contains("public_url"), "{refused:?}");
    for (form, mime, kind) in [
        (photo, "image/png", "image"),
        (
            MediaForm::Video { width: 1, height: 1, duration_ms: 1, streamable: true, silent: false },
            "video/mp4",
            "video",
        ),
        (MediaForm::Animation { width: 1, height: 1, duration_ms: 1 }, "image/gif", "image"),
        (MediaForm::Voice { duration_ms: 1 }, "audio/ogg", "audio"),
        (MediaForm::Audio { duration_ms: 1 }, "audio/mpeg", "audio"),
        (MediaForm::Document, "application/pdf", "application"),
    ] {
        let file = world.served_file(form, "planted", mime, b"planted").await;
        id_of(&provider.send(&Outgoing { file: Some(file), ..text(PHONE, "caption", 1) }).await);
        let last = world.ledger("sms").await.pop().unwrap();
        assert_eq!((&last["file_kind"], &last["text"]), (&json!(kind), &json!("caption")));
        assert_eq!(last["file_md5"], "08297c071792bd9856adcc8299be428e");
    }
    let written = deed("texts_twilio", &json!({"text": "Look", "media": [{"kind": "image"}]}));
    let done = world.customer(written).await;
    let post = receiver.next().await;
    let events = provider.hook(&post).unwrap().events;
    let message = messages(&events)[0];
    assert_eq!((&*message.text, &json!(message.external_id)), ("Look", &done["message_id"]));
    let fetched = provider.fetch(&message.media[0], 1_000).await.unwrap();
    assert_eq!(
        (fetched.content.as_slice(), fetched.mime.as_deref()),
        (b"a pretend image".as_slice(), Some("image/jpeg"))
    );
    let mut elsewhere = post.clone();
    elsewhere.url = "https://example.com/hook".to_owned();
    assert_eq!(provider.hook(&elsewhere), Err(HookRefusal::NotGenuine));
    world.customer(deed("texts_twilio", &json!({"action": "block"}))).await;
    let events = provider.hook(&receiver.next().await).unwrap().events;
    assert!(matches!(events[1].change, InboundChange::Reachable { can: false, .. }), "{events:?}");
}

#[tokio::test]
async fn smpp_is_refused_in_words() {
    let world = World::start().await;
    let mut fields = world.fields_of("texts");
    fields.gateway = Some(config::SmsGateway::Smpp);
    let error = channels::make(World::setup(fields)).err().unwrap();
    assert!(error.to_string().contains("SMPP"), "{error}");
}
