//! What VK reports of a community, as what comes in. Pure.

use domain::lenient::{self, number};
use domain::received_message::Reaction;
use domain::{
    AdSource, ChatType, ExternalChat, GivenReactions, InboundChange, InboundEvent, InboundMessage,
    InboundReceipt, MessageOrigin, Timestamp,
};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::content::content;

/// A customer who has read a message has read those before it: this number of them is reported.
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

/// Kinds of updates that say nothing to people.
const SILENT: [&str; 2] = ["message_typing_state", "message_reaction_event"];

/// What an update says. What cannot be read is reported as lost.
pub(super) fn events(update: &Value, group: u32, now: Timestamp) -> Vec<InboundEvent> {
    let Some(kind) = update["type"].as_str() else {
        return vec![InboundEvent::lost("an update without a type").with_raw(|| without_secret(update))];
    };
    let object = &update["object"];
    if kind == "message_read" {
        return read(object, group, now);
    }
    let is_of_message = kind.starts_with("message_");
    let event = |change| {
        let key = match update["event_id"].as_str() {
            Some(id) if !id.is_empty() => id.to_owned(),
            _ => hex::encode(Sha256::digest(format!("{kind} {object}"))),
        };
        InboundEvent { key, change }
    };
    let change = match kind {
        "message_new" | "message_reply" => {
            let written = object.get("message").unwrap_or(object);
            if is_notice(written) {
                return vec![InboundEvent::notice("a notice of a chat")];
            }
            message(written, group, update, now).map(|message| InboundChange::Message(Box::new(message)))
        }
        "message_edit" => peer_and_number(object).map(|(peer, number)| {
            let at = lenient::time(&object["update_time"]).or_else(|| lenient::time(&object["date"]));
            let (text, _) = content(object).into_parts();
            let external_id = external_id(peer, number);
            InboundChange::Edited { external_id, text: text.into(), at: at.unwrap_or(now) }
        }),
        "message_reaction_event" => reaction(object, now),
        "message_event" => {
            press(object, now, update).map(|message| InboundChange::Message(Box::new(message)))
        }
        "message_allow" | "message_deny" => number(&object["user_id"])
            .and_then(chat)
            .map(|chat| InboundChange::Reachable { chat, can: kind == "message_allow", at: now }),
        _ => None,
    };
    let unread = || {
        let what = format!("an update of the kind {kind}");
        let is_lost = is_of_message && !SILENT.contains(&kind);
        if is_lost {
            InboundEvent::lost(what).with_raw(|| without_secret(update))
        } else {
            InboundEvent::notice(what)
        }
    };
    vec![change.map_or_else(unread, event)]
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
    let of_chat = number(&message["conversation_message_id"]).filter(|number| *number > 0)?;
    Some((number(&message["peer_id"])?, of_chat))
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

/// Whether it is a notice, such as that someone joined a chat.
pub(super) fn is_notice(message: &Value) -> bool {
    message.get("action").is_some_and(|action| !action.is_null())
}

/// A message; `None` where it cannot be read.
pub(super) fn message(message: &Value, group: u32, raw: &Value, now: Timestamp) -> Option<InboundMessage> {
    let (peer, message_number) = peer_and_number(message)?;
    let from = number(&message["from_id"])?;
    let sent_at = lenient::time(&message["date"]).unwrap_or(now);
    let is_own = from == -i64::from(group) || lenient::is_true(&message["out"]);
    let (text, media) = content(message).into_parts();
    let word = |name: &str| message[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let (source, id) = (word("ref_source"), word("ref"));
    let is_ad = source.is_some() || id.is_some();
    let user = if is_own { peer } else { from };
    let chat = chat(peer)?;
    let chat_type = type_of(peer);
    let answered = message.get("reply_message");
    let written = InboundMessage {
        origin: match from {
            _ if is_own => MessageOrigin::Owner,
            ..0 => MessageOrigin::Bot,
            _ => MessageOrigin::Person,
        },
        user: Some(user.to_string()),
        media,
        ad: is_ad.then(|| AdSource { channel: source.unwrap_or_else(|| "vk".to_owned()), id }),
        raw: Some(without_secret(raw)),
        mentions_us: chat_type == ChatType::Group && mentions(message, group),
        ..InboundMessage::of(chat_type, chat, external_id(peer, message_number), text, sent_at)
    };
    let words = answered.and_then(|answered| answered["text"].as_str());
    Some(written.answering(answered.and_then(external_id_in(peer)), words))
}

/// The id of a message that another one of the chat has within it.
fn external_id_in(peer: i64) -> impl Fn(&Value) -> Option<String> {
    move |inner| number(&inner["conversation_message_id"]).map(|number| external_id(peer, number))
}

/// What someone thinks of a message. VK names reactions by numbers, and has no call by which a community learns what they show.
fn reaction(object: &Value, at: Timestamp) -> Option<InboundChange> {
    let external_id = external_id(number(&object["peer_id"])?, number(&object["cmid"])?);
    let user = number(&object["reacted_id"])?.to_string();
    let shown = number(&object["reaction_id"]).filter(|number| *number > 0);
    let reactions = shown.map(Reaction::numbered).into_iter().collect();
    Some(InboundChange::Reacted { external_id, given: GivenReactions { user, reactions, at } })
}

/// Between the chat and the event, in the id of a press.
pub(super) const PRESS: &str = ":event:";

/// A button that was pressed, as a message.
fn press(object: &Value, now: Timestamp, raw: &Value) -> Option<InboundMessage> {
    let (user, peer) = (number(&object["user_id"])?, number(&object["peer_id"])?);
    let id = lenient::id(&object["event_id"])?;
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
    let (Some((peer, last)), Some(from)) = (peer_and_number(object), number(&object["from_id"])) else {
        return vec![InboundEvent::notice("an update of the kind message_read")];
    };
    if from == -i64::from(group) {
        return vec![InboundEvent::notice("the community has read a message")];
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
            message(&written, 100, &Value::Null, Timestamp::from_micros(0)).unwrap()
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
        let group_of_text = json!({"peer_id": "2000000001", "from_id": "2001", "date": "1760000500", "conversation_message_id": "5"});
        let read = message(&group_of_text, 100, &Value::Null, Timestamp::from_micros(0)).unwrap();
        assert_eq!((read.chat_type, read.sent_at.as_seconds()), (ChatType::Group, 1_760_000_500));
        let pressed = json!({"user_id": 2001, "peer_id": 2_000_000_001_i64, "event_id": "e", "payload": "a"});
        assert_eq!(
            press(&pressed, Timestamp::from_micros(0), &Value::Null).unwrap().chat_type,
            ChatType::Group
        );
    }
}
