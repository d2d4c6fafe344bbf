//! Telegram's ids of messages.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ProviderId;

/// Telegram's id of a message: within its supergroup or channel, or among all other messages of an account. JSON has it as a
/// number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct TelegramMessageId(i32);

/// A number that Telegram gives no message.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("{0} is no id of a message; Telegram's are numbers from 1 to 2147483647")]
pub struct InvalidTelegramMessageId(i64);

impl TelegramMessageId {
    /// Reads an id; zero and what is negative or too large for Telegram is none.
    pub fn new(id: impl Into<i64>) -> Option<Self> {
        i32::try_from(id.into()).ok().filter(|id| *id > 0).map(Self)
    }

    /// The number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl TryFrom<i64> for TelegramMessageId {
    type Error = InvalidTelegramMessageId;

    fn try_from(id: i64) -> Result<Self, InvalidTelegramMessageId> {
        Self::new(id).ok_or(InvalidTelegramMessageId(id))
    }
}

impl From<TelegramMessageId> for i64 {
    fn from(id: TelegramMessageId) -> Self {
        id.0.into()
    }
}

impl From<TelegramMessageId> for ProviderId {
    fn from(id: TelegramMessageId) -> Self {
        Self::Number(id.into())
    }
}

impl fmt::Display for TelegramMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_number_is_an_id_if_telegram_could_give_it(number in prop_oneof![any::<i64>(), -9..9_i64, (1 << 31) - 9..(1_i64 << 31) + 9]) {
            let id = TelegramMessageId::new(number);
            prop_assert_eq!(id.is_some(), (1..1 << 31).contains(&number));
            let read: Option<TelegramMessageId> = serde_json::from_str(&number.to_string()).ok();
            prop_assert_eq!(read, id);
            if let Some(id) = id {
                prop_assert_eq!(serde_json::to_string(&id).ok(), Some(number.to_string()));
                prop_assert_eq!(ProviderId::from(id).telegram(), Some(id));
            }
        }
    }
}
