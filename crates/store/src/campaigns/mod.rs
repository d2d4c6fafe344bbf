//! Campaigns: whom they write to, by whom and what, their runs, and a row for every attempt.
//!
//! A recipient has its turn once in a cycle: the claim moves it to the cycle's number in the write that makes the attempt. What was
//! sent, or may have been, is never dropped: it is what keeps a recipient from being written to twice.

mod attempts;
mod claim;
mod groups;
mod history;
pub(crate) mod profiles;
pub(crate) mod proxies;
mod rows;
mod runs;
pub(crate) mod statements;

pub use attempts::{AttemptEnd, NextTurn, Readied, SenderStop};
pub use claim::{Claim, Claiming};
pub use groups::{NewCampaignMessage, NewCampaignTask, TasksAdded, Unblocking};
pub use history::{PastAttempt, PastCampaign, PastTaken, PastTask};
pub use profiles::{NewPicture, NewProfile, StoredProfile};
pub use proxies::StoredProxy;
pub use rows::{CampaignMessage, CampaignRow, CampaignRun, CampaignSenderRow, CampaignTask, StoredAttempt};
pub use runs::{AttemptCount, AttemptFilter, CycleCount, NewRun, RunChange, TasksCounted};

pub(crate) use runs::HoldCampaigns;

use domain::Timestamp;

use crate::Store;

/// The hour since 1970 that an instant is in.
pub(crate) const fn hour_of(at: Timestamp) -> i64 {
    at.as_micros().div_euclid(3_600_000_000)
}

/// The campaigns' part of a store.
#[derive(Clone, Copy)]
pub struct Campaigns<'a> {
    pub(crate) store: &'a Store,
}
