//! A community of VK: what is sent, what is posted, what the long poll brings, sends of which no answer came.

use std::sync::Arc;
use std::time::Duration;

use channels::{CallError, Deed, HookRefusal, OldCall, Outgoing, Provider, Registered, Setup, StoredValues};
use config::ChannelKind;
use delivery::{Dedup, MessageLookup};
use domain::media::MediaForm;
use domain::outcome::SentIds;
use domain::{ExternalChat, InboundChange, InboundReceipt, MessageOrigin, Outcome, ProviderId, Timestamp};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::it::support::{Receiver, World, hurried, id_of, lone, messages, text};

const PERSON: &str = "2001";

async fn does(world: &World, deed: Value) -> String {
    let mut whole = json!({"channel": "vk", "from": PERSON, "name": "Demo Person"});
    whole.as_object_mut().unwrap().extend(deed.as_object().unwrap().clone());
    world.customer(whole).await["message_id"].as_str().unwrap_or_default().to_owned()
}

fn long_ago() -> Timestamp {
    ambient::Clock::system().now().minus(Duration::from_hours(1))
}

/// The file of a message is uploaded, and the message sent.
async fn sends_file(provider: &Arc<dyn Provider>, outgoing: Outgoing) -> String {
    let prepared = provider.prepare(&outgoing).await.unwrap();
    id_of(&provider.send(&Outgoing { prepared, ..outgoing }).await)
}

/// A community whose posts are taken, once its address is confirmed.
async fn listened(world: &World) -> (Arc<dyn Provider>, Receiver) {
    let provider = world.provider(ChannelKind::Vk);
    let receiver = Receiver::start(Arc::clone(&provider)).await;
    provider.register(&receiver.url).await.unwrap();
    let request = receiver.next().await;
    assert!(String::from_utf8_lossy(&request.body).contains("confirmation"));
    let Registered { urls, last_error, .. } = provider.registered().unwrap().await.unwrap();
    assert_eq!((urls, last_error), (vec![receiver.url.clone()], None));
    // It counts once the answer has arrived there.
    loop {
        world.customer(json!({"channel": "vk", "from": 999, "text": "Anyone?"})).await;
        if receiver.within(Duration::from_millis(300)).await.is_some() {
            break;
        }
    }
    (provider, receiver)
}

#[tokio::test]
async fn sent_messages_are_changed_and_not_doubled() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Vk);
    does(&world, json!({"text": "Open?"})).await;
    let identity = provider.check().await.unwrap();
    assert_eq!((identity.id.as_str(), identity.name.as_str()), ("100200", "Club"));
    assert!(identity.missing.is_empty(), "{identity:?}");

    let answer = text(PERSON, "Till nine.", 1);
    let id = id_of(&provider.send(&answer).await);
    assert_eq!(id_of(&provider.send(&answer).await), id);
    let file = world.file(MediaForm::Photo { width: 1, height: 1 }, "a.png", "image/png", b"a picture");
    let picture = sends_file(&provider, Outgoing { file: Some(file), ..text(PERSON, "See", 2) }).await;
    let chat = ExternalChat::new(PERSON).unwrap();
    provider.act(&chat, &Deed::Edit { external_id: picture, text: "See here".to_owned() }).await.unwrap();
    provider.act(&chat, &Deed::MarkRead { external_id: None }).await.unwrap();
    let entries = world.ledger("vk").await;
    // The picture stays.
    assert_eq!((&entries[2]["text"], &entries[2]["file_kind"]), (&json!("See here"), &json!("image")));
    assert_eq!((entries.len(), &entries[3]["method"]), (4, &json!("markAsRead")));
    let music = world.file(MediaForm::Document, "a.mp3", "audio/mpeg", b"music");
    let refused = provider.prepare(&Outgoing { file: Some(music), ..text(PERSON, "", 3) }).await;
    assert!(matches!(refused, Err(Outcome::Rejected { .. })), "{refused:?}");

    assert!(matches!(provider.send(&text("2002", "x", 6)).await, Outcome::Forbidden(_)));
    assert!(matches!(provider.send(&text("someone", "x", 7)).await, Outcome::NotFound(_)));
    let long = provider.send(&text(PERSON, &"x".repeat(4_097), 8)).await;
    assert!(matches!(long, Outcome::Rejected { .. }), "{long:?}");
}

