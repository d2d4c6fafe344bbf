//! One chat: what memory knows of it, its members, its history, and what is changed in it by hand.

mod attention;
mod card;
mod change;
mod editing;
pub(crate) mod history;
mod members;
mod ownership;
pub(crate) mod single;

use std::sync::Arc;

use delivery::{Candidates, Query, Readiness, RefusalKind};
use domain::account::Operation;
use domain::outcome::Refusal;
use domain::{AccountName, ChatId, ChatRef, Service, Timestamp};
use grammers_tl_types::RemoteCall;

use crate::account::Account;
use crate::calls::classify::{self, CallError};
use crate::pool::Pool;
use crate::routing::candidates;

pub use attention::{Typing, UnknownTyping};
pub use card::{BindError, ChatInfo};
pub use change::{ChangeError, Changed};
pub use editing::Edit;
pub use history::{HistoryPage, HistoryView};
pub use members::{MemberRole, MemberView, MembersPage};

/// Why a chat could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    #[error("no account finds this chat")]
    NotFound {
        /// Which accounts were asked and what each said.
        asked: Vec<Refusal>,
    },
    #[error("no account may read this chat")]
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
    #[error("this cursor is not one that a page came with")]
    InvalidCursor,
    #[error("{0}")]
    Failed(String),
}

pub(crate) async fn reader(
    pool: &Pool,
    chat: &ChatRef,
    pin: Option<&AccountName>,
) -> Result<(Arc<Account>, ChatId), ReadError> {
    let query = Query { chat: chat.clone(), pin: pin.cloned(), service: Some(Service::SendText) };
    let candidates = candidates::ask(pool, &query, Operation::Read).await;
    let (account, chat_id) = choose(candidates)?;
    let account = pool.get(&account).ok_or(ReadError::NoAccount { asked: Vec::new() })?;
    Ok((account, chat_id))
}

/// The first that may read it now.
fn choose(candidates: Candidates) -> Result<(AccountName, ChatId), ReadError> {
    let Candidates { address, able, refused, .. } = candidates;
    let chat_id = address.and_then(|address| address.chat_id());
    let ready = able.iter().find(|able| able.readiness == Readiness::Ready);
    if let (Some(ready), Some(chat_id)) = (ready, chat_id) {
        return Ok((ready.account.clone(), chat_id));
    }
    let held = able.iter().filter_map(|able| able.readiness.until());
    if let Some(until) = held.min() {
        return Err(ReadError::FloodWait { until });
    }
    let has_refusal = |kind| refused.iter().any(|(_, why)| *why == kind);
    let forbidden = has_refusal(RefusalKind::Forbidden) || has_refusal(RefusalKind::NotInChat);
    let not_found = has_refusal(RefusalKind::NotFound);
    let connecting =
        able.into_iter().map(|able| Refusal { account: able.account, why: "connecting".to_owned() });
    let refusals = refused.into_iter().map(|(refusal, _)| refusal).chain(connecting).collect();
    Err(if forbidden {
        ReadError::NoRights { asked: refusals }
    } else if not_found {
        ReadError::NotFound { asked: refusals }
    } else {
        ReadError::NoAccount { asked: refusals }
    })
}

async fn ask<R: RemoteCall>(account: &Account, request: &R) -> Result<R::Return, ReadError> {
    match account.read(Operation::Read, request).await {
        Ok(answer) => Ok(answer),
        Err(error) => Err(refused(account, &error)),
    }
}

fn refused(account: &Account, error: &CallError) -> ReadError {
    use domain::Outcome;
    let refusals = || vec![Refusal { account: account.name.clone(), why: error.to_string() }];
    match classify::outcome(error, account.now()) {
        Outcome::NotFound(_) => ReadError::NotFound { asked: refusals() },
        Outcome::Forbidden(_) | Outcome::NotInChat(_) => ReadError::NoRights { asked: refusals() },
        Outcome::Held { until, .. } => ReadError::FloodWait { until },
        Outcome::Banned(_) | Outcome::SessionLost(_) | Outcome::Unavailable(_) => {
            ReadError::NoAccount { asked: refusals() }
        }
        _ => ReadError::Failed(format!("{}: {error}", account.name)),
    }
}

fn unknown(account: &Account) -> ReadError {
    let why = "does not know the chat".to_owned();
    ReadError::NotFound { asked: vec![Refusal { account: account.name.clone(), why }] }
}

#[cfg(test)]
mod tests {
    use delivery::Candidate;

    use super::*;

    fn name(text: &str) -> AccountName {
        text.parse().expect("a name")
    }

    #[test]
    fn a_reader_is_chosen_or_the_reason_is_given() {
        let chat_id = ChatId::channel(5);
        let until = Timestamp::from_micros(9);
        let able = |account: &str, readiness| Candidate { account: name(account), readiness };
        let refused = |why| vec![(Refusal { account: name("main"), why: "why".into() }, why)];
        let two = Candidates {
            address: chat_id.map(Into::into),
            able: vec![able("main", Readiness::HeldUntil(until)), able("backup_1", Readiness::Ready)],
            ..Candidates::default()
        };
        assert_eq!(choose(two.clone()), Ok((name("backup_1"), chat_id.expect("id"))));
        let held = Candidates { able: two.able[..1].to_vec(), ..two };
        assert_eq!(choose(held), Err(ReadError::FloodWait { until }));
        for (why, expected) in [
            (RefusalKind::Forbidden, "NoRights"),
            (RefusalKind::NotInChat, "NoRights"),
            (RefusalKind::NotFound, "NotFound"),
            (RefusalKind::Unusable, "NoAccount"),
        ] {
            let refused_by_all = Candidates {
                address: chat_id.map(Into::into),
                refused: refused(why),
                ..Candidates::default()
            };
            let error = choose(refused_by_all).expect_err("nobody");
            assert!(format!("{error:?}").starts_with(expected), "{error:?}");
        }
    }
}
