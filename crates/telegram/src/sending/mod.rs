//! Sending: one part of a message, and whether one that was sent arrived.

mod arrival;
mod attempt;
pub(crate) mod entities;
mod fingerprint;
pub(crate) mod mention;
pub(crate) mod part;
pub(crate) mod recently_sent;
pub(crate) mod sender;

pub(crate) use attempt::Attempt;
