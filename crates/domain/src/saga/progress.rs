//! What came of a saga's steps so far: of the chat, and of each of its people.

use serde::{Deserialize, Serialize};

use super::Person;
use crate::{ChatRef, UserId};

/// What became of one person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberResult {
    /// They are in the chat now.
    Added,
    /// They were in it before.
    Already,
    /// Their privacy settings, or a missing Premium, keep them from being added.
    Privacy,
    /// No one has this name or id.
    NotFound,
    /// They were removed, or were not in it.
    Removed,
    /// It went wrong; the detail says why.
    Failed,
}

/// What someone is to be in the chat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A member; a bot becomes an administrator.
    Member,
    /// An administrator.
    Admin,
    /// The observer of the settings.
    Observer,
}

/// One person of a saga.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who, as the caller wrote it.
    pub who: ChatRef,
    /// What they are to be.
    pub role: Role,
    /// Who that is, once resolved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<Person>,
    /// What became of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<MemberResult>,
    /// More about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Whether they became an administrator; nothing when they were not to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted: Option<Ended>,
}

impl Member {
    /// Whether their invitation may be a first contact. A bot and the observer of the settings are no customers.
    pub fn is_customer(&self) -> bool {
        self.role != Role::Observer && self.person.as_ref().is_some_and(|person| !person.is_bot)
    }
}

/// How a step ended that does not decide about the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ended", rename_all = "snake_case")]
pub enum Ended {
    /// Well.
    Ok,
    /// It was refused, or given up.
    Refused {
        /// Why.
        why: String,
    },
}

/// What came of the steps so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Progress {
    /// The people, in the order of the request; the observer last.
    pub members: Vec<Member>,
    /// Whether new members may read what was written before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub open_history: Option<Ended>,
    /// How the inviting went as a whole.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite: Option<Ended>,
    /// How the making of the link went.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub export_link: Option<Ended>,
    /// The invite link.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invite_link: Option<String>,
    /// Who is to be removed before leaving; nothing until they were listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_remove: Option<Vec<UserId>>,
    /// Who was removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<UserId>,
    /// Who could not be removed, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_removed: Vec<(UserId, String)>,
    /// How the leaving ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<Left>,
    /// How the title was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<Ended>,
    /// How the description was set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub about: Option<Ended>,
}

/// How a chat was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Left {
    /// A supergroup or channel.
    Channel,
    /// A basic group.
    BasicChat,
    /// No account finds it.
    Unresolvable,
}
