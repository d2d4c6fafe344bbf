//! Whether the chat that was asked for is open.

use super::facts::{Chat, Facts};

/// A chat that is being opened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Opening<'a> {
    /// The one with this id.
    Peer(i64),
    /// The one with this public name, after one with this id, if one was open.
    Name { name: &'a str, before: Option<i64> },
}

/// The peer of an open chat: its title and its field must agree.
fn agreed(chat: &Chat) -> Option<i64> {
    chat.title_peer.filter(|peer| chat.field_peer == Some(*peer))
}

/// The peer, once the chat is open. An unknown name leaves the old chat open; a name that is the old chat's changes
/// nothing either, and then the address shows it.
pub(crate) fn is_open(opening: Opening<'_>, facts: &Facts) -> Option<i64> {
    let peer = agreed(facts.chat.as_ref()?)?;
    match opening {
        Opening::Peer(wanted) => (peer == wanted).then_some(peer),
        Opening::Name { name, before } => {
            let same = facts.public_name().is_some_and(|written| written.eq_ignore_ascii_case(name));
            // Before the address is written again it bears what was asked for: only a change of chat shows that it was found.
            (same && before != Some(peer)).then_some(peer)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(title: i64, field: i64, address: &str) -> Facts {
        let chat = Chat { title_peer: Some(title), field_peer: Some(field), ..Chat::default() };
        Facts { address: address.to_owned(), chat: Some(chat), ..Facts::default() }
    }

    #[test]
    fn a_chat_is_open_when_title_and_field_agree() {
        let address = "https://web.telegram.org/k/#@Shop";
        assert_eq!(is_open(Opening::Peer(7), &facts(7, 7, address)), Some(7));
        assert_eq!(is_open(Opening::Peer(7), &facts(7, 6, address)), None);
        assert_eq!(is_open(Opening::Peer(7), &facts(6, 6, address)), None);
        assert_eq!(is_open(Opening::Peer(7), &Facts::default()), None);
    }

    #[test]
    fn an_old_chat_is_not_the_one_that_was_named() {
        let address = "https://web.telegram.org/k/#@shop";
        let named = |before| Opening::Name { name: "Shop", before };
        assert_eq!(is_open(named(None), &facts(7, 7, address)), Some(7));
        assert_eq!(is_open(named(Some(6)), &facts(7, 7, address)), Some(7));
        assert_eq!(is_open(named(Some(7)), &facts(7, 7, address)), None);
        assert_eq!(is_open(named(Some(6)), &facts(7, 7, "https://web.telegram.org/k/#@shop2")), None);
    }
}
