//! Avito's chats: what is sent, what comes in, tokens that end, sends of which no answer came.

use std::sync::Arc;

use channels::{CallError, HookPost, HookRefusal, Links, OldCall, Outgoing, Provider};
use config::ChannelKind;
use delivery::MessageLookup;
use domain::media::MediaForm;
use domain::outcome::SentIds;
use domain::{
    InboundChange, InboundEvent, InboundId, InboundReceipt, MessageOrigin, Outcome, ProviderId, Reactions,
    Timestamp,
};
use proptest::prelude::*;
use serde_json::{Value, json};
use store::{StoredInbound, WebhookForm};

use crate::it::support::{Receiver, World, id_of, messages, text};

const BUYER: i64 = 2_000_002;
const CHAT: &str = "u2i-555001~2000002";
const PHOTO: MediaForm = MediaForm::Photo { width: 1, height: 1 };

async fn writes(world: &World, deed: Value) -> String {
    let mut whole = json!({"channel": "avito", "from": BUYER, "name": "Demo Buyer"});
    whole.as_object_mut().unwrap().extend(deed.as_object().unwrap().clone());
    world.customer(whole).await["message_id"].as_str().unwrap_or_default().to_owned()
}

fn now() -> Timestamp {
    ambient::Clock::system().now()
}

async fn outgoing(provider: &Arc<dyn Provider>, outgoing: Outgoing) -> Outgoing {
    let prepared = provider.prepare(&outgoing).await.unwrap();
    Outgoing { prepared, ..outgoing }
}

fn is_sent(found: &MessageLookup, id: &str) -> bool {
    *found == MessageLookup::Here(SentIds::one(Some(ProviderId::Text(id.into()))))
}

#[tokio::test]
async fn messages_that_avito_cannot_take_are_refused() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Avito);
    writes(&world, json!({"text": "Is it there?"})).await;
    let identity = provider.check().await.unwrap();
    assert_eq!(
        (identity.id.as_str(), identity.name.as_str(), identity.missing.len()),
        ("1000001", "Shop", 0)
    );

    for (chat, body) in [("u2i-1~7", "x".to_owned()), (CHAT, "x".repeat(1_001)), (CHAT, " ".to_owned())] {
        let outcome = provider.send(&text(chat, &body, 3)).await;
        assert!(matches!(outcome, Outcome::NotFound(_) | Outcome::Rejected { .. }), "{outcome:?}");
    }
    let document = world.file(PHOTO, "list.pdf", "application/pdf", b"a list");
    let refused = provider.prepare(&Outgoing { file: Some(document), ..text(CHAT, "", 4) }).await;
    assert!(matches!(refused, Err(Outcome::Rejected { .. })), "{refused:?}");
    assert!(world.ledger("avito").await.is_empty());
}

#[tokio::test]
async fn messages_of_buyers_and_the_owner_are_posted() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Avito);
    provider.check().await.unwrap();
    let old = Receiver::start(Arc::clone(&provider)).await;
    let receiver = Receiver::start(Arc::clone(&provider)).await;
    provider.register(&old.url).await.unwrap();
    provider.register(&receiver.url).await.unwrap();
    provider.register(&receiver.url).await.unwrap();
    assert_eq!(provider.registered().unwrap().await.unwrap().urls, std::slice::from_ref(&receiver.url));

    writes(&world, json!({"text": "Hello"})).await;
    let post = receiver.next().await;
    assert!(post.header("x-avito-messenger-signature").is_some_and(|signature| signature.len() == 64));
    let events = provider.complete(provider.hook(&post).unwrap().events).await;
    let message = messages(&events)[0];
    assert_eq!((message.user.as_deref(), message.name.as_deref()), (Some("2000002"), Some("Demo Buyer")));
    let ad = message.ad.as_ref().unwrap();
    assert_eq!((ad.channel.as_str(), ad.id.as_deref()), ("avito", Some("555001")));
    assert!(message.raw.as_ref().is_some_and(|raw| raw.contains("payload")));

    let sent_id = id_of(&provider.send(&text(CHAT, "Good day", 1)).await);
    let echo = provider.hook(&receiver.next().await).unwrap().events;
    let owner_id = writes(&world, json!({"action": "owner_writes", "text": "From my phone"})).await;
    let owner = provider.hook(&receiver.next().await).unwrap().events;
    let owner = provider.complete(owner).await;
    for (events, id) in [(&echo, &sent_id), (&owner, &owner_id)] {
        let message = messages(events)[0];
        assert_eq!((message.origin, &message.external_id), (MessageOrigin::Owner, id));
    }
    assert_eq!(messages(&owner)[0].user.as_deref(), Some("2000002"));

    writes(&world, json!({"text": "Trust me", "forged": true})).await;
    let forged = provider.hook(&receiver.next().await);
    assert!(matches!(forged, Err(HookRefusal::OtherAccount(_))), "{forged:?}");
}

