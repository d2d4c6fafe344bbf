//! Which page it is.

use serde::{Deserialize, Serialize};

use super::facts::Facts;

/// What someone who is logged out is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Card {
    /// A code for the phone to scan.
    Code,
    /// A field for the phone number.
    Phone,
    /// A field for the password.
    Password,
    Other,
}

/// Which page it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// White, or about to come.
    Blank,
    LoggedOut(Card),
    /// A person has to enter the passcode.
    Locked,
    /// Another tab has the session, or there is a new version: a reload takes it back.
    Deactivated,
    /// The list of chats.
    LoggedIn,
}

/// Decides by the list of chats first: the card of the login stays for a second after it.
pub(crate) fn page(facts: &Facts) -> Page {
    let shown = facts.chats_shown && facts.columns_opaque && facts.list;
    match facts.card {
        _ if facts.locked => Page::Locked,
        _ if facts.deactivated => Page::Deactivated,
        _ if shown => Page::LoggedIn,
        Some(card) => Page::LoggedOut(card),
        None => Page::Blank,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged_in() -> Facts {
        Facts { chats_shown: true, columns_opaque: true, list: true, ..Facts::default() }
    }

    #[test]
    fn each_page_is_recognized_by_its_marks() {
        for (facts, expected) in [
            (Facts::default(), Page::Blank),
            (logged_in(), Page::LoggedIn),
            (Facts { columns_opaque: false, ..logged_in() }, Page::Blank),
            (Facts { list: false, ..logged_in() }, Page::Blank),
            (Facts { card: Some(Card::Code), ..Facts::default() }, Page::LoggedOut(Card::Code)),
            (Facts { card: Some(Card::Code), ..logged_in() }, Page::LoggedIn),
            (Facts { locked: true, ..logged_in() }, Page::Locked),
            (Facts { deactivated: true, ..logged_in() }, Page::Deactivated),
        ] {
            assert_eq!(page(&facts), expected, "{facts:?}");
        }
    }
}
