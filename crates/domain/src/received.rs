//! The id of a message that Telegram keeps and we do not: it says where the message is, so that nothing has to be written down.
//!
//! A number of Telegram's is none without its chat, and outside of supergroups and channels none without the account that counted it.
//! The text is `rcv_`, the number of this form, and the three of them in the letters of our other ids. Callers take it as it is.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::ALPHABET;
use crate::{AccountName, ChatId, ChatKind, TelegramMessageId};

/// What follows the prefix; another form of the id would have another letter.
const FORM: char = '1';

/// How many bytes the chat and the number take.
const FIXED: usize = 12;

/// More letters than the longest id has: 76 bytes, with the longest name of an account.
const MOST_LETTERS: usize = 122;

/// A message of a chat, as the one who is in the chat can name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReceivedId {
    chat_id: ChatId,
    message_id: TelegramMessageId,
    /// Only where each account counts messages in its own way.
    counted_by: Option<AccountName>,
}

/// Text that is no id of a received message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{given:?} is no id of a received message; take `id` from the history of the chat as it is")]
pub struct InvalidReceivedId {
    given: String,
}

impl ReceivedId {
    /// What the text form begins with.
    pub const PREFIX: &'static str = "rcv_";

    /// Names the message that has this id of Telegram's. `None` where an account is needed and missing, or given and makes no
    /// difference: each message has one id.
    pub fn new(
        chat_id: ChatId,
        message_id: TelegramMessageId,
        counted_by: Option<AccountName>,
    ) -> Option<Self> {
        let by_each_account = chat_id.kind() != ChatKind::Channel;
        (counted_by.is_some() == by_each_account).then_some(Self { chat_id, message_id, counted_by })
    }

    /// Names a message that was reported to this account.
    pub fn seen_by(chat_id: ChatId, message_id: TelegramMessageId, account: &AccountName) -> Self {
        let counted_by = (chat_id.kind() != ChatKind::Channel).then(|| account.clone());
        Self { chat_id, message_id, counted_by }
    }

    /// The chat that it is in.
    pub const fn chat_id(&self) -> ChatId {
        self.chat_id
    }

    /// Telegram's id of it.
    pub const fn message_id(&self) -> TelegramMessageId {
        self.message_id
    }

    /// The account whose id that is, where each has its own.
    pub const fn counted_by(&self) -> Option<&AccountName> {
        self.counted_by.as_ref()
    }

    fn read(letters: &str) -> Option<Self> {
        if letters.len() > MOST_LETTERS {
            return None;
        }
        let bytes = bytes(letters)?;
        let (fixed, name) = bytes.split_at_checked(FIXED)?;
        let (chat_id, message_id) = fixed.split_at_checked(8)?;
        let chat_id = ChatId::new(i64::from_be_bytes(chat_id.try_into().ok()?))?;
        let message_id = TelegramMessageId::new(i32::from_be_bytes(message_id.try_into().ok()?))?;
        let counted_by = match std::str::from_utf8(name).ok()? {
            "" => None,
            name => Some(name.parse().ok()?),
        };
        Self::new(chat_id, message_id, counted_by)
    }
}

impl fmt::Display for ReceivedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.counted_by.as_ref().map(AccountName::as_str).unwrap_or_default();
        let message_id = self.message_id.get().to_be_bytes();
        let bytes = [&self.chat_id.get().to_be_bytes()[..], &message_id, name.as_bytes()].concat();
        write!(f, "{}{FORM}{}", Self::PREFIX, letters(&bytes))
    }
}

impl FromStr for ReceivedId {
    type Err = InvalidReceivedId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let letters = text.strip_prefix(Self::PREFIX).and_then(|rest| rest.strip_prefix(FORM));
        // What other text stands for the same is refused: one message, one id.
        let read = letters.and_then(Self::read).filter(|id| id.to_string() == text);
        read.ok_or_else(|| InvalidReceivedId { given: text.chars().take(64).collect() })
    }
}

impl Serialize for ReceivedId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReceivedId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// Bytes as letters, five bits each; the last is filled up with zeros.
fn letters(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut held, mut bits) = (0_u32, 0);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(letter(held >> bits));
        }
    }
    if bits > 0 {
        text.push(letter(held << (5 - bits)));
    }
    text
}

fn letter(bits: u32) -> char {
    char::from(ALPHABET[(bits & 31) as usize])
}

