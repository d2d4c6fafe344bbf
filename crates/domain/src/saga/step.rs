//! The single calls that a saga takes, and what each may answer.

use serde::{Deserialize, Serialize};

use super::{MemberResult, SagaEvent};
use crate::account::Operation;
use crate::{ChatId, ChatRef, Timestamp, UserId};

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
    /// Find out who someone is. Changes nothing.
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
        users: Vec<UserId>,
    },
    /// Make someone an administrator with all rights.
    Promote {
        /// Whom.
        user: UserId,
    },
    /// Make an invite link, or find the one there is.
    ExportLink,
    /// List the other members. Changes nothing.
    ListMembers {
        /// Refuse it in a chat that the account owns.
        #[serde(default)]
        keep_own: bool,
    },
    /// Remove someone.
    Remove {
        /// Whom.
        user: UserId,
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
    /// What its entries in the history are about.
    pub const fn event(&self) -> SagaEvent {
        match self {
            Self::Resolve { .. } => SagaEvent::Resolve,
            Self::Create { .. } => SagaEvent::Create,
            Self::OpenHistory => SagaEvent::OpenHistory,
            Self::Invite { .. } => SagaEvent::Invite,
            Self::Promote { .. } => SagaEvent::Promote,
            Self::ExportLink => SagaEvent::ExportLink,
            Self::ListMembers { .. } => SagaEvent::ListMembers,
            Self::Remove { .. } => SagaEvent::Remove,
            Self::Leave => SagaEvent::Leave,
            Self::SetTitle { .. } => SagaEvent::SetTitle,
            Self::SetAbout { .. } => SagaEvent::SetAbout,
        }
    }

    /// Its name.
    pub fn name(&self) -> &'static str {
        self.event().as_str()
    }

    /// Whether it only reads: it may be repeated, and goes to another account without a trace.
    pub const fn only_reads(&self) -> bool {
        matches!(self, Self::Resolve { .. } | Self::ListMembers { .. })
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
            Self::ListMembers { .. } => Operation::Read,
            Self::Remove { .. } => Operation::RemoveMember,
            Self::Leave => Operation::Leave,
        }
    }
}

/// What a step brought. "Not modified", "already a member" and "already gone" are answers, not errors.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum StepAnswer {
    /// Who it is; no one, when the name or id is not taken or not known.
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
        pending: Vec<UserId>,
    },
    /// The invite link.
    Link {
        /// The link.
        link: String,
    },
    /// The other members.
    Members {
        /// Their ids.
        users: Vec<UserId>,
    },
    /// It is done.
    Done,
}

/// A user, as far as a saga needs to know them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The user's id.
    pub user_id: UserId,
    /// Whether it is a bot.
    pub is_bot: bool,
}

/// Someone who was not invited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// Who.
    pub user_id: UserId,
    /// Why: `privacy`, `already` or `failed`.
    pub result: MemberResult,
    /// The provider's word.
    pub detail: Option<String>,
}
