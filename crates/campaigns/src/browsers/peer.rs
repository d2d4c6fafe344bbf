//! Chats as Web K counts them: people have their id, groups and channels theirs with a minus.

use browser::Target;
use domain::{ChatId, ChatKind, ChatRef};

/// What is opened for a chat; none where no browser can.
pub(crate) fn target_of(chat: &ChatRef) -> Option<Target> {
    match chat {
        ChatRef::Id(id) => Some(Target::Peer(peer_of(*id))),
        ChatRef::Username(name) => Some(Target::Name(name.as_str().trim_start_matches('@').to_owned())),
        ChatRef::Channel(_) => None,
    }
}

/// The peer that a chat is in the page.
pub(crate) fn peer_of(chat: ChatId) -> i64 {
    match chat.kind() {
        ChatKind::User => chat.bare(),
        ChatKind::Group | ChatKind::Channel => -chat.bare(),
    }
}

/// Whose chat it is that was opened. Groups without a public name are opened by their id alone; all others with a minus are channels.
pub(crate) fn chat_of(chat: &ChatRef, peer: i64) -> Option<ChatId> {
    match chat {
        ChatRef::Id(id) => Some(*id),
        ChatRef::Username(_) | ChatRef::Channel(_) if peer > 0 => ChatId::user(peer),
        ChatRef::Username(_) | ChatRef::Channel(_) => ChatId::channel(peer.checked_neg()?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chats_have_the_ids_that_accounts_use() {
        let chat = |text: &str| text.parse::<ChatRef>().expect("a chat");
        for (text, target, peer, found) in [
            ("6000000001", Target::Peer(6_000_000_001), 6_000_000_001, "6000000001"),
            ("-1000000000042", Target::Peer(-42), -42, "-1000000000042"),
            ("-42", Target::Peer(-42), -42, "-42"),
            ("@Shop", Target::Name("shop".to_owned()), 7, "7"),
            ("@news", Target::Name("news".to_owned()), -42, "-1000000000042"),
        ] {
            assert_eq!(target_of(&chat(text)), Some(target), "{text}");
            let id = chat_of(&chat(text), peer).map(|id| id.to_string());
            assert_eq!(id.as_deref(), Some(found), "{text}");
        }
    }
}
