//! What Instagram posts, as events.

use domain::received_message::Reaction;
use domain::{
    AccountName, AdSource, ChatType, ExternalChat, GivenReactions, InboundChange, InboundEvent, InboundKind,
    InboundMedia, InboundMessage, InboundReceipt, MessageOrigin, Timestamp,
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::provider::HookRefusal;
use crate::shared_hook::check_addressee;

use super::client::word;

/// The longest id that is written into a key as it is.
const LONGEST_ID: usize = 400;

/// The type of the chat with this address: the number of its user, also after that of the account.
///
/// # Errors
/// It is no chat of Instagram.
pub(super) fn chat_type(chat: &str) -> Result<ChatType, &'static str> {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_chat = chat.split(':').all(is_number) && chat.split(':').count() <= 2;
    if is_chat { Ok(ChatType::Private) } else { Err("a chat of Instagram is the number of its user") }
}

/// Reads a body. What is for another account than `own` is left out; nothing but that is refused.
pub(super) fn read(
    body: &Value,
    account: &AccountName,
    own: Option<&str>,
    now: Timestamp,
) -> Result<Vec<InboundEvent>, HookRefusal> {
    let entries = body["entry"].as_array().filter(|_| body["object"] == "instagram");
    let entries = entries.ok_or_else(|| HookRefusal::Unreadable("it is no post of Instagram".to_owned()))?;
    let mut events = Vec::new();
    let mut refused = None;
    for entry in entries {
        let id = word(entry, "id").unwrap_or_default();
        // The button "Test" of the dashboard posts made-up people, as of account 0.
        if id == "0" {
            continue;
        }
        if let Err(why) = check_addressee(account, own, &id.as_str()) {
            refused = Some(why);
            continue;
        }
        let changed = entry["changes"].as_array().into_iter().flatten();
        let changed = changed.filter(|change| change["field"] == "messages").map(|change| &change["value"]);
        for item in entry["messaging"].as_array().into_iter().flatten().chain(changed) {
            Item { value: item, account: &id, is_standby: false, now }.read(&mut events);
        }
        for item in entry["standby"].as_array().into_iter().flatten() {
            Item { value: item, account: &id, is_standby: true, now }.read(&mut events);
        }
    }
    match refused {
        Some(why) if events.is_empty() => Err(why),
        _ => Ok(events),
    }
}

/// Reads one thing that happened in an account.
pub(super) fn read_item(value: &Value, account: &str, now: Timestamp, events: &mut Vec<InboundEvent>) {
    Item { value, account, is_standby: false, now }.read(events);
}

/// One thing that happened.
struct Item<'a> {
    value: &'a Value,
    account: &'a str,
    /// Another app has the conversation: what is written there is kept, and is not this program's to answer.
    is_standby: bool,
    now: Timestamp,
}

