//! Alerts: notifies targets when something stays broken, and when it works again.
//!
//! [`Alerts`] is fed with rounds of probes. What they mean is decided purely: three reds in a row raise an alert, two
//! greens clear it, and the parts of something red are joined to it. A notice is a row of the store,
//! written in the transaction of the change, and stays there until each target has it: a Telegram chat, a webhook, a
//! mailbox. [`notify_offline`] is for a program that is dead.

mod alerts;
mod decide;
mod deliver;
mod hours;
mod listed;
mod notice;
mod offline;
mod probe;
mod retry;
mod silence;
mod target_list;
mod targets;
mod tracker;
mod view;
mod watch;

pub use alerts::{Alerts, AlertsParts, MuteError, TargetError, TestError, Tested, WindowError};
pub use hours::{Hours, InvalidHours, MaintenanceWindow, Scope, Weekday};
pub use offline::{CrashNotice, OfflineTarget, TargetReport, notify_offline};
pub use probe::{Card, Probe, ProbeResult, Round};
pub use store::StoredMute;
pub use view::{AlertView, Silence, TargetAddress, TargetOrigin, TargetView, WindowView};

#[cfg(test)]
mod it;
