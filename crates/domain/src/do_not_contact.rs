//! The do-not-contact list: the contact of an entry, and the names under which a chat may be on it. Pure.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use crate::address::ChannelChat;
use crate::chat::{ChatId, ChatKind, ChatRef, Username};
use crate::email;
use crate::named_chat::{NamedChat, NamedChatError};
use crate::phone::{Phone, UnreadPhone, number_in_whatsapp};
use crate::text::visible;

/// The fewest digits that are a phone number where no plus says so: Telegram's ids of users have fewer.
const DIGITS_OF_PHONE: usize = 11;
/// The fewest digits of a number without its country that are a phone number in most countries, and may be an id too.
const DIGITS_AT_HOME: usize = 9;
/// Telegram has not given out ids from here on; a phone number without its country may look so.
const UNUSED_IDS: i64 = 9_000_000_000;

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

/// Text that does not name one contact for certain.
#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum NoContact {
    /// It is none of the forms.
    #[error(
        "this names no contact; write a chat id like 777, a username like @example, a link like https://t.me/example, a phone number like +70000000001, an address like name@example.com or the chat of a channel like vk:ACCOUNT/ID, for all accounts vk:ID"
    )]
    Unknown,
    /// It looks like a phone number.
    #[error(transparent)]
    Phone(#[from] UnreadPhone),
    /// It is an id or a number.
    #[error("this may be a Telegram id or the phone number {0}; write {0}, or say that its kind is chat_id")]
    IdOrPhone(Phone),
    /// It is the id of a chat of a channel.
    #[error("this may be a Telegram id or the chat {0}; write {0}, or say that its kind is chat_id")]
    IdOfChannel(ChannelChat),
    /// It is an address of email that has no form without quotes.
    #[error(
        "this is an address of email whose name needs quotes, which cannot be written to; write an address without quotes and spaces"
    )]
    QuotedAddress,
    /// Its kind is unknown.
    #[error("this kind of contact is unknown; write chat_id, username, phone or address")]
    Kind,
    /// What it refuses is unknown.
    #[error("this level is unknown; write all, advertising or paused")]
    Level,
}

impl Contact {
    /// Reads a contact of this kind, or of the kind that it looks like. A number of 11 digits or more is a phone number,
    /// with or without a plus.
    ///
    /// # Errors
    /// It names none.
    pub fn read(text: &str, kind: Option<ContactKind>) -> Result<Self, NoContact> {
        // What a provider calls a chat may have any characters in it.
        if let Ok(chat) = text.parse::<ChannelChat>()
            && matches!(kind, None | Some(ContactKind::Address))
        {
            return Ok(Self::of_chat(&chat));
        }
        let text = visible(text);
        if email::needs_quotes(&text) {
            return Err(NoContact::QuotedAddress);
        }
        let text = text.trim().trim_matches(['"', '\'', '«', '»', '“', '”']).trim();
        // Names of chats in WhatsApp, not addresses of email.
        if matches!(kind, None | Some(ContactKind::Address)) {
            if number_in_whatsapp(text).is_some() {
                return Ok(Self::Phone(Phone::read(text)?));
            }
            if is_group_of_whatsapp(text) {
                return Ok(Self::Address(text.to_lowercase()));
            }
        }
        match kind {
            None => Self::guess(text),
            Some(ContactKind::ChatId) => text.parse().map(Self::ChatId).map_err(|_| NoContact::Unknown),
            Some(ContactKind::Username) => match text.parse() {
                Ok(NamedChat::Chat(ChatRef::Username(name))) => Ok(Self::Username(name)),
                _ => Err(NoContact::Unknown),
            },
            Some(ContactKind::Phone) => Ok(Self::Phone(Phone::read(text)?)),
            Some(ContactKind::Address) => {
                id_of_channel(text).or_else(|| address(text).map(Self::Address)).ok_or(NoContact::Unknown)
            }
        }
    }

