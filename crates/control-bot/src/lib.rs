//! Control bots: Telegram bots through which a few people see flows and switch them.
//!
//! [`Ask`] is what a person wants, read from a command or a button. What is said and done about it is decided by a pure function,
//! `answer`. The rest is a loop that hears (by polling, or from a webhook), does, says, and
//! writes into the audit log.

mod answer;
mod ask;
mod bot;
mod webhook;
mod words;

pub use ask::Ask;
pub use bot::ControlBot;
pub use webhook::{Inbox, routes};
