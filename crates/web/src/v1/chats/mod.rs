//! `/v1/chats`: making, changing and leaving chats, who is in them, and those that no one finds.

pub(crate) mod attention;
mod author;
mod bodies;
pub(crate) mod change;
pub(crate) mod create;
pub(crate) mod hand_over;
pub(crate) mod history;
pub(crate) mod leave;
pub(crate) mod list;
pub(crate) mod media;
pub(crate) mod members;
pub(crate) mod message;
pub(crate) mod moves;
mod named;
mod people;
mod title;
mod unchanged;
pub(crate) mod unresolved;

pub(crate) use named::id as today;
pub(crate) use named::meant;