impl Item<'_> {
    fn read(&self, events: &mut Vec<InboundEvent>) {
        let mut add = |key: String, change: InboundChange| events.push(InboundEvent { key, change });
        let value = self.value;
        if let Some(id) = word(&value["message"], "mid") {
            let message = &value["message"];
            if message["is_deleted"] == true {
                add(key("deleted", &id), InboundChange::Deleted { external_id: id, at: self.at() });
            } else if let Some(read) = self.message(&id) {
                let kind = if message["is_echo"] == true { "echo" } else { "message" };
                add(key(kind, &id), InboundChange::Message(Box::new(read)));
            }
        } else if let Some(id) = word(&value["message_edit"], "mid") {
            let edit = &value["message_edit"];
            let number = word(edit, "num_edit").unwrap_or_default();
            // An app in development gets new messages as edits with the number 0.
            if let Some(text) = edit["text"].as_str().filter(|_| number != "0") {
                let change =
                    InboundChange::Edited { external_id: id.clone(), text: text.into(), at: self.at() };
                add(key(&format!("edit:{number}"), &id), change);
            }
        } else if value["postback"].is_object() {
            if let Some((id, read)) = self.postback() {
                add(key("postback", &id), InboundChange::Message(Box::new(read)));
            }
        } else if let Some(id) = word(&value["reaction"], "mid") {
            if let Some(given) = self.reaction() {
                let reaction = &value["reaction"];
                let parts = [&reaction["action"], &reaction["reaction"], &reaction["emoji"]];
                let words = parts.map(|word| word.as_str().unwrap_or_default()).join(":");
                let about = format!("reaction:{}:{words}:{}", given.user, given.at.as_micros());
                add(key(&about, &id), InboundChange::Reacted { external_id: id, given });
            }
        } else if let Some(id) = word(&value["read"], "mid") {
            let at = self.at();
            if let Some(chat) = self.person("sender") {
                add(key("read_up_to", &id), InboundChange::ReadUpTo { chat, at });
            }
            let receipt = InboundReceipt::Read;
            add(key("read", &id), InboundChange::Receipt { external_id: id, receipt, at });
        }
    }

    fn at(&self) -> Timestamp {
        let millis = word(self.value, "timestamp").and_then(|text| text.parse::<i64>().ok());
        millis.map_or(self.now, |millis| Timestamp::from_micros(millis.saturating_mul(1_000)))
    }

    fn person(&self, role: &str) -> Option<ExternalChat> {
        word(&self.value[role], "id").and_then(|id| ExternalChat::new(&id))
    }

    fn message(&self, id: &str) -> Option<InboundMessage> {
        let message = &self.value["message"];
        let is_own = message["is_echo"] == true;
        let chat = self.person(if is_own { "recipient" } else { "sender" })?;
        let attachments = message["attachments"].as_array().map(Vec::as_slice).unwrap_or_default();
        let media: Vec<InboundMedia> = attachments.iter().filter_map(media).collect();
        let written = message["text"].as_str().filter(|text| !text.is_empty());
        let text =
            written.or_else(|| placeholder(message, attachments, media.is_empty())).unwrap_or_default();
        let plain = self.plain(chat, id, text);
        Some(InboundMessage {
            origin: if is_own { MessageOrigin::Owner } else { plain.origin },
            media,
            reply_to: word(&message["reply_to"], "mid"),
            ad: ad(&message["referral"]),
            ..plain
        })
    }

    /// Nothing of the account itself.
    fn reaction(&self) -> Option<GivenReactions> {
        let reaction = &self.value["reaction"];
        let user = word(&self.value["sender"], "id").filter(|id| id != self.account)?;
        let reactions = if reaction["action"] == "unreact" {
            Vec::new()
        } else {
            // A word, such as `love`, where there is no emoji.
            vec![Reaction::emoji(word(reaction, "emoji").or_else(|| word(reaction, "reaction"))?)]
        };
        Some(GivenReactions { user, reactions, at: self.at() })
    }

    fn postback(&self) -> Option<(String, InboundMessage)> {
        let postback = &self.value["postback"];
        let chat = self.person("sender")?;
        let id = word(postback, "mid").unwrap_or_else(|| {
            let at = word(self.value, "timestamp").unwrap_or_default();
            format!("postback:{chat}:{at}")
        });
        let text = word(postback, "title").or_else(|| word(postback, "payload")).unwrap_or_default();
        let read = self.plain(chat, &id, &text);
        Some((id, InboundMessage { ad: ad(&postback["referral"]), ..read }))
    }

    fn plain(&self, chat: ExternalChat, id: &str, text: &str) -> InboundMessage {
        let raw = json!({"entry_id": self.account, "item": self.value}).to_string();
        InboundMessage {
            user: Some(chat.as_str().to_owned()),
            raw: Some(raw),
            origin: if self.is_standby { MessageOrigin::Bot } else { MessageOrigin::Person },
            ..InboundMessage::private(chat, id, text, self.at())
        }
    }
}

/// An id may be in several kinds of events.
fn key(kind: &str, id: &str) -> String {
    if id.len() <= LONGEST_ID {
        return format!("{kind}:{id}");
    }
    format!("{kind}:{}", hex::encode(Sha256::digest(id)))
}

fn media(attachment: &Value) -> Option<InboundMedia> {
    let kind = match attachment["type"].as_str()? {
        "image" => InboundKind::Image,
        "video" | "ig_reel" | "reel" => InboundKind::Video,
        "audio" => InboundKind::Voice,
        "file" => InboundKind::Document,
        _ => InboundKind::Other,
    };
    Some(InboundMedia::at(kind, word(&attachment["payload"], "url")?))
}

/// A word for what has no text; none for what its media show.
fn placeholder(message: &Value, attachments: &[Value], has_no_media: bool) -> Option<&'static str> {
    if message["is_unsupported"] == true {
        return Some("[unsupported message]");
    }
    let kind = attachments.first().and_then(|attachment| attachment["type"].as_str());
    match kind? {
        "share" => Some("[share]"),
        "ig_reel" | "reel" => Some("[reel]"),
        "ig_post" => Some("[post]"),
        "story_mention" => Some("[story mention]"),
        "template" => Some("[template]"),
        _ if has_no_media => Some("[attachment]"),
        _ => None,
    }
}

fn ad(referral: &Value) -> Option<AdSource> {
    let id = word(referral, "ad_id")
        .or_else(|| word(referral, "ref"))
        .or_else(|| word(&referral["product"], "id"));
    referral.is_object().then(|| AdSource { channel: "instagram".to_owned(), id })
}

#[cfg(test)]
mod tests;
