//! What Wappi posts, as the events of all channels. Pure.

use domain::lenient;
use domain::phone;
use domain::received_message::Reaction;
use domain::{
    AccountName, AdSource, ChatType, ContactProof, ExternalChat, GivenReactions, InboundChange, InboundEvent,
    InboundMessage, InboundReceipt, MessageOrigin, ProvedContact, Timestamp,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::content::{self, content};
use crate::nature;
use crate::provider::HookRefusal;
use crate::shared_hook::check_addressee;

/// Why a message failed while the number is banned for a while.
pub(super) const BANNED: &str = "temporary ban";
/// What chats are called.
pub(super) const ADDRESSES: &str =
    "a chat of WhatsApp is a number in digits, or ends in @c.us, @g.us or @lid";
/// The most digits that the number of a person has.
const LONGEST_NUMBER: usize = 15;
/// Fields that hold pictures as text.
const PICTURES: [&str; 4] = ["thumbnail", "picture", "JPEGThumbnail", "b64_file"];

/// The events of one post for this profile; `has_secret` where the address that it came to has the profile's secret.
///
/// # Errors
/// It is of another profile, or has no messages.
pub(super) fn read(
    body: &Value,
    (account, profile): (&AccountName, &str),
    has_secret: bool,
    now: Timestamp,
) -> Result<Vec<InboundEvent>, HookRefusal> {
    let items: Vec<&Value> = match body.get("messages") {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(item @ Value::Object(_)) => vec![item],
        _ if body.get("wh_type").is_some() => vec![body],
        _ => return Err(HookRefusal::Unreadable("no messages".to_owned())),
    };
    for item in &items {
        match text(item, "/profile_id") {
            Some(named) => check_addressee(account, Some(profile), &named)?,
            // The secret in the address names the profile.
            None if has_secret => {}
            None => return Err(HookRefusal::OtherAccount("it names no profile".to_owned())),
        }
    }
    let events =
        items.into_iter().flat_map(|item| read_item(item, now).into_iter().chain(contradiction(item)));
    Ok(events.collect())
}

/// What an item says. None where it only says again what is known: that a message is on its way.
fn read_item(item: &Value, now: Timestamp) -> Option<InboundEvent> {
    let kind = text(item, "/wh_type").unwrap_or_default();
    let at = time_of(item).unwrap_or(now);
    let unread = || InboundEvent::notice(format!("a post of the kind {kind}"));
    Some(match kind {
        "incoming_message" | "outgoing_message_api" | "outgoing_message_phone" | "incoming_call" => {
            message_event(item, kind, at)
        }
        "delivery_status" => {
            let (Some(external_id), Some(status)) = (lenient::id(&item["id"]), text(item, "/status")) else {
                return Some(unread());
            };
            let status = status.to_lowercase();
            let receipt = match status.as_str() {
                "delivered" => InboundReceipt::Delivered,
                "read" => InboundReceipt::Read,
                "undelivered" | "error" | BANNED => InboundReceipt::Failed(status.clone()),
                "pending" | "sent" => return None,
                _ => return Some(InboundEvent::notice(format!("the delivery status {status}"))),
            };
            let key = format!("{kind}:{external_id}:{status}");
            InboundEvent { key, change: InboundChange::Receipt { external_id, receipt, at } }
        }
        "authorization_status" | "application_status" => {
            let status = text(item, "/status").unwrap_or_default().to_lowercase();
            let is_in = match status.as_str() {
                "online" => true,
                "offline" => false,
                _ => return Some(unread()),
            };
            let key = format!("{kind}:{status}:{}", at.as_micros());
            InboundEvent { key, change: InboundChange::SignedIn(is_in) }
        }
        _ => unread(),
    })
}

/// A message of a chat's history, with its time.
pub(super) fn of_history(item: &Value, now: Timestamp) -> (Timestamp, InboundEvent) {
    let at = time_of(item).unwrap_or(now);
    let is_own = is(item, "fromMe") || is(item, "is_me");
    let kind = if is_own { "outgoing_message_phone" } else { "incoming_message" };
    (at, message_event(item, kind, at))
}

fn message_event(item: &Value, posted_as: &str, at: Timestamp) -> InboundEvent {
    read_message(item, posted_as, at).with_raw(|| without_pictures(item, true).to_string())
}

fn read_message(item: &Value, posted_as: &str, at: Timestamp) -> InboundEvent {
    let kind =
        text(item, "/type").unwrap_or_else(|| if posted_as == "incoming_call" { posted_as } else { "chat" });
    let Some(external_id) = lenient::id(&item["id"]) else {
        return InboundEvent::lost(format!("a message of the kind {kind} without an id"));
    };
    if is(item, "is_deleted") || kind == "revoked" {
        let key = format!("deleted:{external_id}");
        return InboundEvent { key, change: InboundChange::Deleted { external_id, at } };
    }
    let is_own = !posted_as.starts_with("incoming_") || is(item, "is_me") || is(item, "fromMe");
    if kind == "reaction" {
        let change = reaction(item, at).filter(|_| !is_own);
        return match change {
            Some(change) => InboundEvent { key: format!("reaction:{external_id}"), change },
            None => InboundEvent::notice("a reaction of the account itself, or to no message"),
        };
    }
    if content::is_notice(kind) {
        return InboundEvent::notice(format!("a notice of the kind {kind}"));
    }
    let message = match message(item, kind, &external_id, is_own, at) {
        Some(message) if message.chat_type == ChatType::Broadcast => {
            // Statuses and broadcasts of others are no messages to this account.
            return InboundEvent::notice("a status or a broadcast");
        }
        Some(message) => message,
        None => return InboundEvent::lost(format!("a message of the kind {kind} without a chat")),
    };
    if is(item, "is_edited") {
        // An edit has the id of the message, and perhaps its time.
        let digest = hex::encode(&Sha256::digest(message.text.as_bytes())[..8]);
        let key = format!("edited:{external_id}:{}:{digest}", at.as_micros());
        let text = message.text;
        return InboundEvent { key, change: InboundChange::Edited { external_id, text, at } };
    }
    let key = format!("{posted_as}:{external_id}");
    InboundEvent { key, change: InboundChange::Message(Box::new(message)) }
}

fn message(item: &Value, kind: &str, id: &str, is_own: bool, at: Timestamp) -> Option<InboundMessage> {
    let (from, to) = (lenient::id(&item["from"]), lenient::id(&item["to"]));
    let chat = lenient::id(&item["chatId"]).or_else(|| if is_own { to.clone() } else { from.clone() })?;
    let chat = chat.as_str();
    let chat_type = type_of(item, chat);
    let is_group = chat_type == ChatType::Group;
    let author = lenient::id(&item["author"]).or_else(|| lenient::id(&item["participant"]));
    let author = author.filter(|_| is_group);
    let user = if is_own { to } else { author.or(from) }.unwrap_or_else(|| chat.to_owned());
    let (words, media) = content(item, kind).into_parts();
    let mut message = InboundMessage::of(chat_type, ExternalChat::new(chat)?, id, words, at);
    message.media = media;
    message.title = text(item, "/chat_name").filter(|_| is_group).map(str::to_owned);
    message.mentions_us = is_group && mentions(item);
    message.origin = if is_own { MessageOrigin::Owner } else { MessageOrigin::Person };
    message.user = Some(user.split('@').next().unwrap_or_default().to_owned());
    if !is_own {
        let names = ["/contact_name", "/senderName", "/contact/PushName"];
        message.name = names.iter().find_map(|pointer| text(item, pointer)).map(str::to_owned);
        let given = lenient::id(&item["contact_phone"]).or_else(|| lenient::id(&item["phone"]));
        let own = number(chat).map(|own| (own, ContactProof::ChannelId));
        let given = given.and_then(|given| nature::e164(&given).or_else(|| phone::e164(&given)));
        let given = given.map(|given| (given, ContactProof::Provider));
        let phone = own.or(given).filter(|_| chat_type == ChatType::Private);
        message.phone = phone.map(|(phone, proof)| ProvedContact::new(phone, proof));
    }
    let answered = lenient::id(&item["stanza_id"]).filter(|_| is(item, "isReply"));
    let answered = lenient::id(&item["reply_message"]["id"]).or(answered);
    let said = ["/reply_message/caption", "/reply_message/text", "/reply_message/body"];
    let has_file = text(item, "/reply_message/type").is_some_and(content::has_file);
    let mut said = said.iter().take(if has_file { 1 } else { said.len() });
    message = message.answering(answered, said.find_map(|pointer| text(item, pointer)));
    let ads = ["/referral", "/externalAdReply"];
    message.ad = ads
        .iter()
        .find_map(|pointer| item.pointer(pointer).filter(|ad| ad.is_object()))
        .map(|ad| AdSource { channel: "whatsapp_ctwa".to_owned(), id: lenient::id(&ad["source_id"]) });
    message.raw = Some(without_pictures(item, content::has_file(kind)).to_string());
    Some(message)
}

/// The type of the chat with this address.
///
/// # Errors
/// It is no chat of WhatsApp.
pub(super) fn chat_type(chat: &str) -> Result<ChatType, &'static str> {
    let (id, server) = chat.split_once('@').unwrap_or((chat, ""));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // Older groups have the number of their maker before a hyphen.
    let is_old_group = id.split_once('-').is_some_and(|(maker, group)| is_number(maker) && is_number(group));
    Ok(match server {
        "g.us" if is_number(id) || is_old_group => ChatType::Group,
        "newsletter" => ChatType::Channel,
        "broadcast" => ChatType::Broadcast,
        "lid" if is_number(id) => ChatType::Private,
        "c.us" if is_number(id) && id.len() <= LONGEST_NUMBER => ChatType::Private,
        "" if id == "status" => ChatType::Broadcast,
        "" if is_old_group || is_number(id) && id.len() > LONGEST_NUMBER => ChatType::Group,
        "" if is_number(id.strip_prefix('+').unwrap_or(id)) => ChatType::Private,
        _ => return Err(ADDRESSES),
    })
}

