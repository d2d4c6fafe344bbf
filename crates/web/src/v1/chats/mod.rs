//! `/v1/chats`: making, changing and leaving chats, who is in them, and those that nobody finds.

mod bodies;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod history;
pub(crate) mod leave;
pub(crate) mod list;
pub(crate) mod members;
mod named;
mod people;
mod title;
pub(crate) mod unresolved;
mod view;