#[tokio::test]
async fn deeds_of_customers_and_admins_are_posted() {
    let world = World::start().await;
    let (provider, receiver) = listened(&world).await;
    does(&world, json!({"text": "Hello", "subject": "ad42"})).await;
    let post = receiver.next().await;
    let accepted = provider.hook(&post).unwrap();
    assert_eq!(accepted.answer.body, "ok");
    let events = provider.complete(accepted.events).await;
    let message = messages(&events)[0];
    assert_eq!((message.name.as_deref(), message.user.as_deref()), (Some("Demo Person"), Some(PERSON)));
    let ad = message.ad.as_ref().unwrap();
    assert_eq!((ad.channel.as_str(), ad.id.as_deref()), ("vk_ads", Some("ad42")));
    let secret = serde_json::from_slice::<Value>(&post.body).unwrap()["secret"].as_str().unwrap().to_owned();
    assert!(message.raw.as_ref().is_some_and(|raw| raw.contains("Hello") && !raw.contains(&secret)));

    let sent_id = id_of(&provider.send(&text(PERSON, "Hi", 1)).await);
    let echo = provider.hook(&receiver.next().await).unwrap().events;
    let admin_id = does(&world, json!({"action": "owner_writes", "text": "From the page"})).await;
    let admin = provider.complete(provider.hook(&receiver.next().await).unwrap().events).await;
    for (events, id) in [(&echo, &sent_id), (&admin, &admin_id)] {
        let message = messages(events)[0];
        assert_eq!((message.origin, &message.external_id), (MessageOrigin::Owner, id));
        assert_eq!(message.user.as_deref(), Some(PERSON));
    }

    does(&world, json!({"action": "read"})).await;
    let events = provider.hook(&receiver.next().await).unwrap().events;
    let is_read = |id: &str| {
        events.iter().any(|event| matches!(&event.change, InboundChange::Receipt { external_id, receipt: InboundReceipt::Read, .. } if external_id == id))
    };
    assert!(is_read(&sent_id) && is_read(&admin_id), "{events:?}");
    // A press is answered once.
    let pressed = does(&world, json!({"action": "press", "text": "{\"a\":1}"})).await;
    let pressed_post = receiver.next().await;
    for _ in 0..2 {
        let events = provider.complete(provider.hook(&pressed_post).unwrap().events).await;
        assert_eq!(messages(&events)[0].external_id, pressed);
    }
    let answers = world.ledger("vk").await;
    let answers = answers.iter().filter(|entry| entry["method"] == "sendMessageEventAnswer").count();
    assert_eq!(answers, 1);
    for (state, wanted) in [("in_progress", None), ("done", Some("Is it there?"))] {
        let voice = json!({"transcript": "Is it there?", "transcript_state": state});
        does(&world, json!({"media": [{"kind": "voice"}], "extra": {"heard": voice}})).await;
        let events = provider.hook(&receiver.next().await).unwrap().events;
        assert_eq!(messages(&events)[0].media[0].transcript.as_deref(), wanted);
    }
    let mut other = post.clone();
    other.body = String::from_utf8(post.body.clone()).unwrap().replace("100200", "100201").into_bytes();
    assert!(matches!(provider.hook(&other), Err(HookRefusal::OtherAccount(_))));
}

