//! A Telegram bot as a channel: what it sends, hears, and makes of what goes wrong.

use std::sync::Arc;
use std::time::Duration;

use channels::{CallError, Deed, HookPost, HookRefusal, Outgoing, Provider};
use config::ChannelKind;
use domain::media::MediaForm;
use domain::outcome::HoldScope;
use domain::text::{FormattedText, ParseMode, parse};
use domain::{ExternalChat, InboundEvent, InboundMessage, MessageOrigin, Outcome};
use serde_json::json;

use crate::it::support::{Receiver, World, id_of, md5, messages, text};

const CUSTOMER: &str = "2001";

/// A bot to which a customer has written, and a poll has read it.
async fn bot(world: &World) -> Arc<dyn Provider> {
    write(world, json!({"text": "hi"})).await;
    world.provider(ChannelKind::Telegram)
}

/// The customer does something; the id of the message.
async fn write(world: &World, mut deed: serde_json::Value) -> String {
    deed["channel"] = "telegram".into();
    if deed["from"].is_null() {
        deed["from"] = CUSTOMER.into();
    }
    let done = world.customer(deed).await;
    done["message_id"].as_str().unwrap_or_default().to_owned()
}

fn chat(name: &str) -> ExternalChat {
    ExternalChat::new(name).unwrap()
}

/// What happened since `cursor`, which moves on.
async fn polled(bot: &dyn Provider, cursor: &mut Option<String>) -> Vec<InboundEvent> {
    let polled = bot.poll(cursor.as_deref()).unwrap().await.unwrap();
    *cursor = polled.cursor;
    polled.events
}

#[tokio::test]
async fn a_bot_sends_texts_files_and_changes_them() {
    let world = World::start().await;
    let bot = bot(&world).await;
    assert_eq!(bot.check().await.unwrap().name, "@demo_shop_bot");
    let bold = Outgoing {
        text: parse(ParseMode::Html, "<b>Price</b>: 5 &lt; 6").unwrap(),
        reply_to: Some("2001:1".into()),
        ..text(CUSTOMER, "", 1)
    };
    let sent = id_of(&bot.send(&bold).await);
    let (name, content) = ("счёт \"1\".pdf", b"content of it\r\n--");
    let file = world.file(MediaForm::Document, name, "", content);
    let outgoing = Outgoing { file: Some(file), ..text(CUSTOMER, "look", 2) };
    assert!(bot.prepare(&outgoing).await.unwrap().is_none());
    let paper = id_of(&bot.send(&outgoing).await);
    let entries = world.ledger("telegram").await;
    assert_eq!(entries[0]["text"], "Price: 5 < 6");
    assert_eq!(entries[1]["file_md5"], md5(content));
    let own = chat(CUSTOMER);
    let deeds = [
        Deed::Edit { external_id: sent.clone(), text: "Price: 6".to_owned() },
        // The same again is no error.
        Deed::Edit { external_id: sent.clone(), text: "Price: 6".to_owned() },
        Deed::Edit { external_id: paper, text: "a caption".to_owned() },
    ];
    for deed in &deeds {
        bot.act(&own, deed).await.unwrap();
    }
    let methods: Vec<_> = world.ledger("telegram").await[2..].iter().map(|it| it["method"].clone()).collect();
    assert_eq!(methods, ["editMessageText", "editMessageCaption"]);
    let other = Deed::Delete { external_id: "2002:1".to_owned() };
    assert!(matches!(bot.act(&own, &other).await, Err(CallError::Refused { .. })));
    // A picture of this size does not leave at all.
    let large = vec![1; 10 * 1024 * 1024 + 1];
    let file = world.file(MediaForm::Photo { width: 1, height: 1 }, "l.png", "image/png", &large);
    let outcome = bot.send(&Outgoing { file: Some(file), ..text(CUSTOMER, "", 9) }).await;
    assert!(matches!(outcome, Outcome::Rejected { .. }), "{outcome:?}");
    let file = world.file(MediaForm::Document, "l.bin", "", &large);
    id_of(&bot.send(&Outgoing { file: Some(file), ..text(CUSTOMER, "", 10) }).await);
}

