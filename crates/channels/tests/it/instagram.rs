//! An Instagram account that is written to, answers, and is refused.

use std::sync::Arc;
use std::time::Duration;

use channels::{CallError, Deed, HookRefusal, Outgoing, OutgoingFile, Provider};
use config::ChannelKind;
use delivery::MessageLookup;
use domain::media::MediaForm;
use domain::outcome::{HoldScope, Unclear};
use domain::secret::ExposeSecret;
use domain::{ExternalChat, InboundChange, InboundKind, InboundReceipt, MessageOrigin, Outcome, ProviderId};
use serde_json::{Value, json};

use crate::support::{Receiver, World, messages, text};

const CHANNEL: ChannelKind = ChannelKind::Instagram;
const CUSTOMER: &str = "5550001";

fn writes(said: &str) -> Value {
    json!({"channel": "instagram", "from": CUSTOMER, "name": "Lena", "text": said})
}

fn chat() -> ExternalChat {
    ExternalChat::new(CUSTOMER).unwrap()
}

fn id_of(outcome: &Outcome) -> String {
    let Outcome::Sent(ids) = outcome else { panic!("{outcome:?}") };
    let Some(ProviderId::Text(id)) = ids.first() else { panic!("{outcome:?}") };
    id.to_string()
}

/// An account whose address is typed in the dashboard, and what is posted there.
async fn connected(world: &World) -> (Arc<dyn Provider>, Receiver) {
    let provider = world.provider(CHANNEL);
    let identity = provider.check().await.unwrap();
    assert_eq!((identity.id.as_str(), identity.name.as_str()), ("17840000000000001", "demo_studio"));
    assert!(identity.missing.is_empty());
    assert_eq!(provider.register("https://example.com/hook").await, Err(CallError::by_hand()));
    let receiver = Receiver::start(Arc::clone(&provider)).await;
    let order = json!({
        "channel": "instagram", "account": "studio", "url": receiver.url, "verify_token": "planted-verify-token"
    });
    assert_eq!(world.type_hook(&order).await, 204);
    let shake = receiver.next().await;
    assert!(provider.hook(&shake).unwrap().events.is_empty());
    (provider, receiver)
}

#[tokio::test]
async fn texts_go_both_ways() {
    let world = World::start().await;
    let (provider, receiver) = connected(&world).await;
    let done = world.customer(writes("Привет, 2/3?")).await;
    let post = receiver.next().await;
    let events = provider.complete(provider.hook(&post).unwrap().events).await;
    let [message] = messages(&events)[..] else { panic!("{events:?}") };
    assert_eq!((&*message.text, message.name.as_deref()), ("Привет, 2/3?", Some("Lena")));
    assert_eq!(message.external_id, done["message_id"]);
    assert_eq!(message.chat, chat());

    let sent = id_of(&provider.send(&text(CUSTOMER, "Да", 1)).await);
    let echo = provider.hook(&receiver.next().await).unwrap().events;
    let [message] = messages(&echo)[..] else { panic!("{echo:?}") };
    assert_eq!((message.external_id.as_str(), message.origin), (sent.as_str(), MessageOrigin::Owner));
    world
        .customer(
            json!({"channel": "instagram", "from": CUSTOMER, "action": "owner_writes", "text": "By hand"}),
        )
        .await;
    let by_hand = provider.hook(&receiver.next().await).unwrap().events;
    assert_eq!(messages(&by_hand)[0].chat, chat());

    let mut forged = post.clone();
    forged.body.push(b' ');
    assert_eq!(provider.hook(&forged), Err(HookRefusal::NotGenuine));
    world.customer(json!({"channel": "instagram", "from": CUSTOMER, "text": "x", "forged": true})).await;
    assert_eq!(provider.hook(&receiver.next().await), Err(HookRefusal::NotGenuine));
    let ledger = world.ledger("instagram").await;
    assert_eq!(ledger.len(), 1, "{ledger:?}");
    assert_eq!((&ledger[0]["text"], &ledger[0]["chat_id"]), (&json!("Да"), &json!(CUSTOMER)));
}

