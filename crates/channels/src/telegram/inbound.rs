//! Updates of the Bot API as what happened. Pure; whatever an update is, reading it does not fail.

use domain::inbound::AdSource;
use domain::received_message::Reaction;
use domain::{
    ChatType, ContactProof, ExternalChat, GivenReactions, InboundChange, InboundEvent, InboundMessage,
    MessageOrigin, ProvedContact, Timestamp,
};
use serde_json::Value;

use super::content::{self, content};
use super::outgoing::{Target, Topic};
use super::place::{group, kind_and_body, lacks_topic, target_and_chat, type_of};

/// The kind of updates on connections to personal accounts. No customer writes one.
pub(super) const CONNECTION: &str = "business_connection";

/// The kinds of updates that are read; Telegram sends no others.
pub(super) const ALLOWED: [&str; 9] = [
    "message",
    "edited_message",
    "callback_query",
    "message_reaction",
    "my_chat_member",
    CONNECTION,
    "business_message",
    "edited_business_message",
    "deleted_business_messages",
];

/// What the external id of a press begins with.
pub(super) const PRESS: &str = "cb:";

/// Who the bot is, as far as that is known: messages of groups mention it so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Own {
    pub(super) id: Option<i64>,
    /// Without the @.
    pub(super) username: Option<String>,
}

/// An update's number and what happened; none where it has no number. One that says nothing here is reported as unread.
pub(super) fn read(update: &Value, own: &Own, now: Timestamp) -> Option<(i64, Vec<InboundEvent>)> {
    let number = update["update_id"].as_i64()?;
    let (kind, body) = kind_and_body(update);
    let changes = match kind {
        "message" | "business_message" => message(body, update, own).into_iter().collect(),
        "edited_message" | "edited_business_message" => edited(body).into_iter().collect(),
        "deleted_business_messages" => deleted(body, now),
        "callback_query" => press(body, update, now).into_iter().collect(),
        "message_reaction" => reaction(body).into_iter().collect(),
        "my_chat_member" => membership(body).into_iter().collect(),
        _ => Vec::new(),
    };
    // The number alone is not enough: Telegram begins at any number after a week of silence.
    let event = |(about, change): (String, InboundChange)| InboundEvent {
        key: format!("{number}:{kind}:{about}"),
        change,
    };
    let mut events: Vec<InboundEvent> = changes.into_iter().map(event).collect();
    if events.is_empty() {
        events.push(unread(kind, body).with_raw(|| update.to_string()));
    }
    Some((number, events))
}

/// An update from which nothing follows, such as a notice, or one that cannot be read.
fn unread(kind: &str, body: &Value) -> InboundEvent {
    let is_written = kind.ends_with("message");
    if is_written && body.is_object() && content(body).is_none() {
        return InboundEvent::notice("a notice of a chat");
    }
    match kind {
        "" => InboundEvent::notice("an update of a kind that is not asked for"),
        kind if is_written => {
            InboundEvent::lost(format!("an update of the kind {kind} lacks what it must have"))
        }
        kind => InboundEvent::notice(format!("an update of the kind {kind}")),
    }
}

/// What is different in what happened, and the change.
type Change = (String, InboundChange);

pub(super) fn word<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str().filter(|text| !text.is_empty())
}

fn time(value: &Value, name: &str) -> Option<Timestamp> {
    let seconds = value[name].as_i64().filter(|seconds| *seconds > 0)?;
    Some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?))
}

/// The fields that a forwarded message has; an older server has the last ones.
pub(super) const FORWARDED: [&str; 3] = ["forward_origin", "forward_date", "forward_from"];

