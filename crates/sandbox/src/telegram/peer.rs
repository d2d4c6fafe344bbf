//! The three kinds of chat, and how the Bot API writes their ids.

use std::fmt;

use grammers_tl_types::{enums, types};

/// What the Bot API takes off the id of a supergroup or channel.
const CHANNEL_BASE: i64 = 1_000_000_000_000;

/// A chat, as one account sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Peer {
    /// A private chat with this user.
    User(i64),
    /// A basic group.
    Group(i64),
    /// A supergroup or a broadcast channel.
    Channel(i64),
}

impl Peer {
    /// Reads an id as the Bot API writes it: `123`, `-123`, `-1001234`.
    pub fn parse(text: &str) -> Option<Self> {
        let id: i64 = text.parse().ok()?;
        if id > 0 {
            return Some(Self::User(id));
        }
        match id.checked_neg()? {
            0 | CHANNEL_BASE => None,
            marked @ ..CHANNEL_BASE => Some(Self::Group(marked)),
            marked => Some(Self::Channel(marked - CHANNEL_BASE)),
        }
    }

    pub(crate) fn to_tl(self) -> enums::Peer {
        match self {
            Self::User(user_id) => types::PeerUser { user_id }.into(),
            Self::Group(chat_id) => types::PeerChat { chat_id }.into(),
            Self::Channel(channel_id) => types::PeerChannel { channel_id }.into(),
        }
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "{id}"),
            Self::Group(id) => write!(f, "-{id}"),
            Self::Channel(id) => write!(f, "{}", -CHANNEL_BASE - id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Peer;

    #[test]
    fn ids_are_written_as_the_bot_api_writes_them() {
        for (peer, text) in [
            (Peer::User(7_000_000_001), "7000000001"),
            (Peer::Group(4_000_001), "-4000001"),
            (Peer::Channel(2_000_000_001), "-1002000000001"),
        ] {
            assert_eq!(peer.to_string(), text);
            assert_eq!(Peer::parse(text), Some(peer));
        }
        for bad in ["", "0", "-", "abc", "-1000000000000", "1.5", "-9223372036854775808"] {
            assert_eq!(Peer::parse(bad), None, "{bad}");
        }
    }
}