#[tokio::test]
async fn what_customers_do_is_told() {
    let world = World::start().await;
    let (provider, receiver) = connected(&world).await;
    let next = async || provider.hook(&receiver.next().await).unwrap().events;
    let act = async |more: Value| {
        let mut deed = json!({"channel": "instagram", "from": CUSTOMER});
        deed.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        world.customer(deed).await["message_id"].clone()
    };
    let written = act(json!({"text": "one", "subject": "ad7"})).await;
    assert_eq!(messages(&next().await)[0].ad.as_ref().unwrap().id.as_deref(), Some("ad7"));
    act(json!({"action": "edit", "text": "two"})).await;
    let edited = next().await;
    assert!(
        matches!(&edited[0].change, InboundChange::Edited { external_id, text, .. } if *external_id == written && &**text == "two")
    );
    act(json!({"action": "delete"})).await;
    assert!(
        matches!(&next().await[0].change, InboundChange::Deleted { external_id, .. } if *external_id == written)
    );
    act(json!({"action": "press", "text": "Yes"})).await;
    assert_eq!(&*messages(&next().await)[0].text, "Yes");
    let sent = id_of(&provider.send(&text(CUSTOMER, "Well?", 1)).await);
    next().await;
    act(json!({"action": "read"})).await;
    let read = next().await;
    assert!(matches!(&read[0].change, InboundChange::ReadUpTo { chat: of, .. } if *of == chat()));
    assert!(
        matches!(&read[1].change, InboundChange::Receipt { external_id, receipt: InboundReceipt::Read, .. } if *external_id == sent)
    );

    for (kind, wanted) in [
        ("image", InboundKind::Image),
        ("voice", InboundKind::Voice),
        ("video", InboundKind::Video),
        ("document", InboundKind::Document),
    ] {
        act(json!({"media": [{"kind": kind}]})).await;
        let events = next().await;
        let media = &messages(&events)[0].media[0];
        assert_eq!(media.kind, wanted);
        let fetched = provider.fetch(media, 1_000).await.unwrap();
        assert_eq!(fetched.content, format!("a pretend {kind}").into_bytes());
        assert!(provider.fetch(media, 3).await.is_err());
    }
    act(json!({"media": [{"kind": "sticker"}]})).await;
    assert_eq!(&*messages(&next().await)[0].text, "[unsupported message]");
    act(json!({"text": "of two", "extra": {"with_stranger": true, "string_times": true}})).await;
    assert_eq!(messages(&next().await).len(), 1);
    act(json!({"text": "made up", "extra": {"form": "test"}})).await;
    assert!(next().await.is_empty());
    act(json!({"text": "again", "times": 2})).await;
    assert_eq!(next().await[0].key, next().await[0].key);
    provider.act(&chat(), &Deed::Typing).await.unwrap();
    provider.act(&chat(), &Deed::MarkRead { external_id: None }).await.unwrap();
    let methods: Vec<Value> = world.ledger("instagram").await.iter().map(|it| it["method"].clone()).collect();
    assert_eq!(methods, ["send_text", "typing_on", "mark_seen"]);
}

#[tokio::test]
async fn files_go_out_by_their_link() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    world.customer(writes("Hello")).await;
    let photo = MediaForm::Photo { width: 1, height: 1 };
    let voice = MediaForm::Voice { duration_ms: 1 };
    let audio = MediaForm::Audio { duration_ms: 1 };
    let animation = MediaForm::Animation { width: 1, height: 1, duration_ms: 1 };
    let video = MediaForm::Video { width: 1, height: 1, duration_ms: 1, streamable: true, silent: false };
    let with = |file: OutgoingFile| Outgoing { file: Some(file), ..text(CUSTOMER, "", 1) };
    let bare = world.file(photo.clone(), "a.png", "image/png", b"planted");
    let refused = provider.send(&with(bare)).await;
    assert!(refused.detail().unwrap().contains("public_url"), "{refused:?}");
    for (form, mime, kind) in [
        (photo.clone(), "image/png", "image"),
        (animation, "video/mp4", "video"),
        (video, "video/mp4", "video"),
        (voice.clone(), "audio/mp4", "audio"),
        (audio, "audio/wav", "audio"),
        (MediaForm::Document, "application/pdf", "file"),
    ] {
        let file = world.served_file(form, "planted", mime, b"planted").await;
        id_of(&provider.send(&with(file)).await);
        let last = world.ledger("instagram").await.pop().unwrap();
        assert_eq!(
            (&last["file_kind"], &last["file_md5"]),
            (&json!(kind), &json!("08297c071792bd9856adcc8299be428e"))
        );
    }
    let ogg = world.served_file(voice, "planted", "audio/ogg", b"x").await;
    assert!(provider.send(&with(ogg)).await.detail().unwrap().contains("m4a"));
    let mut gone = world.served_file(photo, "planted", "image/png", b"x").await;
    gone.link = Some(gone.link.unwrap() + "/gone");
    let refused = provider.send(&with(gone)).await;
    assert!(matches!(refused, Outcome::Rejected { .. }), "{refused:?}");
    assert_eq!(world.ledger("instagram").await.len(), 6);
}

