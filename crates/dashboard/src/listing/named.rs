//! What people call a chat, as every list shows it: the title or name, the public name, and the number last and small.

use askama::Template;
use serde::Deserialize;

/// What people call a chat, as the API tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Named {
    #[serde(rename = "chat_title")]
    pub(crate) title: Option<String>,
    #[serde(rename = "chat_username")]
    pub(crate) username: Option<String>,
}

/// A chat in a list.
#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "listing/chat.html")]
pub(crate) struct ChatCell<'a> {
    pub(crate) name: &'a str,
    username: Option<&'a str>,
    number: Option<&'a str>,
    /// Whether its page can be told.
    id: Option<&'a str>,
}

impl Named {
    /// The chat with this number, or that a caller named so, as far as either is known.
    pub(crate) fn cell<'a>(&'a self, id: Option<&'a str>, asked: Option<&'a str>) -> Option<ChatCell<'a>> {
        let username = self.username.as_deref().or(asked.filter(|asked| asked.starts_with('@')));
        let name = self.title.as_deref().or(username).or(id).or(asked)?;
        let number = id.or(asked.filter(|asked| !asked.starts_with('@')));
        let other = |text: &&str| *text != name;
        Some(ChatCell { name, username: username.filter(other), number: number.filter(other), id })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_its_name_first_and_its_number_last() {
        let named = |title: Option<&str>, username: Option<&str>| Named {
            title: title.map(str::to_owned),
            username: username.map(str::to_owned),
        };
        let shown = |named: &Named, id, asked| {
            named.cell(id, asked).map(|cell| format!("{} {:?} {:?}", cell.name, cell.username, cell.number))
        };
        let both = named(Some("Anna"), Some("@demo_anna"));
        assert_eq!(
            shown(&both, Some("7"), Some("7")).as_deref(),
            Some("Anna Some(\"@demo_anna\") Some(\"7\")")
        );
        let none = Named::default();
        assert_eq!(shown(&none, Some("7"), Some("@demo")).as_deref(), Some("@demo None Some(\"7\")"));
        assert_eq!(shown(&none, None, Some("@demo")).as_deref(), Some("@demo None None"));
        assert_eq!(shown(&none, None, Some("-100")).as_deref(), Some("-100 None None"));
        assert_eq!(shown(&named(Some("Order"), None), None, None).as_deref(), Some("Order None None"));
        assert_eq!(shown(&none, None, None), None);
    }
}
