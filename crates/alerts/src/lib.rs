//! Alerts: who is told when something stays broken, and when it is well again.
//!
//! [`Alerts`] is fed with rounds of probes. What they mean is decided purely: three reds in a row raise an alert, two
//! greens clear it, and what is a part of something red is told with it. What is to be told is a row of the store,
//! written in the transaction of the change, and stays there until each target has it: a Telegram chat, a webhook, a
//! mailbox. [`notify_offline`] is for a program that is dead.

mod again;
mod alerts;
mod decide;
mod deliver;
mod hours;
mod listed;
mod notice;
mod offline;
mod probe;
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
pub use view::{AlertView, MuteView, Silence, TargetAddress, TargetOrigin, TargetView, WindowView};
