//! What VK reports of a community, as what comes in. Pure.

use domain::received_message::Reaction;
use domain::{
    AdSource, ChatType, ExternalChat, GivenReactions, InboundChange, InboundEvent, InboundKind, InboundMedia,
    InboundMessage, InboundReceipt, MessageOrigin, Timestamp,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// A customer who has read a message has read those before it: so many of them are reported.
const READ_BEFORE: i64 = 10;

/// The kinds of events that are asked for.
pub(super) const KINDS: [&str; 8] = [
    "message_new",
    "message_reply",
    "message_edit",
    "message_event",
    "message_allow",
    "message_deny",
    "message_read",
    "message_reaction_event",
];

/// What an update says; nothing where its kind is another. `None` where it cannot be read.
pub(super) fn events(update: &Value, group: u32, now: Timestamp) -> Option<Vec<InboundEvent>> {
    let object = &update["object"];
    let kind = update["type"].as_str()?;
    let one_event = |change| {
        let key = match update["event_id"].as_str() {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => hex::encode(Sha256::digest(format!("{kind} {object}"))),
        };
        Some(vec![InboundEvent { key, change }])
    };
    match kind {
        "message_new" | "message_reply" => {
            let written = object.get("message").unwrap_or(object);
            if is_notice(written) {
                return Some(Vec::new());
            }
            one_event(InboundChange::Message(Box::new(message(written, group, update)?)))
        }
        "message_edit" => {
            let (peer, number) = peer_and_number(object)?;
            let at = object["update_time"].as_i64().or_else(|| object["date"].as_i64()).map_or(now, seconds);
            let text = object["text"].as_str().unwrap_or_default().into();
            one_event(InboundChange::Edited { external_id: external_id(peer, number), text, at })
        }
        "message_reaction_event" => one_event(reaction(object, now)?),
        "message_event" => one_event(InboundChange::Message(Box::new(press(object, now, update)?))),
        "message_allow" | "message_deny" => {
            let chat = chat(object["user_id"].as_i64()?)?;
            one_event(InboundChange::Reachable { chat, can: kind == "message_allow", at: now })
        }
        "message_read" => Some(read(object, group, now)),
        _ => Some(Vec::new()),
    }
}

/// The id of a message: the chat, and its number there.
pub(super) fn external_id(peer: i64, number: i64) -> String {
    format!("{peer}:{number}")
}

/// The chat and the number of an id.
pub(super) fn parts(external_id: &str) -> Option<(&str, &str)> {
    let (peer, number) = external_id.split_once(':')?;
    let is_number = |text: &str| text.parse::<i64>().is_ok();
    (is_number(peer) && is_number(number)).then_some((peer, number))
}

fn peer_and_number(message: &Value) -> Option<(i64, i64)> {
    let number = message["conversation_message_id"].as_i64().filter(|number| *number > 0)?;
    Some((message["peer_id"].as_i64()?, number))
}

fn chat(peer: i64) -> Option<ExternalChat> {
    ExternalChat::new(&peer.to_string())
}

/// Chats of several people have numbers from here on.
const FIRST_GROUP: i64 = 2_000_000_000;

/// The type of the chat with this address.
///
/// # Errors
/// It is no chat of VK.
pub(super) fn chat_type(chat: &str) -> Result<ChatType, &'static str> {
    let is_known = |peer: &i64| ![0, FIRST_GROUP].contains(peer) && peer.to_string() == chat;
    let peer = chat.parse().ok().filter(is_known);
    peer.map(type_of).ok_or("a chat of VK is a number, such as 2001")
}

/// The type of the chat with this number.
const fn type_of(peer: i64) -> ChatType {
    if peer > FIRST_GROUP { ChatType::Group } else { ChatType::Private }
}

/// Whether a message of a group mentions the community, as `[club1|…]` or `@public1`, or replies to a message of it.
fn mentions(message: &Value, group: u32) -> bool {
    let text = message["text"].as_str().unwrap_or_default().to_lowercase();
    let names = ["club", "public", "event"].map(|kind| format!("{kind}{group}"));
    let is_name = |rest: &str, end: &[char]| {
        let name = names.iter().find_map(|name| rest.strip_prefix(name.as_str()));
        name.is_some_and(|rest| {
            rest.chars().next().is_none_or(|next| end.contains(&next) || !next.is_alphanumeric())
        })
    };
    let is_mentioned = text.split(['[', '@', '*']).skip(1).any(|rest| is_name(rest, &['|']));
    is_mentioned || message["reply_message"]["from_id"].as_i64() == Some(-i64::from(group))
}

