//! Where a message goes: a chat of Telegram, or one of another channel.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::account::AccountName;
use crate::chat::{ChatId, ChatRef};
use crate::phone::Phone;

/// What links into Telegram and the web begin with: no channel is called so, or an address would read as a link.
const SCHEMES: [&str; 3] = ["tg", "http", "https"];

/// The channels that a provider gives ids in. Any other channel is of the owner's own programs.
const OF_PROVIDERS: [&str; 10] =
    ["telegram_account", "telegram", "avito", "whatsapp", "vk", "max", "instagram", "form", "sms", "email"];

/// A way to reach people beside Telegram's user accounts, such as `avito`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelName(Box<str>);

/// Text that names no channel.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} is no name of a channel; it has 1 to 32 of a-z, 0-9 and _, and is not tg, http or https")]
pub struct InvalidChannelName(String);

/// A chat as its provider names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExternalChat(Box<str>);

/// A chat outside Telegram. Its text form is `channel:account/chat`, such as `avito:shop/u2i-1`: no id, username or link of
/// Telegram is written so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelChat {
    /// The channel.
    pub channel: ChannelName,
    /// The account of ours there.
    pub account: AccountName,
    /// The chat.
    pub chat: ExternalChat,
}

/// Text that is no address of a channel.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "{0:?} is no address of a channel; write channel:account/chat, such as avito:shop/u2i-1, the chat with at most 256 characters"
)]
pub struct InvalidAddress(String);

/// Where a message goes, once it is known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Address {
    /// A chat of Telegram.
    Telegram(ChatId),
    /// A chat of a channel.
    Channel(ChannelChat),
}

impl ChannelName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a provider gives the ids in it, and no program of the owner.
    pub fn is_of_provider(&self) -> bool {
        OF_PROVIDERS.contains(&self.as_str())
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for ChannelName {
    type Err = InvalidChannelName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let valid = (1..=32).contains(&text.len())
            && text.bytes().all(|one| one.is_ascii_lowercase() || one.is_ascii_digit() || one == b'_')
            && !SCHEMES.contains(&text);
        if valid { Ok(Self(text.into())) } else { Err(InvalidChannelName(shorten(text))) }
    }
}

impl Serialize for ChannelName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for ChannelName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl ExternalChat {
    /// Reads 1 to 256 characters without control characters, and without spaces at either end.
    pub fn new(text: &str) -> Option<Self> {
        let valid = !text.is_empty()
            && text.chars().count() <= 256
            && text.trim() == text
            && !text.chars().any(char::is_control);
        valid.then(|| Self(text.into()))
    }

    /// The provider's name for it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ExternalChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ChannelChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}/{}", self.channel, self.account, self.chat)
    }
}

/// A number of a person in a channel that no one can read for certain.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0} is no phone number; write it in international form, such as +70000000001")]
pub struct UnreadNumber(ExternalChat);

impl ChatRef {
    /// Returns the chat in the form in which the do-not-contact list compares it. Providers take a number in many forms.
    ///
    /// # Errors
    /// It is written as a number of a phone and is none.
    pub fn in_one_form(self) -> Result<Self, UnreadNumber> {
        let Self::Channel(chat) = &self else { return Ok(self) };
        let written = chat.chat.as_str();
        let (number, after) = written.strip_suffix("@c.us").map_or((written, ""), |number| (number, "@c.us"));
        let read = match chat.channel.as_str() {
            "sms" => phone_in(number).map(|phone| phone.map(|phone| phone.to_string())),
            "whatsapp" if !number.contains('@') => {
                let written_here = |phone: Phone| format!("{}@c.us", phone.digits());
                phone_in(number)
                    .or(if after.is_empty() { Err(()) } else { Ok(None) })
                    .map(|phone| phone.map(written_here))
            }
            "vk" | "telegram" | "instagram" => Ok(plain_id(written)),
            "max" => Ok(match written.split_at_checked(USER.len()) {
                Some((user, id)) if user.eq_ignore_ascii_case(USER) => {
                    Some(format!("{USER}{}", plain_id(id).unwrap_or_else(|| id.trim().to_owned())))
                }
                _ => plain_id(written),
            }),
            _ => Ok(None),
        };
        let read = read.map_err(|()| UnreadNumber(chat.chat.clone()))?;
        Ok(match read.and_then(|read| ExternalChat::new(&read)) {
            Some(read) => Self::Channel(ChannelChat { chat: read, ..chat.clone() }),
            None => self,
        })
    }
}

