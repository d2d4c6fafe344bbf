//! The pretend Telegram behind the wire: users, chats, messages, updates, methods, faults, the ledger. It knows no sockets.

mod access;
mod accounts;
mod admission;
mod authorizations;
mod calls;
mod chats;
mod context;
mod demo;
mod faults;
mod identities;
mod ledger;
mod mailbox;
mod membership;
mod mentions;
mod message;
mod methods;
mod orders;
mod outside;
mod peer;
mod people;
mod posting;
mod render;
mod rpc;
mod sessions;
mod state;
mod update_log;
mod world;

pub use calls::{CallCount, UnknownMethod};
pub use faults::{ActiveFault, FaultError, FaultName, FaultOrder};
pub(crate) use identities::string_session;
pub use ledger::Entry;
pub use orders::{
    Button, ChatMember, ChatView, Edit, MemberOrder, NewAccount, NewBlock, NewMessage, OutsideError, Removal,
    Standing, Written,
};
pub use peer::Peer;
pub use people::{Account, Line};
pub use state::Centre;
pub(crate) use state::MadeSession;
pub use world::{Telegram, WorldOptions};