    fn guess(text: &str) -> Result<Self, NoContact> {
        if let Some(address) = email::read(text) {
            return Ok(Self::Address(address));
        }
        if let Some(contact) = id_of_channel(text) {
            return Ok(contact);
        }
        if are_digits(text) && text.len() >= DIGITS_OF_PHONE {
            return Ok(Self::Phone(Phone::read(text)?));
        }
        if are_digits(text)
            && (text.starts_with('0') || text.len() >= DIGITS_AT_HOME)
            && let Ok(phone) = Phone::read(text)
        {
            // No id begins with 0.
            return if text.starts_with('0') {
                Ok(Self::Phone(phone))
            } else {
                Err(NoContact::IdOrPhone(phone))
            };
        }
        match text.parse::<NamedChat>() {
            Ok(NamedChat::Chat(ChatRef::Id(id))) if id.get() >= UNUSED_IDS => match Phone::read(text) {
                Ok(phone) => Err(NoContact::IdOrPhone(phone)),
                Err(_) => Ok(Self::ChatId(id)),
            },
            Ok(NamedChat::Chat(ChatRef::Id(id))) => Ok(Self::ChatId(id)),
            Ok(NamedChat::Chat(ChatRef::Username(name))) => Ok(Self::Username(name)),
            Ok(NamedChat::Chat(ChatRef::Channel(chat))) => Ok(Self::of_chat(&chat)),
            Ok(NamedChat::Phone(phone)) => Ok(Self::Phone(phone)),
            Err(NamedChatError::Phone(refused)) => Err(refused.into()),
            Err(NamedChatError::Invalid(_)) => match Phone::read(text) {
                Ok(phone) => Ok(Self::Phone(phone)),
                Err(refused @ (UnreadPhone::Several(_) | UnreadPhone::Words(_) | UnreadPhone::Rounded)) => {
                    Err(refused.into())
                }
                Err(_) => Err(NoContact::Unknown),
            },
            Ok(NamedChat::Own) | Err(_) => Err(NoContact::Unknown),
        }
    }

    /// Returns the widest name of the person in a chat of a channel: a phone number, an email address or a Telegram id, which all
    /// accounts and channels share. Other channels have ids of their own, and the name is that of the chat.
    pub fn of_chat(chat: &ChannelChat) -> Self {
        let person = person(chat);
        let shared = match chat.channel.as_str() {
            "email" => email::read(person).map(Self::Address),
            "sms" => Phone::read(person).ok().or_else(|| Phone::international(person)).map(Self::Phone),
            "whatsapp" => Phone::international(person).map(Self::Phone),
            "vk" => is_person_of_vk(person).then(|| Self::Address(format!("vk:{person}"))),
            _ => in_telegram(chat).map(Self::ChatId),
        };
        shared.unwrap_or_else(|| Self::as_written(chat))
    }

    /// Returns the address of a chat of a channel. Older versions entered the writers of opt-outs by it.
    pub fn as_written(chat: &ChannelChat) -> Self {
        Self::Address(format!("{}:{}/{}", chat.channel, chat.account, person(chat)).to_lowercase())
    }

    /// Whether this was read from a bare number, which may also be the id of a chat of a channel.
    pub fn is_bare_id(&self, text: &str, kind: Option<ContactKind>) -> bool {
        matches!(self, Self::ChatId(_)) && kind.is_none() && are_digits(visible(text).trim())
    }

