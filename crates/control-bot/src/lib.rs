//! Control bots: Telegram bots, or accounts, through which a few people see flows and switch them.
//!
//! [`Ask`] is what a person wants, read from a command, a button or a number. What is said and done about it is decided by a
//! pure function, `answer`. People are heard and answered over one of two channels: a Telegram bot (by polling, or from a webhook) or
//! an account. The rest is a loop that hears, does, says, and writes into the audit log.

mod account;
mod answer;
mod ask;
mod bot;
mod channel;
mod numbered;
mod report;
mod telegram_bot;
mod webhook;
mod words;

pub use ask::Ask;
pub use bot::{ControlBot, ControlBotError, ControlParts};
pub use webhook::{Inbox, Inboxes};

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as control_bot;
#[cfg(test)]
mod it;
