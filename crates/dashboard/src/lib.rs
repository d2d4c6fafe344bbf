//! Pages for people: what the program does, live, in English and Russian. What they show and do goes through typed views and
//! the API; here is neither SQL nor Telegram.

#![expect(clippy::ref_option_ref, reason = "templates hand the arguments of their macros on by reference")]

mod accounts;
mod ask;
mod assets;
mod campaigns;
mod channels;
mod chats;
mod dashboard;
mod diagnostics;
mod doubt;
mod failed;
mod failovers;
mod flows;
mod inbox;
mod listing;
mod live;
mod logs;
mod messages;
mod operations;
mod overview;
mod page;
mod pipeline;
mod profiles;
mod routes;
mod settings;
mod sign_in;
mod view;
mod visitor;
mod webhooks;
mod words;

pub use dashboard::Dashboard;
pub use routes::router;