/// The number of the person whose chat has this address.
pub(super) fn number(chat: &str) -> Option<String> {
    chat.strip_suffix("@c.us").and_then(nature::e164)
}

/// The fields in which Wappi says whether a chat is a group.
const IS_GROUP: [&str; 2] = ["isGroup", "is_group"];

/// The type of a chat by its address and by what Wappi says. A chat that cannot be read may be of many people.
fn type_of(item: &Value, chat: &str) -> ChatType {
    let is_group = IS_GROUP.into_iter().any(|name| is(item, name));
    let stated = is_group.then(|| ChatType::Group.as_str()).or_else(|| text(item, "/chat_type"));
    chat_type(chat).unwrap_or(ChatType::Group).stated_by_provider(stated)
}

/// A report where Wappi says that a chat is a group and its address does not, or the other way round.
fn contradiction(item: &Value) -> Option<InboundEvent> {
    let chat = lenient::id(&item["chatId"])?;
    let by_address = chat_type(&chat).ok()?;
    let mut stated = IS_GROUP.into_iter().filter(|name| !item[*name].is_null());
    let is_denied = by_address == ChatType::Group && stated.any(|name| !is(item, name));
    let is_contradicted = is_denied || type_of(item, &chat) != by_address;
    is_contradicted.then(|| InboundEvent::notice("a chat whose stated type contradicts its address"))
}

