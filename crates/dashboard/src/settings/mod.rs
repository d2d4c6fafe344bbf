//! Settings: oneself, people, API keys, who is notified of alerts, maintenance, backups, and the audit log.

pub(crate) mod alerts;
pub(crate) mod audit;
pub(crate) mod backups;
pub(crate) mod keys;
pub(crate) mod maintenance;
pub(crate) mod me;
pub(crate) mod people;
pub(crate) mod second_factor;
mod tabs;
#[cfg(test)]
pub(crate) mod tests;

use tabs::Tabs;

/// A form without fields of its own.
#[derive(serde::Deserialize)]
pub(crate) struct Nothing {}
