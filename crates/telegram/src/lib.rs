//! Telegram user accounts: their sessions and connections, their health, what they know, and sending through them.
//!
//! A [`Pool`] holds all accounts of the settings and of the store. Each account has lines, one for each session; a line connects by
//! itself, stays connected, and has a state and a reason when it cannot. The pool implements
//! [`delivery::Sender`]: it says who could carry a message, carries one part, and looks whether one arrived.
//!
//! * `roster` makes accounts, adds and removes them; `login` signs in with a fresh key.
//! * `session` reads keys; `line` keeps a connection of `mtproto` up; `health` and `classify` decide
//!   what answers mean.
//! * `peers`, `dialogs`, `updates` and `lookup` are what an account knows, and how it learns it; `registry` is what the
//!   store says of chats.
//! * [`router`] chooses; `candidates` asks it; `person` finds people by their numbers; `send`, `find`, `mention` and `steps` do the work for the delivery.
//! * `files` brings media up and down; `look` knows what was sent by what the history shows.
//! * [`import`] takes over sessions and records of other programs; `chat` looks at one chat; `services` can be stopped,
//!   and `silence` keeps their lines from asking anything.

mod account;
mod calls;
mod chat;
mod files;
pub mod import;
mod limits;
mod line;
mod login;
mod peers;
mod pool;
mod roster;
mod routing;
mod sending;
mod session;
mod steps;
mod updates;

pub use account::view::{AccountSource, AccountView, Gap, LimitsView, LineView, UpdatesView};
pub use calls::last_calls::{CallTrouble, LastCalls};
pub use calls::{CallResult, CallsCounted};
pub use chat::{
    BindError, ChangeError, Changed, ChatInfo, Edit, HistoryPage, HistoryView, MemberRole, MemberView,
    MembersPage, ReadError, Typing, UnknownTyping,
};
pub use files::{Download, DownloadError, DownloadOf, DownloadRange, FileShown};
pub use login::{CodeWay, How, LoginError, LoginFailure, LoginOptions, LoginState, Logins, SignedInAs};
pub use pool::services::{ServiceAction, ServiceView};
pub use pool::{ActError, Action, Pool, PoolParts, StartError, UnknownAction};
pub use roster::{AccountChange, NewAccount, OwnerlessView, RosterError, SessionKey};
pub use routing::dialog_moves::CannotTake;
pub use routing::router;
pub use routing::single_flight::LookupResult;
pub use sending::part::FAILPOINTS;
