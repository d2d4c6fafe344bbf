//! WhatsApp through Wappi: a number is written to, answers, and meets what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use channels::{CallError, Deed, HookPost, HookRefusal, LogIn, OldCall, Outgoing, OutgoingFile, Provider};
use config::ChannelKind;
use delivery::MessageLookup;
use domain::media::MediaForm;
use domain::{InboundChange, InboundEvent, InboundKind, MessageOrigin, Outcome, ProviderId};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::it::support::{self, Receiver, World, content_of, messages};

const CHAT: &str = "70000000001@c.us";

fn id_of(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Sent(ids) => match ids.first() {
            Some(ProviderId::Text(id)) => id.to_string(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

fn does(action: &str, more: &Value) -> Value {
    let mut deed = json!({"channel": "whatsapp", "from": "70000000001", "action": action, "name": "Ivan"});
    for (key, value) in more.as_object().into_iter().flatten() {
        deed[key] = value.clone();
    }
    deed
}

async fn next(receiver: &Receiver, whatsapp: &Arc<dyn Provider>) -> Vec<InboundEvent> {
    whatsapp.hook(&receiver.next().await).unwrap().events
}

#[tokio::test]
async fn a_number_hears_all_and_answers() {
    let world = World::start().await;
    let whatsapp = world.provider(ChannelKind::Whatsapp);
    let who = whatsapp.check().await.unwrap();
    assert_eq!((who.id.as_str(), who.name.as_str(), who.missing.len()), ("1a2b3c4d-5e6f", "+70000000009", 0));
    let receiver = Receiver::start(Arc::clone(&whatsapp)).await;
    whatsapp.register(&receiver.url).await.unwrap();
    let registered = whatsapp.registered().unwrap().await.unwrap();
    assert_eq!((registered.urls, registered.last_error), (vec![receiver.url.clone()], None));

    let wrote = world.customer(does("write", &json!({"text": "Hello"}))).await;
    let post = receiver.next().await;
    let events = whatsapp.hook(&post).unwrap().events;
    let [message] = messages(&events)[..] else { panic!("{events:?}") };
    assert_eq!(
        (message.chat.as_str(), &*message.text, message.name.as_deref()),
        (CHAT, "Hello", Some("Ivan"))
    );
    assert_eq!(
        (message.external_id.as_str(), message.phone.as_ref().map(|phone| phone.value.as_str())),
        (wrote["message_id"].as_str().unwrap(), Some("+70000000001"))
    );
    assert_eq!(events, whatsapp.hook(&post).unwrap().events);

    let mut answer = support::text(CHAT, "Hi", 1);
    answer.reply_to = Some(ProviderId::from(message.external_id.as_str()));
    let sent = id_of(&whatsapp.send(&answer).await);
    let echo = next(&receiver, &whatsapp).await;
    let [echoed] = messages(&echo)[..] else { panic!("{echo:?}") };
    assert_eq!((echoed.external_id.as_str(), echoed.origin), (sent.as_str(), MessageOrigin::Owner));
    assert!(next(&receiver, &whatsapp).await.is_empty());
    assert!(next(&receiver, &whatsapp).await.is_empty());
    let chat = &answer.chat;
    assert!(whatsapp.act(chat, &Deed::MarkRead { external_id: None }).await.is_err());
    for more in [json!({"text": "Me"}), json!({"text": "Me too", "extra": {"as": "incoming"}})] {
        world.customer(does("owner_writes", &more)).await;
        let events = next(&receiver, &whatsapp).await;
        assert_eq!(messages(&events)[0].origin, MessageOrigin::Owner);
        assert_eq!(messages(&events)[0].user.as_deref(), Some("70000000001"));
    }
    world.customer(does("write", &json!({"from": "777@lid", "text": "Hidden"}))).await;
    let events = next(&receiver, &whatsapp).await;
    assert_eq!((messages(&events)[0].chat.as_str(), &messages(&events)[0].phone), ("777@lid", &None));

    whatsapp.unregister("https://example.com/other").await.unwrap();
    assert_eq!(whatsapp.registered().unwrap().await.unwrap().urls.len(), 1);
}

#[tokio::test]
async fn files_come_in_and_go_out_whole() {
    let world = World::start().await;
    let whatsapp = world.provider(ChannelKind::Whatsapp);
    let receiver = Receiver::start(Arc::clone(&whatsapp)).await;
    whatsapp.register(&receiver.url).await.unwrap();
    let kinds = ["image", "voice", "audio", "video", "document", "sticker"];
    for extra in [json!({}), json!({"link": "hidden"})] {
        let media: Vec<_> = kinds.iter().map(|kind| json!({"kind": kind, "name": "price.pdf"})).collect();
        world.customer(does("write", &json!({"text": "Look", "media": media, "extra": extra}))).await;
        let events = next(&receiver, &whatsapp).await;
        let events = whatsapp.complete(events).await;
        let written = messages(&events);
        assert_eq!((written.len(), &*written[0].text), (6, "Look"));
        let wanted = [
            InboundKind::Image,
            InboundKind::Voice,
            InboundKind::Audio,
            InboundKind::Video,
            InboundKind::Document,
            InboundKind::Sticker,
        ];
        for ((message, kind), wanted) in written.iter().zip(kinds).zip(wanted) {
            let [media] = &message.media[..] else { panic!("{message:?}") };
            assert_eq!((media.kind, media.url.is_some()), (wanted, true));
            let expired = domain::InboundMedia {
                url: Some(format!("{}x", media.url.as_ref().unwrap())),
                ..media.clone()
            };
            for media in [media, &expired] {
                assert_eq!(
                    content_of(whatsapp.fetch(media, 1_000).await.unwrap()).await,
                    format!("a pretend {kind}").into_bytes()
                );
            }
            assert!(whatsapp.fetch(media, 3).await.is_err());
        }
    }

    let forms = [
        (MediaForm::Photo { width: 1, height: 1 }, "image", "Caption"),
        (MediaForm::Voice { duration_ms: 1 }, "ptt", ""),
        (MediaForm::Document, "document", "Caption"),
        (
            MediaForm::Video { width: 1, height: 1, duration_ms: 1, streamable: true, silent: false },
            "video",
            "Caption",
        ),
    ];
    let clock = Clock::system();
    for (form, kind, caption) in forms {
        let file = world.file(form, kind, "application/x-test", format!("content of {kind}").as_bytes());
        let outgoing = Outgoing { file: Some(file), ..support::text(CHAT, caption, 10) };
        let since = clock.now().minus(Duration::from_secs(20));
        let sent = id_of(&whatsapp.send(&outgoing).await);
        // What was sent has its answer, so that it is not the one that is looked for.
        assert_eq!(whatsapp.find(&outgoing, since).await, MessageLookup::NotThere);
        let other = world.provider(ChannelKind::Whatsapp);
        let MessageLookup::Here(ids) = other.find(&outgoing, since).await else { panic!("{kind}") };
        assert_eq!(ids.first(), Some(&ProviderId::from(sent.as_str())));
    }
    let voice = world.file(MediaForm::Voice { duration_ms: 1 }, "v", "audio/ogg", b"x");
    let captioned = Outgoing { file: Some(voice), ..support::text(CHAT, "Text", 20) };
    assert!(matches!(whatsapp.send(&captioned).await, Outcome::Rejected { .. }));
    let mut large = world.file(MediaForm::Document, "large.bin", "", b"x");
    large.size = 40 * 1024 * 1024;
    let unlinked = Outgoing { file: Some(large.clone()), ..support::text(CHAT, "", 21) };
    assert!(matches!(whatsapp.send(&unlinked).await, Outcome::Rejected { .. }));
    large.link = Some("https://example.com/f".to_owned());
    // Wappi chooses by its ending what it is sent as.
    for (key, name) in [(22, "large.bin"), (23, "scan.jpg")] {
        let since = clock.now();
        let file = OutgoingFile { name: name.to_owned(), ..large.clone() };
        let linked = Outgoing { file: Some(file), ..support::text(CHAT, name, key) };
        let sent = id_of(&whatsapp.send(&linked).await);
        let found = world.provider(ChannelKind::Whatsapp).find(&linked, since).await;
        let MessageLookup::Here(ids) = found else { panic!("{name}: {found:?}") };
        assert_eq!(ids.first(), Some(&ProviderId::from(sent.as_str())));
    }
    assert_eq!(world.ledger("whatsapp").await[4]["method"], "message/file/url/send");
}

#[tokio::test]
async fn unclear_answers_are_looked_for() {
    let world = World::start().await;
    let made = || {
        let setup = World::setup(world.fields(ChannelKind::Whatsapp));
        (setup.clock.clone(), channels::make(setup).unwrap())
    };
    let (clock, whatsapp) = made();
    for (status, body, wanted) in [
        (401, r#"{"status":"error","detail":"unauthorized"}"#, "SessionLost"),
        (402, "", "Banned"),
        (200, r#"{"status":"error","detail":"Timeout"}"#, "Unknown"),
        (200, r#"{"status":"error","detail":"file is broken"}"#, "Rejected"),
        (200, "{}", "Unknown"),
    ] {
        let order =
            json!({"provider": "whatsapp", "fault": "error", "code": status, "message": body, "times": 1});
        world.fault(order).await;
        let outcome = whatsapp.send(&support::text(CHAT, "x", 100)).await;
        assert!(format!("{outcome:?}").starts_with(wanted), "{outcome:?}");
    }
    world.fault(json!({"provider": "whatsapp", "fault": "rate_limit", "seconds": 7, "times": 1})).await;
    let Outcome::Held { until, .. } = whatsapp.send(&support::text(CHAT, "x", 101)).await else { panic!() };
    assert!((6..=7).contains(&until.since(clock.now()).as_secs()));
    for chat in ["99900000001", "status@broadcast"] {
        assert!(matches!(whatsapp.send(&support::text(chat, "x", 102)).await, Outcome::NotFound(_)));
    }
}

#[tokio::test]
async fn ids_bans_and_sign_outs_are_heeded() {
    let world = World::start().await;
    let setup = World::setup(world.fields(ChannelKind::Whatsapp));
    let (clock, kept) = (setup.clock.clone(), setup.kept.clone());
    let whatsapp = channels::make(setup.clone()).unwrap();
    let receiver = Receiver::start(Arc::clone(&whatsapp)).await;
    whatsapp.register(&receiver.url).await.unwrap();
    let profile =
        |change: Value| json!({"channel": "whatsapp", "from": "70000000001", "extra": {"profile": change}});
    let mut last = String::new();
    for (key, text) in [("id", "One"), ("message.id", "Two"), ("task_id", "Three")] {
        world.customer(profile(json!({"id_key": key}))).await;
        last = id_of(&whatsapp.send(&support::text(CHAT, text, 1)).await);
        let echo = next(&receiver, &whatsapp).await;
        assert_eq!(messages(&echo)[0].external_id, last, "{key}");
        assert!(next(&receiver, &whatsapp).await.is_empty());
        assert!(next(&receiver, &whatsapp).await.is_empty());
    }

    world.customer(profile(json!({"authorized": false}))).await;
    assert_eq!(next(&receiver, &whatsapp).await[0].change, InboundChange::SignedIn(false));
    assert_eq!(whatsapp.check().await.unwrap().missing.len(), 2);
    let refused = whatsapp.send(&support::text(CHAT, "x", 2)).await;
    assert!(matches!(refused, Outcome::SessionLost(_)), "{refused:?}");
    world.customer(profile(json!({"authorized": true, "paid": false}))).await;
    assert_eq!(next(&receiver, &whatsapp).await[0].change, InboundChange::SignedIn(true));
    assert!(matches!(whatsapp.check().await, Err(CallError::Account(_))));
    world.customer(profile(json!({"paid": true, "id_key": "message_id"}))).await;

    let banned = does("undeliver", &json!({"message_id": last, "extra": {"status": "Temporary Ban"}}));
    world.customer(banned).await;
    let events = next(&receiver, &whatsapp).await;
    whatsapp.complete(events).await;
    let again = channels::make(support_setup(&setup, kept)).unwrap();
    for account in [&whatsapp, &again] {
        let Outcome::Held { until, .. } = account.send(&support::text(CHAT, "x", 3)).await else { panic!() };
        assert_eq!(until.since(clock.now()).as_secs() / 60, 359);
    }
    clock.advance(Duration::from_hours(6));
    id_of(&whatsapp.send(&support::text(CHAT, "Back", 4)).await);
}

/// The same account after a restart.
fn support_setup(setup: &channels::Setup, kept: channels::StoredValues) -> channels::Setup {
    channels::Setup { kept, ..setup.clone() }
}

#[tokio::test]
async fn posts_of_others_are_refused() {
    let world = World::start().await;
    let whatsapp = world.provider(ChannelKind::Whatsapp);
    let post = |headers: Vec<(String, Vec<u8>)>, body: &[u8]| HookPost {
        method: "POST".to_owned(),
        url: "https://example.com/hooks/whatsapp/phone/x".to_owned(),
        query: String::new(),
        headers,
        body: body.to_vec(),
    };
    let other =
        json!({"messages": [{"wh_type": "incoming_message", "profile_id": "other", "id": "1"}]}).to_string();
    assert!(matches!(whatsapp.hook(&post(Vec::new(), other.as_bytes())), Err(HookRefusal::OtherAccount(_))));
    let wrong = vec![("authorization".to_owned(), b"wrong".to_vec())];
    assert_eq!(whatsapp.hook(&post(wrong, b"{}")), Err(HookRefusal::NotGenuine));
    assert!(matches!(whatsapp.hook(&post(Vec::new(), b"<html>")), Err(HookRefusal::Unreadable(_))));
    let mut runner = proptest::test_runner::TestRunner::default();
    let bodies =
        prop_oneof![prop::collection::vec(any::<u8>(), 0..200), ".{0,200}".prop_map(String::into_bytes)];
    let never_panics = |body: Vec<u8>| {
        let _ = whatsapp.hook(&post(Vec::new(), &body));
        Ok(())
    };
    runner.run(&bodies, never_panics).unwrap();
}

#[tokio::test]
async fn a_number_logs_in_by_a_code_and_out() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Whatsapp);
    let missing = async || provider.check().await.unwrap().missing.concat();
    assert!(matches!(provider.log_in(None).await, Ok(LogIn::Done)));
    provider.restart().await.unwrap();
    assert_eq!(world.ledger("whatsapp").await.pop().unwrap()["method"], "profile/restart");
    provider.log_out().await.unwrap();
    assert!(missing().await.contains("switchboard channel login phone"));
    assert!(matches!(provider.log_out().await, Err(CallError::Token(_))));
    let code = async || match provider.log_in(None).await.unwrap() {
        LogIn::Picture(picture) => picture,
        other => panic!("{other:?}"),
    };
    let first = code().await;
    assert!(first.starts_with(b"\x89PNG"));
    // The provider replaces it.
    assert_ne!(first, code().await);
    world
        .customer(
            json!({"channel": "whatsapp", "from": "70000000001", "extra": {"profile": {"authorized": true}}}),
        )
        .await;
    assert!(matches!(provider.log_in(None).await, Ok(LogIn::Done)));
    assert_eq!(missing().await, "");
    assert!(matches!(provider.log_out().await, Ok(())));
}

#[tokio::test]
async fn numbers_are_looked_up() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Whatsapp);
    let check =
        async |digits: &str| provider.old_call(&OldCall::CheckNumber { digits: digits.to_owned() }).await;
    assert_eq!(check("70000000001").await, Ok(json!({ "on_whatsapp": true })));
    assert_eq!(check("99900000001").await, Ok(json!({ "on_whatsapp": false })));
    assert!(matches!(check("7").await, Err(CallError::NotFound(_))));
    let garbage = json!({"provider": "whatsapp", "method": "/check", "fault": "garbage", "times": 1});
    world.fault(garbage).await;
    assert!(matches!(check("70000000001").await, Err(CallError::Unreadable(_))));
    let other = provider.old_call(&OldCall::ConfirmationCode).await;
    assert_eq!(other, Err(CallError::refused("not_supported", "Wappi has no such call")));
}