/// A post to the address of the account.
fn posted(body: Vec<u8>) -> HookPost {
    HookPost {
        method: "POST".to_owned(),
        url: "/hook".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body,
    }
}

#[tokio::test]
async fn posts_come_again_until_the_account_is_identified() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Avito);
    let value = json!({"id": "m1", "chat_id": CHAT, "user_id": 1_000_001, "author_id": BUYER,
        "created": 1_700_000_000, "type": "text", "content": {"text": "Hello"}});
    let body = json!({"payload": {"type": "message", "value": value}}).to_string();
    let post = posted(body.into_bytes());
    let early = provider.hook(&post);
    assert!(matches!(early, Err(HookRefusal::NotYet(_))), "{early:?}");
    provider.check().await.unwrap();
    let events = provider.hook(&post).unwrap().events;
    assert_eq!(&*messages(&events)[0].text, "Hello");
}

#[tokio::test]
async fn polls_bring_messages_once_and_what_was_read() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Avito);
    let poll = async |cursor: Option<&str>| provider.poll(cursor).unwrap().await.unwrap();
    let first = poll(None).await;
    assert!(first.events.is_empty() && !first.more);
    let id = writes(&world, json!({"text": "Hello"})).await;
    for buyer in 1..=20 {
        let from = json!({"channel": "avito", "from": 3_000_000 + buyer, "text": "Me too"});
        world.customer(from).await;
    }
    let sent_id = id_of(&provider.send(&text(CHAT, "Good day", 1)).await);
    let (mut found, mut cursor) = (Vec::new(), first.cursor);
    loop {
        let polled = poll(cursor.as_deref()).await;
        found.extend(polled.events);
        cursor = polled.cursor;
        if !polled.more {
            break;
        }
    }
    let mut ids: Vec<_> =
        messages(&found).into_iter().map(|it| (it.external_id.clone(), it.origin)).collect();
    assert!(
        ids.contains(&(id, MessageOrigin::Person)) && ids.contains(&(sent_id.clone(), MessageOrigin::Owner))
    );
    ids.dedup();
    assert_eq!(ids.len(), 22);

    let nothing = poll(cursor.as_deref()).await;
    assert!(nothing.events.is_empty(), "{nothing:?}");
    writes(&world, json!({"action": "read"})).await;
    let read = poll(nothing.cursor.as_deref()).await;
    let is_read = |event: &InboundEvent| matches!(&event.change, InboundChange::Receipt { external_id, receipt: InboundReceipt::Read, .. } if *external_id == sent_id);
    assert!(read.events.len() == 1 && is_read(&read.events[0]), "{read:?}");
    assert!(poll(read.cursor.as_deref()).await.events.is_empty());
}

