//! What people call a chat, as every list shows it: the title or name, the public name, and the number last and small.

use api::ChatNames;
use askama::Template;

#[derive(Debug, Clone, PartialEq, Eq, Template)]
#[template(path = "listing/chat.html")]
pub(crate) struct ChatCell<'a> {
    pub(crate) name: &'a str,
    username: Option<&'a str>,
    number: Option<&'a str>,
    /// The id that its page has, if known.
    id: Option<&'a str>,
}

/// The chat with this number, or that a caller named so, as far as either is known.
pub(crate) fn chat_cell<'a>(
    names: &'a ChatNames,
    id: Option<&'a str>,
    requested: Option<&'a str>,
) -> Option<ChatCell<'a>> {
    let username =
        names.chat_username.as_deref().or(requested.filter(|requested| requested.starts_with('@')));
    let name = names.chat_title.as_deref().or(username).or(id).or(requested)?;
    let number = id.or(requested.filter(|requested| !requested.starts_with('@')));
    let other = |text: &&str| *text != name;
    Some(ChatCell { name, username: username.filter(other), number: number.filter(other), id })
}

pub(crate) fn chat_in_list(names: &ChatNames, id: Option<&str>, requested: Option<&str>) -> String {
    chat_cell(names, id, requested).and_then(|cell| cell.render().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_is_its_name_first_and_its_number_last() {
        let named = |title: Option<&str>, username: Option<&str>| ChatNames {
            chat_title: title.map(str::to_owned),
            chat_username: username.map(str::to_owned),
        };
        let shown = |names: &ChatNames, id, requested| {
            chat_cell(names, id, requested)
                .map(|cell| format!("{} {:?} {:?}", cell.name, cell.username, cell.number))
        };
        let both = named(Some("Anna"), Some("@demo_anna"));
        assert_eq!(
            shown(&both, Some("7"), Some("7")).as_deref(),
            Some("Anna Some(\"@demo_anna\") Some(\"7\")")
        );
        let none = ChatNames::default();
        assert_eq!(shown(&none, Some("7"), Some("@demo")).as_deref(), Some("@demo None Some(\"7\")"));
        assert_eq!(shown(&none, None, Some("@demo")).as_deref(), Some("@demo None None"));
        assert_eq!(shown(&none, None, Some("-100")).as_deref(), Some("-100 None None"));
        assert_eq!(shown(&named(Some("Order"), None), None, None).as_deref(), Some("Order None None"));
        assert_eq!(shown(&none, None, None), None);
    }
}