fn seconds(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

/// Whether it is a notice, such as that someone joined a chat.
pub(super) fn is_notice(message: &Value) -> bool {
    message.get("action").is_some_and(|action| !action.is_null())
}

/// A message; `None` where it cannot be read.
pub(super) fn message(message: &Value, group: u32, raw: &Value) -> Option<InboundMessage> {
    let (peer, number) = peer_and_number(message)?;
    let from = message["from_id"].as_i64()?;
    let sent_at = seconds(message["date"].as_i64()?);
    let is_own = from == -i64::from(group) || message["out"] == 1;
    let mut text = message["text"].as_str().unwrap_or_default().to_owned();
    let mut media = Vec::new();
    for attached in message["attachments"].as_array().into_iter().flatten() {
        match attachment(attached) {
            Ok(file) => media.push(file),
            Err(words) if text.is_empty() => text = words,
            Err(words) => text = format!("{text}\n{words}"),
        }
    }
    let point = &message["geo"]["coordinates"];
    if text.is_empty() && point.is_object() {
        text = format!("place: {}, {}", point["latitude"], point["longitude"]);
    }
    let word = |name: &str| message[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let (source, id) = (word("ref_source"), word("ref"));
    let is_ad = source.is_some() || id.is_some();
    let user = if is_own { peer } else { from };
    let chat = chat(peer)?;
    let chat_type = type_of(peer);
    Some(InboundMessage {
        origin: match from {
            _ if is_own => MessageOrigin::Owner,
            ..0 => MessageOrigin::Bot,
            _ => MessageOrigin::Person,
        },
        user: Some(user.to_string()),
        media,
        reply_to: message.get("reply_message").and_then(external_id_in(peer)),
        ad: is_ad.then(|| AdSource { channel: source.unwrap_or_else(|| "vk".to_owned()), id }),
        raw: Some(without_secret(raw)),
        mentions_us: chat_type == ChatType::Group && mentions(message, group),
        ..InboundMessage::of(chat_type, chat, external_id(peer, number), text, sent_at)
    })
}

/// The id of a message that another one of the chat has within it.
fn external_id_in(peer: i64) -> impl Fn(&Value) -> Option<String> {
    move |inner| inner["conversation_message_id"].as_i64().map(|number| external_id(peer, number))
}

/// What someone thinks of a message. VK names reactions by numbers, and has no call by which a community learns what they show.
fn reaction(object: &Value, at: Timestamp) -> Option<InboundChange> {
    let external_id = external_id(object["peer_id"].as_i64()?, object["cmid"].as_i64()?);
    let user = object["reacted_id"].as_i64()?.to_string();
    let number = object["reaction_id"].as_i64().filter(|number| *number > 0);
    let reactions = number.map(Reaction::numbered).into_iter().collect();
    Some(InboundChange::Reacted { external_id, given: GivenReactions { user, reactions, at } })
}

/// Between the chat and the event, in the id of a press.
pub(super) const PRESS: &str = ":event:";

/// A button that was pressed, as a message.
fn press(object: &Value, now: Timestamp, raw: &Value) -> Option<InboundMessage> {
    let (user, peer) = (object["user_id"].as_i64()?, object["peer_id"].as_i64()?);
    let id = object["event_id"].as_str()?;
    let payload = &object["payload"];
    let text = payload.as_str().map_or_else(|| payload.to_string(), str::to_owned);
    let chat = chat(peer)?;
    Some(InboundMessage {
        user: Some(user.to_string()),
        reply_to: external_id_in(peer)(object),
        raw: Some(without_secret(raw)),
        // The button is one of the community's.
        mentions_us: true,
        ..InboundMessage::of(type_of(peer), chat, format!("{peer}{PRESS}{id}"), text, now)
    })
}

/// That the customer has read a message and those before it. What is not ours among them is of no message of ours.
fn read(object: &Value, group: u32, at: Timestamp) -> Vec<InboundEvent> {
    let (Some((peer, last)), Some(from)) = (peer_and_number(object), object["from_id"].as_i64()) else {
        return Vec::new();
    };
    if from == -i64::from(group) {
        return Vec::new();
    }
    let event = |number: i64| {
        let external_id = external_id(peer, number);
        let key = format!("read:{external_id}");
        InboundEvent {
            key,
            change: InboundChange::Receipt { external_id, receipt: InboundReceipt::Read, at },
        }
    };
    ((last - READ_BEFORE).max(0) + 1..=last).map(event).collect()
}

/// A file, or words for what is none.
fn attachment(attached: &Value) -> Result<InboundMedia, String> {
    let kind = attached["type"].as_str().unwrap_or_default();
    let object = &attached[kind];
    let word = |name: &str| object[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let file_id = super::client::attachment(kind, object);
    let made = |kind, url| InboundMedia { url, file_id, ..InboundMedia::new(kind) };
    let largest = |images: &Value| {
        let area = |image: &&Value| {
            image["width"].as_u64().unwrap_or(0).saturating_mul(image["height"].as_u64().unwrap_or(0))
        };
        let largest = images.as_array()?.iter().max_by_key(area)?;
        largest["url"].as_str().map(str::to_owned)
    };
    Ok(match kind {
        "photo" => made(InboundKind::Image, largest(&object["sizes"])),
        "sticker" => made(InboundKind::Sticker, largest(&object["images"])),
        "audio_message" => {
            let (ogg, mp3) = (word("link_ogg"), word("link_mp3"));
            let mime = if ogg.is_some() { "audio/ogg" } else { "audio/mpeg" };
            // It may be in the works yet.
            let is_done = object["transcript_state"] == "done";
            let transcript = word("transcript").filter(|_| is_done).map(Into::into);
            InboundMedia { mime: Some(mime.to_owned()), transcript, ..made(InboundKind::Voice, ogg.or(mp3)) }
        }
        "audio" => InboundMedia { name: word("title"), ..made(InboundKind::Audio, word("url")) },
        "video" => InboundMedia { name: word("title"), ..made(InboundKind::Video, None) },
        "doc" => {
            let (name, size) = (word("title"), object["size"].as_u64());
            InboundMedia { name, size, ..made(InboundKind::Document, word("url")) }
        }
        _ => {
            let (title, url) = (word("title"), word("url"));
            let words = [Some(format!("[{kind}]")), title, url];
            return Err(words.into_iter().flatten().collect::<Vec<_>>().join(" "));
        }
    })
}

/// What was reported, without the secret that came along.
fn without_secret(update: &Value) -> String {
    let mut update = update.clone();
    if let Some(fields) = update.as_object_mut() {
        fields.remove("secret");
    }
    update.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_chat_of_several_people_is_a_group() {
        let of = |peer: i64, more: &Value| {
            let mut written = json!({"peer_id": peer, "from_id": 2001, "date": 1, "conversation_message_id": 5, "text": "hi"});
            written.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            message(&written, 100, &Value::Null).unwrap()
        };
        assert_eq!(of(2001, &json!({})).chat_type, ChatType::Private);
        let group = of(2_000_000_001, &json!({}));
        assert_eq!((group.chat_type, group.mentions_us), (ChatType::Group, false));
        for mention in [
            json!({"text": "[club100|Shop], hi"}),
            json!({"text": "hi @public100"}),
            json!({"reply_message": {"from_id": -100, "conversation_message_id": 4}}),
        ] {
            assert!(of(2_000_000_001, &mention).mentions_us, "{mention}");
        }
        for other in [
            json!({"text": "[club1001|Shop]"}),
            json!({"text": "club100"}),
            json!({"reply_message": {"from_id": 7}}),
        ] {
            assert!(!of(2_000_000_001, &other).mentions_us, "{other}");
        }
        let pressed = json!({"user_id": 2001, "peer_id": 2_000_000_001_i64, "event_id": "e", "payload": "a"});
        assert_eq!(
            press(&pressed, Timestamp::from_micros(0), &Value::Null).unwrap().chat_type,
            ChatType::Group
        );
    }
}
