//! Sagas: work on a chat that takes several steps, each of which may be in doubt. The outside calls them operations.

use serde::{Deserialize, Serialize};

use crate::account::Operation;
use crate::message::OnFlood;
use crate::outcome::Failure;
use crate::{AccountName, ChatId, ChatRef, OperationId, Purpose, Timestamp};

/// The code of a failure for a chat whose people nobody finds: the caller's mistake, and nothing was made.
pub const NO_RESOLVABLE_USERS: &str = "NO_RESOLVABLE_USERS";

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
        /// Fail before anything is made when nobody of `members` and `admins` is found.
        #[serde(default)]
        need_somebody: bool,
        /// Whom the invite callback names, when it is to be sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_tg_id: Option<String>,
    },
    /// Leave a chat.
    LeaveChat {
        /// Which.
        chat: ChatRef,
        /// Remove everybody else first (supergroups and channels only).
        remove_members: bool,
        /// A chat that nobody finds counts as left.
        missing_is_left: bool,
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

impl TaskKind {
    /// Every kind.
    pub const ALL: [Self; 5] =
        [Self::CreateChat, Self::LeaveChat, Self::AddMembers, Self::RemoveMembers, Self::EditChat];

    /// The word in the API and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CreateChat => "create_chat",
            Self::LeaveChat => "leave_chat",
            Self::AddMembers => "add_members",
            Self::RemoveMembers => "remove_members",
            Self::EditChat => "edit_chat",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The service it belongs to, and the sessions that serve it first.
    pub const fn purpose(self) -> Purpose {
        match self {
            Self::CreateChat | Self::AddMembers | Self::EditChat => Purpose::CreateChat,
            Self::LeaveChat | Self::RemoveMembers => Purpose::LeaveChat,
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

/// Where a saga stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SagaState {
    /// Nothing that changes anything was begun.
    Queued,
    /// Steps are being taken.
    Running,
    /// It ended well; single steps may have been refused.
    Done,
    /// It ended, and changed nothing that counts.
    Failed,
    /// It was ended before anything was begun.
    Cancelled,
    /// The chat may have been made, and nobody who knows can be asked.
    InDoubt,
}

impl SagaState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Done, Self::Failed, Self::Cancelled, Self::InDoubt];

    /// The word in the API and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::InDoubt => "in_doubt",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether it goes on by itself no more.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Running)
    }
}

/// A saga as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saga {
    /// Its id.
    pub id: OperationId,
    /// What is asked for.
    pub task: Task,
    /// Where it stands.
    pub state: SagaState,
    /// The only account that may do it, if the caller pinned one.
    pub pin: Option<AccountName>,
    /// What to do when every account must wait before anything was begun.
    pub on_flood: OnFlood,
    /// How long a step is kept waiting for a flood once the chat exists; after it the step's own result says so.
    pub patient_until: Timestamp,
    /// The account that does it; once the chat may exist it stays with this one.
    pub account: Option<AccountName>,
    /// The chat, once it is known or made.
    pub chat_id: Option<ChatId>,
    /// The step that was written down before it was taken and has no result yet.
    pub begun: Option<Begun>,
    /// What came of the steps so far.
    pub progress: Progress,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Saga {
    /// Why it failed, in words; nothing while it has not.
    pub fn failed_because(&self) -> Option<String> {
        Some(match self.failure.as_ref()? {
            Failure::Rejected { provider_code } if provider_code == NO_RESOLVABLE_USERS => {
                "Nobody of those to be invited was found.".to_owned()
            }
            Failure::Rejected { provider_code } => format!("Telegram refused it: {provider_code}."),
            other => other.describe(),
        })
    }

    /// Whether the request itself was at fault, so that trying it again by hand makes no sense.
    pub fn failed_by_request(&self) -> bool {
        matches!(&self.failure, Some(Failure::Rejected { provider_code }) if provider_code == NO_RESOLVABLE_USERS)
    }
}

/// A step under way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Begun {
    /// The step.
    pub step: Step,
    /// When it was first begun; what came of it is looked for since then.
    pub at: Timestamp,
}

/// One call that a saga takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "step", rename_all = "snake_case")]
pub enum Step {
    /// Find out who somebody is. Changes nothing.
    Resolve {
        /// Who.
        who: ChatRef,
    },
    /// Make the supergroup. The only step that must not be repeated blindly.
    Create {
        /// Its title.
        title: String,
        /// Its description.
        about: String,
    },
    /// Let new members read what was written before.
    OpenHistory,
    /// Invite people, at most 100 at once.
    Invite {
        /// Whom.
        users: Vec<i64>,
    },
    /// Make somebody an administrator with all rights.
    Promote {
        /// Whom.
        user: i64,
    },
    /// Make an invite link, or find the one there is.
    ExportLink,
    /// List the other members. Changes nothing.
    ListMembers,
    /// Remove somebody.
    Remove {
        /// Whom.
        user: i64,
    },
    /// Leave.
    Leave,
    /// Set the title.
    SetTitle {
        /// To what.
        title: String,
    },
    /// Set the description.
    SetAbout {
        /// To what.
        about: String,
    },
}

