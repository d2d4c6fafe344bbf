//! The clearing of flood waits.

use domain::{Service, Timestamp};
use health::ClearingView;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::overview::PausedAccount;

/// The clearing of flood waits that runs, if one does.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
pub struct FloodClearing {
    /// Whether one runs; everything else is empty if not.
    pub running: bool,
    /// `stop_all` or `pause_flooded`.
    #[schema(example = "stop_all")]
    pub how: Option<String>,
    /// What it is doing: `stopping`, `silent`, `starting` or `paused`.
    #[schema(example = "silent")]
    pub phase: Option<String>,
    /// Who asked for it.
    pub by: Option<String>,
    /// When that was.
    pub started_at: Option<Timestamp>,
    /// When the silence ends, the next service is started, or the next account goes on.
    pub until: Option<Timestamp>,
    /// The service that is started next.
    #[schema(value_type = Option<String>, example = "send_text")]
    pub next: Option<Service>,
    /// Services that run again.
    #[schema(value_type = Vec<String>)]
    pub done: Vec<Service>,
    /// Services that are still to be started.
    #[schema(value_type = Vec<String>)]
    pub waiting: Vec<Service>,
    /// Accounts that are paused.
    pub accounts: Vec<PausedAccount>,
}

impl From<ClearingView> for FloodClearing {
    fn from(view: ClearingView) -> Self {
        Self {
            running: true,
            how: Some(view.how.as_str().to_owned()),
            phase: Some(view.phase.as_str().to_owned()),
            by: Some(view.by),
            started_at: Some(view.started_at),
            until: view.until,
            next: view.next,
            done: view.done,
            waiting: view.waiting,
            accounts: view
                .accounts
                .into_iter()
                .map(|(account, until)| PausedAccount { account, until })
                .collect(),
        }
    }
}
