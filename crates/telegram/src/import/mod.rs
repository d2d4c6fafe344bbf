//! Importing: sessions of other programs and the registry of the old scripts become accounts, peers and chats here.
//!
//! * `finding` looks what files hold; `whose` asks Telegram whose a session is; `planner` decides over plain facts what
//!   becomes of each (`index` is who lives here, `plan_file` what the owner wants); `row` is the table that is shown.
//! * `runner` does it, session by session: its peers first, the session itself last, so that an import that is cut off
//!   is taken up by the next one. `destination` is where it goes: the accounts of a pool.
//!   `progress` shows how far it is.
//! * `old_registry` sorts the old records out; `export` is the way back to other programs.

mod account_index;
mod destination;
mod export;
mod finding;
mod identity;
mod old_registry;
mod peers;
mod plan_file;
mod planner;
mod progress;
#[cfg(test)]
mod properties;
mod row;
mod runner;

use std::sync::Arc;

use domain::{AccountName, Purpose};
use store::StoreError;

use crate::pool::Pool;

pub use export::{ExportError, ExportTo, Exported};
pub use finding::Input;
pub use plan_file::{Plan, PlanError, PlannedAccount, PlannedSession};
pub use planner::Application;
pub use progress::{ImportProgress, ImportStep};
pub use row::{ImportReport, RegistryReport, SessionOutcome, SessionRow, UnknownName};

use destination::Destination;
pub(crate) use progress::Board;
use runner::run;

#[derive(Default)]
pub struct ImportOrder {
    pub inputs: Vec<Input>,
    /// Nothing is opened or changed: it is only said what would be.
    pub dry_run: bool,
    /// The account for all sessions that no plan and no account here speaks for.
    pub account: Option<AccountName>,
    /// What the sessions are for; nothing means what no other session of the account is for.
    pub purposes: Vec<Purpose>,
    /// The application to connect as and to make new accounts with.
    pub application: Option<Application>,
    pub plan: Plan,
}

/// Why an import ended. What was done until then stays, and the next import goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    #[error("the store refused: {0}")]
    Store(#[from] StoreError),
    /// An account or a session was not taken; the others are.
    #[error("{account}: {why}")]
    Refused { account: AccountName, why: String },
    #[error("the program is ending")]
    Ending,
    #[error("the files could not be looked through: {0}")]
    Broken(String),
    #[error("another import is under way; wait until it has ended")]
    Busy,
}

impl Pool {
    /// Imports. In a pool that runs, new sessions connect before it has ended. One import at a time.
    pub async fn import(self: &Arc<Self>, order: ImportOrder) -> Result<ImportReport, ImportError> {
        let _turn = self.importing.try_acquire().map_err(|_| ImportError::Busy)?;
        let running = self.import_board.begin();
        self.builder.sweep().await;
        run(&Destination::new(self), order, &running).await
    }

    pub fn import_progress(&self) -> ImportProgress {
        self.import_board.read()
    }
}
