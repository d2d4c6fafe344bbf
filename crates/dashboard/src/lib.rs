//! Pages for people: what the program does, live, in English and Russian. What they show and do goes through typed views and
//! the API; here is neither SQL nor Telegram.

mod accounts;
mod ask;
mod assets;
mod chats;
mod dashboard;
mod diagnostics;
mod doubt;
mod failed;
mod failovers;
mod listing;
mod live;
mod logs;
mod messages;
mod operations;
mod overview;
mod page;
mod settings;
mod sign_in;
mod visitor;
mod words;

pub use crate::dashboard::{Dashboard, router};
