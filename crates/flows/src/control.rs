//! What people ask of flows: which there are, how they are, start, stop.

use std::collections::BTreeMap;

use domain::{AccountName, ChatRef, FlowRunId, FlowRunState, Timestamp};
use futures::future::BoxFuture;
use store::StoreError;

/// How a flow is on one account.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowState {
    /// It watches for a message that begins a run.
    Watching,
    /// A run is under way.
    Running,
    /// It cannot watch yet: its account or its chat is not found.
    Waiting,
    /// It begins no run until someone starts it.
    Stopped,
}

domain::enum_words!(FlowState);

/// A flow with all its accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowView {
    pub name: String,
    /// The chat whose messages are watched.
    pub watch: ChatRef,
    pub steps: usize,
    pub on: Vec<FlowOnAccount>,
}

/// A flow on one account.
#[derive(Debug, Clone, PartialEq)]
pub struct FlowOnAccount {
    pub account: AccountName,
    pub state: FlowState,
    /// Why it is stopped or waits.
    pub reason: Option<String>,
    /// Runs that came to their end since it was started; what `stop_after` counts.
    pub done: u32,
    /// Runs that pressed or sent something within the last hour; what `per_hour` counts.
    pub acted: usize,
    /// How often a message that begins a run began none, by why, as far back as runs are kept.
    pub skipped: BTreeMap<String, u64>,
    /// How many runs failed or were cut, by why, as far back as runs are kept.
    pub failed: BTreeMap<String, u64>,
    /// The last run that there was, also before a restart.
    pub last_run: Option<LastRun>,
}

/// The last run of a flow on one account.
#[derive(Debug, Clone, PartialEq)]
pub struct LastRun {
    pub id: FlowRunId,
    pub began_at: Timestamp,
    pub state: FlowRunState,
    pub code: Option<String>,
}

/// Why a flow is not started or stopped.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("there is no flow named {0}; see `switchboard flow list` for those there are")]
    Unknown(String),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The flows as people see and switch them, from whichever side: the API, or a bot.
pub trait FlowControl: Send + Sync {
    /// All of them, in the order of the settings.
    fn list(&self) -> Vec<FlowView>;

    /// One of them.
    fn get(&self, name: &str) -> Option<FlowView> {
        self.list().into_iter().find(|flow| flow.name == name)
    }

    /// Lets a flow begin runs, on all its accounts, also after a restart.
    fn start<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<FlowView, ControlError>>;

    /// Ends its run, if there is one, and lets it begin no other until it is started, also after a restart.
    fn stop<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<FlowView, ControlError>>;
}