#[tokio::test]
async fn refusals_say_what_is_wrong() {
    let world = World::start().await;
    let provider = world.provider(CHANNEL);
    let send = || async { provider.send(&text(CUSTOMER, "Hello", 1)).await };
    assert!(matches!(send().await, Outcome::NotFound(_)));
    world
        .customer(json!({"channel": "instagram", "from": CUSTOMER, "text": "x", "extra": {"hours_ago": 25}}))
        .await;
    let closed = send().await;
    assert!(matches!(&closed, Outcome::Forbidden(why) if why.contains("24 hours")), "{closed:?}");
    world.customer(writes("x")).await;
    let long = provider.send(&text(CUSTOMER, &"я".repeat(501), 1)).await;
    assert!(matches!(long, Outcome::Rejected { .. }), "{long:?}");
    world.fault(json!({"provider": "instagram", "fault": "rate_limit", "seconds": 120, "times": 1})).await;
    assert!(matches!(send().await, Outcome::Held { scope: HoldScope::Account, .. }));
    world.customer(json!({"channel": "instagram", "from": CUSTOMER, "action": "block"})).await;
    assert!(matches!(send().await, Outcome::NotFound(_)));
    world.customer(json!({"channel": "instagram", "from": CUSTOMER, "action": "unblock"})).await;
    assert!(matches!(send().await, Outcome::Sent(_)));
    let hidden =
        json!({"channel": "instagram", "from": "5550002", "text": "x", "extra": {"hides_name": true}});
    world.customer(hidden).await;
    assert_eq!(world.ledger("instagram").await.len(), 1);

    world.fault(json!({"provider": "instagram", "fault": "token_expired", "times": 1})).await;
    assert!(matches!(send().await, Outcome::SessionLost(_)));
    let error = provider.renew_token().await.unwrap_err();
    assert!(
        matches!(&error, CallError::Token(why) if why.contains("ended") && !why.contains("planted-instagram")),
        "{error}"
    );
}

#[tokio::test]
async fn an_unclear_send_is_looked_for() {
    let world = World::start().await;
    let setup = World::setup(world.fields(CHANNEL));
    let clock = setup.clock.clone();
    let provider = channels::make(setup).unwrap();
    world.customer(writes("Hello")).await;
    let since = clock.now();
    assert!(matches!(provider.send(&text(CUSTOMER, "one", 1)).await, Outcome::Sent(_)));
    let fault = |fault: &str, effect: bool| json!({"provider": "instagram", "method": "messages", "fault": fault, "effect": effect, "times": 1});
    for (number, name) in [(1, "error"), (2, "garbage"), (3, "cut")] {
        let out = text(CUSTOMER, &format!("message {number}"), number);
        world.fault(fault(name, false)).await;
        let outcome = provider.send(&out).await;
        assert!(matches!(outcome, Outcome::Unknown(_)), "{name}: {outcome:?}");
        assert_eq!(provider.find(&out, since).await, MessageLookup::NotThere);
        world.fault(fault(name, true)).await;
        assert!(matches!(provider.send(&out).await, Outcome::Unknown(_)));
        let found = provider.find(&out, since).await;
        assert!(matches!(found, MessageLookup::Here(_)), "{found:?}");
    }
    // The one that is known to be sent is no other with the same text.
    assert_eq!(provider.find(&text(CUSTOMER, "one", 9), since).await, MessageLookup::NotThere);
    world.fault(fault("deaf", true)).await;
    let out = text(CUSTOMER, "deaf", 10);
    let slow = tokio::spawn({
        let (provider, out) = (Arc::clone(&provider), out.clone());
        async move { provider.send(&out).await }
    });
    while world.ledger("instagram").await.len() < 5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    clock.advance(Duration::from_mins(1));
    assert!(matches!(slow.await.unwrap(), Outcome::Unknown(Unclear::NoAnswer(_))));
    assert!(matches!(provider.find(&out, since).await, MessageLookup::Here(_)));
    world.fault(json!({"provider": "instagram", "fault": "error", "times": 1})).await;
    assert_eq!(provider.find(&out, since).await, MessageLookup::CannotTell);

    let photo =
        world.served_file(MediaForm::Photo { width: 1, height: 1 }, "planted", "image/png", b"x").await;
    let out = Outgoing { file: Some(photo), ..text(CUSTOMER, "", 11) };
    let since = clock.now();
    assert_eq!(provider.find(&out, since).await, MessageLookup::CannotTell);
    clock.advance(Duration::from_mins(2));
    assert_eq!(provider.find(&out, since).await, MessageLookup::NotThere);
}

#[tokio::test]
async fn a_renewed_token_is_used_and_kept() {
    let world = World::start().await;
    let setup = World::setup(world.fields(CHANNEL));
    let kept = setup.kept.clone();
    let provider = channels::make(setup.clone()).unwrap();
    assert_eq!(provider.token_expires(), None);
    let (one, other) = tokio::join!(provider.renew_token(), provider.renew_token());
    assert_eq!((one, other), (Ok(()), Ok(())));
    let renewed = kept.text("token").unwrap();
    assert!(provider.token_expires().unwrap() > setup.clock.now().plus(Duration::from_hours(59 * 24)));
    provider.check().await.unwrap();
    // It is too young to be renewed again.
    assert!(matches!(provider.renew_token().await, Err(CallError::Refused { .. })));
    assert_eq!(kept.text("token").unwrap(), renewed);
    let after_restart = channels::make(setup.clone()).unwrap();
    assert_eq!(after_restart.token_expires(), provider.token_expires());
    let mut fields = setup.fields.clone();
    fields.token = Some("another-token".into());
    let other = channels::make(channels::Setup { fields, ..setup }).unwrap();
    assert_eq!(other.token_expires(), None);
    let error = other.check().await.unwrap_err();
    assert!(matches!(error, CallError::Token(_)), "{error}");
    assert!(!kept.get("token").unwrap().expose_secret().is_empty());
}
