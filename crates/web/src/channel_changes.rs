//! Asking the program to change the accounts of channels in its settings file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use channels::{CallError, Identity};
use config::{ChannelKind, ChannelValue};
use domain::{AccountName, ChannelName, SecretText};
use tokio::sync::{mpsc, oneshot};

/// Changes that may wait for the one that is worked on; further ones are turned away.
const MOST: usize = 4;

/// An account to be added.
#[derive(Debug)]
pub struct NewChannel {
    pub name: AccountName,
    pub channel: ChannelKind,
    /// Its keys as they are written.
    pub keys: Vec<(&'static str, ChannelValue)>,
    /// What was typed for keys that are secret; each goes into a file of its own.
    pub secrets: Vec<(&'static str, SecretText)>,
    /// Whether its provider is asked first.
    pub check: bool,
}

/// An account that was added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelAdded {
    /// The settings file.
    pub file: PathBuf,
    /// Who it is at its provider, if that was asked.
    pub identity: Option<Identity>,
}

/// Why the settings file is as it was.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotChanged {
    #[error("other changes of the settings wait already; try again in a moment")]
    Busy,
    #[error("the server is stopping")]
    Stopping,
    #[error("the accounts of a demo world are those of the world")]
    OfDemo,
    /// A file cannot be read or written.
    #[error("{0}")]
    File(String),
    #[error("the settings file has no account {0} in [[channels]]; a file of the environment may name it")]
    NoSuchAccount(AccountName),
    /// The settings would be wrong.
    #[error("{text}")]
    Wrong {
        /// All that is wrong.
        text: String,
        /// What of it is about keys of the new account.
        keys: Vec<(String, String)>,
    },
    /// The provider did not say that the account works.
    #[error("{0}")]
    Refused(CallError),
}

/// A change; it is answered once.
#[derive(Debug)]
pub enum ChannelChange {
    Add(NewChannel, oneshot::Sender<Result<ChannelAdded, NotChanged>>),
    /// The answer is the settings file.
    Remove(AccountName, oneshot::Sender<Result<PathBuf, NotChanged>>),
}

/// Where changes go, and where they can be read.
#[derive(Debug, Clone)]
pub struct ChannelChanges {
    changes: mpsc::Sender<ChannelChange>,
    file: Option<PathBuf>,
}

/// The accounts of channels that a settings file names.
pub(crate) type WrittenChannels = BTreeMap<AccountName, ChannelName>;

impl ChannelChanges {
    /// The two ends: who asks, and who makes the changes. `file` is the settings file, which need not be there yet; none where the
    /// accounts are of a demo world.
    pub fn channel(file: Option<PathBuf>) -> (Self, mpsc::Receiver<ChannelChange>) {
        let (changes, receiver) = mpsc::channel(MOST);
        (Self { changes, file }, receiver)
    }

    /// The accounts that the settings file names now, by name, which are those of the next start; none where that cannot be read.
    pub(crate) async fn written(&self) -> Option<WrittenChannels> {
        let text = tokio::fs::read_to_string(self.file.as_ref()?).await.ok()?;
        let named = config::named_channels(&text)?.into_iter();
        // The words of channels are names of channels.
        Some(named.filter_map(|(name, channel)| Some((name, channel.as_str().parse().ok()?))).collect())
    }

    pub(crate) async fn add(&self, new: NewChannel) -> Result<ChannelAdded, NotChanged> {
        self.ask(|answer| ChannelChange::Add(new, answer)).await
    }

    pub(crate) async fn remove(&self, name: AccountName) -> Result<PathBuf, NotChanged> {
        self.ask(|answer| ChannelChange::Remove(name, answer)).await
    }

    async fn ask<T>(
        &self,
        change: impl FnOnce(oneshot::Sender<Result<T, NotChanged>>) -> ChannelChange,
    ) -> Result<T, NotChanged> {
        let (answer, answered) = oneshot::channel();
        self.changes.try_send(change(answer)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotChanged::Busy,
            mpsc::error::TrySendError::Closed(_) => NotChanged::Stopping,
        })?;
        answered.await.map_err(|_| NotChanged::Stopping)?
    }
}
