//! Sagas: work on a chat that takes several steps, each of which may be in doubt. The outside calls them operations.

mod event;
mod progress;
mod step;
mod task;

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::message::OnFlood;
use crate::outcome::{Failure, OutcomeKind, RejectionCode};
use crate::{AccountName, ChatId, ChatRef, OperationId, Timestamp};

pub use event::SagaEvent;
pub use progress::{Ended, Left, Member, MemberResult, Progress, Role};
pub use step::{Begun, Missing, Person, Step, StepAnswer};
pub use task::{ObserverRule, Task, TaskKind};

/// How far a saga is.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
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
    /// The chat may have been made, and no one who knows can be asked.
    InDoubt,
}

enum_words!(SagaState);

impl SagaState {
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
    /// How far it is.
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
    /// The chat by its id once that is known, else as the caller named it.
    pub fn place(&self) -> Option<ChatRef> {
        self.chat_id.map(ChatRef::Id).or_else(|| self.task.chat().cloned())
    }

    /// Why it failed, in words; nothing while it has not.
    pub fn failed_because(&self) -> Option<String> {
        let because = match self.failure.as_ref()? {
            Failure::Rejected { provider_code: RejectionCode::NoResolvableUsers } => {
                "None of the people to invite was found.".to_owned()
            }
            Failure::Rejected { provider_code } => provider_code.in_words() + ".",
            Failure::Restored { made_at } => format!(
                "It waited when the backup of {} was made and may have been done since; try it again if it was not.",
                made_at.to_the_second()
            ),
            other => other.describe(),
        };
        Some(match self.changed_before_failing() {
            Some(changed) => format!("{}; {changed}.", because.trim_end_matches('.')),
            None => because,
        })
    }

    /// What it changed before it failed, in a sentence without its end; nothing while it changed nothing.
    pub fn changed_before_failing(&self) -> Option<String> {
        let removed = self.progress.removed.len();
        let leaves = matches!(self.task, Task::LeaveChat { .. });
        (self.failure.is_some() && leaves && removed > 0).then(|| {
            let removed =
                if removed == 1 { "1 member was".to_owned() } else { format!("{removed} members were") };
            format!("{removed} removed before, and the chat was not left")
        })
    }

    /// Whether the request itself was at fault, so that trying it again by hand makes no sense.
    pub fn failed_by_request(&self) -> bool {
        matches!(
            self.failure,
            Some(
                Failure::DoNotContact { .. }
                    | Failure::Rejected { provider_code: RejectionCode::NoResolvableUsers }
            )
        )
    }
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

/// What a step's entry in the history says of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepOutcome {
    /// It was begun.
    Begun,
    /// It was answered.
    Ok,
    /// The account had left the chat before.
    LeftBefore,
    /// It ended otherwise.
    Ended(OutcomeKind),
}

impl StepOutcome {
    /// The word in the API and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Ok => "ok",
            Self::LeftBefore => "left_before",
            Self::Ended(kind) => kind.as_str(),
        }
    }
}

impl FromStr for StepOutcome {
    type Err = strum::ParseError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let own = [Self::Begun, Self::Ok, Self::LeftBefore].into_iter().find(|own| own.as_str() == word);
        own.map_or_else(|| word.parse().map(Self::Ended), Ok)
    }
}

/// A step of a saga as its history shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaEntry {
    /// When.
    pub at: Timestamp,
    /// What.
    pub what: SagaEvent,
    /// Which account.
    pub account: Option<AccountName>,
    /// That the step was begun, or how it ended.
    pub outcome: Option<StepOutcome>,
    /// More about it, in words.
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
