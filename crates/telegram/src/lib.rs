//! Telegram user accounts: their sessions and connections, their health, what they know, and sending through them.
//!
//! A [`Pool`] holds all accounts of the settings. Each account has lines, one for each session; a line connects by
//! itself, stays connected, and has a state and a reason when it cannot. The pool implements
//! [`delivery::Sender`]: it says who could carry a message, carries one part, and looks whether one arrived.
//!
//! * `session` reads keys; `wire` and `line` keep a connection up; `health` and `classify` decide what answers mean.
//! * `peers`, `dialogs`, `updates` and `lookup` are what an account knows, and how it learns it.
//! * `router` chooses; `candidates` asks it; `send`, `find` and `mention` do the work for the delivery.

mod account;
mod candidates;
mod classify;
mod dialogs;
mod entities;
mod find;
mod flights;
mod health;
mod holds;
mod learned;
mod line;
mod lookup;
mod mention;
mod peers;
mod pool;
mod recent;
mod router;
mod send;
mod sender;
mod session;
mod standing;
mod updates;
mod view;
mod wire;

pub use pool::{ActError, Action, Pool, StartError, UnknownAction};
pub use send::FAILPOINTS;
pub use view::{AccountView, Gap, LineView, UpdatesView};
