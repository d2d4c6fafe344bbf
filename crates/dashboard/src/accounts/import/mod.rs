//! `/accounts/import`: session files are dropped, looked through, and then imported; nothing is done before that is said.

mod look;
mod report;
mod run;
mod send;

#[cfg(test)]
pub(crate) use look::Look;
pub(crate) use look::{look, take_back};
use run::Importing;
#[cfg(test)]
pub(crate) use run::Over;
pub(crate) use run::{begin, under_way};
#[cfg(test)]
pub(crate) use send::Form;
pub(crate) use send::{send, show};

/// The page where files are dropped.
const HERE: &str = "/accounts/import";
/// The call that looks through files and imports them.
const API: &str = "/v1/accounts/import";
