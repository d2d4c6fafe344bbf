//! MAX: a bot is written to, answers, and meets what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use channels::{CallError, Deed, HookPost, HookRefusal, Outgoing};
use config::ChannelKind;
use delivery::{Dedup, MessageLookup};
use domain::media::MediaForm;
use domain::text::{ParseMode, parse};
use domain::{InboundChange, InboundKind, MessageOrigin, Outcome, ProviderId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{self, Receiver, World, messages};

const CHAT: &str = "1000000007";

fn id_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent(ids) => match ids.first() {
            Some(ProviderId::Text(id)) => id.to_string(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn writes(text: &str) -> Value {
    json!({"channel": "max", "from": 7, "name": "Ivan Petrov", "text": text})
}

#[tokio::test]
async fn a_bot_posted_to_hears_all_and_answers() {
    let world = World::start().await;
    let max = world.provider(ChannelKind::Max);
    let who = max.check().await.unwrap();
    assert_eq!((who.id.as_str(), who.name.as_str(), who.missing.len()), ("9001", "Demo assistant", 0));
    let receiver = Receiver::start(Arc::clone(&max)).await;
    max.register("https://example.com/old").await.unwrap();
    max.register(&receiver.url).await.unwrap();
    assert_eq!(max.registered().unwrap().await.unwrap().urls, std::slice::from_ref(&receiver.url));

    let wrote = world.customer(writes("Hello")).await;
    let post = receiver.next().await;
    let hook = max.hook(&post).unwrap();
    let [heard] = messages(&hook.events)[..] else { panic!("{hook:?}") };
    assert_eq!(
        (heard.chat.as_str(), &*heard.text, heard.name.as_deref()),
        (CHAT, "Hello", Some("Ivan Petrov"))
    );
    assert_eq!(heard.external_id, wrote["message_id"]);
    assert_eq!(hook, max.hook(&post).unwrap());

    let mut answer = support::text(CHAT, "Hi", 1);
    answer.reply_to = Some(ProviderId::from(heard.external_id.as_str()));
    let sent = id_of(&max.send(&answer).await);
    let formatted =
        Outgoing { text: parse(ParseMode::Html, "<b>a</b> &lt; b").unwrap(), ..support::text(CHAT, "", 2) };
    id_of(&max.send(&formatted).await);
    let chat = &answer.chat;
    max.act(chat, &Deed::Edit { external_id: sent.clone(), text: "Hi!".to_owned() }).await.unwrap();
    max.act(chat, &Deed::Typing).await.unwrap();
    max.act(chat, &Deed::MarkRead { external_id: None }).await.unwrap();
    max.act(chat, &Deed::Delete { external_id: sent.clone() }).await.unwrap();
    let gone = max.act(chat, &Deed::Delete { external_id: sent.clone() }).await;
    assert!(matches!(gone, Err(CallError::NotFound(_))), "{gone:?}");
    let ledger = world.ledger("max").await;
    let did: Vec<_> =
        ledger.iter().map(|row| (row["method"].as_str().unwrap(), row["text"].as_str().unwrap())).collect();
    let wanted = [
        ("POST /messages", "Hi"),
        ("POST /messages", "a < b"),
        ("PUT /messages", "Hi!"),
        ("typing_on", ""),
        ("mark_seen", ""),
        ("DELETE /messages", ""),
    ];
    assert_eq!(did, wanted);
    assert_eq!(ledger[0]["external_id"], sent);

    let mid = &heard.external_id;
    world
        .customer(json!({"channel": "max", "from": 7, "action": "edit", "message_id": mid, "text": "New"}))
        .await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert!(
        matches!(&hook.events[0].change, InboundChange::Edited { external_id, text, .. } if external_id == mid && &**text == "New")
    );
    world.customer(json!({"channel": "max", "from": 7, "action": "delete", "message_id": mid})).await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert!(
        matches!(&hook.events[0].change, InboundChange::Deleted { external_id, .. } if external_id == mid)
    );
    world.customer(json!({"channel": "max", "from": 7, "action": "press", "text": "a=1"})).await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert_eq!((messages(&hook.events)[0].chat.as_str(), &*messages(&hook.events)[0].text), (CHAT, "a=1"));
    let gone =
        json!({"channel": "max", "from": 7, "action": "press", "text": "b", "extra": {"message": "gone"}});
    world.customer(gone).await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert_eq!(messages(&hook.events)[0].chat.as_str(), "user:7");
    id_of(&max.send(&support::text("user:7", "Pressed", 3)).await);

    world.customer(json!({"channel": "max", "from": 7, "action": "block"})).await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert!(matches!(hook.events[0].change, InboundChange::Reachable { can: false, .. }));
    let refused = max.send(&support::text(CHAT, "Still there?", 4)).await;
    assert!(matches!(refused, Outcome::Forbidden(_)), "{refused:?}");
    world.customer(json!({"channel": "max", "from": 7, "action": "unblock", "subject": "ad42"})).await;
    let hook = max.hook(&receiver.next().await).unwrap();
    assert!(matches!(hook.events[0].change, InboundChange::Reachable { can: true, .. }));
    assert_eq!(messages(&hook.events)[0].ad.as_ref().and_then(|ad| ad.id.as_deref()), Some("ad42"));

    let mut forged = writes("Not me");
    forged["forged"] = true.into();
    world.customer(forged).await;
    let post = receiver.next().await;
    assert_eq!(max.hook(&post), Err(HookRefusal::NotGenuine));
    let unsigned = HookPost { headers: Vec::new(), ..post };
    assert_eq!(max.hook(&unsigned), Err(HookRefusal::NotGenuine));
    max.unregister(&receiver.url).await.unwrap();
    assert!(max.registered().unwrap().await.unwrap().urls.is_empty());
}

#[tokio::test]
async fn a_bot_that_polls_hears_files_and_goes_on() {
    let world = World::start().await;
    let max = world.provider(ChannelKind::Max);
    let kinds = ["image", "voice", "video", "document", "sticker"];
    let media: Vec<_> = kinds.iter().map(|kind| json!({"kind": kind, "name": "price.pdf"})).collect();
    let mut deed = writes("Look");
    deed["media"] = media.into();
    deed["phone"] = "+70000000001".into();
    world.customer(deed).await;
    let polled = max.poll(None).unwrap().await.unwrap();
    let events = max.complete(polled.events).await;
    let heard = messages(&events)[0];
    assert_eq!(heard.phone.as_deref(), Some("+70000000001"));
    let wanted = [
        InboundKind::Image,
        InboundKind::Voice,
        InboundKind::Video,
        InboundKind::Document,
        InboundKind::Sticker,
    ];
    assert_eq!(heard.media.iter().map(|media| media.kind).collect::<Vec<_>>(), wanted);
    for (media, kind) in heard.media.iter().zip(kinds) {
        assert!(media.url.is_some(), "{media:?}");
        assert_eq!(max.fetch(media, 1_000).await.unwrap().content, format!("a pretend {kind}").into_bytes());
        assert!(max.fetch(media, 3).await.is_err());
    }
    assert_eq!(heard.media[3].name.as_deref(), Some("price.pdf"));

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
async fn each_kind_of_file_arrives_once_and_whole() {
    let world = World::start().await;
    let setup = World::setup(world.fields(ChannelKind::Max));
    let clock = setup.clock.clone();
    let max = channels::make(setup).unwrap();
    world.customer(writes("Hello")).await;
    let forms = [
        (MediaForm::Photo { width: 1, height: 1 }, "image"),
        (MediaForm::Voice { duration_ms: 1 }, "audio"),
        (MediaForm::Document, "file"),
        (MediaForm::Video { width: 1, height: 1, duration_ms: 1, streamable: true, silent: false }, "video"),
    ];
    for (key, (form, kind)) in (10..).zip(forms) {
        let file = world.file(form, kind, "application/x-test", format!("content of {kind}").as_bytes());
        let mut outgoing = Outgoing { file: Some(file), ..support::text(CHAT, "Caption", key) };
        let unprepared = max.send(&outgoing).await;
        assert!(matches!(unprepared, Outcome::Unprepared(_)), "{unprepared:?}");
        outgoing.prepared = max.prepare(&outgoing).await.unwrap();
        let sent = id_of(&support::hurried(&clock, Duration::from_secs(1), max.send(&outgoing)).await);
        let since = Clock::system().now().minus(Duration::from_secs(20));
        // What was sent has its answer, so that it is not the one that is looked for.
        assert_eq!(max.find(&outgoing, since).await, MessageLookup::NotThere);
        let other = world.provider(ChannelKind::Max);
        let MessageLookup::Here(ids) = other.find(&outgoing, since).await else { panic!("{kind}") };
        assert_eq!(ids.first(), Some(&ProviderId::from(sent.as_str())));
    }
    let ledger = world.ledger("max").await;
    let rows: Vec<_> = ledger.iter().map(|row| json!([row["file_kind"], row["file_md5"]])).collect();
    let wanted = [
        json!(["image", "98ae5b0454b45e59cfe5920ce0d771f6"]),
        json!(["audio", "7ecdc9e11fd06f5b406419acaea91ef5"]),
        json!(["file", "8ee9f87775b63ff6099d452bb78fa7fb"]),
        json!(["video", "dcd46514d5a1b9e4525de6f01827d29b"]),
    ];
    assert_eq!(rows, wanted);
    assert!(ledger.iter().all(|row| row["text"] == "Caption"));
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
async fn unclear_answers_are_looked_for() {
    let world = World::start().await;
    world.customer(writes("Hello")).await;
    let made = || {
        let setup = World::setup(world.fields(ChannelKind::Max));
        (setup.clock.clone(), channels::make(setup).unwrap())
    };
    let mut key = 0;
    for (fault, code) in [("error", 500), ("garbage", 200), ("cut", 200), ("deaf", 200)] {
        for effect in [true, false] {
            let order = json!({"provider": "max", "method": "/messages", "fault": fault, "code": code,
                "effect": effect, "times": 1});
            world.fault(order).await;
            key += 1;
            let (clock, max) = made();
            let since = clock.now();
            let outgoing = support::text(CHAT, &format!("{fault} {effect}"), key);
            let is_deaf = fault == "deaf";
            let outcome = if is_deaf {
                support::hurried(&clock, Duration::from_secs(4), max.send(&outgoing)).await
            } else {
                max.send(&outgoing).await
            };
            assert!(matches!(outcome, Outcome::Unknown(_)), "{fault}: {outcome:?}");
            if !effect && !is_deaf {
                assert_eq!(max.find(&outgoing, since).await, MessageLookup::CannotTell);
            }
            clock.advance(Duration::from_secs(10));
            let found = max.find(&outgoing, since).await;
            assert_eq!(matches!(found, MessageLookup::Here(_)), effect, "{fault}: {found:?}");
            assert_eq!(found == MessageLookup::NotThere, !effect);
        }
    }
    let (clock, max) = made();
    assert_eq!(max.capabilities().dedup, Dedup::ReadBack);
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
    assert!(max.hook(&post(&secret, br#"{"update_type":"news"}"#)).unwrap().events.is_empty());

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
