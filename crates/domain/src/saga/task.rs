//! What is asked for: making, changing and leaving chats.

use serde::{Deserialize, Serialize};

use crate::{ChatRef, Service};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Task {
    /// Make a supergroup and invite people.
    CreateChat {
        /// Its title; Telegram keeps 128 characters.
        title: String,
        /// Its description; may be empty.
        #[serde(default)]
        about: String,
        /// Whom to invite.
        members: Vec<ChatRef>,
        /// Whom to invite and make administrators; bots among `members` become administrators anyway.
        #[serde(default)]
        admins: Vec<ChatRef>,
        /// Who is invited beside them.
        #[serde(default)]
        observer: ObserverRule,
        /// Fail before anything is made when no one of `members` and `admins` is found.
        #[serde(default)]
        #[serde(rename = "need_somebody")]
        needs_a_member: bool,
        /// Whom the invite callback names, when it is to be sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_tg_id: Option<String>,
    },
    /// Leave a chat.
    LeaveChat {
        /// Which.
        chat: ChatRef,
        /// Remove everyone else first (supergroups and channels only).
        remove_members: bool,
        /// A chat that no one finds counts as left.
        missing_is_left: bool,
        /// Remove no one from a chat that the leaving account owns, and do not leave it either.
        #[serde(default)]
        keep_own: bool,
    },
    /// Invite people into a chat.
    AddMembers {
        /// Which chat.
        chat: ChatRef,
        /// Whom.
        members: Vec<ChatRef>,
        /// Whom to invite and make administrators.
        #[serde(default)]
        admins: Vec<ChatRef>,
    },
    /// Remove people from a chat.
    RemoveMembers {
        /// Which chat.
        chat: ChatRef,
        /// Whom.
        members: Vec<ChatRef>,
    },
    /// Change a chat's title or description.
    EditChat {
        /// Which chat.
        chat: ChatRef,
        /// The new title.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
        /// The new description.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        about: Option<String>,
    },
}

impl Task {
    /// The word for its kind.
    pub const fn kind(&self) -> TaskKind {
        match self {
            Self::CreateChat { .. } => TaskKind::CreateChat,
            Self::LeaveChat { .. } => TaskKind::LeaveChat,
            Self::AddMembers { .. } => TaskKind::AddMembers,
            Self::RemoveMembers { .. } => TaskKind::RemoveMembers,
            Self::EditChat { .. } => TaskKind::EditChat,
        }
    }

    /// The chat it is about, if there is one before it begins.
    pub const fn chat(&self) -> Option<&ChatRef> {
        match self {
            Self::CreateChat { .. } => None,
            Self::LeaveChat { chat, .. }
            | Self::AddMembers { chat, .. }
            | Self::RemoveMembers { chat, .. }
            | Self::EditChat { chat, .. } => Some(chat),
        }
    }
}

/// The kinds of tasks.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// Make a supergroup.
    CreateChat,
    /// Leave a chat.
    LeaveChat,
    /// Invite people.
    AddMembers,
    /// Remove people.
    RemoveMembers,
    /// Change title or description.
    EditChat,
}

enum_words!(TaskKind);

impl TaskKind {
    /// The service it is part of.
    pub const fn service(self) -> Service {
        match self {
            Self::CreateChat | Self::AddMembers | Self::EditChat => Service::CreateChat,
            Self::LeaveChat | Self::RemoveMembers => Service::LeaveChat,
        }
    }
}

/// When the observer of the settings is invited into a new chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObserverRule {
    /// Never.
    #[default]
    Never,
    /// Always.
    Always,
    /// When an account other than the first one made the chat.
    ByBackups,
}