#[tokio::test]
async fn a_bot_hears_by_poll_what_customers_do() {
    let world = World::start().await;
    let bot = bot(&world).await;
    let mut cursor = None;
    let events = polled(&*bot, &mut cursor).await;
    let [first] = messages(&events)[..] else { panic!("{events:?}") };
    assert_eq!((first.chat.as_str(), &*first.text, first.origin), (CUSTOMER, "hi", MessageOrigin::Person));
    let written =
        write(&world, json!({"text": "look", "media": [{"kind": "voice"}, {"kind": "image"}]})).await;
    write(&world, json!({"subject": "ad42", "from": 2_002, "name": "Ann"})).await;
    write(&world, json!({"phone": "+70000000001"})).await;
    let events = polled(&*bot, &mut cursor).await;
    let found = messages(&events);
    let [voice, image, ad, contact] = found[..] else { panic!("{events:?}") };
    // An album is a message for each file, and the first has the caption.
    assert_eq!((&*voice.text, &image.external_id), ("look", &written));
    assert_eq!(ad.ad.as_ref().and_then(|ad| ad.id.as_deref()), Some("ad42"));
    assert_eq!(
        (ad.name.as_deref(), contact.phone.as_ref().map(|phone| phone.value.as_str())),
        (Some("Ann"), Some("+70000000001"))
    );
    let keys: std::collections::BTreeSet<_> = events.iter().map(|event| &event.key).collect();
    assert_eq!(keys.len(), events.len());
    let media = voice.media[0].clone();
    // A press is answered once it is taken.
    let sent = id_of(&bot.send(&text(CUSTOMER, "yes?", 2)).await);
    write(&world, json!({"action": "press", "text": "a=1", "message_id": sent})).await;
    let events = bot.complete(polled(&*bot, &mut cursor).await).await;
    let [press] = messages(&events)[..] else { panic!("{events:?}") };
    assert_eq!((&*press.text, press.reply_to.as_deref()), ("a=1", Some(sent.as_str())));
    world
        .fault(
            json!({"provider": "telegram_bot", "method": "getFile", "fault": "error", "code": 500, "times": 1}),
        )
        .await;
    assert!(matches!(bot.fetch(&media, 100).await, Err(CallError::Server(_))));
    let large = json!({"media": [{"kind": "video"}], "extra": {"size": 21_000_000}});
    write(&world, large).await;
    let events = polled(&*bot, &mut cursor).await;
    let refused = bot.fetch(&messages(&events)[0].media[0], 50_000_000).await.err();
    assert!(refused.is_some_and(|error| error.is_too_large()));
    // Of two polls the first ends when the second begins.
    let (one, other) = (bot.poll(cursor.as_deref()).unwrap(), world.provider(ChannelKind::Telegram));
    let asking = tokio::spawn({
        let cursor = cursor.clone();
        async move {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
            other.poll(cursor.as_deref()).unwrap().await
        }
    });
    assert!(matches!(one.await, Err(CallError::Conflict(_))));
    write(&world, json!({"text": "again"})).await;
    assert_eq!(messages(&asking.await.unwrap().unwrap().events).len(), 1);
}

#[tokio::test]
async fn a_bot_is_posted_what_customers_do() {
    let world = World::start().await;
    let bot = bot(&world).await;
    assert!(bot.registered().unwrap().await.unwrap().urls.is_empty());
    let receiver = Receiver::start(Arc::clone(&bot)).await;
    bot.register(&receiver.url).await.unwrap();
    let registered = bot.registered().unwrap().await.unwrap();
    assert_eq!(registered.urls, std::slice::from_ref(&receiver.url));
    let written = |post: &HookPost| {
        let events = bot.hook(post).unwrap().events;
        messages(&events).into_iter().cloned().collect::<Vec<InboundMessage>>()
    };
    // What waited comes first.
    assert_eq!(&*written(&receiver.next().await)[0].text, "hi");
    write(&world, json!({"text": "more"})).await;
    let one = receiver.next().await;
    assert_eq!(bot.hook(&HookPost { headers: Vec::new(), ..one.clone() }), Err(HookRefusal::NotGenuine));
    let garbage = HookPost { body: b"\xff{".to_vec(), ..one.clone() };
    assert!(matches!(bot.hook(&garbage), Err(HookRefusal::Unreadable(_))));
    assert!(matches!(bot.poll(None).unwrap().await, Err(CallError::Conflict(_))));
    // The owner of a personal account writes with another app, and takes it back.
    let own = write(&world, json!({"action": "owner_writes", "text": "from my phone"})).await;
    let post = receiver.next().await;
    // Whose the connection is, is asked first.
    assert!(matches!(bot.hook(&post), Err(HookRefusal::NotYet(_))));
    bot.look_up(&HookPost { headers: Vec::new(), ..post.clone() }).await;
    assert!(matches!(bot.hook(&post), Err(HookRefusal::NotYet(_))));
    bot.look_up(&post).await;
    let message = written(&post).remove(0);
    assert_eq!((message.origin, message.external_id.as_str()), (MessageOrigin::Owner, own.as_str()));
    let sent = id_of(&bot.send(&text("demo:2001", "for you", 3)).await);
    bot.act(&message.chat, &Deed::Delete { external_id: sent.clone() }).await.unwrap();
    let entries = world.ledger("telegram").await;
    let methods: Vec<_> = entries.iter().map(|entry| (&entry["method"], &entry["external_id"])).collect();
    assert_eq!(
        methods,
        [(&json!("sendMessage"), &json!(sent)), (&json!("deleteBusinessMessages"), &json!(sent))]
    );
}

