//! Which account does a piece of work: what the registry and the accounts know of a chat, asking where nothing is known, and
//! choosing.

pub(crate) mod candidates;
pub(crate) mod dialog_moves;
pub(crate) mod registry;
pub mod router;
pub(crate) mod single_flight;
