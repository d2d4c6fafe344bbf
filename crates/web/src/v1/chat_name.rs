//! The chat of a new message as callers write it: text or a number.

use std::fmt;

use domain::chat::ChatId;
use domain::{ChatRef, NamedChat};
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A chat id as text or number, a username, a link, a phone number or `me`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChatName(pub(crate) NamedChat);

impl<'de> Deserialize<'de> for ChatName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = ChatName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a chat id like -1001234567890, a username like @example or a link like https://t.me/example")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ChatName, E> {
                text.parse().map(ChatName).map_err(E::custom)
            }

            fn visit_i64<E: de::Error>(self, id: i64) -> Result<ChatName, E> {
                match ChatId::new(id) {
                    Some(id) => Ok(ChatName(ChatRef::Id(id).into())),
                    None => self.visit_str(&id.to_string()),
                }
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<ChatName, E> {
                match i64::try_from(id) {
                    Ok(id) => self.visit_i64(id),
                    Err(_) => self.visit_str(&id.to_string()),
                }
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

/// A chat as it is written: beside the name of a channel it is the provider's own name for a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct WrittenChat {
    /// As it is written.
    pub(crate) text: String,
    /// What it names without a channel; else why it names nothing.
    pub(crate) named: Result<NamedChat, String>,
}

impl<'de> Deserialize<'de> for WrittenChat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(untagged, expecting = "write the chat as text or number")]
        enum Written {
            Text(String),
            Number(i64),
        }

        let text = match Written::deserialize(deserializer)? {
            Written::Text(text) => text,
            Written::Number(number) => number.to_string(),
        };
        let named = ChatName::deserialize(de::value::StrDeserializer::<de::value::Error>::new(&text));
        Ok(Self { named: named.map(|chat| chat.0).map_err(|error| error.to_string()), text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_name_the_same_chat() {
        let read = |json: &str| serde_json::from_str::<ChatName>(json).map(|chat| chat.0.to_string());
        assert_eq!(read("-1001234567890").expect("a chat"), "-1001234567890");
        assert_eq!(read("\"-1001234567890\"").expect("a chat"), "-1001234567890");
        assert_eq!(read("777").expect("a chat"), "777");
        assert_eq!(read("\"Demo_Main\"").expect("a chat"), "@demo_main");
        assert_eq!(read("\"https://t.me/Demo_Main\"").expect("a chat"), "@demo_main");
        for wrong in ["\"null\"", "0", "18446744073709551615", "\"\"", "1.5", "true", "null", "[1]"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
