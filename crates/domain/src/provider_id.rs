//! What a provider calls a message.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::TelegramMessageId;

/// A message's id at its provider: a number where it counts them, such as Telegram, else its own word.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ProviderId {
    /// A number.
    Number(i64),
    /// A word, which a number in digits is too where the provider writes it as text.
    Text(Box<str>),
}

impl ProviderId {
    /// The number, if it is one.
    pub const fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }

    /// The id of a message of Telegram, if it can be one.
    pub fn telegram(&self) -> Option<TelegramMessageId> {
        self.number().and_then(TelegramMessageId::new)
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl From<i64> for ProviderId {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<i32> for ProviderId {
    fn from(number: i32) -> Self {
        Self::Number(number.into())
    }
}

impl From<&str> for ProviderId {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_id() -> impl Strategy<Value = ProviderId> {
        prop_oneof![
            any::<i64>().prop_map(ProviderId::from),
            any::<String>().prop_map(|text| text.as_str().into())
        ]
    }

    proptest! {
        #[test]
        fn an_id_reads_back_as_what_it_was(id in any_id()) {
            let json = serde_json::to_string(&id).expect("JSON");
            prop_assert_eq!(serde_json::from_str::<ProviderId>(&json).expect("an id"), id);
        }
    }

    #[test]
    fn numbers_are_numbers_in_json() {
        assert_eq!(serde_json::to_string(&[ProviderId::from(7), "7".into()]).expect("JSON"), r#"[7,"7"]"#);
    }
}
