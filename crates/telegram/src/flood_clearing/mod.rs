//! Clearing flood waits: everything is stopped for a while and started again one by one; or only those who must wait, wait.

mod machine;
mod runner;

pub use runner::FloodClearing;

use domain::{AccountName, Service, Timestamp};
use serde::Serialize;

/// How flood waits are cleared.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Clearing {
    /// All services are stopped, nothing is asked of Telegram for five minutes, then those that ran are started one by
    /// one, a minute apart.
    StopAll,
    /// Only accounts with a flood wait are paused, each until its deadline. The gentler way.
    PauseFlooded,
}

domain::enum_words!(Clearing);

/// What a clearing is doing.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// The services are being stopped.
    Stopping,
    /// Nothing is asked of Telegram.
    Silent,
    /// The services are being started one by one.
    Starting,
    /// Flooded accounts are paused.
    Paused,
}

domain::enum_words!(Phase);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ClearingView {
    pub how: Clearing,
    pub phase: Phase,
    pub by: String,
    pub started_at: Timestamp,
    /// When the silence ends, the next service is started, or the last account is resumed.
    pub until: Option<Timestamp>,
    pub next: Option<Service>,
    /// Services that it has started again, or that were started by hand meanwhile.
    pub done: Vec<Service>,
    pub waiting: Vec<Service>,
    /// Accounts that it has paused, each until when.
    pub accounts: Vec<(AccountName, Timestamp)>,
}

/// Why flood waits could not be cleared, or the clearing not cancelled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClearingError {
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error("flood waits are being cleared the other way; cancel that first")]
    OtherMode,
    #[error("no account has a flood wait; there is nothing to pause")]
    NothingFlooded,
    #[error("no server runs, so nothing is asked of Telegram; start it first")]
    NoServer,
    #[error("all services are stopped already; there is nothing to clear, start them by hand")]
    NothingRuns,
}