#[tokio::test]
async fn personal_accounts_of_others_are_ignored() {
    let world = World::start().await;
    let bot = bot(&world).await;
    let (own, foreign) = (json!({"business": "demo"}), json!({"business": "foreign"}));
    let mut cursor = None;
    for extra in [&own, &foreign] {
        write(&world, json!({"text": "my code?", "extra": extra})).await;
    }
    let events = polled(&*bot, &mut cursor).await;
    let chats: Vec<_> = messages(&events).into_iter().map(|message| message.chat.as_str()).collect();
    assert_eq!(chats, ["2001", "demo:2001"]);
    for (name, outcome) in
        [("foreign:2001", "forbidden"), ("-1002222!501", "forbidden"), ("none:2001", "forbidden")]
    {
        assert_eq!(bot.send(&text(name, "your code", 20)).await.word(), outcome, "{name}");
        let typing = bot.act(&chat(name), &Deed::Typing).await;
        assert!(matches!(typing, Err(CallError::Forbidden(_))), "{name}: {typing:?}");
    }
    assert!(world.ledger("telegram").await.is_empty());
    id_of(&bot.send(&text("demo:2001", "your code", 21)).await);
    let missing = bot.check().await.unwrap().missing.concat();
    assert!(missing.contains("6000001") && missing.contains("business_accounts"), "{missing}");
    // A list that is empty asks for no account.
    let mut fields = world.fields(ChannelKind::Telegram);
    fields.business_accounts.clear();
    let other = channels::make(World::setup(fields)).unwrap();
    assert_eq!(messages(&other.poll(None).unwrap().await.unwrap().events).len(), 1);
    assert!(other.check().await.unwrap().missing.concat().contains("5000001"));
}

#[tokio::test]
async fn a_connection_that_is_not_described_holds_up_no_other() {
    let world = World::start().await;
    bot(&world).await;
    write(&world, json!({"text": "my code?", "extra": {"business": "demo"}})).await;
    write(&world, json!({"text": "and me?", "from": 2_002})).await;
    write(&world, json!({"text": "hello?", "extra": {"business": "demo"}})).await;
    let chats = |events: &[InboundEvent]| -> Vec<String> {
        messages(events).into_iter().map(|message| message.chat.to_string()).collect()
    };
    let not_found = json!({"ok": false, "error_code": 404, "description": "Not Found"}).to_string();
    for (fault, outcome) in [
        (json!({"fault": "error", "code": 500}), "unavailable"),
        (json!({"fault": "error", "code": 404, "message": not_found}), "unavailable"),
        (json!({"fault": "rate_limit", "seconds": 3_600}), "slow_mode"),
    ] {
        let mut order = json!({"provider": "telegram_bot", "method": "getBusinessConnection"});
        order.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        world.fault(order).await;
        let setup = World::setup(world.fields(ChannelKind::Telegram));
        let bot = channels::make(setup.clone()).unwrap();
        let mut cursor = None;
        assert_eq!(chats(&polled(&*bot, &mut cursor).await), ["2001", "2002"], "{fault}");
        let outcome_of_send = bot.send(&text("demo:2001", "x", 22)).await;
        assert_eq!(outcome_of_send.word(), outcome, "{fault}: {outcome_of_send:?}");
        assert!(bot.recall().unwrap().await.is_empty(), "{fault}");
        bot.forget_recalled().await.unwrap();
        world.clear_faults().await;
        if outcome == "slow_mode" {
            assert!(bot.recall().unwrap().await.is_empty(), "Telegram wants no such call for an hour");
        }
        setup.clock.advance(Duration::from_hours(1));
        // After a restart they are there, until their events are kept.
        let again = channels::make(setup).unwrap();
        for bot in [&bot, &again] {
            assert_eq!(chats(&bot.recall().unwrap().await), ["demo:2001", "demo:2001"], "{fault}");
        }
        again.forget_recalled().await.unwrap();
        assert!(again.recall().is_none());
    }
}

