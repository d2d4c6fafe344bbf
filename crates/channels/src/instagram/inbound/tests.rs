//! Each shape of a post, and bodies of any form.

use proptest::prelude::*;

use super::*;

const OWN: &str = "17840000000000001";

fn body(item: &Value) -> Value {
    json!({"object": "instagram", "entry": [{"id": OWN, "time": 1, "messaging": [item]}]})
}

fn now() -> Timestamp {
    Timestamp::from_micros(7)
}

fn account() -> AccountName {
    "studio".parse().unwrap()
}

fn one(item: &Value) -> InboundEvent {
    let mut item = item.clone();
    item["sender"]["id"] = json!("5550001");
    let mut events = read(&body(&item), &account(), Some(OWN), now()).unwrap();
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn message(item: &Value) -> InboundMessage {
    match one(item).change {
        InboundChange::Message(message) => *message,
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_shape_is_an_event_of_its_own() {
    let read_text = message(&json!({"timestamp": "1760000500000", "message": {
        "mid": "m1", "text": "Привет", "reply_to": {"mid": "m0"}, "referral": {"ad_id": 7}
    }}));
    assert_eq!((read_text.chat.as_str(), read_text.external_id.as_str()), ("5550001", "m1"));
    assert_eq!((&*read_text.text, read_text.reply_to.as_deref()), ("Привет", Some("m0")));
    assert_eq!(read_text.ad, Some(AdSource { channel: "instagram".to_owned(), id: Some("7".to_owned()) }));
    assert_eq!(read_text.sent_at, Timestamp::from_micros(1_760_000_500_000_000));
    assert_eq!(read_text.origin, MessageOrigin::Person);
    for (attachment, kind, text) in [
        ("image", InboundKind::Image, ""),
        ("audio", InboundKind::Voice, ""),
        ("video", InboundKind::Video, ""),
        ("file", InboundKind::Document, ""),
        ("ig_reel", InboundKind::Video, "[post] reel"),
        ("share", InboundKind::Other, "[post]"),
        ("story_mention", InboundKind::Other, "[story] mention"),
        ("hologram", InboundKind::Other, "[hologram]"),
    ] {
        let url = "https://example.com/1";
        let attached = json!([{"type": attachment, "payload": {"url": url}}]);
        let read = message(&json!({"message": {"mid": "m2", "attachments": attached}}));
        assert_eq!((&read.media[0], &*read.text), (&InboundMedia::at(kind, url), text));
    }
    let bare = json!({"message": {"mid": "m3", "attachments": [{"type": "fallback", "payload": {"title": "Shop"}}]}});
    assert_eq!(&*message(&bare).text, "[link] Shop");
    let hidden = message(&json!({"message": {"mid": "m4", "is_unsupported": true}}));
    assert_eq!((&*hidden.text, hidden.media[0].kind), ("[hidden]", InboundKind::Hidden));
    let story = json!({"message": {"mid": "m5", "text": "Nice", "reply_to": {"story": {"id": "1", "url": "https://example.com/s"}}}});
    assert_eq!(&*message(&story).text, "Nice\n[story] reply https://example.com/s");
    let pressed = message(&json!({"timestamp": 5, "postback": {"title": "Yes", "payload": "Y"}}));
    assert_eq!((&*pressed.text, pressed.external_id.as_str()), ("Yes", "postback:5550001:5"));
    let edit = one(&json!({"message_edit": {"mid": "m1", "text": "Hello", "num_edit": "2"}}));
    assert_eq!(edit.key, "edit:2:m1");
    let given = |reaction: Value| match one(&json!({"timestamp": 5, "reaction": reaction})).change {
        InboundChange::Reacted { external_id, given } if external_id == "m1" => given,
        other => panic!("{other:?}"),
    };
    let hearts = given(json!({"mid": "m1", "action": "react", "reaction": "love", "emoji": "❤"}));
    assert_eq!((hearts.user.as_str(), hearts.at.as_micros()), ("5550001", 5_000_000));
    assert_eq!(hearts.reactions, [Reaction::emoji("❤")]);
    assert_eq!(given(json!({"mid": "m1", "reaction": "love"})).reactions, [Reaction::emoji("love")]);
    assert_eq!(given(json!({"mid": "m1", "action": "unreact", "emoji": "❤"})).reactions, []);
    let deleted = one(&json!({"message": {"mid": "m1", "is_deleted": true}}));
    assert_eq!(deleted.change, InboundChange::Deleted { external_id: "m1".to_owned(), at: now() });
    assert!(one(&json!({"message": {"mid": "m".repeat(900)}})).key.len() <= 512);
}

#[test]
fn an_echo_is_the_accounts_own_in_the_customers_chat() {
    let echo = json!({"sender": {"id": OWN}, "recipient": {"id": "5550001"}, "message": {"mid": "m1", "text": "x", "is_echo": true}});
    let events = read(&body(&echo), &account(), Some(OWN), now()).unwrap();
    let InboundChange::Message(message) = &events[0].change else { panic!("{events:?}") };
    assert_eq!((message.origin, message.chat.as_str()), (MessageOrigin::Owner, "5550001"));
    assert_eq!(events[0].key, "echo:m1");
}

#[test]
fn events_of_other_accounts_are_left_out() {
    let item =
        json!({"sender": {"id": "1"}, "recipient": {"id": OWN}, "message": {"mid": "m1", "text": "x"}});
    let events = |body: &Value| read(body, &account(), Some(OWN), now());
    let mut other = body(&item);
    other["entry"][0]["id"] = json!("17840000000000002");
    let words = format!("17840000000000002 instead of {OWN}");
    assert_eq!(events(&other), Err(HookRefusal::OtherAccount(words)));
    // Before its own id is known, any account could be meant.
    let early = read(&body(&item), &account(), None, now());
    assert_eq!(early, Err(HookRefusal::NotYet("studio".to_owned())));
    let both = json!({"object": "instagram", "entry": [other["entry"][0], body(&item)["entry"][0]]});
    assert_eq!(events(&both).unwrap().len(), 1);
    let test = json!({"object": "instagram", "entry": [{"id": "0", "changes": [{"field": "messages", "value": item}]}]});
    assert_eq!(events(&test).unwrap(), [InboundEvent::notice("a test of Meta's dashboard")]);
    let changed = json!({"object": "instagram", "entry": [{"id": OWN, "changes": [{"field": "messages", "value": item}]}]});
    assert_eq!(events(&changed).unwrap().len(), 1);
    let standby = json!({"object": "instagram", "entry": [{"id": OWN, "standby": [item]}]});
    let kept = events(&standby).unwrap();
    let InboundChange::Message(kept) = &kept[0].change else { panic!("{kept:?}") };
    assert_eq!(kept.origin, MessageOrigin::Bot, "another app answers it");
    let sent = |more: Value| {
        let mut item = json!({"sender": {"id": "1"}});
        item.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        item
    };
    for (item, is_lost) in [
        (sent(json!({"message_edit": {"mid": "m1", "text": "x", "num_edit": 0}})), true),
        (sent(json!({"message": {"text": "x"}})), true),
        (json!({"message": {"mid": "m1", "text": "x"}}), true),
        (sent(json!({"reaction": {"mid": "m1", "action": "react"}})), false),
        (json!({"sender": {"id": OWN}, "reaction": {"mid": "m1", "action": "react", "emoji": "❤"}}), false),
        (sent(json!({"referral": {"ref": "spring", "source": "IGME-SOURCE", "type": "OPEN_THREAD"}})), false),
        (sent(json!({"hologram": {}})), false),
    ] {
        let read = events(&body(&item)).unwrap();
        let [InboundEvent { change: InboundChange::Unread(unread), .. }] = read.as_slice() else {
            panic!("{read:?}")
        };
        assert_eq!(unread.is_lost, is_lost, "{item}");
    }
    assert!(matches!(events(&json!({"object": "page", "entry": []})), Err(HookRefusal::Unreadable(_))));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "id",
        "mid",
        "text",
        "message",
        "sender",
        "recipient",
        "attachments",
        "payload",
        "type",
        "read",
        "reaction",
        "postback",
        "message_edit",
        "num_edit",
        "timestamp",
        "is_echo",
        "reply_to",
        "referral",
        "url",
    ]);
    leaf.prop_recursive(4, 64, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(name.clone().prop_map(str::to_owned), inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_body_panics(item in any_json(), whole in any_json(), own in any::<bool>()) {
        let own = own.then_some(OWN);
        let _ = read(&whole, &account(), own, now());
        for event in read(&body(&item), &account(), own, now()).unwrap_or_default() {
            prop_assert!(event.key.len() <= 512);
        }
    }
}