/// Whether a message of a group mentions the bot or replies to a message of it.
fn mentions(message: &Value, own: &Own) -> bool {
    let is_own = |user: &Value| user["id"].as_i64().is_some_and(|id| Some(id) == own.id);
    let replied = &message["reply_to_message"];
    // In a topic, a message that replies to nothing replies to the one that began the topic.
    let is_of_topic = replied["forum_topic_created"].is_object();
    if is_own(&replied["from"]) && !is_of_topic {
        return true;
    }
    // The words of a forward are another one's.
    if FORWARDED.iter().any(|name| message.get(name).is_some()) {
        return false;
    }
    let text = word(message, "text").or_else(|| word(message, "caption")).unwrap_or_default();
    let entities = ["entities", "caption_entities"].into_iter().filter_map(|name| message[name].as_array());
    let named = own.username.as_deref().map(str::to_lowercase);
    entities.flatten().any(|entity| match word(entity, "type") {
        Some("text_mention") => is_own(&entity["user"]),
        Some("mention" | "bot_command") => {
            let said = slice(text, entity).map(|said| said.to_lowercase());
            let said = said.as_deref().and_then(|said| said.rsplit_once('@')).map(|(_, name)| name);
            said.is_some() && said == named.as_deref()
        }
        _ => false,
    })
}

/// The part of a text that an entity is about: Telegram counts in units of UTF-16.
fn slice(text: &str, entity: &Value) -> Option<String> {
    let place = |name: &str| usize::try_from(entity[name].as_u64()?).ok();
    let (offset, length) = (place("offset")?, place("length")?);
    let units: Vec<u16> = text.encode_utf16().skip(offset).take(length).collect();
    String::from_utf16(&units).ok()
}

/// What a person or a chat is called.
pub(super) fn name(person: &Value) -> Option<String> {
    let parts = [word(person, "first_name"), word(person, "last_name")];
    let whole = parts.into_iter().flatten().collect::<Vec<_>>().join(" ").trim().to_owned();
    let called = Some(whole).filter(|name| !name.is_empty());
    called
        .or_else(|| word(person, "title").map(str::to_owned))
        .or_else(|| word(person, "username").map(|name| format!("@{name}")))
}

fn message(message: &Value, update: &Value, own: &Own) -> Option<Change> {
    let (target, chat) = target_and_chat(message)?;
    let external_id = target.external_id(message["message_id"].as_i64()?);
    let (text, media) = content(message)?.into_parts();
    if lacks_topic(message) {
        return None;
    }
    let (from, written_as) = (&message["from"], &message["sender_chat"]);
    let sender = if written_as.is_object() { written_as } else { from };
    let private = customer_of(message, &target);
    let is_own = private.is_some_and(|other| from["id"].as_i64() != other["id"].as_i64());
    let origin = match from["is_bot"].as_bool() {
        _ if is_own => MessageOrigin::Owner,
        Some(true) if !written_as.is_object() => MessageOrigin::Bot,
        _ => MessageOrigin::Person,
    };
    let customer = private.unwrap_or(sender);
    let chat_type = type_of(message, &target);
    let is_group = chat_type == ChatType::Group;
    let came_in = InboundMessage {
        origin,
        group: group(chat.as_str()),
        title: name(&message["chat"]).filter(|_| is_group),
        mentions_us: is_group && mentions(message, own),
        user: customer["id"].as_i64().map(|id| id.to_string()),
        name: name(customer),
        phone: own_phone(message).map(|phone| ProvedContact::new(phone, ContactProof::Provider)),
        media,
        ad: start_of(&text).map(|id| AdSource { channel: "telegram_deeplink".to_owned(), id: Some(id) }),
        raw: Some(update.to_string()),
        ..InboundMessage::of(chat_type, chat, external_id.clone(), text, time(message, "date")?)
    };
    let answered = message["reply_to_message"]["message_id"].as_i64().map(|id| target.external_id(id));
    let came_in = came_in.answering(answered, content::answered_words(message));
    Some((external_id, InboundChange::Message(Box::new(came_in))))
}

fn edited(message: &Value) -> Option<Change> {
    let (target, _) = target_and_chat(message)?;
    let external_id = target.external_id(message["message_id"].as_i64()?);
    let at = time(message, "edit_date").or_else(|| time(message, "date"))?;
    let text = content(message)?.into_parts().0.into();
    Some((format!("{external_id}:{}", at.as_seconds()), InboundChange::Edited { external_id, text, at }))
}

