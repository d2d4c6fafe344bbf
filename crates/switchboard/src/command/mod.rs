//! One file a command.

pub(crate) mod account;
pub(crate) mod chat;
pub(crate) mod failed;
pub(crate) mod key;
pub(crate) mod sandbox;
pub(crate) mod send;
pub(crate) mod service;
pub(crate) mod up;
