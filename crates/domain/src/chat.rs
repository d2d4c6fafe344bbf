//! Chats as callers name them: a Bot API id, a public username, or an address of a channel.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::UserId;
use crate::address::{ChannelChat, InvalidAddress};

/// The Bot API writes supergroups and channels as this minus their bare id.
const CHANNEL_BASE: i64 = -1_000_000_000_000;

/// What kind of chat an id names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatKind {
    /// A private dialog with a user or a bot.
    User,
    /// A basic group.
    Group,
    /// A supergroup or a broadcast channel.
    Channel,
}

/// A chat id as the Bot API writes it: a user is positive, a basic group negative, a supergroup or channel `-100…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChatId(i64);

/// Text that names no chat.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} names no chat; write a chat id like -1001234567890, a username like @example or a link like https://t.me/example"
)]
pub struct InvalidChat(String);

impl ChatId {
    /// Reads an id in Bot API form; zero and the gaps between the ranges are no chat.
    pub const fn new(id: i64) -> Option<Self> {
        // Telegram's own bounds: groups to 999_999_999_999, channels to 997_852_516_352.
        let valid = UserId::new(id).is_some()
            || (id < 0 && id >= -999_999_999_999)
            || (id < CHANNEL_BASE && id >= CHANNEL_BASE - 997_852_516_352);
        if valid { Some(Self(id)) } else { None }
    }

    /// The private dialog with this user.
    pub const fn user(bare: i64) -> Option<Self> {
        match UserId::new(bare) {
            Some(user) => Some(Self(user.get())),
            None => None,
        }
    }

    /// The basic group with this bare id.
    pub const fn group(bare: i64) -> Option<Self> {
        if bare > 0 && bare <= 999_999_999_999 { Self::new(-bare) } else { None }
    }

    /// The supergroup or channel with this bare id.
    pub const fn channel(bare: i64) -> Option<Self> {
        if bare > 0 && bare <= 997_852_516_352 { Self::new(CHANNEL_BASE - bare) } else { None }
    }

    /// The number as the Bot API writes it.
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The id as Telegram's own protocol writes it: positive, without the mark of its kind.
    pub const fn bare(self) -> i64 {
        match self.kind() {
            ChatKind::User => self.0,
            ChatKind::Group => -self.0,
            ChatKind::Channel => CHANNEL_BASE - self.0,
        }
    }

    /// Whose private dialog it is.
    pub const fn user_id(self) -> Option<UserId> {
        UserId::new(self.0)
    }

    /// User, basic group, or supergroup and channel.
    pub const fn kind(self) -> ChatKind {
        if self.0 > 0 {
            ChatKind::User
        } else if self.0 < CHANNEL_BASE {
            ChatKind::Channel
        } else {
            ChatKind::Group
        }
    }
}

impl From<UserId> for ChatId {
    fn from(user: UserId) -> Self {
        Self(user.get())
    }
}

impl fmt::Display for ChatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ChatId {
    type Err = InvalidChat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // A number with a plus is a phone number, not a user's id.
        let digits = Some(text.trim()).filter(|text| !text.starts_with('+'));
        digits
            .and_then(|text| text.parse().ok())
            .and_then(Self::new)
            .ok_or_else(|| InvalidChat(shorten(text)))
    }
}

impl Serialize for ChatId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChatId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A public name, without the `@`, in lower case: Telegram compares names so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Username(String);

impl Username {
    /// The name without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

impl FromStr for Username {
    type Err = InvalidChat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let name = name.strip_prefix('@').unwrap_or(name);
        let valid = (2..=32).contains(&name.len())
            && name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        if valid { Ok(Self(name.to_ascii_lowercase())) } else { Err(InvalidChat(shorten(text))) }
    }
}

impl Serialize for Username {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Username {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A chat as a caller names it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ChatRef {
    /// By its id.
    Id(ChatId),
    /// By its public name.
    Username(Username),
    /// A chat outside Telegram.
    Channel(ChannelChat),
}

impl fmt::Display for ChatRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Username(name) => name.fmt(f),
            Self::Channel(chat) => chat.fmt(f),
        }
    }
}

impl FromStr for ChatRef {
    type Err = InvalidChat;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(id) = text.parse() {
            return Ok(Self::Id(id));
        }
        text.parse().map(Self::Channel).or_else(|_: InvalidAddress| text.parse().map(Self::Username))
    }
}

impl Serialize for ChatRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChatRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_and_bare_ids_follow_the_bot_api() {
        for (text, kind, bare) in [
            ("123", ChatKind::User, 123),
            ("-123", ChatKind::Group, 123),
            ("-1001234567890", ChatKind::Channel, 1_234_567_890),
        ] {
            let id: ChatId = text.parse().expect("a chat id");
            assert_eq!((id.kind(), id.bare(), id.to_string()), (kind, bare, text.to_owned()));
        }
        for wrong in ["0", "", "-1000000000000", "99999999999999", "12a", "+70000000001"] {
            assert!(wrong.parse::<ChatId>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn usernames_are_compared_in_lower_case() {
        assert_eq!("@Demo_Main".parse::<Username>(), "demo_main".parse());
        assert_eq!("demo".parse::<ChatRef>().expect("a chat").to_string(), "@demo");
        for wrong in ["@", "@1abc", "a b", "@имя", "@a"] {
            assert!(wrong.parse::<Username>().is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn every_bare_id_comes_back(bare in 1_i64..997_852_516_352) {
            for id in [ChatId::user(bare), ChatId::group(bare), ChatId::channel(bare)].into_iter().flatten() {
                prop_assert_eq!(id.bare(), bare);
                prop_assert_eq!(id.to_string().parse::<ChatId>(), Ok(id));
            }
        }

        #[test]
        fn any_text_is_a_chat_or_a_clear_refusal(text: String) {
            let _ = text.parse::<ChatRef>();
        }
    }
}