fn deleted(body: &Value, at: Timestamp) -> Vec<Change> {
    let Some((target, _)) = target_and_chat(body) else { return Vec::new() };
    let ids = body["message_ids"].as_array().into_iter().flatten().filter_map(Value::as_i64);
    let gone = |id| {
        let external_id = target.external_id(id);
        (external_id.clone(), InboundChange::Deleted { external_id, at })
    };
    ids.map(gone).collect()
}

/// The customer of a private chat that others write in, too. Chats of a personal account are private: the other one has the chat's id.
/// Direct messages to a channel are of the user who began them, and the others write for the channel.
fn customer_of<'a>(message: &'a Value, target: &Target) -> Option<&'a Value> {
    match target.topic {
        Some(Topic::Direct(_)) => {
            Some(&message["direct_messages_topic"]["user"]).filter(|user| user.is_object())
        }
        _ => target.business.as_ref().map(|_| &message["chat"]),
    }
}

fn press(press: &Value, update: &Value, now: Timestamp) -> Option<Change> {
    let (from, pressed) = (&press["from"], &press["message"]);
    if lacks_topic(pressed) {
        return None;
    }
    let alone = || {
        let target = Target { business: None, chat: from["id"].as_i64()?, topic: None };
        let chat = ExternalChat::new(&target.name())?;
        Some((target, chat))
    };
    let (target, chat) = target_and_chat(pressed).or_else(alone)?;
    // The owner's side pressed a button in the chat of a customer. Of an old message Telegram leaves the connection out.
    let is_of_person = |customer: &Value| customer["id"].as_i64() == from["id"].as_i64();
    if !customer_of(pressed, &target).is_none_or(is_of_person)
        || target.chat > 0 && from["id"].as_i64() != Some(target.chat)
    {
        return None;
    }
    let external_id = format!("{PRESS}{}", word(press, "id")?);
    let chat_type = type_of(pressed, &target);
    let text = word(press, "data").unwrap_or("[button]");
    let came_in = InboundMessage {
        group: group(chat.as_str()),
        title: name(&pressed["chat"]).filter(|_| chat_type == ChatType::Group),
        // The button is one of the bot's.
        mentions_us: true,
        user: from["id"].as_i64().map(|id| id.to_string()),
        name: name(from),
        reply_to: pressed["message_id"].as_i64().map(|id| target.external_id(id)),
        raw: Some(update.to_string()),
        ..InboundMessage::of(chat_type, chat, external_id.clone(), text, now)
    };
    Some((external_id, InboundChange::Message(Box::new(came_in))))
}

fn reaction(body: &Value) -> Option<Change> {
    let (target, _) = target_and_chat(body)?;
    let external_id = target.external_id(body["message_id"].as_i64()?);
    let user = body["user"]["id"].as_i64().or_else(|| body["actor_chat"]["id"].as_i64())?.to_string();
    let read = |given: &Value| match word(given, "type")? {
        "custom_emoji" => Some(Reaction::numbered(word(given, "custom_emoji_id")?.parse().ok()?)),
        "paid" => Some(Reaction::emoji("⭐")),
        _ => word(given, "emoji").map(Reaction::emoji),
    };
    let reactions = body["new_reaction"].as_array()?.iter().filter_map(read).collect();
    let given = GivenReactions { user, reactions, at: time(body, "date")? };
    Some((external_id.clone(), InboundChange::Reacted { external_id, given }))
}

fn membership(body: &Value) -> Option<Change> {
    let (_, chat) = target_and_chat(body)?;
    let can = match word(&body["new_chat_member"], "status")? {
        "kicked" | "left" => false,
        "restricted" => body["new_chat_member"]["can_send_messages"].as_bool().unwrap_or(true),
        _ => true,
    };
    let at = time(body, "date")?;
    Some((chat.to_string(), InboundChange::Reachable { chat, can, at }))
}

