//! Chats as people and programs name them: an id, a username, a link, a phone number, or the sender's own Saved Messages.

use std::fmt;
use std::str::FromStr;

use crate::chat::{ChatId, InvalidChat, Username};
use crate::missing;
use crate::phone::{Phone, UnreadPhone};
use crate::text::visible;
use crate::{ChannelChat, ChatRef};

/// A chat as a caller names it, before it is known which one that is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum NamedChat {
    /// By its id, its public name or the address of a channel.
    Chat(ChatRef),
    /// The private dialog with the person who has this phone number.
    Phone(Phone),
    /// The Saved Messages of the account that sends.
    Own,
}

/// Text that names no chat, and why.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NamedChatError {
    /// It is none of the forms.
    #[error(transparent)]
    Invalid(#[from] InvalidChat),
    /// What a program wrote in the place of a value that it did not have.
    #[error("{0:?} is what programs write where a value is missing; look at where the chat comes from")]
    NoValue(String),
    /// A link to join a chat by.
    #[error("an invite link does not say which chat it leads to; write the id or the username of the chat")]
    InviteLink,
    /// It looks like a phone number, and which one is not certain.
    #[error(transparent)]
    Phone(#[from] UnreadPhone),
    /// It could name a chat, and not here.
    #[error("{0} cannot be used here; write a chat id, a username or a link")]
    NotHere(NamedChat),
}

impl ChatRef {
    /// Reads a chat of Telegram that is named by its id, its username or a link.
    ///
    /// # Errors
    /// It names none, or by a phone number, as `me` or by the address of a channel.
    pub fn named(text: &str) -> Result<Self, NamedChatError> {
        match text.parse()? {
            NamedChat::Chat(chat @ (Self::Id(_) | Self::Username(_))) => Ok(chat),
            other => Err(NamedChatError::NotHere(other)),
        }
    }
}

impl From<ChatRef> for NamedChat {
    fn from(chat: ChatRef) -> Self {
        Self::Chat(chat)
    }
}

impl fmt::Display for NamedChat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chat(chat) => chat.fmt(f),
            Self::Phone(phone) => phone.fmt(f),
            Self::Own => f.write_str("me"),
        }
    }
}

impl FromStr for NamedChat {
    type Err = NamedChatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // What a provider calls a chat may have any characters in it.
        if let Ok(chat) = text.parse::<ChannelChat>() {
            if missing::is_in_id(chat.chat.as_str()) {
                return Err(NamedChatError::NoValue(text.to_owned()));
            }
            return Ok(Self::Chat(ChatRef::Channel(chat)));
        }
        let shown = visible(text);
        let name = shown.trim();
        if name.eq_ignore_ascii_case("me") {
            return Ok(Self::Own);
        }
        let bare = name.strip_prefix('@').unwrap_or(name);
        if !bare.is_empty() && missing::is_missing(bare) {
            return Err(NamedChatError::NoValue(name.to_owned()));
        }
        match of_link(name) {
            Some(Link::Chat(Self::Chat(ChatRef::Username(named)))) if missing::is_missing(named.as_str()) => {
                return Err(NamedChatError::NoValue(name.to_owned()));
            }
            Some(Link::Chat(chat)) => return Ok(chat),
            Some(Link::Invite) => return Err(NamedChatError::InviteLink),
            Some(Link::Other) | None => {}
        }
        match name.parse() {
            Ok(chat) => Ok(Self::Chat(chat)),
            Err(_) if is_like_a_number(name) => Ok(Self::Phone(Phone::read(name)?)),
            Err(invalid) => Err(invalid.into()),
        }
    }
}

/// Whether a name has the digits of a phone number, and no letters.
fn is_like_a_number(name: &str) -> bool {
    let digits = name.chars().filter(|one| one.is_numeric()).count();
    digits >= 7 && !name.starts_with('-') && !name.contains(char::is_alphabetic)
}

// ---- links -----------------------------------------------------------------------------------------------------------

/// What a link into Telegram leads to.
enum Link {
    Chat(NamedChat),
    Invite,
    /// Something else, or nothing.
    Other,
}

/// The hosts of Telegram's links.
const HOSTS: [&str; 3] = ["t.me", "telegram.me", "telegram.dog"];

