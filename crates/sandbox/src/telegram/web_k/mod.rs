//! Telegram as the page of Web K shows it to an account: who is logged in in which browser, chats, what is sent there.

mod sending;
mod sessions;
mod view;

pub(crate) use sending::{WebOutcome, WebText};
pub(crate) use sessions::WebSessions;
pub use sessions::{LogIn, LoggedIn};
pub(crate) use view::{Chat, Results};
