//! The way back: a session of an account as a file or a string of another program, with the peers it can reach.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use domain::account::AccountState;
use domain::{AccountName, Purpose, SecretText};
use session_files::{Key, Session, Unwritable};
use store::{StoreError, Switch};

use super::destination::Destination;
use super::peers;
use crate::account::Account;
use crate::pool::Pool;
use crate::pool::{ActError, Action};

/// How long the lines of an account may take to close.
const CLOSING: Duration = Duration::from_secs(10);

/// What a session is written as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExportTo {
    /// A `.session` file of Telethon, with the peers.
    TelethonFile(PathBuf),
    /// A `.session` file of Kurigram, with the peers.
    KurigramFile(PathBuf),
    /// A `StringSession` of Telethon.
    TelethonString,
}

/// A session that left.
#[derive(Debug)]
pub struct Exported {
    /// The string, where one was asked for.
    pub text: Option<SecretText>,
    pub peers: usize,
    pub stopped: bool,
}

/// Why a session did not leave.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("there is no account {0}")]
    NoSuchAccount(AccountName),
    #[error("account {account} has no session{}; `switchboard account show {account}` lists those it has", purpose.map(|purpose| format!(" for {}", purpose.as_str())).unwrap_or_default())]
    NoSession { account: AccountName, purpose: Option<Purpose> },
    #[error("the connections of {0} did not close within 10 s; nothing was exported, try again")]
    StillOpen(AccountName),
    #[error(transparent)]
    Unwritable(#[from] Unwritable),
    #[error("the session could not be written: {0}")]
    Broken(String),
    #[error("the store refused: {0}")]
    Store(#[from] StoreError),
}

impl From<ActError> for ExportError {
    fn from(error: ActError) -> Self {
        match error {
            ActError::NoSuchAccount(name) => Self::NoSuchAccount(name),
            ActError::Store(error) => Self::Store(error),
        }
    }
}

impl Pool {
    /// Writes a session of an account for another program. Two programs on one session end it for good, so the account is
    /// stopped first, for good until it is started by hand, unless `copy_anyway`. When nothing is written it goes on as before.
    ///
    /// # Errors
    /// See [`ExportError`]. A file is never written over.
    pub async fn export(
        self: &Arc<Self>,
        name: &AccountName,
        purpose: Option<Purpose>,
        to: ExportTo,
        copy_anyway: bool,
    ) -> Result<Exported, ExportError> {
        let name = name.clone();
        // No connection is arranged for the account meanwhile, and it is not left half done.
        let leave =
            move |pool: Arc<Self>| async move { Ok(pool.leave(&name, purpose, to, copy_anyway).await) };
        let left = self.change(leave).await;
        left.unwrap_or_else(|error| Err(ExportError::Broken(error.to_string())))
    }

    async fn leave(
        self: &Arc<Self>,
        name: &AccountName,
        purpose: Option<Purpose>,
        to: ExportTo,
        copy_anyway: bool,
    ) -> Result<Exported, ExportError> {
        let destination = Destination::new(self);
        let account = self.get(name).ok_or_else(|| ExportError::NoSuchAccount(name.clone()))?;
        refuse_to_overwrite(&to)?;
        let serves = |line: &&Arc<crate::line::Line>| purpose.is_none_or(|purpose| line.serves(purpose));
        let session = account.lines().iter().filter(serves).find_map(|line| line.key_to_export());
        let session = session.and_then(|key| {
            let mut session = Session::new(key.dc_id(), Key::new(key.copy())?);
            session.user_id = account.health.person().map(|person| person.user_id);
            Some(session)
        });
        let no_session = || ExportError::NoSession { account: name.clone(), purpose };
        let session = session.ok_or_else(no_session)?;
        if copy_anyway {
            return write(&destination, name, session, to, false).await;
        }
        let before = account.switch();
        self.act(name, Action::Stop).await?;
        let exported = match self.until_closed(&account).await {
            Ok(()) => write(&destination, name, session, to, true).await,
            Err(error) => Err(error),
        };
        if exported.is_err() {
            // Nothing left, so no one else has the session.
            let again = match before {
                Switch::On => Action::Start,
                Switch::Paused => Action::Pause,
                Switch::Stopped => Action::Stop,
            };
            self.act(name, again).await?;
        }
        exported
    }

    async fn until_closed(&self, account: &Account) -> Result<(), ExportError> {
        if self.running.at_rest {
            return Ok(());
        }
        let mut changes = self.changes.subscribe();
        let closed = async {
            while account.lines().iter().any(|line| line.state() != AccountState::Offline) {
                if changes.changed().await.is_err() {
                    return;
                }
            }
        };
        let closing = self.clock.timeout(CLOSING, closed).await;
        closing.map_err(|_| ExportError::StillOpen(account.name.clone()))
    }
}

fn refuse_to_overwrite(to: &ExportTo) -> Result<(), ExportError> {
    let (ExportTo::TelethonFile(path) | ExportTo::KurigramFile(path)) = to else { return Ok(()) };
    if path.symlink_metadata().is_ok() {
        return Err(Unwritable::Exists.into());
    }
    Ok(())
}

async fn write(
    destination: &Destination<'_>,
    name: &AccountName,
    mut session: Session,
    to: ExportTo,
    stopped: bool,
) -> Result<Exported, ExportError> {
    session.address = destination.address(session.dc_id);
    session.api_id = destination.application(name).map(|application| application.api_id);
    session.is_bot = Some(false);
    session.peers = destination.store().peers().all(name).await?.iter().map(peers::in_file).collect();
    let peers = session.peers.len();
    let writing = tokio::task::spawn_blocking(move || match to {
        ExportTo::TelethonFile(path) => session_files::write_telethon(&path, &session).map(|()| None),
        ExportTo::KurigramFile(path) => session_files::write_kurigram(&path, &session).map(|()| None),
        ExportTo::TelethonString => session_files::string_session(&session).map(Some),
    });
    let text = writing.await.map_err(|error| ExportError::Broken(error.to_string()))??;
    tracing::warn!(account = %name, "a session left for another program");
    let peers = if text.is_some() { 0 } else { peers };
    Ok(Exported { text, peers, stopped })
}
