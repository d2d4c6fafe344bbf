//! Telegram user accounts: their sessions and connections, their health, what they know, and sending through them.
//!
//! A [`Pool`] holds all accounts of the settings. Each account has lines, one for each session; a line connects by
//! itself, stays connected, and has a state and a reason when it cannot. The pool implements
//! [`delivery::Sender`]: it says who could carry a message, carries one part, and looks whether one arrived.
//!
//! * `session` reads keys; `wire` and `line` keep a connection up; `health` and `classify` decide what answers mean.
//! * `peers`, `dialogs`, `updates` and `lookup` are what an account knows, and how it learns it; `registry` is what the
//!   store says of chats.
//! * [`router`] chooses; `candidates` asks it; `send`, `find`, `mention` and `steps` do the work for the delivery.
//! * `chat` looks at one chat; `services` can be stopped.

mod account;
mod calls;
mod candidates;
mod chat;
mod classify;
mod dialogs;
mod entities;
mod find;
mod flights;
mod health;
mod holds;
mod invited;
mod learned;
mod line;
mod lookup;
mod mention;
mod peers;
mod pool;
mod recent;
mod registry;
pub mod router;
mod send;
mod sender;
mod services;
mod session;
mod standing;
mod steps;
mod updates;
mod view;
mod wire;

pub use calls::{CallResult, CallsCounted};
pub use chat::{
    BindError, ChatInfo, HistoryPage, HistoryView, MemberRole, MemberView, MembersPage, ReadError,
};
pub use flights::Looked;
pub use pool::{ActError, Action, Pool, StartError, UnknownAction};
pub use send::FAILPOINTS;
pub use services::{ServiceAction, ServiceView};
pub use view::{AccountView, Gap, LineView, UpdatesView};
