//! What Instagram posts, as events.

use domain::content::coordinates;
use domain::lenient;
use domain::received_message::Reaction;
use domain::{
    AccountName, AdSource, ChatType, Content, ExternalChat, GivenReactions, InboundChange, InboundEvent,
    InboundKind, InboundMedia, InboundMessage, InboundReceipt, MessageOrigin, Timestamp,
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
            events.push(InboundEvent::notice("a test of Meta's dashboard"));
            continue;
        }
        if let Err(why) = check_addressee(account, own, &id.as_str()) {
            refused = Some(why);
            continue;
        }
        let (changed, others): (Vec<_>, Vec<_>) = entry["changes"]
            .as_array()
            .into_iter()
            .flatten()
            .partition(|change| change["field"] == "messages");
        let others = others.iter().map(|change| change["field"].as_str().unwrap_or("nothing"));
        events.extend(others.map(|field| InboundEvent::notice(format!("a change of {field}"))));
        let changed = changed.into_iter().map(|change| &change["value"]);
        for item in entry["messaging"].as_array().into_iter().flatten().chain(changed) {
            events.extend(Item { value: item, account: &id, is_standby: false, now }.read());
        }
        for item in entry["standby"].as_array().into_iter().flatten() {
            events.extend(Item { value: item, account: &id, is_standby: true, now }.read());
        }
    }
    match refused {
        Some(why) if events.is_empty() => Err(why),
        _ => Ok(events),
    }
}