/// Whether a message of a group mentions the account or replies to a message of it.
fn mentions(item: &Value) -> bool {
    let reply = item.get("reply_message").filter(|reply| reply.is_object());
    let is_own_reply =
        reply.is_some_and(|reply| is(reply, "is_me") || is(reply, "fromMe") || is(reply, "from_me"));
    let own = text(item, "/to").map(|own| own.split('@').next().unwrap_or_default());
    let mentioned = ["/mentioned_ids", "/mentionedIds", "/mentionedJidList"];
    // The words of a forward are another one's.
    let is_forward = is(item, "is_forwarded") || is(item, "isForwarded");
    let mut mentioned = mentioned.iter().filter_map(|pointer| item.pointer(pointer)?.as_array()).flatten();
    let is_mentioned = own.filter(|_| !is_forward).is_some_and(|own| {
        mentioned.any(|id| id.as_str().is_some_and(|id| id.split('@').next() == Some(own)))
    });
    is_own_reply || is_mentioned
}

/// What a customer thinks of a message: an emoji, or nothing once that is taken back.
fn reaction(item: &Value, at: Timestamp) -> Option<InboundChange> {
    let message = ["/stanza_id", "/reply_message/id", "/reaction/message_id"];
    let external_id = message.iter().find_map(|pointer| text(item, pointer))?.to_owned();
    let author = ["/author", "/participant", "/from", "/chatId"];
    let user = author.iter().find_map(|pointer| text(item, pointer))?.split('@').next()?.to_owned();
    let emoji = text(item, "/body").or_else(|| text(item, "/reaction/emoji"));
    let reactions = emoji.map(Reaction::emoji).into_iter().collect();
    Some(InboundChange::Reacted { external_id, given: GivenReactions { user, reactions, at } })
}