#[tokio::test]
async fn posts_come_again_until_they_are_taken() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Vk);
    let confirming = Arc::clone(&provider);
    let receiver = Receiver::answering(move |post| {
        let is_again = post.header("x-retry-counter").is_some();
        match confirming.hook(post) {
            Ok(hook) if is_again || !hook.answer.body.contains("ok") => (200, hook.answer.body),
            _ => (200, "later".to_owned()),
        }
    })
    .await;
    provider.register("http://127.0.0.1:1/nowhere").await.unwrap();
    provider.register(&receiver.url).await.unwrap();
    receiver.next().await;
    let (first, second) = loop {
        does(&world, json!({"text": "Hello"})).await;
        if let Some(first) = receiver.within(Duration::from_millis(300)).await {
            break (first, receiver.next().await);
        }
    };
    assert_eq!((first.header("x-retry-counter"), second.header("x-retry-counter")), (None, Some(&b"1"[..])));
    assert_eq!(provider.hook(&first).unwrap().events, provider.hook(&second).unwrap().events);
    assert_eq!(provider.registered().unwrap().await.unwrap().urls, std::slice::from_ref(&receiver.url));
}

#[tokio::test]
async fn the_long_poll_goes_on_where_it_was() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Vk);
    let poll = async |provider: &Arc<dyn Provider>, cursor: Option<&str>| {
        provider.poll(cursor).unwrap().await.unwrap()
    };
    let first = poll(&provider, None).await;
    assert!(first.events.is_empty() && first.more);
    let id = does(&world, json!({"text": "Hello"})).await;
    let polled = poll(&provider, first.cursor.as_deref()).await;
    assert_eq!(messages(&polled.events)[0].external_id, id);
    // The same place again, by another process: the same keys.
    let other = world.provider(ChannelKind::Vk);
    let keys =
        |events: &[domain::InboundEvent]| events.iter().map(|event| event.key.clone()).collect::<Vec<_>>();
    assert_eq!(keys(&poll(&other, first.cursor.as_deref()).await.events), keys(&polled.events));

    let waiting = poll(&provider, polled.cursor.as_deref());
    let (waited, later) = tokio::join!(waiting, does(&world, json!({"text": "Anyone?"})));
    assert_eq!(messages(&waited.events)[0].external_id, later);

    does(&world, json!({"text": "One more", "extra": {"log": "new_key"}})).await;
    let renewed = poll(&provider, waited.cursor.as_deref()).await;
    assert_eq!((renewed.events.len(), &renewed.cursor), (0, &waited.cursor));
    let polled = poll(&provider, renewed.cursor.as_deref()).await;
    assert_eq!(&*messages(&polled.events)[0].text, "One more");
    does(&world, json!({"text": "Lost", "extra": {"log": "lost"}})).await;
    let missed = poll(&provider, polled.cursor.as_deref()).await;
    assert!(messages(&missed.events).iter().any(|message| &*message.text == "Lost"), "{missed:?}");
    // By then its row is past its time.
    let setup = World::setup(world.fields(ChannelKind::Vk));
    setup.clock.advance(Duration::from_hours(91 * 24));
    let months_later = channels::make(setup).unwrap();
    assert_eq!(poll(&months_later, polled.cursor.as_deref()).await.events, []);
    let never = poll(&provider, Some("999999")).await;
    assert_ne!(never.cursor.as_deref(), Some("999999"));
    does(&world, json!({"text": "Found"})).await;
    let found = poll(&provider, never.cursor.as_deref()).await;
    assert_eq!(&*messages(&found.events)[0].text, "Found");
}