/// The writer's number, where the contact is their own.
fn own_phone(message: &Value) -> Option<String> {
    let contact = &message["contact"];
    let owner = contact["user_id"].as_i64()?;
    if message["from"]["id"].as_i64() != Some(owner) {
        return None;
    }
    let digits: String = word(contact, "phone_number")?.chars().filter(char::is_ascii_digit).collect();
    (7..=15).contains(&digits.len()).then(|| format!("+{digits}"))
}

/// What a link to the bot gave along.
fn start_of(text: &str) -> Option<String> {
    let (command, payload) = text.split_once(' ')?;
    let is_start = command == "/start" || command.starts_with("/start@");
    let is_payload = (1..=64).contains(&payload.len())
        && payload.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    (is_start && is_payload).then(|| payload.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use domain::{InboundKind, InboundMedia};

    use super::*;
    use crate::telegram::place::chat_type;

    const NOW: Timestamp = Timestamp::from_micros(1_760_000_700_000_000);

    fn own() -> Own {
        Own { id: Some(9_001), username: Some("Demo_bot".to_owned()) }
    }

    fn events(update: &Value) -> Vec<InboundEvent> {
        read(update, &own(), NOW).unwrap().1
    }

    /// The events but those that only say that something is unread.
    fn said(update: &Value) -> Vec<InboundEvent> {
        let is_read = |event: &InboundEvent| !matches!(event.change, InboundChange::Unread(_));
        events(update).into_iter().filter(is_read).collect()
    }

    fn only(update: &Value) -> InboundMessage {
        match events(update).remove(0).change {
            InboundChange::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    fn is_lost(update: &Value) -> bool {
        events(update)
            .iter()
            .any(|event| matches!(&event.change, InboundChange::Unread(unread) if unread.is_lost))
    }

    fn written(more: &Value) -> Value {
        let mut message = json!({
            "message_id": 17, "date": 1_760_000_500,
            "from": {"id": 2_001, "is_bot": false, "first_name": "Ivan", "last_name": "P", "username": "ivan_x"},
            "chat": {"id": 2_001, "type": "private", "first_name": "Ivan"},
        });
        message.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        message
    }

    fn update(kind: &str, more: &Value) -> Value {
        let mut update = json!({"update_id": 900_001});
        update[kind] = written(more);
        update
    }

    #[test]
    fn a_text_is_read_with_who_wrote_it_and_how_they_came() {
        let started =
            update("message", &json!({"text": "/start ad42", "reply_to_message": {"message_id": 16}}));
        let message = only(&started);
        assert_eq!((message.chat.as_str(), message.external_id.as_str()), ("2001", "2001:17"));
        assert_eq!((message.user.as_deref(), message.name.as_deref()), (Some("2001"), Some("Ivan P")));
        assert_eq!((&*message.text, message.reply_to.as_deref()), ("/start ad42", Some("2001:16")));
        assert_eq!(
            message.ad,
            Some(AdSource { channel: "telegram_deeplink".into(), id: Some("ad42".into()) })
        );
        assert_eq!(message.sent_at.as_seconds(), 1_760_000_500);
        assert_eq!(message.raw.as_deref(), Some(started.to_string().as_str()));
        assert_eq!(events(&started)[0].key, "900001:message:2001:17");
        let others = ["/start", "/start a b", "/start ключ", "/stop ad42"];
        assert!(others.iter().all(|text| only(&update("message", &json!({"text": text}))).ad.is_none()));
        let group = update(
            "message",
            &json!({
                "text": "hi", "chat": {"id": -1_001_234_567_890_i64, "type": "supergroup", "title": "Us"},
                "from": {"id": 1_087_968_824, "is_bot": true}, "sender_chat": {"id": -1_001_234_567_890_i64, "title": "Us"},
            }),
        );
        let message = only(&group);
        assert_eq!((message.origin, message.name.as_deref()), (MessageOrigin::Person, Some("Us")));
        assert_eq!(message.chat.as_str(), "-1001234567890");
    }

    #[test]
    fn each_type_of_chat_is_what_it_is() {
        let of = |id: i64, kind: &str, more: Value| {
            let mut written = more;
            written["text"] = json!("hi");
            written["chat"] = json!({"id": id, "type": kind, "title": "Us"});
            only(&update("message", &written))
        };
        let (person, forum) = (2_001, -1_001_234_567_890_i64);
        assert_eq!(of(person, "private", json!({})).chat_type, ChatType::Private);
        // A type that is not known may be of many people.
        assert_eq!(of(person, "community", json!({})).chat_type, ChatType::Group);
        // The id of a group is none of a person, whatever is said of it.
        for kind in ["group", "supergroup", "private", ""] {
            let message = of(-42, kind, json!({}));
            assert_eq!(
                (message.chat_type, message.title.as_deref()),
                (ChatType::Group, Some("Us")),
                "{kind}"
            );
        }
        assert_eq!(of(forum, "channel", json!({})).chat_type, ChatType::Channel);
        assert_eq!(
            of(forum, "supergroup", json!({"is_automatic_forward": true})).chat_type,
            ChatType::Channel
        );
        let topic = of(forum, "supergroup", json!({"message_thread_id": 7, "is_topic_message": true}));
        assert_eq!(
            (topic.chat.as_str(), topic.external_id.as_str()),
            ("-1001234567890/7", "-1001234567890:17")
        );
        assert_eq!(topic.group().as_str(), "-1001234567890");
        // A thread of replies is no topic.
        let thread = of(forum, "supergroup", json!({"message_thread_id": 7}));
        assert_eq!((thread.chat.as_str(), thread.group), ("-1001234567890", None));
        assert_eq!(chat_type("-1001234567890/7"), Ok(ChatType::Group));
        assert_eq!(chat_type("bc-1:2001"), Ok(ChatType::Private));
    }

    #[test]
    fn direct_messages_to_a_channel_are_private_chats_of_their_users() {
        let chat =
            json!({"id": -1_002_222, "type": "supergroup", "title": "News", "is_direct_messages": true});
        let person = |id: i64| json!({"id": id, "is_bot": false, "first_name": format!("Person {id}")});
        let topic = |number: i64, user: i64| json!({"topic_id": number, "user": person(user)});
        let of = |topic: Value, from: i64| {
            update(
                "message",
                &json!({"text": "hi", "from": person(from), "direct_messages_topic": topic, "chat": chat}),
            )
        };
        for (number, user) in [(501, 2_001), (502, 2_002)] {
            let message = only(&of(topic(number, user), user));
            let name = format!("-1002222!{number}");
            assert_eq!((message.chat.as_str(), message.external_id.as_str()), (&*name, "-1002222:17"));
            assert_eq!((message.chat_type, chat_type(&name)), (ChatType::Private, Ok(ChatType::Private)));
            assert_eq!((message.origin, message.group, message.title), (MessageOrigin::Person, None, None));
            assert_eq!(message.user, Some(user.to_string()));
        }
        // What another one answers there is the channel's.
        let ours = only(&of(topic(501, 2_001), 5_001));
        assert_eq!(
            (ours.origin, ours.user.as_deref(), ours.name.as_deref()),
            (MessageOrigin::Owner, Some("2001"), Some("Person 2001"))
        );
        // Without its topic it is unknown whose message it is.
        assert!(is_lost(&of(Value::Null, 2_001)));
        let pressed = json!({"message_id": 18, "date": 0, "chat": chat});
        let press = |message: &Value, from: i64| {
            said(
                &json!({"update_id": 1, "callback_query": {"id": "1", "from": person(from), "message": message}}),
            )
        };
        assert!(press(&pressed, 2_001).is_empty());
        // What another person presses is not the customer's.
        let mut known = pressed;
        known["direct_messages_topic"] = topic(501, 2_001);
        assert_eq!((press(&known, 2_001).len(), press(&known, 5_001).len()), (1, 0));
    }

    #[test]
    fn a_group_mentions_the_bot_by_its_name_or_a_reply() {
        let mentions = |more: Value| {
            let mut written = more;
            written["chat"] = json!({"id": -42, "type": "group"});
            only(&update("message", &written)).mentions_us
        };
        let entity = |kind: &str, text: &str, offset: usize, length: usize| json!({"text": text, "entities": [{"type": kind, "offset": offset, "length": length}]});
        assert!(mentions(entity("mention", "👋 @demo_BOT hi", 3, 9)));
        assert!(mentions(entity("bot_command", "/price@demo_bot", 0, 15)));
        assert!(mentions(
            json!({"text": "yes", "reply_to_message": {"message_id": 1, "from": {"id": 9_001}}})
        ));
        assert!(mentions(json!({"text": "you", "entities": [
            {"type": "text_mention", "offset": 0, "length": 3, "user": {"id": 9_001}}]})));
        assert!(!mentions(json!({"text": "@demo_bot"})));
        for field in ["forward_origin", "forward_date"] {
            let mut forward = entity("mention", "@demo_bot hi", 0, 9);
            forward[field] = json!({});
            assert!(!mentions(forward), "{field}");
        }
        assert!(!mentions(entity("mention", "@demo_bot2", 0, 10)));
        assert!(!mentions(entity("bot_command", "/price", 0, 6)));
        assert!(!mentions(
            json!({"text": "yes", "reply_to_message": {"message_id": 1, "from": {"id": 2_001}}})
        ));
        assert!(!mentions(json!({"text": "hi", "reply_to_message":
            {"message_id": 1, "from": {"id": 9_001}, "forum_topic_created": {"name": "x"}}})));
    }

    #[test]
    fn media_have_the_id_that_fetches_them() {
        let file =
            json!({"file_id": "F", "file_name": "a.pdf", "mime_type": "application/pdf", "file_size": 7});
        let kinds = [
            ("voice", InboundKind::Voice),
            ("video_note", InboundKind::Video),
            ("sticker", InboundKind::Sticker),
            ("document", InboundKind::Document),
        ];
        for (name, kind) in kinds {
            let message = only(&update("message", &json!({name: file, "caption": "look"})));
            let media = &message.media[0];
            assert_eq!((media.kind, media.file_id.as_deref(), media.size), (kind, Some("F"), Some(7)));
            assert_eq!((&*message.text, &media.url), ("look", &None));
        }
        let clip = only(&update("message", &json!({"animation": file, "document": file})));
        assert_eq!((clip.media.len(), clip.media[0].kind), (1, InboundKind::Video));
        let photo = json!({"photo": [{"file_id": "small"}, {"file_id": "large"}]});
        let message = only(&update("message", &photo));
        assert_eq!(message.media[0].file_id.as_deref(), Some("large"));
        assert!(message.text.is_empty());
    }

    #[test]
    fn contacts_and_locations_become_text() {
        let own = json!({"contact": {"phone_number": "70000000001", "first_name": "Ivan", "user_id": 2_001}});
        let message = only(&update("message", &own));
        assert_eq!(
            (&*message.text, message.phone.map(|phone| phone.value).as_deref()),
            ("[contact] 70000000001 Ivan", Some("+70000000001"))
        );
        let other =
            json!({"contact": {"phone_number": "+70000000002", "first_name": "Ann", "user_id": 2_002}});
        assert_eq!(only(&update("message", &other)).phone, None);
        let place = json!({"location": {"latitude": 55.75, "longitude": 37.5}, "venue": {"title": "Shop"}});
        assert_eq!(&*only(&update("message", &place)).text, "[location] 55.75,37.5 Shop");
        assert_eq!(&*only(&update("message", &json!({"poll": {"question": "When?"}}))).text, "[poll] When?");
        assert_eq!(&*only(&update("message", &json!({"story": {}}))).text, "[story]");
        for notice in [json!({"pinned_message": {}}), json!({"migrate_to_chat_id": -100}), json!({})] {
            let events = events(&update("message", &notice));
            assert_eq!(events, [InboundEvent::notice("a notice of a chat")], "{notice}");
        }
    }

    #[test]
    fn what_a_message_answers_elsewhere_and_an_unknown_file_have_words() {
        let of = |more: Value| only(&update("message", &more));
        let post = json!({"origin": {"type": "channel", "chat": {"title": "News"}, "message_id": 5},
            "chat": {"id": -100_111, "title": "News", "username": "news"}, "message_id": 5});
        let asked = of(json!({"text": "How much?", "external_reply": post, "quote": {"text": "A lamp"}}));
        assert_eq!(&*asked.text, "How much?\n[post] News A lamp https://t.me/news/5");
        assert_eq!(asked.media[0].kind, InboundKind::Post);
        let hidden = json!({"origin": {"type": "hidden_user", "sender_user_name": "Anna"}});
        assert_eq!(&*of(json!({"text": "Yes", "external_reply": hidden})).text, "Yes\n[post] Anna");
        let story = json!({"text": "Nice", "reply_to_story": {"id": 4, "chat": {"title": "Shop"}}});
        assert_eq!(&*of(story).text, "Nice\n[story] reply Shop");
        // A part of a message of the same chat is in the message that is answered.
        let quote =
            json!({"text": "This?", "quote": {"text": "part"}, "reply_to_message": {"message_id": 16}});
        let quote = of(quote);
        assert_eq!((&*quote.text, InboundMedia::reply_text(&quote.media)), ("This?", Some("part")));
        // Only a file has a caption.
        let unknown = of(json!({"caption": "Look", "has_new_flag": true, "hologram": {"size": 5}}));
        assert_eq!((&*unknown.text, unknown.media[0].kind), ("Look\n[hologram]", InboundKind::Unknown));
        let known = of(json!({"text": "Look", "a_new_flag": {"size": 5}}));
        assert_eq!((&*known.text, known.media.len()), ("Look", 0));
    }

    #[test]
    fn edits_presses_and_blocks_are_read() {
        let edit = update("edited_message", &json!({"text": "new", "edit_date": 1_760_000_600}));
        let event = events(&edit).remove(0);
        assert_eq!(event.key, "900001:edited_message:2001:17:1760000600");
        let InboundChange::Edited { external_id, text, at } = event.change else { panic!() };
        assert_eq!((external_id.as_str(), &*text, at.as_seconds()), ("2001:17", "new", 1_760_000_600));
        let mut press = json!({"update_id": 1, "callback_query": {
            "id": "43991", "from": {"id": 2_001, "first_name": "Ivan"}, "data": "a=1",
            "message": {"message_id": 18, "date": 0, "chat": {"id": 2_001}},
        }});
        let message = only(&press);
        assert_eq!((message.external_id.as_str(), &*message.text), ("cb:43991", "a=1"));
        assert_eq!((message.reply_to.as_deref(), message.sent_at), (Some("2001:18"), NOW));
        press["callback_query"].as_object_mut().unwrap().remove("message");
        assert_eq!((only(&press).chat.as_str(), only(&press).reply_to), ("2001", None));
        // Telegram says no more of an old message than its chat, which is not the one of the person who presses.
        press["callback_query"]["message"] = json!({"message_id": 18, "date": 0, "chat": {"id": 2_002}});
        assert!(said(&press).is_empty());
        let reacted = json!({"user": {"id": 2_001}, "new_reaction": [
            {"type": "emoji", "emoji": "👍"}, {"type": "custom_emoji", "custom_emoji_id": "5"}, {"type": "paid"}, {"type": "new"},
        ]});
        let InboundChange::Reacted { external_id, given } =
            events(&update("message_reaction", &reacted)).remove(0).change
        else {
            panic!()
        };
        assert_eq!((external_id.as_str(), given.user.as_str()), ("2001:17", "2001"));
        assert_eq!(given.reactions, [Reaction::emoji("👍"), Reaction::numbered(5), Reaction::emoji("⭐")]);
        for (status, can) in [("kicked", false), ("member", true), ("left", false), ("administrator", true)] {
            let update = update("my_chat_member", &json!({"new_chat_member": {"status": status}}));
            let InboundChange::Reachable { can: reported, .. } = events(&update)[0].change else { panic!() };
            assert_eq!(reported, can, "{status}");
        }
    }

    #[test]
    fn a_personal_account_has_chats_of_its_own() {
        let business = |from: i64| {
            let more = json!({"business_connection_id": "bc-1", "text": "hi", "from": {"id": from, "first_name": "Ann"}});
            only(&update("business_message", &more))
        };
        let theirs = business(2_001);
        assert_eq!((theirs.chat.as_str(), theirs.external_id.as_str()), ("bc-1:2001", "bc-1:2001:17"));
        assert_eq!(theirs.origin, MessageOrigin::Person);
        let own = business(5_001);
        assert_eq!(
            (own.origin, own.user.as_deref(), own.name.as_deref()),
            (MessageOrigin::Owner, Some("2001"), Some("Ivan"))
        );
        let gone = json!({"update_id": 2, "deleted_business_messages": {
            "business_connection_id": "bc-1", "chat": {"id": 2_001}, "message_ids": [17, 18, "x"],
        }});
        let found = events(&gone);
        assert_eq!(
            found.iter().map(|event| event.key.as_str()).collect::<Vec<_>>(),
            ["2:deleted_business_messages:bc-1:2001:17", "2:deleted_business_messages:bc-1:2001:18"]
        );
    }

    #[test]
    fn an_update_that_becomes_no_message_leaves_a_trace() {
        for body in [json!({"update_id": 5, "poll": {}}), json!({"update_id": 5})] {
            assert!(said(&body).is_empty() && !is_lost(&body), "{body}");
        }
        let chat = json!({"id": 2_001});
        for body in [
            json!({"update_id": 5, "message": "odd"}),
            json!({"update_id": 5, "message": {"message_id": 1, "chat": chat, "text": "without a date"}}),
            json!({"update_id": 5, "message": {"date": 1, "chat": chat, "text": "without a number"}}),
            json!({"update_id": 5, "business_message": {"message_id": 1, "date": 1, "text": "without a chat"}}),
            json!({"update_id": 5, "edited_message": {"message_id": 1, "chat": chat, "text": "without a date"}}),
        ] {
            assert!(said(&body).is_empty() && is_lost(&body), "{body}");
            let InboundChange::Unread(unread) = events(&body).remove(0).change else { panic!("{body}") };
            assert_eq!(unread.raw.as_deref(), Some(body.to_string().as_str()));
        }
        assert_eq!(read(&json!({"message": {}}), &own(), NOW), None);
        assert_eq!(read(&json!([1]), &own(), NOW), None);
    }

    /// Any JSON with the names that are looked for, and odd values.
    fn any_json() -> impl Strategy<Value = Value> {
        let name = prop::sample::select(vec![
            "update_id",
            "message",
            "edited_message",
            "callback_query",
            "message_reaction",
            "new_reaction",
            "user",
            "type",
            "emoji",
            "my_chat_member",
            "business_message",
            "deleted_business_messages",
            "message_ids",
            "message_id",
            "chat",
            "from",
            "id",
            "date",
            "edit_date",
            "text",
            "photo",
            "voice",
            "file_id",
            "contact",
            "user_id",
            "phone_number",
            "new_chat_member",
            "status",
            "location",
            "business_connection_id",
            "data",
            "first_name",
            "reply_to_message",
            "is_direct_messages",
            "direct_messages_topic",
            "topic_id",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 64, 8, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(name.clone(), inner, 0..8)
                    .prop_map(|map| map.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_json_is_read_without_a_panic(mut update in any_json()) {
            let _ = read(&update, &own(), NOW);
            if update.is_object() {
                update["update_id"] = json!(1);
                prop_assert!(read(&update, &own(), NOW).is_some());
            }
        }
    }
}
