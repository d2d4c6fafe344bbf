//! The do-not-contact list: whom an entry names, and under which names a chat may be on it. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::address::ChannelChat;
use crate::chat::{ChatId, ChatKind, ChatRef, Username};
use crate::named_chat::{NamedChat, NamedChatError, Phone};

/// The fewest digits that are a phone number where no plus says so: Telegram's ids of users have fewer.
const DIGITS_OF_PHONE: usize = 11;

/// The longest address and the longest reason, in characters.
const LONGEST: usize = 200;

/// What an entry of the list names a contact by.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ContactKind {
    /// A Telegram user, group or channel by its id.
    ChatId,
    /// A public name on Telegram.
    Username,
    /// A phone number.
    Phone,
    /// An address elsewhere, such as an e-mail address.
    Address,
}

enum_words!(ContactKind);

/// Where an entry of the list comes from.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContactSource {
    /// A program, with an API key.
    Api,
    /// A person, on the dashboard.
    Page,
    /// A person, on the command line.
    Cli,
    /// A file.
    Import,
    /// The person, who wrote that no more is wanted.
    OptOut,
}

enum_words!(ContactSource);

/// Someone who is not to be written to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contact {
    /// By the id of the chat: a user's own id is that of their private chat.
    ChatId(ChatId),
    /// By the public name.
    Username(Username),
    /// By the phone number.
    Phone(Phone),
    /// By an address elsewhere, in lower case.
    Address(String),
}

/// Text that names no contact.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
#[error(
    "this names no contact; write a chat id like 777, a username like @example, a link like https://t.me/example, a phone number like +70000000001 or an address like name@example.com"
)]
pub struct NoContact;

impl Contact {
    /// Reads a contact of this kind, or of the kind that it looks like. A number of 11 digits or more is a phone number,
    /// with or without a plus.
    ///
    /// # Errors
    /// It names none.
    pub fn read(text: &str, kind: Option<ContactKind>) -> Result<Self, NoContact> {
        let text = text.trim();
        let read = match kind {
            None => Self::guess(text),
            Some(ContactKind::ChatId) => text.parse().ok().map(Self::ChatId),
            Some(ContactKind::Username) => match text.parse() {
                Ok(NamedChat::Chat(ChatRef::Username(name))) => Some(Self::Username(name)),
                _ => None,
            },
            Some(ContactKind::Phone) => phone(text).map(Self::Phone),
            Some(ContactKind::Address) => address(text).map(Self::Address),
        };
        read.ok_or(NoContact)
    }

    fn guess(text: &str) -> Option<Self> {
        if are_digits_of_phone(text)
            && let Some(phone) = phone(text)
        {
            return Some(Self::Phone(phone));
        }
        match text.parse::<NamedChat>() {
            Ok(NamedChat::Chat(ChatRef::Id(id))) => Some(Self::ChatId(id)),
            Ok(NamedChat::Chat(ChatRef::Username(name))) => Some(Self::Username(name)),
            Ok(NamedChat::Chat(ChatRef::Channel(chat))) => Some(Self::of_chat(&chat)),
            Ok(NamedChat::Phone(phone)) => Some(Self::Phone(phone)),
            Err(NamedChatError::Invalid(_)) => phone(text).map(Self::Phone).or_else(|| {
                let (name, host) = text.split_once('@')?;
                (!name.is_empty() && !host.is_empty()).then(|| address(text).map(Self::Address))?
            }),
            Ok(NamedChat::Own) | Err(_) => None,
        }
    }

    /// Who is written to in a chat of a channel.
    pub fn of_chat(chat: &ChannelChat) -> Self {
        Self::Address(format!("{}:{}/{}", chat.channel, chat.account, person(chat)).to_lowercase())
    }

    /// Reads what [`Contact::value`] wrote.
    pub fn stored(kind: ContactKind, value: &str) -> Option<Self> {
        Some(match kind {
            ContactKind::ChatId => Self::ChatId(value.parse().ok()?),
            ContactKind::Username => Self::Username(value.parse().ok()?),
            ContactKind::Phone => Self::Phone(Phone::read(&format!("+{value}"))?),
            ContactKind::Address => Self::Address(value.to_owned()),
        })
    }