    /// Reads what [`Contact::value`] wrote.
    pub fn stored(kind: ContactKind, value: &str) -> Option<Self> {
        Some(match kind {
            ContactKind::ChatId => Self::ChatId(value.parse().ok()?),
            ContactKind::Username => Self::Username(value.parse().ok()?),
            ContactKind::Phone => Self::Phone(Phone::stored(value)?),
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

    /// The contacts that are this one: a phone number may have two forms.
    pub fn forms(&self) -> Vec<Self> {
        match self {
            Self::Phone(phone) => phone.forms().into_iter().map(Self::Phone).collect(),
            other => vec![other.clone()],
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

fn are_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Reads the id that a channel gives, without an account: `vk:2000062`. VK also writes `id2000062` and `vk.com/id2000062`.
fn id_of_channel(text: &str) -> Option<Contact> {
    let text = text.to_lowercase();
    let link = text.trim_start_matches("https://").trim_start_matches("http://");
    let link = link.trim_start_matches("www.").trim_start_matches("m.");
    let path = link.strip_prefix("vk.com/").or_else(|| link.strip_prefix("vk.ru/")).unwrap_or(link);
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    if let Some(id) = path.strip_prefix("id").filter(|id| !id.is_empty() && are_digits(id)) {
        return Some(Contact::Address(format!("vk:{id}")));
    }
    let (channel, id) = text.split_once(':')?;
    let is_id = !id.is_empty() && !id.contains(|sign: char| sign == '/' || sign.is_whitespace());
    match channel {
        "vk" | "max" | "instagram" | "avito" => is_id.then(|| Contact::Address(format!("{channel}:{id}"))),
        "telegram" => id.parse().ok().map(Contact::ChatId),
        _ => None,
    }
}

/// Whether an id is that of a person, the same for all communities. Ids of group chats are of one community.
fn is_person_of_vk(id: &str) -> bool {
    id.parse().is_ok_and(|id| (1..2_000_000_000_i64).contains(&id))
}

fn address(text: &str) -> Option<String> {
    if let Some(address) = email::read(text) {
        return Some(address);
    }
    // An entry with a mistyped address would match no chat.
    let is_address = !text.contains('@')
        || text.matches('@').count() == 1
            && !text.contains(['"', '(', ')', '<', '>', '[', ']', '\\', ',', ';', ':']);
    let fits = !text.is_empty() && text.chars().count() <= LONGEST && is_address;
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
        "whatsapp" => number_in_whatsapp(external).unwrap_or(external),
        "telegram" => external.split('/').next().unwrap_or(external),
        _ => external,
    }
}

/// Whether this is the name of a group in WhatsApp, which is on the list by it.
fn is_group_of_whatsapp(text: &str) -> bool {
    let is_of_id = |one: char| one.is_ascii_digit() || one == '-';
    text.to_lowercase().strip_suffix("@g.us").is_some_and(|id| !id.is_empty() && id.chars().all(is_of_id))
}

/// The chat of Telegram that a bot or a connected personal account writes in. A personal account writes `CONNECTION:ID`.
fn in_telegram(chat: &ChannelChat) -> Option<ChatId> {
    let external = person(chat);
    let id = external.rsplit_once(':').map_or(external, |(_, id)| id);
    matches!(chat.channel.as_str(), "telegram" | "telegram_account").then(|| id.parse().ok())?
}

/// Returns the Telegram id that a chat is written with, as a chat of an account or of a bot.
pub fn telegram_id(chat: &ChatRef) -> Option<ChatId> {
    match chat {
        ChatRef::Id(id) => Some(*id),
        ChatRef::Username(_) => None,
        ChatRef::Channel(chat) => in_telegram(chat),
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
    match chat {
        ChatRef::Id(_) => {}
        ChatRef::Username(name) => {
            known.insert(Contact::Username(name.clone()));
        }
        ChatRef::Channel(chat) => {
            // An e-mail address or a phone number on the list holds for every channel.
            let (external, person) = (chat.chat.as_str(), person(chat));
            known.extend([Contact::of_chat(chat), Contact::as_written(chat)]);
            known.extend(
                [chat.to_string().as_str(), external, person, &format!("{}:{person}", chat.channel)]
                    .map(|text| Contact::Address(text.to_lowercase())),
            );
            known.extend(email::read(person).map(Contact::Address));
            // An entry of MAX may name the user or the chat.
            let user = Some(person)
                .filter(|_| chat.channel.as_str() == "max")
                .and_then(|id| id.strip_prefix("user:"));
            known.extend(user.map(|id| Contact::Address(format!("max:{id}"))));
            known.extend(phones_of(chat.channel.as_str(), person));
        }
    }
    for id in telegram_id(chat).into_iter().chain(chat_id) {
        known.insert(Contact::ChatId(id));
        let digits = id.to_string();
        if id.kind() == ChatKind::User && digits.len() >= DIGITS_OF_PHONE {
            known.extend(forms(Phone::read(&digits).ok()));
        }
    }
    for (username, digits) in names {
        known.extend(username.map(Contact::Username));
        known.extend(forms(digits.and_then(|digits| Phone::international(&digits))));
    }
    known
}

/// The numbers of the person whose chat this is in a channel. WhatsApp writes them in international form.
fn phones_of(channel: &str, person: &str) -> impl Iterator<Item = Contact> {
    let is_long = are_digits(person) && person.len() >= DIGITS_OF_PHONE;
    let is_number = person.starts_with('+') || is_long || matches!(channel, "sms" | "whatsapp");
    let typed = Some(person).filter(|_| is_number && channel != "whatsapp");
    let typed = typed.and_then(|person| Phone::read(person).ok());
    let given = Some(person).filter(|_| is_number).and_then(Phone::international);
    forms(typed).chain(forms(given))
}

/// All forms of a number, any of which may be on the list.
fn forms(phone: Option<Phone>) -> impl Iterator<Item = Contact> {
    phone.into_iter().flat_map(|phone| phone.forms()).map(Contact::Phone)
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
            ("\"@Demo_Main\"", ContactKind::Username, "demo_main"),
            ("demo_main", ContactKind::Username, "demo_main"),
            ("https://t.me/Demo_Main?start=1", ContactKind::Username, "demo_main"),
            ("+7 (000) 000-00-01", ContactKind::Phone, "70000000001"),
            ("70000000001", ContactKind::Phone, "70000000001"),
            ("8 000 000-00-01", ContactKind::Phone, "70000000001"),
            ("80000000001", ContactKind::Phone, "70000000001"),
            ("https://t.me/+70000000001", ContactKind::Phone, "70000000001"),
            ("(900)0007711", ContactKind::Phone, "79000007711"),
            ("+8 900 000 77 09", ContactKind::Phone, "79000007709"),
            ("79000007716.0", ContactKind::Phone, "79000007716"),
            ("7.9000007716E+10", ContactKind::Phone, "79000007716"),
            ("\u{202a}+7 900 000 77 16\u{202c}", ContactKind::Phone, "79000007716"),
            ("+7 900 000 77 16 доб. 12", ContactKind::Phone, "79000007716"),
            ("tel:+79000007716", ContactKind::Phone, "79000007716"),
            ("https://wa.me/79000007716", ContactKind::Phone, "79000007716"),
            ("79000007716@c.us", ContactKind::Phone, "79000007716"),
            ("79000007716@s.whatsapp.net", ContactKind::Phone, "79000007716"),
            ("79000007716:12@s.whatsapp.net", ContactKind::Phone, "79000007716"),
            ("79000007716:3@c.us", ContactKind::Phone, "79000007716"),
            ("120363000000000001@G.us", ContactKind::Address, "120363000000000001@g.us"),
            ("+7 +7 900 000 77 16", ContactKind::Phone, "79000007716"),
            ("x@xn--80a1acny.xn--p1ai", ContactKind::Address, "x@почта.рф"),
            ("+521 55 1234 5678", ContactKind::Phone, "525512345678"),
            ("mailto:x@example.org", ContactKind::Address, "x@example.org"),
            ("Anna <X@example.org>", ContactKind::Address, "x@example.org"),
            ("x@exa\u{200b}mple.org", ContactKind::Address, "x@example.org"),
            ("@demo\u{200b}_main", ContactKind::Username, "demo_main"),
            ("\u{feff}6123159883", ContactKind::ChatId, "6123159883"),
            ("Name@Example.com", ContactKind::Address, "name@example.com"),
            ("avito:shop/U2I-1", ContactKind::Address, "avito:shop/u2i-1"),
            ("avito:U2I-1", ContactKind::Address, "avito:u2i-1"),
            ("vk:2000062", ContactKind::Address, "vk:2000062"),
            ("vk:club/2000062", ContactKind::Address, "vk:2000062"),
            ("vk:club/2000000001", ContactKind::Address, "vk:club/2000000001"),
            ("id2000062", ContactKind::Address, "vk:2000062"),
            ("https://m.vk.com/id2000062?from=search", ContactKind::Address, "vk:2000062"),
            ("vk.ru/id2000062/", ContactKind::Address, "vk:2000062"),
            ("@id2000062", ContactKind::Username, "id2000062"),
            ("telegram:2000062", ContactKind::ChatId, "2000062"),
        ] {
            let contact: Contact = text.parse().expect(text);
            assert_eq!((contact.kind(), contact.value().as_str()), (kind, value), "{text}");
            assert_eq!(Contact::stored(kind, value), Some(contact), "{text}");
        }
        for wrong in
            ["", "me", "null", "a b", "@", "https://t.me/+AbCdEfGhIjKlMnOp", "a@", "a@b", "@ example.com"]
        {
            assert_eq!(wrong.parse::<Contact>(), Err(NoContact::Unknown), "{wrong}");
        }
        assert_eq!(
            Contact::read("123456789012", Some(ContactKind::ChatId)).map(|one| one.value()),
            Ok("123456789012".into())
        );
    }

    #[test]
    fn what_is_not_certain_is_refused_with_what_was_understood() {
        for (text, kind, says) in [
            // Turkey's code, or Russia's number with a plus.
            ("+9000007711", None, "may be the phone number +900007711, +79000007711"),
            ("9000007711", None, "may be a Telegram id or the phone number +79000007711"),
            ("+79000007711 +79000007712", None, "several phone numbers: +79000007711, +79000007712"),
            ("Anna +79000007711", None, "words beside the phone number +79000007711"),
            ("7.9E+10", None, "rounded"),
            ("123456789012", None, "not certainly a phone number"),
            ("5550001", Some(ContactKind::Phone), "not certainly a phone number"),
            ("name", Some(ContactKind::Phone), "no phone number"),
            ("a b", None, "names no contact"),
            ("79000007716@lid", None, "names no contact"),
            ("79000007716@lid", Some(ContactKind::Phone), "no phone number"),
            ("79000007716@g.us", Some(ContactKind::Phone), "no phone number"),
            ("\"john doe\"@example.org", None, "needs quotes"),
            ("\" x\"@example.org", Some(ContactKind::Address), "needs quotes"),
            ("x@y@example.org", Some(ContactKind::Address), "names no contact"),
        ] {
            let refused = Contact::read(text, kind).expect_err(text).to_string();
            assert!(refused.contains(says), "{text}: {refused}");
        }
        for (text, kind) in [
            ("9000007711", ContactKind::Phone),
            ("79000007711:12@s.whatsapp.net", ContactKind::Phone),
            ("79000007711@c.us", ContactKind::Address),
        ] {
            let read = Contact::read(text, Some(kind)).map(|one| one.to_string());
            assert_eq!(read, Ok("+79000007711".into()), "{text}");
        }
    }

    #[test]
    fn a_chat_of_a_channel_is_known_by_its_address_everywhere() {
        for (chat, on_the_list) in [
            ("avito:shop/U2I-1", "avito:shop/U2I-1"),
            ("email:main/x@xn--80a1acny.xn--p1ai", "x@почта.рф"),
            ("email:main/Name@example.com", "name@example.com"),
            ("sms:main/+70000000001", "8 000 000-00-01"),
            ("whatsapp:main/70000000001", "+70000000001"),
            ("whatsapp:main/70000000001@c.us", "+70000000001"),
            ("whatsapp:main/70000000001", "whatsapp:main/70000000001@c.us"),
            ("whatsapp:main/5215512345678@c.us", "+52 55 1234 5678"),
            ("whatsapp:main/551187654321@c.us", "+55 11 98765-4321"),
            ("whatsapp:main/5491143210000@c.us", "+54 11 4321-0000"),
            ("sms:main/+541143210000", "+54 9 11 4321-0000"),
            ("whatsapp:main/4930123456@c.us", "+49 30 123456"),
            ("sms:main/89000007711", "+79000007711"),
            ("email:main/name@example.com#root", "name@example.com"),
            ("telegram:bot/-1001234567890/7", "telegram:bot/-1001234567890"),
            ("email:main/name@example.com", "email:main/name@example.com#root"),
        ] {
            let known = known_as(&chat.parse().expect(chat), None, []);
            assert!(known.contains(&on_the_list.parse().expect(on_the_list)), "{chat}: {known:?}");
        }
    }

    #[test]
    fn a_person_entered_by_any_name_is_refused_in_every_chat_of_theirs() {
        let telegram = (Some("client_24".parse().expect("a name")), Some("70000000024".to_owned()));
        let known = [telegram];
        let none = &known[..0];
        let phone = [
            "sms:texts/+70000000024",
            "sms:texts_smpp/70000000024",
            "whatsapp:phone/70000000024@c.us",
            "whatsapp:other/70000000024@s.whatsapp.net",
        ];
        let email = ["email:main/x@example.org", "email:other/X@example.org#root"];
        let bots = [
            "telegram:bot/6000000025",
            "telegram:other/6000000025",
            "telegram:bot/Abc:6000000025",
            "6000000025",
            "@client_24",
        ];
        for (entries, chats, names) in [
            (
                &["+70000000024", "80000000024", "sms:texts/+70000000024", "whatsapp:x/70000000024@c.us"][..],
                &phone[..],
                none,
            ),
            (
                &["vk:2000062", "vk.com/id2000062", "id2000062", "vk:club/2000062"][..],
                &["vk:club/2000062", "vk:other/2000062"][..],
                none,
            ),
            (&["max:1002000080", "max:bot/1002000080"][..], &["max:bot/1002000080"][..], none),
            (&["x@example.org", "email:third/x@example.org#1"][..], &email[..], none),
            (
                &[
                    "6000000025",
                    "tg://user?id=6000000025",
                    "telegram:third/6000000025",
                    "telegram:bot/Other:6000000025",
                    "@client_24",
                    "+70000000024",
                ][..],
                &bots[..],
                &known[..],
            ),
        ] {
            for chat in chats {
                let chat: ChatRef = chat.parse().expect(chat);
                let chat_id = if names.is_empty() { None } else { ChatId::user(6_000_000_025) };
                let known = known_as(&chat, chat_id, names.iter().cloned());
                for entry in entries {
                    assert!(known.contains(&entry.parse().expect(entry)), "{entry} {chat}: {known:?}");
                }
            }
        }
        let of_bot = "telegram:bot/6000000025".parse().expect("a chat");
        assert_eq!(telegram_id(&of_bot), ChatId::user(6_000_000_025));
        let of_channel = "telegram:bot/-1001234567890!501".parse().expect("a chat");
        assert_eq!(telegram_id(&of_channel), None);
    }

    #[test]
    fn a_reason_is_one_short_line() {
        assert_eq!(reason(" asked\n to  stop "), Some("asked to stop".into()));
        assert_eq!((reason(" \t"), reason(&"x".repeat(300)).map(|line| line.len())), (None, Some(LONGEST)));
    }

    proptest! {
        #[test]
        fn a_chat_is_known_by_every_name_there_is(user in 1_i64..9_000_000_000, name in "[a-z][a-z_0-9]{4,10}", digits in "7[0-9]{10}") {
            let chat_id = ChatId::user(user).expect("a user");
            let username: Username = name.parse().expect("a name");
            let names = || [(Some(username.clone()), None), (None, Some(digits.clone()))];
            let whole = [format!("@{name}"), format!("+{digits}")];
            let mut whole: BTreeSet<Contact> = whole.iter().map(|text| Contact::read(text, None).expect("a contact")).collect();
            whole.insert(Contact::ChatId(chat_id));
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
