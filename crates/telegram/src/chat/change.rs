//! Changing what is in a chat: by whom, how often it is tried, and why it can fail.

use std::sync::Arc;
use std::time::Duration;

use delivery::Query;
use domain::account::Operation;
use domain::outcome::Refusal;
use domain::{AccountName, ChatId, ChatRef, Outcome, Service, TelegramMessageId, Timestamp};
use grammers_tl_types::{RemoteCall, enums};

use super::{ReadError, single};
use crate::account::Account;
use crate::calls::classify::{self, CallError};
use crate::peers::lookup;
use crate::pool::Pool;
use crate::routing::candidates;

/// How often a change is made whose result stays unknown. Each of them comes to the same when it is made again.
const TRIES: u32 = 3;

/// How long the account may take to be connected again in between.
const RECONNECT: Duration = Duration::from_secs(10);

/// What was changed, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    pub account: AccountName,
    pub chat_id: ChatId,
}

/// Why something in a chat was not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    #[error("no account finds this chat")]
    NotFound {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    #[error("the account {account} finds no message {message_id} in this chat")]
    NoSuchMessage { account: AccountName, message_id: TelegramMessageId },
    #[error("no account may do this")]
    NoRights {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    #[error("no account can be used now")]
    NoAccount {
        /// Which accounts there are and how each is.
        asked: Vec<Refusal>,
    },
    #[error("every account must wait until {until}")]
    FloodWait {
        /// When the first of them may.
        until: Timestamp,
    },
    #[error("Telegram refuses it: {code}")]
    Rejected {
        /// Telegram's own word, such as `MESSAGE_TOO_LONG`.
        code: String,
    },
    /// It may have been done or not. It can be asked for again: done twice it comes to the same.
    #[error("it is not known whether it was done: {0}")]
    Unknown(String),
}

impl From<ReadError> for ChangeError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::NotFound { asked } => Self::NotFound { asked },
            ReadError::NoRights { asked } => Self::NoRights { asked },
            ReadError::NoAccount { asked } => Self::NoAccount { asked },
            ReadError::FloodWait { until } => Self::FloodWait { until },
            error @ (ReadError::InvalidCursor | ReadError::Failed(_)) => Self::Unknown(error.to_string()),
        }
    }
}

pub(super) struct Changer {
    pub(super) account: Arc<Account>,
    pub(super) chat_id: ChatId,
    pub(super) peer: enums::InputPeer,
    operation: Operation,
}

impl Changer {
    /// The account that the chat is bound to, else the first that is in it; or the one that is named.
    pub(super) async fn choose(
        pool: &Pool,
        chat: &ChatRef,
        pin: Option<&AccountName>,
        operation: Operation,
    ) -> Result<Self, ChangeError> {
        let query = Query { chat: chat.clone(), pin: pin.cloned(), service: Some(Service::SendText) };
        let candidates = candidates::ask(pool, &query, operation).await;
        let (account, chat_id) = super::choose(candidates)?;
        let account = pool.get(&account).ok_or(ChangeError::NoAccount { asked: Vec::new() })?;
        let Some(peer) = lookup::input(&account, chat_id).await else {
            return Err(super::unknown(&account).into());
        };
        Ok(Self { account, chat_id, peer, operation })
    }

    pub(super) async fn has(&self, message_id: TelegramMessageId) -> Result<bool, ChangeError> {
        match single::any(&self.account, self.chat_id, message_id).await {
            Ok(message) => Ok(message.is_some()),
            Err(error) => match classify::outcome(&error, self.account.now()) {
                Outcome::Unknown(why) => Err(ChangeError::Unknown(why.to_string())),
                Outcome::Unavailable(why) => Err(ChangeError::Unknown(why)),
                outcome => Err(self.refused(&error, outcome)),
            },
        }
    }

    /// Makes the call, again while its result is unknown. No answer means that it was refused because things are as they
    /// should be already, by one of the names in `settled`.
    pub(super) async fn call<R: RemoteCall>(
        &self,
        request: &R,
        settled: &[&str],
    ) -> Result<Option<R::Return>, ChangeError> {
        let clock = &self.account.health.clock;
        let mut last = String::new();
        for _ in 0..TRIES {
            let error = match self.account.read(self.operation, request).await {
                Ok(answer) => return Ok(Some(answer)),
                Err(error) if error.name().is_some_and(|name| settled.contains(&name)) => return Ok(None),
                Err(error) => error,
            };
            match classify::outcome(&error, clock.now()) {
                // It came to nothing while the connection was away, or no one knows: both are tried again.
                Outcome::Unknown(why) => last = why.to_string(),
                Outcome::Unavailable(why) => last = why,
                Outcome::InProgress => "the same is being done already".clone_into(&mut last),
                outcome => return Err(self.refused(&error, outcome)),
            }
            self.wait_for_a_line().await;
        }
        Err(ChangeError::Unknown(last))
    }

    pub(super) async fn wait_for_a_line(&self) {
        let health = &self.account.health;
        let mut changes = health.changes.subscribe();
        let up = async { while !health.is_up() && changes.changed().await.is_ok() {} };
        // Whether it came up shows when it is used.
        let _ = health.clock.timeout(RECONNECT, up).await;
    }

    pub(super) fn refused(&self, error: &CallError, outcome: Outcome) -> ChangeError {
        let refusals = || vec![Refusal { account: self.account.name.clone(), why: error.to_string() }];
        match outcome {
            Outcome::NotFound(_) => ChangeError::NotFound { asked: refusals() },
            Outcome::Forbidden(_) | Outcome::NotInChat(_) => ChangeError::NoRights { asked: refusals() },
            Outcome::Held { until, .. } => ChangeError::FloodWait { until },
            Outcome::Rejected { code } if is_about_rights(&code.to_string()) => {
                ChangeError::NoRights { asked: refusals() }
            }
            Outcome::Rejected { code } => ChangeError::Rejected { code: code.to_string() },
            _ => ChangeError::NoAccount { asked: refusals() },
        }
    }

    /// The same error for a call about one message, of which Telegram says that it is not there.
    pub(super) fn about(&self, message_id: TelegramMessageId, error: ChangeError) -> ChangeError {
        match error {
            ChangeError::Rejected { code } if matches!(&*code, "MESSAGE_ID_INVALID" | "MSG_ID_INVALID") => {
                ChangeError::NoSuchMessage { account: self.account.name.clone(), message_id }
            }
            error => error,
        }
    }

    pub(super) fn done(self) -> Changed {
        Changed { account: self.account.name.clone(), chat_id: self.chat_id }
    }
}

fn is_about_rights(code: &str) -> bool {
    matches!(code, "MESSAGE_AUTHOR_REQUIRED" | "MESSAGE_DELETE_FORBIDDEN" | "MESSAGE_EDIT_FORBIDDEN")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_errors_become_the_same_change_errors() {
        let until = Timestamp::from_micros(5);
        assert_eq!(ChangeError::from(ReadError::FloodWait { until }), ChangeError::FloodWait { until });
        let refusals = Vec::new;
        assert_eq!(
            ChangeError::from(ReadError::NotFound { asked: refusals() }),
            ChangeError::NotFound { asked: refusals() }
        );
        assert!(matches!(ChangeError::from(ReadError::InvalidCursor), ChangeError::Unknown(_)));
    }
}
