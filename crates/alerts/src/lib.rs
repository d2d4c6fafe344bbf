//! Alerts: who is told when something stays broken, and when it is well again.
//!
//! [`Alerts`] is fed with rounds of beats. What they mean is decided purely: three reds in a row raise an alert, two
//! greens clear it, and what is a part of something red is told with it. What is to be told is a row of the store,
//! written in the transaction of the change, and stays there until each target has it: a Telegram chat, a webhook, a
//! mailbox. [`tell_without_a_store`] is for a program that is dead.

mod again;
mod alerts;
mod beat;
mod book;
mod decide;
mod deliver;
mod desk;
mod hours;
mod listed;
mod notice;
mod oneshot;
mod silence;
mod targets;
mod view;
mod watch;

pub use alerts::{Alerts, AlertsParts, MuteError, TargetError, TestError, Tested, WindowError};
pub use beat::{Answer, Beat, Card, Round};
pub use hours::{Hours, InvalidHours, MaintenanceWindow, Scope, Weekday};
pub use oneshot::{LastTarget, Obituary, Telling, tell_without_a_store};
pub use view::{AlertView, MuteView, Silence, TargetAddress, TargetOrigin, TargetView, WindowView};