#[tokio::test]
async fn polled_messages_are_forwarded_as_posts_of_avito() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Avito);
    let begun = provider.poll(None).unwrap().await.unwrap();
    writes(&world, json!({"text": "Hello"})).await;
    let polled = provider.poll(begun.cursor.as_deref()).unwrap().await.unwrap();
    let polled_events = provider.complete(polled.events).await;
    let message = messages(&polled_events)[0];
    let stored = StoredInbound {
        id: InboundId::new(1).unwrap(),
        address: format!("avito:shop/{CHAT}").parse().unwrap(),
        message: message.clone(),
        edited_at: None,
        deleted_at: None,
        reactions: Reactions::default(),
    };
    let links = Links::new(None, "planted".into(), ambient::Clock::system());
    let body = channels::forwarded(&stored, WebhookForm::Legacy, &links).unwrap();
    let forwarded: Value = serde_json::from_str(&body).unwrap();
    let value = &forwarded["payload"]["value"];
    assert_eq!((&forwarded["id"], &forwarded["timestamp"]), (&value["id"], &value["created"]));
    assert_eq!((&value["author_id"], &value["user_id"]), (&json!(BUYER), &json!(1_000_001)));
    let post = posted(body.into_bytes());
    let read = provider.hook(&post).unwrap().events;
    assert_eq!(read[0].key, polled_events[0].key);
    let posted = messages(&read)[0];
    assert!(posted.ad.is_some(), "{posted:?}");
    assert_eq!((&posted.text, &posted.chat, &posted.ad), (&message.text, &message.chat, &message.ad));
}

#[tokio::test]
async fn a_token_that_ends_is_renewed_once_for_all() {
    let world = World::start().await;
    let fields = world.fields(ChannelKind::Avito);
    let setup = World::setup(fields.clone());
    let kept = setup.kept.clone();
    let provider = channels::make(setup).unwrap();
    writes(&world, json!({"text": "Hello"})).await;
    assert_eq!((provider.token_expires(), provider.token_start(20)), (None, None));
    id_of(&provider.send(&text(CHAT, "One", 1)).await);
    let first = kept.text("token").unwrap();
    assert_eq!(provider.token_start(3).unwrap(), first[..3]);
    assert_eq!(provider.token_start(1_000).unwrap(), first[..first.len() / 2], "half of it at most");

    world.fault(json!({"provider": "avito", "fault": "token_expired", "times": 1})).await;
    let all = (0..5).map(|key| text(CHAT, &format!("Two {key}"), key)).collect::<Vec<_>>();
    let outcomes = futures::future::join_all(all.iter().map(|one| provider.send(one))).await;
    for outcome in outcomes {
        id_of(&outcome);
    }
    let tokens = world.calls("avito").await.iter().filter(|call| call["path"] == "/token").count();
    assert_eq!(tokens, 2);
    assert_eq!(world.ledger("avito").await.len(), 6);
    assert_ne!(kept.text("token").unwrap(), first);

    let again =
        channels::make(channels::Setup { kept: kept.clone(), ..World::setup(fields.clone()) }).unwrap();
    assert_eq!(again.token_expires(), provider.token_expires());
    id_of(&again.send(&text(CHAT, "After a restart", 9)).await);
    assert_eq!(world.calls("avito").await.iter().filter(|call| call["path"] == "/token").count(), 2);
    again.renew_token().await.unwrap();

    let wrong = config::ChannelFields { client_secret: Some("planted-secret".to_owned().into()), ..fields };
    let wrong = channels::make(World::setup(wrong)).unwrap();
    let refused = wrong.check().await.unwrap_err();
    assert!(matches!(refused, CallError::Token(_)) && !refused.to_string().contains("planted"), "{refused}");
    assert!(matches!(wrong.send(&text(CHAT, "x", 1)).await, Outcome::SessionLost(_)));
    world.fault(json!({"provider": "avito", "method": "/token", "fault": "garbage", "times": 1})).await;
    let unclear = wrong.send(&text(CHAT, "x", 1)).await;
    assert!(unclear.proves_unsent(), "{unclear:?}");
}