/// A community with this number of unread chats, whose log has lost what was before 900.
async fn with_unread(chats: usize) -> Receiver {
    Receiver::answering(move |post| {
        let form = post.form();
        let number = |name: &str| form.iter().find(|(known, _)| known == name)?.1.parse::<usize>().ok();
        let (api, method) = post.url.rsplit_once('/').unwrap();
        let reply = match method.split('?').next().unwrap() {
            "log" if post.query.contains("ts=900") => json!({"ts": "901", "updates": []}),
            "log" => json!({"failed": 1, "ts": "900"}),
            "groups.getLongPollServer" => {
                json!({"response": {"server": format!("{api}/log"), "key": "planted", "ts": "5"}})
            }
            "messages.getConversations" => {
                let item =
                    |peer: usize| json!({"conversation": {"peer": {"id": 1 + peer}, "unread_count": 1}});
                let items = (0..chats).skip(number("offset").unwrap_or(0)).take(number("count").unwrap());
                json!({"response": {"items": items.map(item).collect::<Vec<_>>()}})
            }
            "messages.getHistory" => {
                let peer = number("peer_id");
                let date = ambient::Clock::system().now().as_seconds();
                let message = json!({"id": peer, "peer_id": peer, "from_id": peer, "conversation_message_id": 1,
                    "date": date, "out": 0, "text": "Hello", "attachments": []});
                json!({"response": {"items": [message]}})
            }
            _ => json!({"response": 1}),
        };
        (200, reply.to_string())
    })
    .await
}

#[tokio::test]
async fn every_unread_chat_is_read_after_a_gap() {
    const CHATS: usize = 210;
    let api = with_unread(CHATS).await;
    let keys =
        format!("name = \"club\"\nchannel = \"vk\"\napi = \"{}\"\ntoken = \"a\"\ngroup_id = 100", api.url);
    let setup = World::setup(toml::from_str(&keys).unwrap());
    let (clock, provider) = (setup.clock.clone(), channels::make(setup.clone()).unwrap());
    let poll = async |provider: &Arc<dyn Provider>, cursor: &str| {
        let polling = provider.poll(Some(cursor)).unwrap();
        hurried(&clock, Duration::from_secs(1), polling).await.unwrap()
    };
    let (mut cursor, mut found) = ("5".to_owned(), std::collections::BTreeSet::new());
    // Until all are through a restart begins with what was lost.
    let begun = poll(&channels::make(setup).unwrap(), &cursor).await;
    let begun = begun.cursor.unwrap();
    assert!(begun.starts_with("5+"), "{begun}");
    assert_eq!(poll(&provider, &begun).await.cursor, Some(begun));
    while cursor.starts_with('5') {
        let polled = poll(&provider, &cursor).await;
        found.extend(messages(&polled.events).iter().map(|message| message.chat.to_string()));
        cursor = polled.cursor.unwrap();
    }
    assert_eq!((found.len(), cursor.as_str()), (CHATS, "900"));
    assert_eq!(poll(&provider, &cursor).await.cursor.as_deref(), Some("901"));
}

#[tokio::test]
async fn an_unclear_send_is_repeated_with_its_key() {
    let world = World::start().await;
    let clock = ambient::Clock::system();
    let fields = world.fields(ChannelKind::Vk);
    let http = channels::http::Http::new(clock.clone(), fields.api(), &channels::http::Route::default());
    let setup = World::setup(fields);
    let provider = channels::make(Setup { http: http.unwrap(), clock: clock.clone(), ..setup }).unwrap();
    let Dedup::Key { window: Some(window) } = provider.capabilities().dedup else { panic!() };
    assert!(window < Duration::from_hours(1) && window > Duration::from_mins(50));
    does(&world, json!({"text": "Hello"})).await;

    let internal = r#"{"error":{"error_code":10,"error_msg":"Internal server error"}}"#;
    let order = json!({"provider": "vk", "method": "send", "fault": "error", "code": 200, "message": internal,
        "effect": true, "times": 1});
    world.fault(order).await;
    let message = text(PERSON, "internal", 5);
    assert!(matches!(provider.send(&message).await, Outcome::Unknown(_)));
    let id = id_of(&provider.send(&message).await);
    let found = provider.find(&message, long_ago()).await;
    assert_eq!(found, MessageLookup::Here(SentIds::one(Some(ProviderId::Text(id.into())))));
    world.fault(json!({"provider": "vk", "fault": "rate_limit", "times": 1})).await;
    assert!(matches!(provider.send(&text(PERSON, "x", 10)).await, Outcome::Held { .. }));
    world.fault(json!({"provider": "vk", "method": "upload", "fault": "garbage", "times": 1})).await;
    let file = world.file(MediaForm::Document, "a.pdf", "application/pdf", b"a list");
    let with_file = Outgoing { file: Some(file), ..text(PERSON, "", 11) };
    let failed = provider.prepare(&with_file).await.unwrap_err();
    assert!(failed.proves_unsent(), "{failed:?}");
    let unprepared = Outgoing { prepared: Some("doc-1_77".to_owned()), ..with_file.clone() };
    assert!(matches!(provider.send(&unprepared).await, Outcome::Rejected { .. }));
    assert!(matches!(provider.send(&with_file).await, Outcome::Unprepared(_)));

    world.fault(json!({"provider": "vk", "fault": "token_expired", "times": 1})).await;
    let revoked = provider.send(&text(PERSON, "x", 12)).await;
    assert!(matches!(revoked, Outcome::SessionLost(_)), "{revoked:?}");
    assert!(!format!("{revoked:?}").contains("demo-vk-key"));
}