impl Step {
    /// Its name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Resolve { .. } => "resolve",
            Self::Create { .. } => "create",
            Self::OpenHistory => "open_history",
            Self::Invite { .. } => "invite",
            Self::Promote { .. } => "promote",
            Self::ExportLink => "export_link",
            Self::ListMembers => "list_members",
            Self::Remove { .. } => "remove",
            Self::Leave => "leave",
            Self::SetTitle { .. } => "set_title",
            Self::SetAbout { .. } => "set_about",
        }
    }

    /// Whether it only reads: it may be repeated, and goes to another account without a trace.
    pub const fn only_reads(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::ListMembers)
    }

    /// The kind of call, by which floods are kept.
    pub const fn operation(&self) -> Operation {
        match self {
            Self::Resolve { .. } => Operation::ResolvePeer,
            Self::Create { .. } => Operation::CreateChat,
            Self::OpenHistory | Self::SetTitle { .. } | Self::SetAbout { .. } => Operation::EditChat,
            Self::Invite { .. } => Operation::Invite,
            Self::Promote { .. } => Operation::Promote,
            Self::ExportLink => Operation::ExportLink,
            Self::ListMembers => Operation::Read,
            Self::Remove { .. } => Operation::RemoveMember,
            Self::Leave => Operation::Leave,
        }
    }
}

/// What a step brought. "Not modified", "already a member" and "already gone" are answers, not errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Who it is; nobody, when the name or id is not taken or not known.
    Resolved {
        /// The user.
        person: Option<Person>,
    },
    /// The chat that was made.
    Created {
        /// Its id.
        chat_id: ChatId,
    },
    /// Everybody was invited but these.
    Invited {
        /// Those who were not, and why.
        missing: Vec<Missing>,
        /// Those who were not asked yet, as something came between; the others were. They are asked again.
        #[serde(default)]
        pending: Vec<i64>,
    },
    /// The invite link.
    Link {
        /// The link.
        link: String,
    },
    /// The other members.
    Members {
        /// Their ids.
        users: Vec<i64>,
    },
    /// It is done.
    Done,
}

/// A user, as far as a saga needs to know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The user's id.
    pub user_id: i64,
    /// Whether it is a bot.
    pub is_bot: bool,
}

/// Somebody who was not invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Who.
    pub user_id: i64,
    /// Why: `privacy`, `already` or `failed`.
    pub result: MemberResult,
    /// The provider's word.
    pub detail: Option<String>,
}

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
    /// Nobody has this name or id.
    NotFound,
    /// They were removed, or were not in it.
    Removed,
    /// It went wrong; the detail says why.
    Failed,
}

/// What somebody is to be in the chat.
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
    pub to_remove: Option<Vec<i64>>,
    /// Who was removed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<i64>,
    /// Who could not be removed, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_removed: Vec<(i64, String)>,
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

/// What changes in the registry of chats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryChange {
    /// An account made it and keeps it.
    Created {
        /// The chat.
        chat_id: ChatId,
        /// Its title.
        title: String,
        /// Its description.
        about: String,
        /// Who made it.
        account: AccountName,
    },
    /// It has this invite link.
    Linked {
        /// The chat.
        chat_id: ChatId,
        /// The link.
        link: String,
    },
    /// It was left.
    Left {
        /// The chat.
        chat_id: ChatId,
    },
    /// It is bound to this account now, and not left.
    Bound {
        /// The chat.
        chat_id: ChatId,
        /// The account.
        account: AccountName,
    },
    /// Title or description changed.
    Edited {
        /// The chat.
        chat_id: ChatId,
        /// The new title.
        title: Option<String>,
        /// The new description.
        about: Option<String>,
    },
}

/// A step of a saga as its history shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SagaEntry {
    /// When.
    pub at: Timestamp,
    /// What: the name of a step, or `accepted`, `resumed`, `joined`, `waiting`, `moved_on`, `resolved`, `retried`,
    /// `finished`, `failed`, `cancelled`, `in_doubt`.
    pub what: String,
    /// Which account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountName>,
    /// `begun`, or how it ended: `ok` or the word of an outcome.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// More about it, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// A piece of work went to another account than the one that was its first choice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failover {
    /// When.
    pub at: Timestamp,
    /// The chat, if it was known.
    pub chat_id: Option<ChatId>,
    /// From whom.
    pub from: AccountName,
    /// To whom.
    pub to: AccountName,
    /// Why.
    pub reason: String,
}

/// How a person ended the doubt about a saga.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// It happened; the chat that was made, if a chat was to be made.
    Done(Option<ChatId>),
    /// It did not: do it again.
    Again,
}