/// First words of paths that lead to no chat.
const NO_NAMES: [&str; 18] = [
    "confirmphone",
    "giftcode",
    "nft",
    "setlanguage",
    "stars_topup",
    "addemoji",
    "addlist",
    "addstickers",
    "addtheme",
    "bg",
    "boost",
    "contact",
    "invoice",
    "iv",
    "login",
    "proxy",
    "share",
    "socks",
];

fn of_link(text: &str) -> Option<Link> {
    let (scheme, rest) = match text.split_once(':') {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest.strip_prefix("//").unwrap_or(rest)),
        None => (String::new(), text),
    };
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let path = path.split('#').next().unwrap_or_default();
    match scheme.as_str() {
        "tg" => Some(of_app(path.trim_end_matches('/'), query)),
        "" | "http" | "https" => {
            let (host, path) = path.split_once('/').unwrap_or((path, ""));
            let host = host.to_ascii_lowercase();
            let host = host.strip_prefix("www.").unwrap_or(&host);
            if host == "web.telegram.org" {
                return Some(of_web(text));
            }
            // https://name.t.me
            if let Some(name) = host.strip_suffix(".t.me") {
                return Some(by_name(name));
            }
            HOSTS.contains(&host).then(|| of_path(path))
        }
        _ => None,
    }
}

/// `https://t.me/…`
fn of_path(path: &str) -> Link {
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["c", id, ..] => by_id(id.parse().ok().and_then(ChatId::channel)),
        ["s", name, ..] => by_name(name),
        ["joinchat", ..] => Link::Invite,
        [first, ..] if first.starts_with('+') => international(first).map_or(Link::Invite, Link::Chat),
        [first, ..] if NO_NAMES.contains(first) => Link::Other,
        [name, ..] => by_name(name),
        [] => Link::Other,
    }
}

/// `https://web.telegram.org/k/#@name`, as the web apps write the open chat. They write groups in different ways, and the same number
/// may be two groups.
fn of_web(link: &str) -> Link {
    match link.rsplit_once('#').map(|(_, chat)| chat) {
        Some(chat) if chat.starts_with('@') => by_name(chat),
        Some(chat) => by_id(chat.parse().ok().filter(|id: &ChatId| id.user_id().is_some())),
        None => Link::Other,
    }
}

/// `tg://…`, as the apps write links to each other.
fn of_app(action: &str, query: &str) -> Link {
    let value = |wanted: &str| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.find(|(name, _)| *name == wanted).map(|(_, value)| value)
    };
    match action {
        "resolve" => match (value("domain"), value("phone")) {
            (Some(name), _) => by_name(name),
            (None, Some(phone)) => {
                international(phone.trim_start_matches("%2B")).map_or(Link::Other, Link::Chat)
            }
            (None, None) => Link::Other,
        },
        "user" => by_id(value("id").and_then(|id| id.parse().ok()).and_then(ChatId::user)),
        "openmessage" => by_id(value("user_id").and_then(|id| id.parse().ok()).and_then(ChatId::user)),
        "privatepost" => by_id(value("channel").and_then(|id| id.parse().ok()).and_then(ChatId::channel)),
        "join" => Link::Invite,
        _ => Link::Other,
    }
}

/// The person whose number a link has.
fn international(number: &str) -> Option<NamedChat> {
    Phone::international(number).map(NamedChat::Phone)
}

fn by_id(id: Option<ChatId>) -> Link {
    id.map_or(Link::Other, |id| Link::Chat(ChatRef::Id(id).into()))
}

