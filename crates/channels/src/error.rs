//! How a call of a provider fails, and what that means for a send. No error has a token, nor an address that has one in it.

use std::time::Duration;

use domain::account::Reason;
use domain::outcome::{HoldScope, RejectionCode, Unclear};
use domain::{Outcome, Timestamp};

/// The wait that is assumed where a provider gives no number.
pub const NO_NUMBER: Duration = Duration::from_mins(1);

/// The code of a file that is too large.
const TOO_LARGE: &str = "FILE_TOO_BIG";

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The provider does not know the token, or no longer: nothing works with it.
    #[error("the provider refuses the token: {0}")]
    Token(String),
    /// The account may not do it at all: a right or a tariff is missing, it is blocked.
    #[error("the account may not do this: {0}")]
    Account(String),
    /// Not now: the provider wants no call for so long.
    #[error("the provider wants no call for {} s", .wait.as_secs())]
    Wait { wait: Duration, scope: HoldScope },
    /// There is no such chat.
    #[error("there is no such chat: {0}")]
    NotFound(String),
    /// The customer does not want it, has gone, or the time to answer is over.
    #[error("the chat takes no message: {0}")]
    Forbidden(String),
    /// The content is refused.
    #[error("the provider refuses it: {code} {detail}")]
    Refused { code: String, detail: String },
    /// What was uploaded is not taken, or not any more.
    #[error("the file is not ready there: {0}")]
    Unprepared(String),
    /// No connection: certainly nothing was done.
    #[error("the provider cannot be reached: {0}")]
    Unreached(String),
    /// The account was used while another program uses it the same way.
    #[error("another program uses this account: {0}")]
    Conflict(String),
    /// No answer in time. It may have been done.
    #[error("no answer within {} s", .0.as_secs())]
    NoAnswer(Duration),
    /// The connection broke. It may have been done.
    #[error("the connection broke: {0}")]
    Broken(String),
    /// The answer is an error of the provider's own. It may have been done.
    #[error("the provider has an error of its own: {0}")]
    Server(String),
    /// The answer cannot be read. It may have been done.
    #[error("the provider answered something that cannot be read: {0}")]
    Unreadable(String),
}

impl CallError {
    /// The content is refused, for this reason.
    pub fn refused(code: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Refused { code: code.into(), detail: detail.into() }
    }

    /// A file has more bytes than are taken.
    pub fn too_large(most: u64) -> Self {
        Self::refused(TOO_LARGE, format!("the file has more than {most} bytes"))
    }

    /// Whether a file is not given because it is too large.
    pub fn is_too_large(&self) -> bool {
        matches!(self, Self::Refused { code, .. } if code == TOO_LARGE)
    }

    /// A person does it in the provider's pages.
    pub fn by_hand() -> Self {
        Self::refused("by_hand", "the provider has no call for this; it is done in its pages")
    }

    /// The account wants no call for so long.
    pub const fn wait(wait: Duration) -> Self {
        Self::Wait { wait, scope: HoldScope::Account }
    }

    /// Whether it is certain that nothing was done.
    pub const fn proves_nothing_done(&self) -> bool {
        !matches!(self, Self::NoAnswer(_) | Self::Broken(_) | Self::Server(_) | Self::Unreadable(_))
    }

    /// Whether nothing works with the account until its owner does something.
    pub const fn stops_account(&self) -> bool {
        matches!(self, Self::Token(_) | Self::Account(_))
    }

    /// The same of a call that comes before the send, such as one for a token or an upload: whatever became of it, nothing was
    /// sent.
    #[must_use]
    pub fn before_send(self) -> Self {
        if self.proves_nothing_done() { self } else { Self::Unreached(self.to_string()) }
    }

    /// The outcome of a send that failed so.
    pub fn outcome(self, now: Timestamp) -> Outcome {
        match self {
            Self::Token(_) => Outcome::SessionLost(Reason::SessionRevoked),
            Self::Account(_) => Outcome::Banned(Reason::Other),
            Self::Wait { wait, scope } => Outcome::Held { until: now.plus(wait), scope },
            Self::NotFound(why) => Outcome::NotFound(why),
            Self::Forbidden(why) => Outcome::Forbidden(why),
            Self::Refused { code, detail } => {
                let code = if detail.is_empty() { code } else { format!("{code}: {detail}") };
                Outcome::Rejected { code: RejectionCode::Provider(code) }
            }
            Self::Unprepared(why) => Outcome::Unprepared(why),
            Self::Unreached(_) | Self::Conflict(_) => Outcome::Unavailable(self.to_string()),
            Self::NoAnswer(_) | Self::Broken(_) => Outcome::Unknown(Unclear::NoAnswer(self.to_string())),
            Self::Server(_) => Outcome::Unknown(Unclear::ServerError(self.to_string())),
            Self::Unreadable(_) => Outcome::Unknown(Unclear::Unreadable(self.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_unclear_calls_have_unknown_outcomes() {
        let text = || "x".to_owned();
        for error in [
            CallError::Token(text()),
            CallError::Account(text()),
            CallError::wait(NO_NUMBER),
            CallError::NotFound(text()),
            CallError::Forbidden(text()),
            CallError::by_hand(),
            CallError::Unprepared(text()),
            CallError::Unreached(text()),
            CallError::Conflict(text()),
            CallError::NoAnswer(NO_NUMBER),
            CallError::Broken(text()),
            CallError::Server(text()),
            CallError::Unreadable(text()),
        ] {
            let outcome = error.clone().outcome(Timestamp::from_micros(0));
            assert_eq!(error.proves_nothing_done(), outcome.proves_unsent(), "{error}");
        }
    }
}