/// Before the id of a user in MAX, where it is no id of a chat.
const USER: &str = "user:";

/// The number of a phone that people typed; none where the text stays as it is: it is one in international form, a name or a short number.
fn phone_in(text: &str) -> Result<Option<Phone>, ()> {
    const SHORT: usize = 7;
    let is_typed = text.chars().all(|sign| sign.is_ascii_digit() || " +()-.\u{a0}".contains(sign));
    if !is_typed || text.bytes().filter(u8::is_ascii_digit).count() < SHORT {
        return Ok(None);
    }
    if Phone::read(text).is_ok() {
        return Ok(Phone::read_typed(text));
    }
    let without_zeros = text.trim_start_matches(['+', '0']);
    match Phone::read(without_zeros) {
        Ok(phone) => Ok(Some(phone)),
        // A country may have new numbers.
        Err(_) if text.bytes().all(|sign| sign.is_ascii_digit()) && !text.starts_with('0') => Ok(None),
        Err(_) => Err(()),
    }
}

/// An id that is a number without a plus and zeros before it; none where it is written so.
fn plain_id(text: &str) -> Option<String> {
    let id: i64 = text.trim().parse().ok()?;
    Some(id.to_string()).filter(|plain| plain != text)
}

impl FromStr for ChannelChat {
    type Err = InvalidAddress;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let (channel, rest) = text.trim().split_once(':')?;
            let (account, chat) = rest.split_once('/')?;
            let (channel, account) = (channel.parse().ok()?, account.parse().ok()?);
            Some(Self { channel, account, chat: ExternalChat::new(chat)? })
        };
        read().ok_or_else(|| InvalidAddress(shorten(text)))
    }
}

impl Serialize for ChannelChat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ChannelChat {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl Address {
    /// The address that a chat's name is by itself; a username is none.
    pub fn written(chat: &ChatRef) -> Option<Self> {
        match chat {
            ChatRef::Id(id) => Some(Self::Telegram(*id)),
            ChatRef::Channel(chat) => Some(Self::Channel(chat.clone())),
            ChatRef::Username(_) => None,
        }
    }

    /// The id of a chat of Telegram.
    pub const fn chat_id(&self) -> Option<ChatId> {
        match self {
            Self::Telegram(id) => Some(*id),
            Self::Channel(_) => None,
        }
    }