    /// What it is named by.
    pub const fn kind(&self) -> ContactKind {
        match self {
            Self::ChatId(_) => ContactKind::ChatId,
            Self::Username(_) => ContactKind::Username,
            Self::Phone(_) => ContactKind::Phone,
            Self::Address(_) => ContactKind::Address,
        }
    }

    /// The one form in which it is stored: two contacts of one kind are the same when this is.
    pub fn value(&self) -> String {
        match self {
            Self::ChatId(id) => id.to_string(),
            Self::Username(name) => name.as_str().to_owned(),
            Self::Phone(phone) => phone.digits().to_owned(),
            Self::Address(address) => address.clone(),
        }
    }
}

impl fmt::Display for Contact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ChatId(id) => id.fmt(f),
            Self::Username(name) => name.fmt(f),
            Self::Phone(phone) => phone.fmt(f),
            Self::Address(address) => f.write_str(address),
        }
    }
}

impl FromStr for Contact {
    type Err = NoContact;

    fn from_str(text: &str) -> Result<Self, NoContact> {
        Self::read(text, None)
    }
}

/// Reads a phone number as people write it: without a plus it is in international form too, but for the 8 that Russian
/// numbers begin with at home.
fn phone(text: &str) -> Option<Phone> {
    if text.starts_with('+') {
        return Phone::read(text);
    }
    let read = Phone::read(&format!("+{text}"))?;
    match read.digits().strip_prefix('8') {
        Some(rest) if rest.len() == 10 => Phone::read(&format!("+7{rest}")),
        _ => Some(read),
    }
}

