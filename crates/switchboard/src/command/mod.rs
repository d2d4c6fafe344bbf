//! One file a command.

pub(crate) mod account;
pub(crate) mod key;
pub(crate) mod sandbox;
pub(crate) mod up;
