//! Which chat a message is in, and who reads it. Pure.

use domain::{ChatType, ExternalChat};
use serde_json::Value;

use super::inbound::{ALLOWED, word};
use super::outgoing::{ADDRESSES, Target, Topic};

/// The type of a chat with this address.
///
/// # Errors
/// It is no chat of a bot.
pub(super) fn chat_type(chat: &str) -> Result<ChatType, &'static str> {
    Target::of(chat).map(|target| target.chat_type()).ok_or(ADDRESSES)
}

/// The whole group of a topic with this address.
pub(super) fn group(chat: &str) -> Option<ExternalChat> {
    let target = Target::of(chat).filter(|target| target.topic.is_some())?;
    ExternalChat::new(&target.whole()).filter(|_| target.chat_type() == ChatType::Group)
}

/// The kind of an update, and what it says.
pub(super) fn kind_and_body(update: &Value) -> (&'static str, &Value) {
    ALLOWED.into_iter().find_map(|kind| Some((kind, update.get(kind)?))).unwrap_or(("", &Value::Null))
}

/// The part of an update that names its chat.
pub(super) fn named_place(update: &Value) -> &Value {
    match kind_and_body(update) {
        ("callback_query", press) => &press["message"],
        (_, body) => body,
    }
}

/// The chat of a message, and how it is answered.
pub(super) fn target_and_chat(message: &Value) -> Option<(Target, ExternalChat)> {
    let business = word(message, "business_connection_id").map(str::to_owned);
    let chat = message["chat"]["id"].as_i64()?;
    // A person may sort the chat with a bot into topics. It is one conversation.
    let is_of_forum = message["is_topic_message"] == true && chat < 0;
    let thread = message["message_thread_id"].as_i64().filter(|_| is_of_forum);
    let topic = match &message["direct_messages_topic"] {
        Value::Null => thread.map(Topic::Forum),
        topic => Some(Topic::Direct(topic["topic_id"].as_i64()?)),
    };
    let target = Target { business, chat, topic }.checked()?;
    let chat = ExternalChat::new(&target.name())?;
    Some((target, chat))
}

/// Whether a message is a direct message to a channel without its topic. All customers of the channel have the same chat.
pub(super) fn lacks_topic(message: &Value) -> bool {
    let topic = message["direct_messages_topic"]["topic_id"].as_i64();
    let lacks = message["chat"]["is_direct_messages"] == true && topic.is_none();
    if lacks {
        tracing::warn!(
            chat = message["chat"]["id"].as_i64(),
            "ignored a direct message to a channel without its topic"
        );
    }
    lacks
}

/// The type of the chat of a message: what Telegram says, but never less than what the id says.
pub(super) fn type_of(message: &Value, target: &Target) -> ChatType {
    // Telegram calls the chat of all direct messages a supergroup.
    if target.is_direct() {
        return ChatType::Private;
    }
    let word = word(&message["chat"], "type");
    match target.chat_type().stated_by_provider(word) {
        // What a channel posts comes into its group by itself.
        ChatType::Group if message["is_automatic_forward"] == true => ChatType::Channel,
        known => known,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn topics_of_a_private_chat_are_one_conversation() {
        let name = |chat: i64| {
            let message = json!({"chat": {"id": chat}, "is_topic_message": true, "message_thread_id": 3});
            target_and_chat(&message).map(|(target, _)| target.name())
        };
        assert_eq!(name(2_001).as_deref(), Some("2001"));
        assert_eq!(name(-1_001).as_deref(), Some("-1001/3"));
    }
}
