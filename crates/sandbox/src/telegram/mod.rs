//! The pretend Telegram behind the wire: users, chats, messages, updates, methods, faults, the ledger. It knows no sockets.

mod access;
mod accounts;
mod admission;
mod attention;
mod authorizations;
mod bots;
mod brought;
mod calls;
mod chats;
mod context;
mod demo;
mod faults;
mod files;
mod foundation;
mod identities;
mod ledger;
mod mailbox;
mod membership;
mod mentions;
mod message;
mod methods;
mod migration;
mod orders;
mod outside;
mod peer;
mod people;
mod posting;
mod privacy;
mod quiet;
mod render;
mod rights;
mod rpc;
mod sessions;
mod signing;
mod state;
mod update_log;
mod usernames;
mod web_k;
mod world;

pub use attention::AttentionView;
pub(crate) use bots::answered;
pub use bots::{
    AnswerKind, AnswerOrder, Deed, Key, MadeBot, NewBot, NewTrip, OutsidePress, Play, Played, Rule, Rules,
    Storm, Trip, TroubleOrder, Words,
};
pub use calls::{CallCount, UnknownMethod};
pub use demo::clients;
pub use faults::{ActiveFault, FaultError, FaultName, FaultOrder};
pub use files::FileKind;
pub(crate) use identities::string_session;
pub use ledger::{Entry, MediaNote, PressNote};
pub use orders::{
    Button, ChatKind, ChatMember, ChatName, ChatView, Edit, Expired, FileView, MemberOrder, MessageView,
    NewAccount, NewBlock, NewChat, NewContact, NewFile, NewMessage, NewRead, NewUsername, OutsideError,
    Reactions, Removal, Restriction, UserName, Written,
};
pub use peer::Peer;
pub use people::{Account, Line};
pub use privacy::{Invites, Privacy};
pub use quiet::Quiet;
pub use signing::{ExpiredCodes, SentCode, SignInRules, TokenOrder, Way};
pub use state::Centre;
pub(crate) use state::MadeSession;
pub(crate) use web_k::{Chat, Results, WebOutcome, WebText};
pub use web_k::{LogIn, LoggedIn};
pub(crate) use world::now;
pub use world::{Telegram, WorldOptions};