/// The bytes that letters stand for; nothing where one is no letter of ours.
fn bytes(letters: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(letters.len() * 5 / 8);
    let (mut held, mut bits) = (0_u32, 0);
    for letter in letters.bytes() {
        let digit = ALPHABET.iter().position(|known| *known == letter)?;
        held = (held << 5) | u32::try_from(digit).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            bytes.push(u8::try_from((held >> bits) & 0xff).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn chat() -> impl Strategy<Value = ChatId> {
        let bare = 1..=900_000_000_000_i64;
        (bare, 0..3).prop_map(|(bare, kind)| {
            let chat = match kind {
                0 => ChatId::user(bare),
                1 => ChatId::group(bare),
                _ => ChatId::channel(bare),
            };
            chat.expect("within Telegram's bounds")
        })
    }

    fn of(number: i32) -> TelegramMessageId {
        TelegramMessageId::new(number).expect("an id")
    }

    fn message_id() -> impl Strategy<Value = TelegramMessageId> {
        (1..=i32::MAX).prop_map(of)
    }

    fn id() -> impl Strategy<Value = ReceivedId> {
        (chat(), message_id(), "x[a-z0-9_-]{0,63}").prop_map(|(chat, message_id, name)| {
            let counted_by = (chat.kind() != ChatKind::Channel).then(|| name.parse().expect("a name"));
            ReceivedId::new(chat, message_id, counted_by).expect("an id")
        })
    }

    proptest! {
        #[test]
        fn text_form_reads_back_and_needs_no_escaping_in_a_path(id in id()) {
            let text = id.to_string();
            prop_assert!(text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'));
            prop_assert!(text.len() <= ReceivedId::PREFIX.len() + 1 + MOST_LETTERS);
            prop_assert_eq!(text.parse::<ReceivedId>(), Ok(id));
        }

        #[test]
        fn within_a_chat_they_sort_as_telegram_counts(id in id(), other in message_id()) {
            let other = ReceivedId { message_id: other, ..id.clone() };
            prop_assert_eq!(id.to_string().cmp(&other.to_string()), id.message_id().cmp(&other.message_id()));
        }

        #[test]
        fn any_text_is_refused_or_is_the_one_id_of_its_message(text in "(rcv_1?)?\\PC{0,40}") {
            if let Ok(id) = text.parse::<ReceivedId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn any_letters_are_refused_or_are_the_one_id_of_their_message(text in "rcv_1[0-9a-hjkmnp-tv-z]{18,30}") {
            if let Ok(id) = text.parse::<ReceivedId>() {
                prop_assert_eq!(id.to_string(), text);
            }
        }

        #[test]
        fn a_shortened_or_extended_id_is_refused(id in id(), cut in 1..8_usize, more in "[0-9a-z]{1,8}") {
            let text = id.to_string();
            let longer = format!("{text}{more}");
            // A name may end anywhere: then it is that of another account.
            for changed in [&text[..text.len() - cut], &longer] {
                let read = changed.parse::<ReceivedId>();
                prop_assert!(read.as_ref() != Ok(&id), "{}", changed);
                prop_assert!(id.counted_by().is_some() || read.is_err(), "{}", changed);
            }
        }
    }

    #[test]
    fn the_form_stays_as_it_is() {
        let channel = ChatId::new(-1_001_234_567_890).expect("a channel");
        let id = ReceivedId::new(channel, of(45), None).expect("an id");
        assert_eq!(id.to_string(), "rcv_1zzzzy5q1rkpjw00000pg");
        let user = ChatId::user(5_000_000_001).expect("a user");
        let main = "main".parse().expect("a name");
        let id = ReceivedId::new(user, of(7), Some(main)).expect("an id");
        assert_eq!(id.to_string(), "rcv_10000009a0qs02000003ptrb9dr");
        assert_eq!(
            (id.chat_id(), id.message_id(), id.counted_by().map(AccountName::as_str)),
            (user, of(7), Some("main"))
        );
    }

    #[test]
    fn an_id_names_an_account_only_where_each_counts_for_itself() {
        let name = || Some("main".parse::<AccountName>().expect("a name"));
        let [user, group, channel] =
            [ChatId::user(5), ChatId::group(5), ChatId::channel(5)].map(|chat| chat.expect("a chat"));
        for chat in [user, group] {
            let named = |account| ReceivedId::new(chat, of(1), account);
            assert!(named(name()).is_some() && named(None).is_none());
        }
        let named = |account| ReceivedId::new(channel, of(1), account);
        assert!(named(None).is_some() && named(name()).is_none());
    }

    #[test]
    fn ids_of_other_kinds_and_of_a_later_form_are_refused() {
        for text in ["", "rcv_", "rcv_1", "msg_01k2v7m3w0e9tq4b8s6n5x1zyr", "rcv_2zzzzy5q1rkpjw00000pg", "45"]
        {
            assert!(text.parse::<ReceivedId>().is_err(), "{text}");
        }
        assert!(format!("rcv_1{}", "0".repeat(100_000)).parse::<ReceivedId>().is_err());
    }
}