/// Reads one thing that happened in an account.
pub(super) fn read_item(value: &Value, account: &str, now: Timestamp) -> Vec<InboundEvent> {
    Item { value, account, is_standby: false, now }.read()
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
    fn read(&self) -> Vec<InboundEvent> {
        let value = self.value;
        let event = |key: String, change: InboundChange| InboundEvent { key, change };
        let mut events = Vec::new();
        if value["message"].is_object() {
            let message = &value["message"];
            let id = word(message, "mid");
            events.push(match (id, lenient::is_true(&message["is_deleted"])) {
                (Some(id), true) => {
                    event(key("deleted", &id), InboundChange::Deleted { external_id: id, at: self.at() })
                }
                (Some(id), false) => match self.message(&id) {
                    Some(read) => {
                        let kind = if self.is_own() { "echo" } else { "message" };
                        event(key(kind, &id), InboundChange::Message(Box::new(read)))
                    }
                    None => InboundEvent::lost("a message without a sender"),
                },
                (None, _) => InboundEvent::lost("a message without an id"),
            });
        } else if value["message_edit"].is_object() {
            let edit = &value["message_edit"];
            let number = word(edit, "num_edit").unwrap_or_default();
            // An app in development gets new messages as edits with the number 0, which name no sender.
            let text = edit["text"].as_str().filter(|_| number != "0");
            events.push(match (word(edit, "mid"), text) {
                (Some(id), Some(text)) => {
                    let change =
                        InboundChange::Edited { external_id: id.clone(), text: text.into(), at: self.at() };
                    event(key(&format!("edit:{number}"), &id), change)
                }
                _ => InboundEvent::lost("an edit without an id, a text or a number"),
            });
        } else if value["postback"].is_object() {
            events.push(match self.postback() {
                Some((id, read)) => event(key("postback", &id), InboundChange::Message(Box::new(read))),
                None => InboundEvent::lost("a press without a sender"),
            });
        } else if let Some(id) = word(&value["reaction"], "mid") {
            if let Some(given) = self.reaction() {
                let reaction = &value["reaction"];
                let parts = [&reaction["action"], &reaction["reaction"], &reaction["emoji"]];
                let words = parts.map(|word| word.as_str().unwrap_or_default()).join(":");
                let about = format!("reaction:{}:{words}:{}", given.user, given.at.as_micros());
                events.push(event(key(&about, &id), InboundChange::Reacted { external_id: id, given }));
            }
        } else if let Some(id) = word(&value["read"], "mid") {
            let at = self.at();
            if let Some(chat) = self.person("sender") {
                events.push(event(key("read_up_to", &id), InboundChange::ReadUpTo { chat, at }));
            }
            let receipt = InboundReceipt::Read;
            events.push(event(key("read", &id), InboundChange::Receipt { external_id: id, receipt, at }));
        }
        if events.is_empty() {
            let around = ["sender", "recipient", "timestamp"];
            let mut fields = value.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
            let kind = fields.find(|name| !around.contains(name)).unwrap_or("nothing");
            events.push(InboundEvent::notice(format!("an item with {kind}")));
        }
        events.into_iter().map(|event| event.with_raw(|| value.to_string())).collect()
    }

    fn is_own(&self) -> bool {
        lenient::is_true(&self.value["message"]["is_echo"])
    }

    fn at(&self) -> Timestamp {
        lenient::time(&self.value["timestamp"]).unwrap_or(self.now)
    }

    fn person(&self, role: &str) -> Option<ExternalChat> {
        word(&self.value[role], "id").and_then(|id| ExternalChat::new(&id))
    }

    fn message(&self, id: &str) -> Option<InboundMessage> {
        let message = &self.value["message"];
        let is_own = self.is_own();
        let chat = self.person(if is_own { "recipient" } else { "sender" })?;
        let (text, media) = content(message).into_parts();
        let plain = self.plain(chat, id, &text);
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

/// What a message says.
fn content(message: &Value) -> Content {
    let mut content = Content::default();
    content.say(message["text"].as_str().unwrap_or_default());
    let story = &message["reply_to"]["story"];
    if story.is_object() {
        content.add(InboundKind::Story, ["reply".to_owned(), word(story, "url").unwrap_or_default()]);
    }
    for attachment in message["attachments"].as_array().into_iter().flatten() {
        add_attachment(&mut content, attachment);
    }
    if lenient::is_true(&message["is_unsupported"]) {
        content.add(InboundKind::Hidden, [""]);
    }
    content
}

fn add_attachment(content: &mut Content, attachment: &Value) {
    let kind = attachment["type"].as_str().unwrap_or_default();
    let payload = &attachment["payload"];
    let of = |name: &str| word(payload, name).or_else(|| word(attachment, name)).unwrap_or_default();
    let mut attach = |to: InboundKind| {
        content.attach(InboundMedia { url: word(payload, "url"), ..InboundMedia::new(to) });
    };
    match kind {
        "image" => attach(InboundKind::Image),
        "video" => attach(InboundKind::Video),
        "audio" => attach(InboundKind::Voice),
        "file" => attach(InboundKind::Document),
        "animated_image" | "sticker" => attach(InboundKind::Sticker),
        _ => {
            // What was shared is a file of its own, where it has an address.
            if word(payload, "url").is_some() {
                let is_film = ["ig_reel", "reel"].contains(&kind);
                attach(if is_film { InboundKind::Video } else { InboundKind::Other });
            }
            match kind {
                "ig_reel" | "reel" => content.add(InboundKind::Post, ["reel".to_owned(), of("title")]),
                "share" | "ig_post" | "post" => content.add(InboundKind::Post, [of("title")]),
                "story_mention" | "ig_story" => content.add(InboundKind::Story, ["mention"]),
                "fallback" => content.add(InboundKind::Link, [of("title"), of("url")]),
                "template" => {
                    let holders = [&payload["generic"], &payload["product"], payload];
                    let elements = holders.iter().find_map(|holder| holder["elements"].as_array());
                    let titles = elements.into_iter().flatten().filter_map(|element| word(element, "title"));
                    content.add(InboundKind::Form, titles);
                }
                "product" => content.add(InboundKind::Product, [of("title")]),
                "location" => {
                    let at = &payload["coordinates"];
                    content.add(InboundKind::Location, coordinates(&at["lat"], &at["long"]));
                }
                "like_heart" => content.say("❤"),
                "unsupported_type" | "ephemeral" => content.add(InboundKind::Hidden, [""]),
                other => content.add_unknown(other, [of("title")]),
            }
        }
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