fn by_name(name: &str) -> Link {
    name.parse::<Username>().map_or(Link::Other, |name| Link::Chat(ChatRef::Username(name).into()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(text: &str) -> String {
        match text.parse::<NamedChat>() {
            Ok(chat) => chat.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn ids_names_links_and_numbers_name_chats() {
        for (text, chat) in [
            ("-1001234567890", "-1001234567890"),
            ("777", "777"),
            (" @Demo_Main", "@demo_main"),
            ("demo_main", "@demo_main"),
            ("https://t.me/Demo_Main", "@demo_main"),
            ("http://www.t.me/demo_main/", "@demo_main"),
            ("HTTPS://T.ME/demo_main?start=1", "@demo_main"),
            ("t.me/demo_main/45", "@demo_main"),
            ("t.me/s/demo_main", "@demo_main"),
            ("telegram.me/demo_main#x", "@demo_main"),
            ("https://t.me/c/1234567890/45", "-1001234567890"),
            ("tg://resolve?domain=demo_main&post=4", "@demo_main"),
            ("tg:resolve?domain=demo_main", "@demo_main"),
            ("tg://resolve?phone=70000000001", "+70000000001"),
            ("tg://user?id=777", "777"),
            ("tg://openmessage?user_id=777", "777"),
            ("https://demo_main.t.me", "@demo_main"),
            ("https://demo_main.t.me/?start=1", "@demo_main"),
            ("https://web.telegram.org/k/#@Demo_Main", "@demo_main"),
            ("https://web.telegram.org/a/#777", "777"),
            ("https://t.me/@demo_main", "@demo_main"),
            ("t.me/demo_main?text=Hello%20there", "@demo_main"),
            ("@demo_main\u{fe0f}", "@demo_main"),
            ("tg://privatepost?channel=1234567890&post=45", "-1001234567890"),
            ("https://t.me/+70000000001", "+70000000001"),
            ("+70000000001", "+70000000001"),
            ("+7 (000) 000-00-01", "+70000000001"),
            ("8 (900) 000-77-11", "+79000007711"),
            ("\u{202a}+7 900 000 77 11\u{202c}", "+79000007711"),
            ("\u{feff}@demo_\u{200b}main", "@demo_main"),
            ("me", "me"),
            (" Me ", "me"),
        ] {
            assert_eq!(named(text), chat, "{text}");
        }
    }

    #[test]
    fn invalid_chat_names_are_refused_with_a_reason() {
        for (text, says) in [
            ("null", "where a value is missing"),
            ("Undefined", "where a value is missing"),
            ("@undefined", "where a value is missing"),
            ("[object Object]", "where a value is missing"),
            ("NaN", "where a value is missing"),
            ("avito:shop/undefined", "where a value is missing"),
            ("avito:shop/{{ $json.chat }}", "where a value is missing"),
            ("https://t.me/+AbCdEfGhIjKlMnOp", "invite link"),
            ("https://t.me/joinchat/AbCdEf", "invite link"),
            ("tg://join?invite=AbCdEf", "invite link"),
            ("https://t.me/", "names no chat"),
            ("https://t.me/giftcode/AbCdEf", "names no chat"),
            ("https://web.telegram.org/k/#-1234567890", "names no chat"),
            ("https://web.telegram.org/k/", "names no chat"),
            ("https://vk.com/id1234567", "names no chat"),
            ("https://max.ru/u/AbCdEf", "names no chat"),
            ("@dеmo_main", "names no chat"),
            ("https://t.me/addstickers/demo", "names no chat"),
            ("https://example.com/demo_main", "names no chat"),
            ("t.me/c/x", "names no chat"),
            ("+7", "names no chat"),
            ("+7 900 000 77", "not certainly a phone number"),
            ("+9000007711", "may be the phone number"),
            ("a b", "names no chat"),
            ("", "names no chat"),
        ] {
            assert!(named(text).contains(says), "{text}: {}", named(text));
        }
        for not_here in ["me", "+70000000001"] {
            let error = ChatRef::named(not_here).expect_err("no id and no name");
            assert!(error.to_string().contains("cannot be used here"), "{error}");
        }
    }

    #[test]
    fn a_phone_number_is_not_printed_for_a_log() {
        let chat: NamedChat = "+70000000001".parse().expect("a number");
        assert!(!format!("{chat:?}").contains("7000"), "{chat:?}");
    }

    proptest! {
        #[test]
        fn a_name_reads_back_as_itself(text in "[a-z@+:/.?=0-9]{0,40}") {
            if let Ok(chat) = text.parse::<NamedChat>() {
                prop_assert_eq!(chat.to_string().parse(), Ok(chat));
            }
        }

        #[test]
        fn any_text_is_a_chat_or_a_clear_refusal(text: String) {
            let _ = named(&text);
        }
    }
}