#[tokio::test]
async fn events_of_a_server_are_set_and_ours_stay() {
    let world = World::start().await;
    let (provider, receiver) = listened(&world).await;
    let set = async |url: &str, kind: &str, is_on| {
        let events = vec![(kind.to_owned(), is_on)];
        provider.old_call(&OldCall::CallbackSettings { url: url.to_owned(), events }).await
    };
    assert_eq!(set(&receiver.url, "message_typing_state", true).await, Ok(json!(1)));
    assert!(matches!(set(&receiver.url, "message_new", false).await, Err(CallError::Refused { .. })));
    let unknown = set("https://example.com/hook", "message_typing_state", true).await;
    assert!(matches!(unknown, Err(CallError::NotFound(_))), "{unknown:?}");
    does(&world, json!({"text": "Still there?"})).await;
    let events = provider.hook(&receiver.next().await).unwrap().events;
    assert_eq!(messages(&events)[0].text.as_str(), "Still there?");
    let code = provider.old_call(&OldCall::ConfirmationCode).await;
    assert_eq!(code, Ok(json!({ "code": "c0ffee42" })));
}

fn keyboard(label: &str) -> String {
    let button = json!({ "action": { "type": "text", "label": label } });
    json!({ "one_time": true, "buttons": [[button]] }).to_string()
}

#[tokio::test]
async fn buttons_and_named_files_go_with_a_text() {
    let world = World::start().await;
    let (provider, receiver) = listened(&world).await;
    does(&world, json!({"text": "Hello"})).await;
    receiver.next().await;
    let file = world.file(MediaForm::Photo { width: 1, height: 1 }, "a.png", "image/png", b"a picture");
    let name = provider.prepare(&Outgoing { file: Some(file), ..text(PERSON, "", 1) }).await.unwrap();
    let with = |label: &str, key| {
        let options = json!({ "attachment": name, "keyboard": keyboard(label) });
        Outgoing { provider_options: Some(options), ..text(PERSON, "Choose", key) }
    };
    id_of(&provider.send(&with("Yes", 2)).await);
    let posted: Value = serde_json::from_slice(&receiver.next().await.body).unwrap();
    let sent = &posted["object"];
    assert_eq!(sent["keyboard"]["buttons"][0][0]["action"]["label"], "Yes", "{posted}");
    assert_eq!(sent["attachments"][0]["type"], "photo", "{posted}");
}

