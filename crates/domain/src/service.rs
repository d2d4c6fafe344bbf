//! Services: the kinds of work that Telegram's accounts do for callers.

use serde::{Deserialize, Serialize};

use crate::{ChatRef, Purpose};

/// A kind of work with a card, a switch and counts of its own, whichever account does it. What is sent by another channel is
/// part of none.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray, strum::VariantNames)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Service {
    /// Creating chats and inviting people.
    CreateChat,
    /// Sending text.
    SendText,
    /// Sending files.
    SendMedia,
    /// Leaving chats.
    LeaveChat,
}

enum_words!(Service);

impl Service {
    /// The one that sends files, or a text alone.
    pub const fn sending(has_media: bool) -> Self {
        if has_media { Self::SendMedia } else { Self::SendText }
    }

    /// The one that sends into a chat, files or a text alone; none into a chat of another channel.
    pub const fn sending_to(chat: &ChatRef, has_media: bool) -> Option<Self> {
        match chat {
            ChatRef::Id(_) | ChatRef::Username(_) => Some(Self::sending(has_media)),
            ChatRef::Channel(_) => None,
        }
    }

    /// What the sessions are for that do its work first.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::CreateChat => Purpose::CreateChat,
            Self::SendText => Purpose::SendText,
            Self::SendMedia => Purpose::SendMedia,
            Self::LeaveChat => Purpose::LeaveChat,
        }
    }
}
