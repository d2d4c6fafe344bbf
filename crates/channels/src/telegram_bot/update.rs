//! What happened to a bot.

use std::fmt;

use domain::secret::Words;
use serde::Deserialize;
use serde_json::Value;

/// One update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Update {
    /// Rises; what is below the next poll's offset is confirmed.
    pub id: i64,
    pub happening: Happening,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    Message(MessageIn),
    Press(Press),
    /// Of a kind that is not read here, or not readable at all: an update that cannot be read never stops those after it.
    Other,
}

/// A message to the bot.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct MessageIn {
    pub message_id: i64,
    /// None for an anonymous sender.
    pub from: Option<User>,
    pub chat: Chat,
    /// None for a file without a caption, and for service messages.
    pub text: Option<Words>,
}

/// A chat, as far as it matters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Chat {
    pub id: i64,
    /// `private`, `group`, `supergroup` or `channel`.
    #[serde(rename = "type", default)]
    pub kind: String,
}

/// A button of the bot was pressed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Press {
    /// To be answered with, within a minute.
    pub id: String,
    pub from: User,
    /// None where the message is too old.
    pub message: Option<MessageIn>,
    pub data: Option<String>,
}

/// A person.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct User {
    pub id: i64,
    #[serde(default)]
    pub first_name: String,
    pub username: Option<String>,
    /// As in IETF tags: `ru`, `en-US`.
    pub language_code: Option<String>,
}

impl fmt::Debug for User {
    /// Who it is, without a name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "User({})", self.id)
    }
}

impl Update {
    /// Reads an update; none without an id.
    pub(super) fn read(value: &Value) -> Option<Self> {
        let id = value.get("update_id")?.as_i64()?;
        let part = |name: &str| value.get(name).cloned();
        let message = || serde_json::from_value(part("message")?).ok().map(Happening::Message);
        let press = || serde_json::from_value(part("callback_query")?).ok().map(Happening::Press);
        Some(Self { id, happening: message().or_else(press).unwrap_or(Happening::Other) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn messages_and_presses_are_read_and_the_rest_is_passed_over() {
        let user = json!({"id": 2_001, "is_bot": false, "first_name": "Ivan", "language_code": "ru"});
        let message = json!({"message_id": 17, "date": 1, "from": user, "chat": {"id": 2_001, "type": "private"}, "text": "/start"});
        let read = |value: Value| Update::read(&value).map(|update| update.happening);
        let Some(Happening::Message(it)) = read(json!({"update_id": 1, "message": message})) else {
            panic!()
        };
        assert_eq!((it.message_id, it.chat.id, it.text.as_deref()), (17, 2_001, Some("/start")));
        assert_eq!(it.from.unwrap().language_code.as_deref(), Some("ru"));
        let press = json!({"id": "7", "from": user, "message": message, "chat_instance": "1", "data": "a"});
        let Some(Happening::Press(it)) = read(json!({"update_id": 1, "callback_query": press})) else {
            panic!()
        };
        assert_eq!((it.id.as_str(), it.data.as_deref()), ("7", Some("a")));
        for other in [json!({"poll": {}}), json!({"message": "odd"}), json!({"message": {"message_id": "x"}})]
        {
            let mut update = other;
            update["update_id"] = json!(5);
            assert_eq!(read(update), Some(Happening::Other));
        }
        assert_eq!(read(json!({"message": message})), None);
    }

    proptest! {
        #[test]
        fn any_json_is_read_without_a_panic(text in "\\{\"update_id\":[0-9]{1,25},\"message\":.{0,60}\\}") {
            if let Ok(value) = serde_json::from_str(&text) {
                let _ = Update::read(&value);
            }
        }
    }
}
