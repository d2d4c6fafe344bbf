//! A Telegram bot, by its token: texts with inline buttons, updates by long polling or by webhook.

mod client;
pub(crate) mod error;
mod keyboard;
mod update;
mod webhook;

pub use client::{Bot, Me};
pub use error::BotError;
pub use keyboard::{Button, Keyboard, WrongButton};
pub use update::{Chat, Happening, MessageIn, Press, Update, User};
pub use webhook::{HookSecret, Unreadable, is_genuine, read_update};

/// The address of Telegram's own Bot API.
pub const API: &str = "https://api.telegram.org";

/// The longest text of a message, in UTF-16 units.
pub const LONGEST_TEXT: usize = 4_096;
/// The longest answer to a press, in UTF-16 units.
pub const LONGEST_ANSWER: usize = 200;
