//! The message that a new one answers, as callers write its id: a number or text.

use std::fmt;

use domain::ProviderId;
use serde::de::{self, Deserialize, Deserializer, Visitor};

/// An id that is not read yet: which form is right depends on the chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyTo(String);

/// The longest id of a provider, in characters.
const LONGEST: usize = 256;

impl ReplyTo {
    /// Reads an id of Telegram; the error says what is wrong.
    pub(crate) fn of_telegram(&self) -> Result<ProviderId, &'static str> {
        let id = self.0.trim().parse::<i32>().ok().filter(|id| *id > 0);
        id.map(Into::into).ok_or("is wrong: a Telegram message id is a number from 1")
    }

    /// Reads an id of another channel; the error says what is wrong.
    pub(crate) fn of_channel(&self) -> Result<ProviderId, &'static str> {
        let text = self.0.trim();
        let fits = !domain::missing::is_in_id(text)
            && text.chars().count() <= LONGEST
            && !text.chars().any(char::is_control);
        fits.then(|| text.into()).ok_or("is wrong: a message id of a channel has 1 to 256 characters")
    }
}

impl<'de> Deserialize<'de> for ReplyTo {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl Visitor<'_> for Reader {
            type Value = ReplyTo;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the id of a message")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ReplyTo, E> {
                Ok(ReplyTo(text.to_owned()))
            }

            fn visit_i64<E: de::Error>(self, id: i64) -> Result<ReplyTo, E> {
                Ok(ReplyTo(id.to_string()))
            }

            fn visit_u64<E: de::Error>(self, id: u64) -> Result<ReplyTo, E> {
                Ok(ReplyTo(id.to_string()))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}