/// The item without pictures in it.
fn without_pictures(value: &Value, has_media: bool) -> Value {
    match value {
        Value::Object(fields) => {
            let is_picture = |name: &str| PICTURES.contains(&name) || has_media && name == "body";
            let kept = fields.iter().filter(|(name, value)| !(is_picture(name) && value.is_string()));
            Value::Object(
                kept.map(|(name, value)| (name.clone(), without_pictures(value, has_media))).collect(),
            )
        }
        Value::Array(items) => items.iter().map(|item| without_pictures(item, has_media)).collect(),
        other => other.clone(),
    }
}

/// `time`, or else `timestamp`.
fn time_of(item: &Value) -> Option<Timestamp> {
    lenient::time(&item["time"]).or_else(|| lenient::time(&item["timestamp"]))
}

fn is(item: &Value, name: &str) -> bool {
    lenient::is_true(&item[name])
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer)?.as_str().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use domain::{InboundKind, InboundMedia};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(7);

    fn account() -> AccountName {
        "phone".parse().unwrap()
    }

    fn of(profile: &str, body: &Value) -> Result<Vec<InboundEvent>, HookRefusal> {
        read(body, (&account(), profile), true, NOW)
    }

    fn item(more: &Value) -> Value {
        let mut item = json!({
            "wh_type": "incoming_message", "profile_id": "abcd", "id": "3EB0A", "type": "chat", "body": "Hello",
            "from": "70000000001@c.us", "to": "70000000009@c.us", "chatId": "70000000001@c.us", "senderName": "Ivan",
            "contact_name": "Ivan P.", "contact_phone": "", "is_me": false, "time": 1_760_000_500, "caption": null,
            "isReply": false, "is_edited": false, "is_deleted": false, "stanza_id": "", "thumbnail": "AAAA",
        });
        for (key, value) in more.as_object().into_iter().flatten() {
            item[key] = value.clone();
        }
        item
    }

    fn events(item: &Value) -> Vec<InboundEvent> {
        of("abcd", &json!({"messages": [item]})).unwrap()
    }

    fn unread(more: &Value) -> domain::Unread {
        match events(&item(more)).remove(0).change {
            InboundChange::Unread(unread) => unread,
            other => panic!("{other:?}"),
        }
    }

    fn message(more: &Value) -> InboundMessage {
        match events(&item(more)).remove(0).change {
            InboundChange::Message(message) => *message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_text_has_its_chat_writer_and_time() {
        let read = message(&json!({}));
        assert_eq!(
            (read.chat.as_str(), read.external_id.as_str(), &*read.text),
            ("70000000001@c.us", "3EB0A", "Hello")
        );
        assert_eq!(
            (read.user.as_deref(), read.phone),
            (Some("70000000001"), Some(ProvedContact::new("+70000000001", ContactProof::ChannelId)))
        );
        assert_eq!((read.name.as_deref(), read.origin), (Some("Ivan P."), MessageOrigin::Person));
        assert_eq!(read.sent_at.as_seconds(), 1_760_000_500);
        assert!(read.raw.is_some_and(|raw| raw.contains("3EB0A") && !raw.contains("AAAA")));
        let read = message(&json!({"time": null, "timestamp": "2025-10-09T12:01:40+03:00"}));
        assert_eq!(read.sent_at.as_seconds(), 1_760_000_500);
    }

    #[test]
    fn numbers_that_are_hidden_are_not_made_up() {
        let hidden = message(&json!({"chatId": "777@lid", "from": "777@lid"}));
        assert_eq!(
            (hidden.chat.as_str(), hidden.user.as_deref(), hidden.phone),
            ("777@lid", Some("777"), None)
        );
        let group =
            message(&json!({"chatId": "120363@g.us", "from": "120363@g.us", "author": "70000000001@c.us"}));
        assert_eq!(
            (group.chat.as_str(), group.user.as_deref(), group.phone),
            ("120363@g.us", Some("70000000001"), None)
        );
    }

    #[test]
    fn groups_channels_and_statuses_are_no_private_chats() {
        let of = |chat: &str, more: Value| {
            let mut more = more;
            more["chatId"] = chat.into();
            message(&more)
        };
        for (chat, wanted) in [
            ("70000000001@c.us", ChatType::Private),
            ("777@lid", ChatType::Private),
            ("70000000001", ChatType::Private),
            ("120363000000000001@g.us", ChatType::Group),
            ("120363000000000001", ChatType::Group),
            ("70000000001-1600000000", ChatType::Group),
            ("120363000000000001@newsletter", ChatType::Channel),
            // What cannot be read may be a group.
            ("120363000000000001@G.US", ChatType::Group),
            ("70000000001-1600000000@s.whatsapp.net", ChatType::Group),
        ] {
            let read = of(chat, json!({"contact_phone": "70000000002"}));
            assert_eq!(read.chat_type, wanted, "{chat}");
            assert!(read.phone.is_none() || wanted == ChatType::Private, "{chat}");
        }
        for chat in ["status@broadcast", "1600000000@broadcast"] {
            assert_eq!(chat_type(chat), Ok(ChatType::Broadcast));
            assert!(!unread(&json!({ "chatId": chat })).is_lost, "{chat}");
        }
        assert_eq!(of("777", json!({"chat_type": "group"})).chat_type, ChatType::Group);
        for (is_group, wanted) in [
            (json!(true), ChatType::Group),
            (json!("true"), ChatType::Group),
            (json!("1"), ChatType::Group),
            (json!("false"), ChatType::Private),
            (json!(0), ChatType::Private),
        ] {
            assert_eq!(
                of("70000000001@c.us", json!({ "isGroup": is_group })).chat_type,
                wanted,
                "{is_group}"
            );
        }
        let is_reported = |chat: &str, is_group: Value| {
            let all = events(&item(&json!({ "chatId": chat, "isGroup": is_group })));
            all.iter().any(|event| matches!(event.change, InboundChange::Unread(_)))
        };
        for (is_group, of_person, of_group) in [
            (json!(true), true, false),
            (json!("true"), true, false),
            (json!("false"), false, true),
            (json!(false), false, true),
            (Value::Null, false, false),
        ] {
            assert_eq!(is_reported("70000000001@c.us", is_group.clone()), of_person, "{is_group}");
            assert_eq!(is_reported("120363000000000001@g.us", is_group.clone()), of_group, "{is_group}");
        }
        let group = "120363000000000001@g.us";
        assert!(!of(group, json!({})).mentions_us);
        assert!(of(group, json!({"mentioned_ids": ["70000000009@c.us"]})).mentions_us);
        let forward = json!({"mentioned_ids": ["70000000009@c.us"], "is_forwarded": true});
        assert!(!of(group, forward).mentions_us);
        assert!(of(group, json!({"reply_message": {"id": "R", "is_me": true}})).mentions_us);
        // The number of the chat is the writer's, whatever the contacts of the phone say.
        let read = of("70000000001@c.us", json!({"contact_phone": "70000000002"}));
        assert_eq!(read.phone, Some(ProvedContact::new("+70000000001", ContactProof::ChannelId)));
    }

    #[test]
    fn messages_of_the_account_are_the_owners() {
        for (kind, is_me) in
            [("outgoing_message_api", true), ("outgoing_message_phone", false), ("incoming_message", true)]
        {
            let own = message(
                &json!({"wh_type": kind, "is_me": is_me, "from": "70000000009@c.us", "to": "70000000001@c.us"}),
            );
            assert_eq!(own.origin, MessageOrigin::Owner, "{kind}");
            assert_eq!((own.user.as_deref(), own.name, own.phone), (Some("70000000001"), None, None));
        }
    }

    #[test]
    fn each_kind_is_what_it_is() {
        let link = "https://example.com/f";
        for (kind, wanted) in [
            ("image", InboundKind::Image),
            ("video", InboundKind::Video),
            ("document", InboundKind::Document),
            ("audio", InboundKind::Audio),
            ("ptt", InboundKind::Voice),
            ("sticker", InboundKind::Sticker),
        ] {
            let read = message(
                &json!({"type": kind, "body": "QUJD", "caption": "Look", "file_link": link, "file_name": "p.pdf"}),
            );
            assert_eq!(
                (read.media[0].kind, read.media[0].url.as_deref(), &*read.text),
                (wanted, Some(link), "Look")
            );
            assert_eq!(
                (read.media[0].file_id.as_deref(), read.media[0].name.as_deref()),
                (Some("3EB0A"), Some("p.pdf"))
            );
            assert!(!read.raw.unwrap().contains("QUJD"));
        }
        assert_eq!(message(&json!({"type": "ptt", "body": ""})).media[0].url, None);
        assert_eq!(&*message(&json!({"type": "location", "body": "/9j/"})).text, "[location]");
        let card = "BEGIN:VCARD\nFN:Ivan\nTEL;type=CELL:+7 000 000-00-01\nEND:VCARD";
        assert_eq!(
            &*message(&json!({"type": "vcard", "body": card})).text,
            "[contact] Ivan +7 000 000-00-01"
        );
        assert!(!unread(&json!({"type": "reaction"})).is_lost);
    }

    #[test]
    fn edits_replies_and_ads_are_read() {
        let edited = events(&item(&json!({"is_edited": true, "body": "New"}))).remove(0);
        let InboundChange::Edited { external_id, text, .. } = &edited.change else { panic!("{edited:?}") };
        assert_eq!((external_id.as_str(), &**text), ("3EB0A", "New"));
        assert_ne!(edited.key, events(&item(&json!({"is_edited": true, "body": "Newer"})))[0].key);
        let deleted = events(&item(&json!({"is_deleted": true}))).remove(0);
        assert!(matches!(deleted.change, InboundChange::Deleted { .. }));
        let reply = message(&json!({"reply_message": {"id": "R", "type": "chat", "body": "How much?"}}));
        assert_eq!(
            (reply.reply_to.as_deref(), InboundMedia::reply_text(&reply.media), &*reply.text),
            (Some("R"), Some("How much?"), "Hello")
        );
        let picture = message(&json!({"reply_message": {"id": "R", "type": "image", "body": "QUJD"}}));
        assert_eq!((picture.reply_to.as_deref(), picture.media.len()), (Some("R"), 0));
        assert_eq!(message(&json!({"isReply": true, "stanza_id": "S"})).reply_to.as_deref(), Some("S"));
        let reacted = json!({"id": "3EB0R", "type": "reaction", "stanza_id": "3EB0A", "body": "👍"});
        let reacted = events(&item(&reacted)).remove(0);
        let InboundChange::Reacted { external_id, given } = reacted.change else { panic!() };
        assert_eq!((external_id.as_str(), given.user.as_str()), ("3EB0A", "70000000001"));
        assert_eq!(given.reactions, [Reaction::emoji("👍")]);
        let own = json!({"type": "reaction", "stanza_id": "3EB0A", "body": "👍", "is_me": true});
        assert!(!unread(&own).is_lost);
        let ad = message(&json!({"referral": {"source_id": "42"}})).ad.unwrap();
        assert_eq!((ad.channel.as_str(), ad.id.as_deref()), ("whatsapp_ctwa", Some("42")));
    }

    #[test]
    fn statuses_are_read_in_any_case_and_form() {
        let status = |status: &str| {
            let item =
                json!({"wh_type": "delivery_status", "id": "3EB0A", "profile_id": "abcd", "status": status});
            of("abcd", &json!({"messages": item})).unwrap()
        };
        let receipt = |word: &str| match status(word).into_iter().next().map(|event| event.change) {
            Some(InboundChange::Receipt { receipt, .. }) => Some(receipt),
            _ => None,
        };
        assert_eq!(receipt("Delivered"), Some(InboundReceipt::Delivered));
        assert_eq!(receipt("READ"), Some(InboundReceipt::Read));
        assert_eq!(receipt("Temporary Ban"), Some(InboundReceipt::Failed(BANNED.to_owned())));
        assert_eq!(receipt("error"), Some(InboundReceipt::Failed("error".to_owned())));
        assert_eq!((receipt("pending"), receipt("sent")), (None, None));
        assert_eq!(status("read")[0].key, "delivery_status:3EB0A:read");
        let signed = json!({"wh_type": "authorization_status", "status": "offline", "time": 5});
        assert_eq!(events(&signed)[0].change, InboundChange::SignedIn(false));
    }

    #[test]
    fn a_post_is_of_this_profile_and_may_have_many() {
        let two = json!({"messages": [item(&json!({})), item(&json!({"id": "3EB0B"}))]});
        assert_eq!(of("abcd", &two).unwrap().len(), 2);
        assert!(matches!(of("other", &two), Err(HookRefusal::OtherAccount(_))));
        assert!(matches!(of("abcd", &json!({})), Err(HookRefusal::Unreadable(_))));
        let unnamed = item(&json!({"profile_id": null}));
        assert_eq!(of("abcd", &unnamed).unwrap().len(), 1);
        // An address without a secret names no profile.
        let old = read(&unnamed, (&account(), "abcd"), false, NOW);
        assert!(matches!(old, Err(HookRefusal::OtherAccount(_))), "{old:?}");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z@.:]{0,12}".prop_map(Value::from),
            prop::sample::select(vec![
                "incoming_message",
                "delivery_status",
                "application_status",
                "image",
                "chat",
                "reaction",
                "read"
            ])
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 48, 6, |inner| {
            let name = prop::sample::select(vec![
                "messages",
                "wh_type",
                "id",
                "type",
                "body",
                "chatId",
                "from",
                "to",
                "time",
                "timestamp",
                "status",
                "caption",
                "is_me",
                "is_edited",
                "is_deleted",
                "stanza_id",
                "referral",
                "contact",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..8).prop_map(|pairs| {
                    pairs
                        .into_iter()
                        .map(|(name, value)| (name.to_owned(), value))
                        .collect::<serde_json::Map<_, _>>()
                        .into()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_post_is_read_without_a_panic(body in any_json(), mut one in any_json()) {
            let _ = of("abcd", &body);
            if one.is_object() {
                one["wh_type"] = "incoming_message".into();
                let _ = of("abcd", &one);
            }
        }
    }
}