#[tokio::test]
async fn a_post_of_an_unknown_connection_is_set_aside() {
    let world = World::start().await;
    let bot = bot(&world).await;
    let receiver = Receiver::start(Arc::clone(&bot)).await;
    bot.register(&receiver.url).await.unwrap();
    receiver.next().await;
    world
        .fault(json!({"provider": "telegram_bot", "method": "getBusinessConnection", "fault": "error", "code": 500}))
        .await;
    write(&world, json!({"text": "my code?", "extra": {"business": "demo"}})).await;
    let post = receiver.next().await;
    assert!(matches!(bot.hook(&post), Err(HookRefusal::NotYet(_))));
    bot.look_up(&HookPost { headers: Vec::new(), ..post.clone() }).await;
    assert!(bot.recall().is_none(), "anyone may have posted it");
    bot.look_up(&post).await;
    assert!(bot.hook(&post).unwrap().events.is_empty());
    world.clear_faults().await;
    assert_eq!(messages(&bot.recall().unwrap().await)[0].chat.as_str(), "demo:2001");
}

#[tokio::test]
async fn a_group_has_20_messages_a_minute() {
    let world = World::start().await;
    let bot = bot(&world).await;
    write(&world, json!({"text": "hi", "extra": {"chat": -7}})).await;
    let (interval, burst) = (bot.chat_interval(&chat("-7")), bot.pacing().burst);
    assert!(Duration::from_mins(1).div_duration_f64(interval) + f64::from(burst) <= 20.0);
    assert_eq!(bot.chat_interval(&chat(CUSTOMER)), bot.pacing().chat);
    let mut sent = 0;
    while let Outcome::Sent(_) = bot.send(&text("-7", "x", 100 + sent)).await {
        sent += 1;
    }
    assert!((20..40).contains(&sent), "{sent}");
}

#[tokio::test]
async fn each_trouble_of_a_send_has_its_outcome() {
    let world = World::start().await;
    let bot = bot(&world).await;
    let send = |body: &str, key: i64| {
        let (bot, outgoing) = (Arc::clone(&bot), text(CUSTOMER, body, key));
        async move { bot.send(&outgoing).await }
    };
    let order = |fault: &str, more: serde_json::Value| {
        let mut order =
            json!({"provider": "telegram_bot", "method": "sendMessage", "fault": fault, "times": 1});
        order.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        order
    };
    world.fault(order("rate_limit", json!({"seconds": 7}))).await;
    let Outcome::Held { scope, .. } = send("x", 5).await else { panic!() };
    assert_eq!(scope, HoldScope::Chat);
    // Another chat that is to wait meanwhile says that it is the bot.
    write(&world, json!({"from": 2_002, "text": "hi"})).await;
    world.fault(order("rate_limit", json!({"seconds": 7}))).await;
    let Outcome::Held { scope, .. } = bot.send(&text("2002", "x", 6)).await else { panic!() };
    assert_eq!(scope, HoldScope::Account);
    for stranger in ["9999", "@nowhere"] {
        assert!(matches!(bot.send(&text(stranger, "x", 7)).await, Outcome::NotFound(_)));
    }
    assert!(matches!(send(&"x".repeat(4_097), 8).await, Outcome::Rejected { .. }));
    world.fault(json!({"provider": "telegram_bot", "fault": "token_expired", "times": 1})).await;
    assert!(matches!(send("x", 9).await, Outcome::SessionLost(_)));
    // Formatting that is not taken leaves as plain text.
    let mut odd = Outgoing { text: FormattedText::plain("x"), ..text(CUSTOMER, "", 10) };
    let entity = json!([{"offset": 0, "length": 99, "type": "bold"}]);
    odd.text.entities = serde_json::from_value(entity).unwrap();
    id_of(&bot.send(&odd).await);
    // A group that has become a supergroup is followed.
    let group = json!({"text": "hi", "extra": {"chat": -5}});
    write(&world, group).await;
    write(&world, json!({"extra": {"chat": -5, "migrate": -1_001_234_567_890_i64}})).await;
    let hello = id_of(&bot.send(&text("-5", "hello", 11)).await);
    assert!(hello.starts_with("-1001234567890:"), "{hello}");
    let wrong = World::setup({
        let mut fields = world.fields(ChannelKind::Telegram);
        fields.token = Some("7000000001:planted-other-word".to_owned().into());
        fields
    });
    let wrong = channels::make(wrong).unwrap();
    assert!(matches!(wrong.check().await, Err(CallError::Token(_))));
    let nowhere = World::setup({
        let mut fields = world.fields(ChannelKind::Telegram);
        fields.api = Some("http://127.0.0.1:1".to_owned());
        fields
    });
    let outcome = channels::make(nowhere).unwrap().send(&text(CUSTOMER, "x", 12)).await;
    let Outcome::Unavailable(why) = outcome else { panic!("{outcome:?}") };
    assert!(!why.contains("7000000001"), "{why}");
}
