//! What people call a chat: the title or name, the public name and the phone; and finding chats by any of these.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use domain::phone::{NumberEnd, PhoneDigits};
use domain::text::bare;
use domain::{ChatId, Username};

use crate::StoreError;
use crate::column::Columns;
use crate::database::Connection;
use crate::statement::statements;

/// The most chats that one search finds; a longer text narrows it.
const MOST_FOUND: usize = 1000;

statements! {
    /// What the accounts see goes before what was written when the chat was made, and the account that serves it goes first.
    NAMED = "
        SELECT i.value, p.title, p.username, p.phone, c.title
        FROM json_each($1) AS i
            LEFT JOIN telegram_peers AS p ON p.chat_id = i.value
            LEFT JOIN chats AS c ON c.chat_id = i.value
            LEFT JOIN chat_bindings AS b ON b.chat_id = i.value
        ORDER BY i.value, p.account IS DISTINCT FROM b.account, p.dialog = 0, p.account";
    ALL_NAMES = "
        SELECT chat_id, title, username, phone FROM telegram_peers
        UNION ALL
        SELECT chat_id, title, NULL, NULL FROM chats";
}

/// What people call a chat.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatNames {
    /// The title of a group or channel, the name of a person.
    pub title: Option<String>,
    /// The public name.
    pub username: Option<Username>,
    /// The phone of a person, digits alone.
    pub phone: Option<String>,
}

/// The names of these chats, as far as they are known. One statement, however many there are.
pub(super) fn named(
    connection: &Connection,
    chats: &[ChatId],
) -> Result<BTreeMap<ChatId, ChatNames>, StoreError> {
    let mut named = BTreeMap::<ChatId, ChatNames>::new();
    if chats.is_empty() {
        return Ok(named);
    }
    let rows = connection.all(NAMED, [in_json(chats)], |row| {
        let columns = Columns::new(row, "telegram_peers");
        let seen = columns.get::<Option<String>>(1)?;
        let username = columns.maybe_parsed::<Username>(2)?;
        let made = columns.get::<Option<String>>(4)?;
        let title = [seen, made].into_iter().flatten().find(|title| !title.is_empty());
        Ok((columns.chat_id(0)?, ChatNames { title, username, phone: columns.get(3)? }))
    })?;
    for (chat, names) in rows {
        let known = named.entry(chat).or_default();
        known.title = known.title.take().or(names.title);
        known.username = known.username.take().or(names.username);
        known.phone = known.phone.take().or(names.phone);
    }
    named.retain(|_, names| *names != ChatNames::default());
    Ok(named)
}

/// The chats that this text names, by id: a part of the title, name or public name, a part of the number, or a phone.
pub(super) fn find(connection: &Connection, text: &str) -> Result<Vec<ChatId>, StoreError> {
    let Some(wanted) = Wanted::new(text) else { return Ok(Vec::new()) };
    let mut found = std::collections::BTreeSet::new();
    connection.each(ALL_NAMES, (), |row| {
        let names = [1, 2, 3].map(|column| row.text(column));
        let chat = Columns::new(row, "telegram_peers").chat_id(0)?;
        if wanted.is(chat, names) {
            found.insert(chat);
        }
        Ok(if found.len() == MOST_FOUND { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
    })?;
    Ok(found.into_iter().collect())
}

/// Chats as a parameter of a statement, for `json_each`.
pub(crate) fn in_json(chats: &[ChatId]) -> String {
    let ids: Vec<_> = chats.iter().map(ToString::to_string).collect();
    format!("[{}]", ids.join(","))
}

/// What someone typed to find a chat.
struct Wanted {
    /// In small letters, without what comes before a public name.
    text: String,
    /// Whether it was written as a public name: then it is no part of a title.
    is_username: bool,
    /// The number of a chat, as the Bot API or Telegram itself writes it.
    number: Option<i64>,
    phone: Option<PhoneDigits>,
    /// The last digits of a phone.
    end: Option<NumberEnd>,
}

impl Wanted {
    fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let address =
            ["https://", "http://"].iter().find_map(|start| text.strip_prefix(start)).unwrap_or(text);
        let name = address.strip_prefix("t.me/").or_else(|| address.strip_prefix('@'));
        let wanted = bare(name.unwrap_or(text));
        (!wanted.is_empty()).then(|| Self {
            is_username: name.is_some(),
            number: text.parse().ok(),
            phone: PhoneDigits::read(text),
            end: NumberEnd::read(text),
            text: wanted,
        })
    }

    fn is(&self, chat: ChatId, [title, username, phone]: [Option<&str>; 3]) -> bool {
        let has = |name: &str| bare(name).contains(&self.text);
        username.is_some_and(has)
            || (!self.is_username && title.is_some_and(has))
            || self.number.is_some_and(|number| [chat.get(), chat.bare()].contains(&number))
            || self.phone.as_ref().zip(phone).is_some_and(|(wanted, phone)| wanted.is_in(phone))
            || self.end.as_ref().zip(phone).is_some_and(|(wanted, phone)| wanted.is_in(phone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_found_by_each_name_a_page_shows() {
        let chat: ChatId = "-1001234567890".parse().expect("a chat");
        let names = [Some("Ремонт 7041, Ёлкина"), Some("demo_repair"), Some("70000000001")];
        for text in [
            "ремонт",
            "7041",
            "ЁЛКИНА",
            "@demo_repair",
            "demo_rep",
            "t.me/demo_repair",
            "https://t.me/demo_repair",
            "-1001234567890",
            "1234567890",
            "+7 (000) 000-00-01",
            "8 000 000 00 01",
            " 70000000001 ",
        ] {
            assert!(Wanted::new(text).expect(text).is(chat, names), "{text}");
        }
        for text in ["repair 8", "@ремонт", "999999", "+7 000 000-00-02", "1"] {
            assert!(!Wanted::new(text).expect(text).is(chat, [Some("Ремонт"), None, names[2]]), "{text}");
        }
        assert!(Wanted::new(" ").is_none() && Wanted::new("@").is_none());
    }
}
