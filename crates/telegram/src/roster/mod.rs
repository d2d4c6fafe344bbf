//! The accounts there are: made out of definitions, kept in places of their own, run until they are taken out.

mod arrange;
mod builder;
mod change;
mod definition;
mod reload;
mod running;
mod sessions;
mod shares;
mod slots;

use std::sync::Arc;

use domain::{AccountName, UserId};
use store::StoreError;

pub(crate) use builder::Builder;
pub use definition::{AccountChange, NewAccount};
pub(crate) use definition::{Definition, StoredKey, is_phone};
pub(crate) use running::{Running, run};
pub(crate) use sessions::Taken;
pub use sessions::{OwnerlessView, SessionKey};
pub(crate) use shares::shares;
pub(crate) use slots::Slots;

use crate::pool::Pool;

/// Why the accounts stay as they are.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    #[error("there is no account {0}")]
    NoSuchAccount(AccountName),
    #[error("there is an account {0} already; take another name, or change that one")]
    NameTaken(AccountName),
    #[error("the account {0} is in the settings file; change it there, then `switchboard reload`")]
    ReadOnly(AccountName),
    #[error("{field} {message}")]
    Invalid { field: &'static str, message: String },
    #[error(
        "{count} messages or operations of the account {account} are not over; wait for them or cancel them, or force it"
    )]
    MessagesInProgress { account: AccountName, count: u64 },
    /// One session cannot be connected with twice: Telegram would end it.
    #[error("the account {0} uses this session already")]
    SessionInUse(AccountName),
    #[error("an import asks Telegram whose this session is; try again when it has ended")]
    UnderImport,
    #[error("there is no such session; those of the settings file are taken out there")]
    NoSuchSession,
    #[error("this session belongs to the user {session_user}, and the account {account} is the user {known}")]
    WrongUser { account: AccountName, known: UserId, session_user: UserId },
    #[error(
        "this session belongs to the user {session_user}, who is the account {other} already: {account} and {other} would be the same person; give the session to {other}"
    )]
    SamePerson { account: AccountName, other: AccountName, session_user: UserId },
    #[error("there is no address for data centre {0}; name it in `telegram.data_centres`")]
    NoAddress(i32),
    #[error("the account {0} has as many sessions as it can have; take one out first")]
    TooManySessions(AccountName),
    /// A connection does not end. Nothing was opened in its place.
    #[error("a connection of the account {0} does not close; try again")]
    NotClosed(AccountName),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the program is ending")]
    Ending,
}

impl Pool {
    /// Runs a change to its end, whether its caller stays or not. One change at a time.
    pub(crate) async fn change<T, F>(
        self: &Arc<Self>,
        change: impl FnOnce(Arc<Self>) -> F + Send + 'static,
    ) -> Result<T, RosterError>
    where
        T: Send + 'static,
        F: Future<Output = Result<T, RosterError>> + Send + 'static,
    {
        if self.running.closing.is_cancelled() {
            return Err(RosterError::Ending);
        }
        let pool = Arc::clone(self);
        let running = ambient::run_detached(&self.running.tasks, async move {
            let _turn = pool.changing.lock().await;
            change(Arc::clone(&pool)).await
        });
        running.await.unwrap_or(Err(RosterError::Ending))
    }
}
