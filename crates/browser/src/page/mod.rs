//! The decisions about the page, pure, on facts that a script gathered.

mod facts;
mod ladder;
mod opening;
mod ready;
#[cfg(test)]
mod recorded;
mod restriction;
mod search;
mod sending;
mod state;
mod text;

pub use facts::{Chat, Facts, Message, Mid, Popup, PopupKind, Preview, Row, Unread};
pub(crate) use ladder::Rung;
pub(crate) use opening::{Opening, is_open};
pub(crate) use ready::{ready, still_in};
pub use restriction::Restriction;
pub(crate) use search::{Settling, named};
pub use sending::Held;
pub(crate) use sending::{Progress, Sending, found_again, is_it, progress};
pub(crate) use state::page;
pub use state::{Card, Page};
pub use text::TextFault;
pub(crate) use text::{checked, same};
