//! MAX: a bot is written to, answers, and meets what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use channels::{CallError, HookPost, HookRefusal, OldCall, Outgoing};
use config::ChannelKind;
use delivery::MessageLookup;
use domain::media::MediaForm;
use domain::text::{ParseMode, parse};
use domain::{ExternalChat, MessageOrigin, Outcome, ProviderId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::it::support::{self, Receiver, World, id_of, messages};

const CHAT: &str = "1000000007";

fn writes(text: &str) -> Value {
    json!({"channel": "max", "from": 7, "name": "Ivan Petrov", "text": text})
}

#[tokio::test]
async fn names_links_and_buttons_are_read() {
    let world = World::start().await;
    let max = world.provider(ChannelKind::Max);
    let who = max.check().await.unwrap();
    assert_eq!((who.id.as_str(), who.name.as_str(), who.missing.len()), ("9001", "Demo assistant", 0));
    let receiver = Receiver::start(Arc::clone(&max)).await;
    max.register("https://example.com/old").await.unwrap();
    max.register(&receiver.url).await.unwrap();
    assert_eq!(max.registered().unwrap().await.unwrap().urls, std::slice::from_ref(&receiver.url));

    world.customer(writes("Hello")).await;
    let post = receiver.next().await;
    let hook = max.hook(&post).unwrap();
    assert_eq!(messages(&hook.events)[0].name.as_deref(), Some("Ivan Petrov"));
    let unsigned = HookPost { headers: Vec::new(), ..post };
    assert_eq!(max.hook(&unsigned), Err(HookRefusal::NotGenuine));
    let formatted =
        Outgoing { text: parse(ParseMode::Html, "<b>a</b> &lt; b").unwrap(), ..support::text(CHAT, "", 2) };
    id_of(&max.send(&formatted).await);
    assert_eq!(world.ledger("max").await[0]["text"], "a < b");

    let gone =
        json!({"channel": "max", "from": 7, "action": "press", "text": "b", "extra": {"message": "gone"}});
    world.customer(gone).await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert_eq!(messages(&hook.events)[0].chat.as_str(), "user:7");
    id_of(&max.send(&support::text("user:7", "Pressed", 3)).await);
    world.customer(json!({"channel": "max", "from": 7, "action": "unblock", "subject": "ad42"})).await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert_eq!(messages(&hook.events)[0].ad.as_ref().and_then(|ad| ad.id.as_deref()), Some("ad42"));
}

#[tokio::test]
async fn what_was_not_posted_is_read_from_known_chats() {
    let world = World::start().await;
    let max = world.provider(ChannelKind::Max);
    let since = Clock::system().now();
    let mids = [world.customer(writes("Hello")).await, world.customer(writes("Are you there?")).await]
        .map(|done| done["message_id"].as_str().unwrap().to_owned());
    let known = |names: &[&str]| names.iter().filter_map(|name| ExternalChat::new(name)).collect::<Vec<_>>();
    let read = max.missed(since, known(&["user:7", CHAT])).unwrap().await.unwrap();
    let found: Vec<_> = messages(&read.events)
        .into_iter()
        .map(|message| (message.external_id.clone(), message.text.as_str().to_owned(), message.origin))
        .collect();
    let [first, second] = mids;
    let (origin, texts) = (MessageOrigin::Person, ["Hello", "Are you there?"].map(str::to_owned));
    let [hello, there] = texts;
    assert_eq!(found, [(first, hello, origin), (second, there, origin)]);
    let read = max.missed(since, known(&["5", CHAT])).unwrap().await.unwrap();
    assert_eq!((read.failed.len(), read.events.len()), (1, 2));
    assert!(max.missed(since, Vec::new()).unwrap().await.unwrap().events.is_empty());
}

#[tokio::test]
async fn a_bot_that_polls_goes_on_where_it_was() {
    let world = World::start().await;
    let max = world.provider(ChannelKind::Max);
    let mut deed = writes("Look");
    deed["media"] = json!([{"kind": "video"}, {"kind": "document", "name": "price.pdf"}]);
    deed["phone"] = "+70000000001".into();
    world.customer(deed).await;
    let polled = max.poll(None).unwrap().await.unwrap();
    let events = max.complete(polled.events).await;
    let received = messages(&events)[0];
    assert_eq!(received.phone.as_ref().map(|phone| phone.value.as_str()), Some("+70000000001"));
    assert!(received.media[0].url.is_some());
    assert_eq!(received.media[1].name.as_deref(), Some("price.pdf"));

    world.customer(writes("Second")).await;
    let cursor = polled.cursor.unwrap();
    let next = max.poll(Some(&cursor)).unwrap().await.unwrap();
    assert_eq!(messages(&next.events).iter().map(|it| &*it.text).collect::<Vec<_>>(), ["Second"]);
    let later = next.cursor.unwrap();
    let none = max.poll(Some(&later)).unwrap().await.unwrap();
    assert_eq!((none.events.len(), none.cursor.as_ref()), (0, Some(&later)));
    max.register("https://example.com/hook").await.unwrap();
    assert!(max.poll(Some(&later)).unwrap().await.is_err());
}

#[tokio::test]
async fn a_file_is_uploaded_first_and_looked_for() {
    let world = World::start().await;
    let setup = World::setup(world.fields(ChannelKind::Max));
    let clock = setup.clock.clone();
    let max = channels::make(setup).unwrap();
    world.customer(writes("Hello")).await;
    let file = world.file(MediaForm::Document, "a.pdf", "application/pdf", b"content");
    let mut outgoing = Outgoing { file: Some(file), ..support::text(CHAT, "Caption", 10) };
    let unprepared = max.send(&outgoing).await;
    assert!(matches!(unprepared, Outcome::Unprepared(_)), "{unprepared:?}");
    outgoing.prepared = max.prepare(&outgoing).await.unwrap();
    let sent = id_of(&support::hurried(&clock, Duration::from_secs(1), max.send(&outgoing)).await);
    let since = Clock::system().now().minus(Duration::from_secs(20));
    // What was sent has its answer, so that it is not the one that is looked for.
    assert_eq!(max.find(&outgoing, since).await, MessageLookup::NotThere);
    let other = world.provider(ChannelKind::Max);
    let MessageLookup::Here(ids) = other.find(&outgoing, since).await else { panic!("it is there") };
    assert_eq!(ids.first(), Some(&ProviderId::from(sent.as_str())));
    let mut gone = Outgoing {
        file: Some(world.file(MediaForm::Document, "gone", "", b"x")),
        ..support::text(CHAT, "", 30)
    };
    std::fs::remove_file(&gone.file.as_ref().unwrap().path).unwrap();
    assert!(matches!(max.prepare(&gone).await, Err(Outcome::MediaGone(_))));
    gone.file.as_mut().unwrap().size = 5 * 1024 * 1024 * 1024;
    assert!(matches!(max.prepare(&gone).await, Err(Outcome::Rejected { .. })));
}

#[tokio::test]
async fn each_refusal_of_a_send_has_its_outcome() {
    let world = World::start().await;
    world.customer(writes("Hello")).await;
    let setup = World::setup(world.fields(ChannelKind::Max));
    let clock = setup.clock.clone();
    let max = channels::make(setup).unwrap();
    for (status, body, wanted) in [
        (401, r#"{"code":"verify.token","message":"Invalid access_token"}"#, "SessionLost"),
        (200, r#"{"success":false,"message":"no"}"#, "Rejected"),
        (200, r#"{"message":{"body":{}}}"#, "Unknown"),
        (429, "", "Held"),
    ] {
        let order = json!({"provider": "max", "method": "/messages", "fault": "error", "code": status,
            "message": body, "times": 1});
        world.fault(order).await;
        let outcome = max.send(&support::text(CHAT, "x", 100)).await;
        assert!(format!("{outcome:?}").starts_with(wanted), "{outcome:?}");
    }
    world.fault(json!({"provider": "max", "fault": "rate_limit", "seconds": 7, "times": 1})).await;
    let Outcome::Held { until, .. } = max.send(&support::text(CHAT, "x", 101)).await else { panic!() };
    assert!((6..=7).contains(&until.since(clock.now()).as_secs()));
    for chat in ["5", "not-a-number"] {
        assert!(matches!(max.send(&support::text(chat, "x", 102)).await, Outcome::NotFound(_)));
    }
    world.fault(json!({"provider": "max", "method": "/uploads", "fault": "cut", "times": 1})).await;
    let file = world.file(MediaForm::Document, "f", "text/plain", b"x");
    let upload = Outgoing { file: Some(file), ..support::text(CHAT, "", 103) };
    assert!(matches!(max.prepare(&upload).await, Err(Outcome::Unavailable(_))));
}

#[tokio::test]
async fn own_messages_in_a_dialog_are_the_owners() {
    let world = World::start().await;
    let setup = World::setup(world.fields(ChannelKind::Max));
    let secret = setup.header_secret();
    let max = channels::make(setup).unwrap();
    let message = json!({"sender": {"user_id": 9001, "is_bot": true}, "timestamp": 1,
        "recipient": {"chat_id": 5, "chat_type": "dialog", "user_id": 7}, "body": {"mid": "mid.1", "text": "Hi"}});
    let update = json!({"update_type": "message_created", "timestamp": 1, "message": message});
    let hook = max.hook(&post(&secret, update.to_string().as_bytes())).unwrap();
    assert_eq!(messages(&hook.events)[0].origin, MessageOrigin::Owner);
    assert!(matches!(max.hook(&post(&secret, b"<html>")), Err(HookRefusal::Unreadable(_))));
    let news = max.hook(&post(&secret, br#"{"update_type":"news"}"#)).unwrap().events;
    assert_eq!(news, [domain::InboundEvent::notice("an update of the kind news")]);

    let mut runner = proptest::test_runner::TestRunner::default();
    let bodies =
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), ".{0,200}".prop_map(String::into_bytes)];
    let never_panics = |body: Vec<u8>| {
        let _ = max.hook(&post(&secret, &body));
        Ok(())
    };
    runner.run(&bodies, never_panics).unwrap();
}

fn post(secret: &domain::SecretText, body: &[u8]) -> HookPost {
    use domain::secret::ExposeSecret;
    HookPost {
        method: "POST".to_owned(),
        url: "https://example.com/hooks/max/assistant/x".to_owned(),
        query: String::new(),
        headers: vec![("x-max-bot-api-secret".to_owned(), secret.expose_secret().as_bytes().to_vec())],
        body: body.to_vec(),
    }
}

#[tokio::test]
async fn a_certificate_is_taken_from_ca_file_alone() {
    let world = World::start().await;
    let fields = world.fields(ChannelKind::Max);
    assert!(fields.api().starts_with("https://127.0.0.1:"));
    channels::make(World::setup(fields.clone())).unwrap().check().await.unwrap();
    let without = config::ChannelFields { ca_file: None, ..fields };
    let error = channels::make(World::setup(without)).unwrap().check().await.unwrap_err();
    assert!(matches!(error, CallError::Unreached(_)), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("certificate") && text.contains("ca_file"), "{text}");
}

#[tokio::test]
async fn presses_are_answered_and_members_listed() {
    let world = World::start().await;
    let max = world.provider(ChannelKind::Max);
    let receiver = Receiver::start(Arc::clone(&max)).await;
    max.register(&receiver.url).await.unwrap();
    world.customer(writes("Hello")).await;
    receiver.next().await;
    let chat = ExternalChat::new(CHAT).unwrap();
    let members = async |marker| {
        max.old_call(&OldCall::Members { chat: chat.clone(), count: 1, marker }).await.unwrap()
    };
    let first = members(None).await;
    assert_eq!((&first["members"][0]["user_id"], &first["marker"]), (&json!(7), &json!(1)));
    let second = members(Some(1)).await;
    assert_eq!((&second["members"][0]["user_id"], &second["marker"]), (&json!(9001), &Value::Null));
    let show = async |chat: &str, action: &str| {
        let (chat, action) = (ExternalChat::new(chat).unwrap(), action.to_owned());
        max.old_call(&OldCall::ShowAction { chat, action }).await
    };
    assert_eq!(show(CHAT, "sending_photo").await, Ok(json!({ "success": true })));
    assert!(matches!(show(CHAT, "dance").await, Err(CallError::Refused { .. })));
    assert!(matches!(show("user:7", "sending_photo").await, Err(CallError::NotFound(_))));

    let question = id_of(&max.send(&support::text(CHAT, "Shall I come?", 1)).await);
    let press =
        json!({"channel": "max", "from": 7, "action": "press", "text": "yes", "message_id": question});
    world.customer(press).await;
    let posted: Value = serde_json::from_slice(&receiver.next().await.body).unwrap();
    let callback = posted["callback"]["callback_id"].as_str().unwrap().to_owned();
    let answer = async |callback: &str, notification: Option<&str>, message| {
        let (callback, notification) = (callback.to_owned(), notification.map(str::to_owned));
        max.old_call(&OldCall::AnswerPress { callback, notification, message }).await
    };
    let coming = Some(json!({ "text": "I come." }));
    assert_eq!(answer(&callback, Some("Noted"), coming).await, Ok(json!({ "success": true })));
    assert!(matches!(answer(&callback, None, None).await, Err(CallError::Refused { .. })));
    assert!(matches!(answer("f9L0", Some("Noted"), None).await, Err(CallError::NotFound(_))));
    let lost = json!({"provider": "max", "method": "/answers", "fault": "cut", "effect": true, "times": 1});
    world.fault(lost).await;
    let unclear = answer(&callback, Some("Twice?"), None).await.unwrap_err();
    assert!(!unclear.proves_nothing_done(), "{unclear:?}");
    let ledger = world.ledger("max").await;
    let texts: Vec<_> = ledger.iter().filter_map(|it| it["text"].as_str()).collect();
    assert_eq!(texts[texts.len() - 4..], ["Shall I come?", "I come.", "Noted", "Twice?"]);
}

#[tokio::test]
async fn buttons_go_with_a_text() {
    let world = World::start().await;
    let max = world.provider(ChannelKind::Max);
    world.customer(writes("Hello")).await;
    let with = |label: &str, key| {
        let button = json!({ "type": "callback", "text": label, "payload": "y" });
        let keyboard = json!({ "type": "inline_keyboard", "payload": { "buttons": [[button]] } });
        let options = json!({ "attachments": [keyboard] });
        Outgoing { provider_options: Some(options), ..support::text(CHAT, "Choose", key) }
    };
    id_of(&max.send(&with("Yes", 1)).await);
    let refused = max.send(&with("", 2)).await;
    assert!(matches!(refused, Outcome::Rejected { .. }), "{refused:?}");
    assert_eq!(world.ledger("max").await.len(), 1);
}