#[tokio::test]
async fn a_text_goes_alone_if_vk_refuses_its_buttons() {
    let world = World::start().await;
    let (provider, receiver) = listened(&world).await;
    does(&world, json!({"text": "Hello"})).await;
    receiver.next().await;
    let no_bots = r#"{"error":{"error_code":912,"error_msg":"This is a chat bot feature"}}"#;
    let order = json!({"provider": "vk", "method": "messages.send", "fault": "error", "code": 200,
        "message": no_bots, "times": 1});
    world.fault(order).await;
    let too_long = "a".repeat(41);
    for (key, label, is_shown, missing) in
        [(2, "Yes", false, 1), (3, too_long.as_str(), false, 1), (4, "Yes", true, 0)]
    {
        let options = json!({ "keyboard": keyboard(label) });
        let message = Outgoing { provider_options: Some(options), ..text(PERSON, "Choose", key) };
        id_of(&provider.send(&message).await);
        let posted: Value = serde_json::from_slice(&receiver.next().await.body).unwrap();
        assert_eq!(posted["object"]["keyboard"].is_object(), is_shown, "{posted}");
        assert_eq!(provider.check().await.unwrap().missing.len(), missing, "{label}");
    }
    assert_eq!(world.ledger("vk").await.len(), 3);
}

proptest! {
    #[test]
    fn no_posted_body_panics(body in any::<Vec<u8>>(), word in "[a-z]{0,6}", number in any::<i64>()) {
        let provider = lone(ChannelKind::Vk, "token = \"a\"\ngroup_id = 100\nold_hook = true");
        let post = |body: Vec<u8>| channels::HookPost {
            method: "POST".to_owned(), url: "/hook".to_owned(), query: String::new(), headers: Vec::new(), body,
        };
        let _ = provider.hook(&post(body));
        for kind in ["message_new", "message_reply", "message_edit", "message_event", "message_deny", "message_read", "x"] {
            let file = json!({"id": number, "owner_id": number, "sizes": [{"width": number, "height": number}]});
            let object = json!({"peer_id": number, "from_id": number, "user_id": number, "date": number,
                "conversation_message_id": number, "event_id": word, "payload": word, "text": word,
                "attachments": [{"type": "photo", "photo": file}, {"type": word}, 1], "geo": {"coordinates": {}}});
            let body = json!({"type": kind, "group_id": 100, "object": object}).to_string();
            let hook = provider.hook(&post(body.into_bytes()));
            prop_assert!(!matches!(hook, Err(HookRefusal::NotGenuine | HookRefusal::OtherAccount(_))));
        }
    }
}

#[tokio::test]
async fn the_word_that_confirms_outlives_a_restart() {
    let world = World::start().await;
    let fields = world.fields(ChannelKind::Vk);
    let setup = World::setup(fields.clone());
    let kept: StoredValues = setup.kept.clone();
    let request = |secret: &str| channels::HookPost {
        method: "POST".to_owned(),
        url: "http://127.0.0.1/hook".to_owned(),
        query: String::new(),
        headers: Vec::new(),
        body: json!({"type": "confirmation", "group_id": 100_200, "secret": secret}).to_string().into_bytes(),
    };
    let provider = channels::make(setup.clone()).unwrap();
    let secret = domain::secret::ExposeSecret::expose_secret(&setup.header_secret()).to_owned();
    assert!(matches!(provider.hook(&request(&secret)), Err(HookRefusal::Unreadable(_))));
    provider.register("http://127.0.0.1:1/nowhere").await.unwrap();
    let again = channels::make(Setup { kept, ..World::setup(fields) }).unwrap();
    assert_eq!(again.hook(&request(&secret)).unwrap().answer.body, "c0ffee42");
    assert_eq!(again.hook(&request("other")), Err(HookRefusal::NotGenuine));
}

#[tokio::test]
async fn many_sends_at_once_arrive_once_each() {
    let world = World::start().await;
    let provider = world.provider(ChannelKind::Vk);
    does(&world, json!({"text": "Hello"})).await;
    let sends = async |key: i64| {
        let message = text(PERSON, "much", key);
        // Where the machine is slow the calls may arrive all together, and one is asked to come later.
        loop {
            match provider.send(&message).await {
                Outcome::Held { .. } => {}
                outcome => return id_of(&outcome),
            }
        }
    };
    futures::future::join_all((100..125).map(sends)).await;
    assert_eq!(world.ledger("vk").await.len(), 25);
}
