//! Telegram's ids of users.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The largest id that Telegram gives.
const LARGEST: i64 = 0xff_ffff_ffff;

/// Telegram's id of a person or bot. JSON has it as a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct UserId(i64);

/// A number that Telegram gives no user.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error("{0} is no id of a user; Telegram's are numbers from 1 to {LARGEST}")]
pub struct InvalidUserId(i64);

impl UserId {
    /// Reads an id; zero and what is negative or too large for Telegram is none.
    pub const fn new(id: i64) -> Option<Self> {
        if id > 0 && id <= LARGEST { Some(Self(id)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl TryFrom<i64> for UserId {
    type Error = InvalidUserId;

    fn try_from(id: i64) -> Result<Self, InvalidUserId> {
        Self::new(id).ok_or(InvalidUserId(id))
    }
}

impl From<UserId> for i64 {
    fn from(id: UserId) -> Self {
        id.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ChatId;

    proptest! {
        #[test]
        fn a_number_is_a_user_if_it_is_their_private_chat(number in prop_oneof![any::<i64>(), -9..LARGEST + 9]) {
            let user = UserId::new(number);
            prop_assert_eq!(user.map(ChatId::from), ChatId::user(number));
            prop_assert_eq!(user.map(ChatId::from).and_then(ChatId::user_id), user);
            let read: Option<UserId> = serde_json::from_str(&number.to_string()).ok();
            prop_assert_eq!(read, user);
            if let Some(user) = user {
                prop_assert_eq!(serde_json::to_string(&user).ok(), Some(number.to_string()));
            }
        }
    }
}
