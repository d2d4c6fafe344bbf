//! `/accounts/import`: session files are dropped, looked through, and then imported; nothing is done before that is said.

mod look;
mod report;
mod run;
mod send;

#[cfg(test)]
pub(super) use look::Look;
pub(super) use look::{look, take_back};
pub(super) use report::Report;
pub(crate) use run::Importing;
#[cfg(test)]
pub(super) use run::Over;
pub(super) use run::{begin, under_way};
#[cfg(test)]
pub(super) use send::Form;
pub(super) use send::{send, show};

/// The page where files are dropped.
const HERE: &str = "/accounts/import";
/// The call that looks through files and imports them.
const API: &str = "/v1/accounts/import";
