//! Telegram user accounts: their sessions and connections, their health, what they know, and sending through them.
//!
//! A [`Pool`] holds all accounts of the settings and of the store. Each account has lines, one for each session; a line connects by
//! itself, stays connected, and has a state and a reason when it cannot. The pool implements
//! [`delivery::Sender`]: it says who could carry a message, carries one part, and looks whether one arrived.
//!
//! * `roster` makes accounts, adds and removes them; `login` signs in with a fresh key.
//! * `session` reads keys; `line` keeps a connection of `mtproto` up; `calls` counts calls and decides what their errors mean.
//! * `account` is one account with its health; `pool` is all of them: started, stopped, quiesced; `limits` are flood waits,
//!   `flood_clearing` gets rid of them.
//! * `peers` and `updates` are what an account knows, and how it learns it; `live` shows what comes in before that, and presses.
//! * `routing` chooses an account; `sending` and `steps` do the work for the delivery; `files` uploads and downloads media.
//! * [`import`] takes over sessions and records of other programs; `chat` is about one chat.

mod account;
mod calls;
mod chat;
mod files;
mod flood_clearing;
pub mod import;
mod limits;
mod line;
mod live;
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
pub use files::{Download, DownloadError, DownloadOf, DownloadRange, FileShown, FilesView};
pub use flood_clearing::{Clearing, ClearingError, ClearingView, FloodClearing, Phase};
pub use line::ConnectionThread;
pub use live::{Hand, LiveLine, PressAnswer, Sender, Sighting, Target, TargetError, Watcher};
pub use login::{CodeDelivery, How, LoginError, LoginFailure, LoginOptions, LoginState, Logins, SignedInAs};
pub use pool::monitor::Monitor;
pub use pool::services::{ServiceAction, ServiceView};
pub use pool::{ActError, Action, Pool, PoolParts, StartError, UnknownAction};
pub use roster::{AccountChange, NewAccount, OwnerlessView, RosterError, SessionKey};
pub use routing::dialog_moves::CannotTake;
pub use routing::router;
pub use routing::single_flight::LookupResult;
pub use sending::sender::CAPABILITIES;

/// The points on the way of a message, of an imported session and of a clearing of flood waits where a test can stop the
/// program.
pub const FAILPOINTS: &[&str] = &[
    "telegram.send.before",
    "telegram.send.after",
    "telegram.step.before",
    "telegram.step.after",
    "telegram.clearing.stopping",
    "telegram.clearing.stopped",
    "telegram.clearing.silent",
    "telegram.clearing.started",
    session_files::COPIED,
];

/// The name by which the tests in `it` call this crate.
#[cfg(test)]
extern crate self as telegram;
#[cfg(test)]
mod it;
