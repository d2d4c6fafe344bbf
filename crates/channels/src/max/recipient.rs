//! Chats as MAX names them: by their number, or by the user where no chat is known.

use domain::{ChatType, ExternalChat};

use crate::error::CallError;

/// The prefix of a user's number.
pub(super) const USER: &str = "user:";
/// What chats are called.
const ADDRESSES: &str = "a chat of MAX is a number, or user: and a number";

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Recipient {
    /// A dialog or a group.
    Chat(i64),
    /// The dialog with a user.
    User(i64),
}

impl Recipient {
    /// What a chat's text names.
    ///
    /// # Errors
    /// It can be none of MAX.
    pub(super) fn of(chat: &ExternalChat) -> Result<Self, CallError> {
        Self::read(chat.as_str()).ok_or_else(|| CallError::NotFound(ADDRESSES.to_owned()))
    }

    fn read(text: &str) -> Option<Self> {
        let read = match text.strip_prefix(USER) {
            Some(user) => user.parse().ok().filter(|user: &i64| *user > 0).map(Self::User),
            None => text.parse().ok().filter(|chat: &i64| *chat != 0).map(Self::Chat),
        };
        // A chat has one address.
        read.filter(|read| read.chat().is_some_and(|chat| chat.as_str() == text))
    }

    /// The type of the chat: groups and channels have negative numbers.
    pub(super) const fn chat_type(self) -> ChatType {
        match self {
            Self::Chat(id) if id < 0 => ChatType::Group,
            Self::Chat(_) | Self::User(_) => ChatType::Private,
        }
    }

    /// The parameter of a call.
    pub(super) fn parameter(self) -> (&'static str, String) {
        match self {
            Self::Chat(id) => ("chat_id", id.to_string()),
            Self::User(id) => ("user_id", id.to_string()),
        }
    }

    /// The text that [`Recipient::of`] reads.
    pub(super) fn chat(self) -> Option<ExternalChat> {
        ExternalChat::new(&match self {
            Self::Chat(id) => id.to_string(),
            Self::User(id) => format!("{USER}{id}"),
        })
    }
}

/// The type of the chat with this address.
///
/// # Errors
/// It is no chat of MAX.
pub(super) fn chat_type(chat: &str) -> Result<ChatType, &'static str> {
    Recipient::read(chat).map(Recipient::chat_type).ok_or(ADDRESSES)
}

/// A word as one part of a path.
pub(super) fn escaped(word: &str) -> String {
    form_urlencoded::byte_serialize(word.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_read_back_and_others_are_refused() {
        for recipient in [Recipient::Chat(5001), Recipient::Chat(-7), Recipient::User(2001)] {
            assert_eq!(Recipient::of(&recipient.chat().unwrap()), Ok(recipient));
        }
        for text in ["x", "5/../6", "user:", "user:-5", "1.5"] {
            assert!(Recipient::of(&ExternalChat::new(text).unwrap()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_word_stays_one_part_of_a_path() {
        assert_eq!(escaped("a/b c?d"), "a%2Fb%20c%3Fd");
    }
}