    /// Whether a chat's name says this very address.
    pub fn is(&self, chat: &ChatRef) -> bool {
        match (self, chat) {
            (Self::Telegram(id), ChatRef::Id(other)) => id == other,
            (Self::Channel(one), ChatRef::Channel(other)) => one == other,
            _ => false,
        }
    }
}

impl From<ChatId> for Address {
    fn from(id: ChatId) -> Self {
        Self::Telegram(id)
    }
}

impl From<Address> for ChatRef {
    fn from(address: Address) -> Self {
        match address {
            Address::Telegram(id) => Self::Id(id),
            Address::Channel(chat) => Self::Channel(chat),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Telegram(id) => id.fmt(f),
            Self::Channel(chat) => chat.fmt(f),
        }
    }
}

fn shorten(text: &str) -> String {
    text.chars().take(64).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::missing;
    use crate::named_chat::{NamedChat, NamedChatError};

    #[test]
    fn numbers_that_people_type_are_read_as_the_list_reads_them() {
        for (written, read) in [
            ("whatsapp:phone/89000007711", "whatsapp:phone/79000007711@c.us"),
            ("whatsapp:phone/8 (900) 000-77-11", "whatsapp:phone/79000007711@c.us"),
            ("whatsapp:phone/79000007711", "whatsapp:phone/79000007711"),
            ("whatsapp:phone/5215512345678@c.us", "whatsapp:phone/5215512345678@c.us"),
            ("whatsapp:phone/120363@g.us", "whatsapp:phone/120363@g.us"),
            ("sms:texts/89000007711", "sms:texts/+79000007711"),
            ("sms:texts/+5215512345678", "sms:texts/+5215512345678"),
            ("sms:texts/DEMO", "sms:texts/DEMO"),
            ("sms:texts/079000007711", "sms:texts/+79000007711"),
            ("sms:texts/+079000007711", "sms:texts/+79000007711"),
            ("sms:texts/+54 9 011 4321-0000", "refused"),
            ("sms:texts/900", "sms:texts/900"),
            ("whatsapp:phone/079000007711", "whatsapp:phone/79000007711@c.us"),
            ("whatsapp:phone/89000007711@c.us", "whatsapp:phone/79000007711@c.us"),
            ("whatsapp:phone/79000007711@c.us", "whatsapp:phone/79000007711@c.us"),
            ("whatsapp:phone/777@lid", "whatsapp:phone/777@lid"),
            ("whatsapp:phone/+54 9 011 4321-0000", "refused"),
            ("vk:club/02000301", "vk:club/2000301"),
            ("vk:club/+2000301", "vk:club/2000301"),
            ("vk:club/-5", "vk:club/-5"),
            ("telegram:bot/007", "telegram:bot/7"),
            ("telegram:bot/-1001234567890/7", "telegram:bot/-1001234567890/7"),
            ("max:assistant/USER:02000302", "max:assistant/user:2000302"),
            ("max:assistant/13009", "max:assistant/13009"),
            ("avito:shop/89000007711", "avito:shop/89000007711"),
            ("777", "777"),
        ] {
            let chat: ChatRef = written.parse().expect(written);
            let in_one_form = chat.in_one_form().map(|chat| chat.to_string());
            assert_eq!(in_one_form.as_deref().unwrap_or("refused"), read, "{written}");
        }
    }

    #[test]
    fn an_address_of_a_channel_is_read_and_written() {
        for text in
            ["avito:shop/u2i-1", "email:main/name@example.com", "sms:main/+70000000001", "x:a/b c/d:e"]
        {
            let chat: ChannelChat = text.parse().expect(text);
            assert_eq!(chat.to_string(), text);
            assert_eq!(text.parse::<ChatRef>(), Ok(ChatRef::Channel(chat)));
        }
        for wrong in [
            "",
            "avito",
            "avito:shop",
            "avito:shop/",
            "avito:/1",
            ":shop/1",
            "Avito:shop/1",
            "avito:add/1",
            "https://t.me/demo_main",
            "https:demo/1",
            "tg:join/1",
            "avito:shop/a\u{0}b",
            "a b:shop/1",
            "x:a/ b",
        ] {
            assert!(wrong.parse::<ChannelChat>().is_err(), "{wrong}");
        }
        let long = |letters: usize| format!("avito:shop/{}", "я".repeat(letters)).parse::<ChannelChat>();
        assert!(long(256).is_ok() && long(257).is_err());
    }

    proptest! {
        #[test]
        fn an_address_reads_back_and_is_nothing_else(
            channel in "[a-z0-9_]{1,32}", account in "[a-z0-9_-]{1,64}", chat in "[^\\p{Cc}\\s]([^\\p{Cc}]{0,254}[^\\p{Cc}\\s])?",
        ) {
            let text = format!("{channel}:{account}/{chat}");
            let reserved = SCHEMES.contains(&channel.as_str()) || account.parse::<AccountName>().is_err();
            match text.parse::<ChannelChat>() {
                Err(_) => prop_assert!(reserved),
                Ok(read) => {
                    prop_assert_eq!(read.to_string(), text.clone());
                    let named = text.parse::<NamedChat>();
                    if missing::is_in_id(&chat) {
                        prop_assert_eq!(named, Err(NamedChatError::NoValue(text.clone())));
                    } else {
                        prop_assert_eq!(named, Ok(NamedChat::Chat(ChatRef::Channel(read.clone()))));
                    }
                    prop_assert!(text.parse::<ChatId>().is_err() && text.parse::<crate::Username>().is_err());
                    let address = Address::Channel(read);
                    prop_assert_eq!(Address::written(&address.clone().into()), Some(address));
                }
            }
        }

        #[test]
        fn any_text_is_an_address_or_a_clear_refusal(text: String) {
            if let Ok(chat) = text.parse::<ChannelChat>() {
                prop_assert_eq!(chat.to_string(), text.trim());
            }
        }
    }
}
