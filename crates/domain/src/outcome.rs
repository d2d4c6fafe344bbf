//! What came of a call that should change something: the one enum every channel's answers become.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::account::Reason;

/// The outcome of one attempt to send one part.
///
/// Only an outcome that proves that nothing was sent lets another account try: see [`Outcome::proves_unsent`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Accepted by the provider under this id. Telegram's ids are unique within a dialog; `None` when the provider
    /// confirmed it but the id could not be read.
    Sent(Option<i64>),
    /// The account must not send before this instant.
    FloodWait(Timestamp),
    /// The account must not send *into this chat* before this instant (slow mode).
    SlowMode(Timestamp),
    /// The account cannot find the chat or user.
    NotFound(String),
    /// The account may not write there: no right, kicked, blocked, privacy. Says something about (account, chat) only.
    Forbidden(String),
    /// The account may make no new contacts for now.
    PeerFlood,
    /// The account is banned, deactivated or frozen.
    Banned(Reason),
    /// The session is gone; the account itself may be well.
    SessionLost(Reason),
    /// The account cannot send at the moment and nothing was written to the wire.
    Unavailable(String),
    /// The provider refuses the content: another account would be refused as well.
    Rejected {
        /// The provider's own word, such as `MESSAGE_TOO_LONG`.
        code: String,
    },
    /// The provider says that the same `random_id` is being handled right now.
    InProgress,
    /// It may have been sent or not: a lost connection, a timeout, a server error. Only the same `random_id` through
    /// the same account is safe.
    Unknown(String),
}

impl Outcome {
    /// Whether it is certain that nothing reached the chat, so that another account may try.
    pub const fn proves_unsent(&self) -> bool {
        !matches!(self, Self::Sent(_) | Self::InProgress | Self::Unknown(_))
    }

    /// The word in timelines and `attempts[]`.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Sent(_) => "sent",
            Self::FloodWait(_) => "flood_wait",
            Self::SlowMode(_) => "slow_mode",
            Self::NotFound(_) => "not_found",
            Self::Forbidden(_) => "forbidden",
            Self::PeerFlood => "peer_flood",
            Self::Banned(_) => "banned",
            Self::SessionLost(_) => "session_lost",
            Self::Unavailable(_) => "unavailable",
            Self::Rejected { .. } => "rejected",
            Self::InProgress => "in_progress",
            Self::Unknown(_) => "unknown",
        }
    }

    /// More than the word, where there is more to say.
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Sent(id) => id.map(|id| format!("message {id}")),
            Self::FloodWait(until) | Self::SlowMode(until) => Some(format!("until {until}")),
            Self::NotFound(detail)
            | Self::Forbidden(detail)
            | Self::Unavailable(detail)
            | Self::Unknown(detail) => Some(detail.clone()),
            Self::Banned(reason) | Self::SessionLost(reason) => Some(reason.to_string()),
            Self::Rejected { code } => Some(code.clone()),
            Self::PeerFlood | Self::InProgress => None,
        }
    }
}

/// Why a message ended without being sent. Stored, so that a repeated question gets the same answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Failure {
    /// No account finds the chat.
    ChatNotFound {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    /// No account may write there.
    NoRights {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    /// The provider refuses the content.
    Rejected {
        /// The provider's own word.
        provider_code: String,
    },
    /// Every account that could send is waiting, and the caller did not want to wait.
    FloodWait {
        /// When the first of them may send again.
        until: Timestamp,
    },
    /// No account is usable at all.
    NoAccount {
        /// Which accounts there are and how each is.
        asked: Vec<Refusal>,
    },
}

impl Failure {
    /// The stable code in the API.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::ChatNotFound { .. } => "chat_not_found",
            Self::NoRights { .. } => "no_rights",
            Self::Rejected { .. } => "rejected",
            Self::FloodWait { .. } => "flood_wait",
            Self::NoAccount { .. } => "no_account",
        }
    }

    /// What happened, in a sentence.
    pub fn describe(&self) -> String {
        fn list(asked: &[Refusal]) -> String {
            if asked.is_empty() {
                return "no account was asked".to_owned();
            }
            asked.iter().map(|r| format!("{}: {}", r.account, r.why)).collect::<Vec<_>>().join("; ")
        }
        match self {
            Self::ChatNotFound { asked } => format!("No account finds this chat ({}).", list(asked)),
            Self::NoRights { asked } => format!("No account may write in this chat ({}).", list(asked)),
            Self::Rejected { provider_code } => {
                format!("Telegram refused the message: {provider_code}.")
            }
            Self::FloodWait { until } => format!("Every account must wait; the first may send at {until}."),
            Self::NoAccount { asked } => format!("No account can send now ({}).", list(asked)),
        }
    }
}

/// One account's reason not to carry a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// The account.
    pub account: crate::AccountName,
    /// Why not, in words.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubt_never_counts_as_unsent() {
        for doubtful in [Outcome::Unknown("timeout".into()), Outcome::InProgress, Outcome::Sent(None)] {
            assert!(!doubtful.proves_unsent(), "{doubtful:?}");
        }
        assert!(Outcome::FloodWait(Timestamp::default()).proves_unsent());
    }
}