/// Whether so many digits are a phone number rather than an id of Telegram.
fn are_digits_of_phone(text: &str) -> bool {
    text.len() >= DIGITS_OF_PHONE && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn address(text: &str) -> Option<String> {
    if let Ok(chat) = text.parse::<ChannelChat>() {
        return Some(Contact::of_chat(&chat).value());
    }
    let fits = !text.is_empty() && text.chars().count() <= LONGEST;
    let plain = !text.chars().any(|sign| sign.is_whitespace() || sign.is_control());
    (fits && plain).then(|| text.to_lowercase())
}

/// A chat without what differs between the chats of one person or group: the thread of a mail, how WhatsApp writes a number, and the
/// topic of a forum.
fn person(chat: &ChannelChat) -> &str {
    let external = chat.chat.as_str();
    match chat.channel.as_str() {
        "email" => {
            let domain = external.find('@').unwrap_or(0);
            external[domain..].find('#').map_or(external, |thread| &external[..domain + thread])
        }
        "whatsapp" => external.strip_suffix("@c.us").unwrap_or(external),
        "telegram" => external.split('/').next().unwrap_or(external),
        _ => external,
    }
}

/// A reason as it is stored: one line, not too long; nothing where there is none.
pub fn reason(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(|sign: char| sign.is_whitespace() || sign.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then(|| line.chars().take(LONGEST).collect())
}

/// Every contact under which a chat may be on the list: as it was written, and its id, public names and phones as far as
/// they are known. A number that was written for an id is a phone number too where it is long enough.
pub fn known_as(
    chat: &ChatRef,
    chat_id: Option<ChatId>,
    names: impl IntoIterator<Item = (Option<Username>, Option<String>)>,
) -> BTreeSet<Contact> {
    let mut known = BTreeSet::new();
    let written = match chat {
        ChatRef::Id(id) => Some(*id),
        ChatRef::Username(name) => {
            known.insert(Contact::Username(name.clone()));
            None
        }
        ChatRef::Channel(chat) => {
            // An e-mail address or a phone number on the list holds for every channel.
            let (external, person) = (chat.chat.as_str(), person(chat));
            known.insert(Contact::of_chat(chat));
            known.extend(
                [chat.to_string().as_str(), external, person]
                    .map(|text| Contact::Address(text.to_lowercase())),
            );
            known.extend(
                Some(person)
                    .filter(|text| text.starts_with('+') || are_digits_of_phone(text))
                    .and_then(phone)
                    .map(Contact::Phone),
            );
            None
        }
    };
    for id in written.into_iter().chain(chat_id) {
        known.insert(Contact::ChatId(id));
        let digits = id.to_string();
        if id.kind() == ChatKind::User && digits.len() >= DIGITS_OF_PHONE {
            known.extend(phone(&digits).map(Contact::Phone));
        }
    }
    for (username, digits) in names {
        known.extend(username.map(Contact::Username));
        known.extend(digits.and_then(|digits| phone(&digits)).map(Contact::Phone));
    }
    known
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_contact_is_read_however_it_is_written() {
        for (text, kind, value) in [
            ("777", ContactKind::ChatId, "777"),
            ("-1001234567890", ContactKind::ChatId, "-1001234567890"),
            ("tg://user?id=777", ContactKind::ChatId, "777"),
            (" @Demo_Main", ContactKind::Username, "demo_main"),
            ("demo_main", ContactKind::Username, "demo_main"),
            ("https://t.me/Demo_Main?start=1", ContactKind::Username, "demo_main"),
            ("+7 (000) 000-00-01", ContactKind::Phone, "70000000001"),
            ("70000000001", ContactKind::Phone, "70000000001"),
            ("8 000 000-00-01", ContactKind::Phone, "70000000001"),
            ("80000000001", ContactKind::Phone, "70000000001"),
            ("https://t.me/+70000000001", ContactKind::Phone, "70000000001"),
            ("Name@Example.com", ContactKind::Address, "name@example.com"),
            ("avito:shop/U2I-1", ContactKind::Address, "avito:shop/u2i-1"),
        ] {
            let contact: Contact = text.parse().expect(text);
            assert_eq!((contact.kind(), contact.value().as_str()), (kind, value), "{text}");
            assert_eq!(Contact::stored(kind, value), Some(contact), "{text}");
        }
        for wrong in ["", "me", "null", "a b", "@", "https://t.me/+AbCdEfGhIjKlMnOp", "a@", "@ example.com"] {
            assert_eq!(wrong.parse::<Contact>(), Err(NoContact), "{wrong}");
        }
        assert_eq!(
            Contact::read("123456789012", Some(ContactKind::ChatId)).map(|one| one.value()),
            Ok("123456789012".into())
        );
        assert_eq!(
            Contact::read("5550001", Some(ContactKind::Phone)).map(|one| one.to_string()),
            Ok("+5550001".into())
        );
    }

    #[test]
    fn a_chat_of_a_channel_is_known_by_its_address_everywhere() {
        for (chat, on_the_list) in [
            ("avito:shop/U2I-1", "avito:shop/U2I-1"),
            ("email:main/Name@example.com", "name@example.com"),
            ("sms:main/+70000000001", "8 000 000-00-01"),
            ("whatsapp:main/70000000001", "+70000000001"),
            ("whatsapp:main/70000000001@c.us", "+70000000001"),
            ("whatsapp:main/70000000001", "whatsapp:main/70000000001@c.us"),
            ("email:main/name@example.com#root", "name@example.com"),
            ("telegram:bot/-1001234567890/7", "telegram:bot/-1001234567890"),
            ("email:main/name@example.com", "email:main/name@example.com#root"),
        ] {
            let known = known_as(&chat.parse().expect(chat), None, []);
            assert!(known.contains(&on_the_list.parse().expect(on_the_list)), "{chat}: {known:?}");
        }
    }

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(reason(" asked\n to  stop "), Some("asked to stop".into()));
        assert_eq!((reason(" \t"), reason(&"x".repeat(300)).map(|line| line.len())), (None, Some(LONGEST)));
    }

    proptest! {
        #[test]
        fn a_chat_is_known_by_every_name_there_is(user in 1_i64..10_000_000_000, name in "[a-z][a-z_0-9]{4,10}", digits in "7[0-9]{10}") {
            let chat_id = ChatId::user(user).expect("a user");
            let username: Username = name.parse().expect("a name");
            let names = || [(Some(username.clone()), None), (None, Some(digits.clone()))];
            let whole = [user.to_string(), format!("@{name}"), format!("+{digits}")];
            let whole: BTreeSet<Contact> = whole.iter().map(|text| Contact::read(text, None).expect("a contact")).collect();
            for chat in [ChatRef::Id(chat_id), ChatRef::Username(username.clone())] {
                prop_assert_eq!(&known_as(&chat, Some(chat_id), names()), &whole);
            }
        }

        #[test]
        fn any_text_is_a_contact_that_reads_back_or_is_refused(text: String) {
            if let Ok(contact) = text.parse::<Contact>() {
                prop_assert_eq!(Contact::stored(contact.kind(), &contact.value()), Some(contact));
            }
        }
    }
}