#[tokio::test]
async fn unclear_sends_are_looked_up() {
    let world = World::start().await;
    let clock = ambient::Clock::system();
    let fields = world.fields(ChannelKind::Avito);
    let http = channels::http::Http::new(clock.clone(), fields.api(), &channels::http::Route::default());
    let setup = World::setup(fields);
    let provider =
        channels::make(channels::Setup { http: http.unwrap(), clock: clock.clone(), ..setup }).unwrap();
    writes(&world, json!({"text": "Hello"})).await;
    id_of(&provider.send(&text(CHAT, "The same", 1)).await);
    let photo = world.file(PHOTO, "bicycle.png", "image/png", b"a picture");
    let picture = outgoing(&provider, Outgoing { file: Some(photo), ..text(CHAT, "", 2) }).await;
    let since = now();

    // Another with the same text is not this one.
    world.fault(json!({"provider": "avito", "method": "/messages", "fault": "cut", "times": 1})).await;
    let message = text(CHAT, "The same", 3);
    assert!(matches!(provider.send(&message).await, Outcome::Unknown(_)));
    assert_eq!(provider.find(&message, since).await, MessageLookup::NotThere);

    assert_eq!(provider.find(&picture, since).await, MessageLookup::NotThere);
    world
        .fault(
            json!({"provider": "avito", "method": "/image", "fault": "garbage", "effect": true, "times": 1}),
        )
        .await;
    assert!(matches!(provider.send(&picture).await, Outcome::Unknown(_)));
    let ledger = world.ledger("avito").await;
    let id = ledger.last().unwrap()["external_id"].as_str().unwrap();
    assert!(is_sent(&provider.find(&picture, since).await, id));
    world.fault(json!({"provider": "avito", "method": "/messages", "fault": "garbage", "times": 1})).await;
    assert_eq!(provider.find(&picture, since).await, MessageLookup::CannotTell);

    world.fault(json!({"provider": "avito", "fault": "rate_limit", "seconds": 30, "times": 1})).await;
    assert!(matches!(provider.send(&text(CHAT, "x", 5)).await, Outcome::Held { .. }));
    let order = json!({"provider": "avito", "fault": "error", "code": 402, "times": 1});
    world.fault(order).await;
    assert!(matches!(provider.send(&text(CHAT, "x", 6)).await, Outcome::Banned(_)));
}

#[tokio::test]
async fn people_are_blocked_once_and_for_a_known_reason() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Avito);
    let block = async |because| provider.old_call(&OldCall::Block { user: BUYER, because }).await;
    assert_eq!(block(None).await, Ok(Value::Null));
    assert_eq!(block(Some((555_001, 2))).await, Ok(Value::Null));
    assert!(matches!(block(Some((555_001, 9))).await, Err(CallError::Refused { .. })));
    let other = provider.old_call(&OldCall::ConfirmationCode).await;
    assert_eq!(other, Err(CallError::refused("not_supported", "Avito has no such call")));

    // It may have been done: no one asks again.
    let lost =
        json!({"provider": "avito", "method": "/blacklist", "fault": "cut", "effect": true, "times": 1});
    world.fault(lost).await;
    let unclear = block(Some((555_001, 4))).await.unwrap_err();
    assert!(!unclear.proves_nothing_done(), "{unclear:?}");
    let texts: Vec<_> = world.ledger("avito").await.iter().map(|it| it["text"].clone()).collect();
    assert_eq!(texts, ["", "2", "4"]);
}

proptest! {
    #[test]
    fn no_posted_body_panics(body in any::<Vec<u8>>(), kind in "[a-zA-Z]{0,8}", id in any::<i64>()) {
        let provider = crate::it::support::lone(ChannelKind::Avito, "client_id = \"a\"\nclient_secret = \"b\"");
        let _ = provider.hook(&posted(body));
        for kind in [kind.as_str(), "text", "image", "voice", "location", "link", "item", "call", "deleted"] {
            let content = json!({"image": {"sizes": {kind: id, "x": "y", "9999999999x1": "z"}}, "voice": id});
            let value = json!({"id": kind, "chat_id": kind, "user_id": id, "author_id": 5, "created": id,
                "type": kind, "content": content, "read": id});
            let body = json!({"payload": {"type": "message", "value": value}}).to_string();
            let _ = provider.hook(&posted(body.into_bytes()));
        }
    }
}
