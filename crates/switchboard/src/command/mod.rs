//! One file a command.

pub(crate) mod account;
pub(crate) mod alert;
pub(crate) mod backup;
pub(crate) mod chat;
mod conversation;
pub(crate) mod do_not_contact;
pub(crate) mod doctor;
pub(crate) mod events;
pub(crate) mod failed;
pub(crate) mod flood;
pub(crate) mod import;
pub(crate) mod key;
pub(crate) mod logs;
pub(crate) mod master_key;
pub(crate) mod message;
pub(crate) mod moving;
pub(crate) mod reload;
pub(crate) mod restore;
pub(crate) mod sandbox;
pub(crate) mod send;
pub(crate) mod service;
pub(crate) mod store;
pub(crate) mod top;
pub(crate) mod up;
pub(crate) mod user;
pub(crate) mod webhook;
pub(crate) mod word;
