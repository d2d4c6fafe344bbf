//! The registry of chats: those that were made or left here, and those that some account is in.

pub(crate) mod names;
mod registry;
pub(crate) mod unresolved;

use std::collections::BTreeMap;

use domain::saga::{Failover, RegistryChange};
use domain::{AccountName, ChatId, OperationId, Timestamp};

pub use names::ChatNames;
pub(crate) use names::in_json;
pub(crate) use registry::{apply, migrate, statements};
pub(crate) use unresolved::{Missed, count};
pub use unresolved::{Unresolved, UnresolvedCaller, UnresolvedChat};

use crate::paging::{Page, Paged};
use crate::peers::PeerKind;
use crate::{Store, StoreError};

/// Whether a chat is still one of ours.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChatState {
    /// It is.
    Active,
    /// It was left on purpose.
    Left,
}

domain::enum_words!(ChatState);

/// What is known of a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatRecord {
    /// The chat.
    pub chat_id: ChatId,
    /// Its title.
    pub title: Option<String>,
    /// Its description, if it was set here.
    pub about: Option<String>,
    /// What it is.
    pub kind: Option<PeerKind>,
    /// Whether it is still one of ours.
    pub state: ChatState,
    /// The account it is bound to.
    pub account: Option<AccountName>,
    /// The accounts that are known to be in it.
    pub accounts: Vec<AccountName>,
    /// Its invite link, if one was made here.
    pub invite_link: Option<String>,
    /// The saga that made it.
    pub operation: Option<OperationId>,
    /// When it was made here.
    pub created_at: Option<Timestamp>,
    /// When it was left.
    pub left_at: Option<Timestamp>,
}

/// Which chats to list; all of them without any condition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ChatFilter {
    /// Bound to this account, or known to have it in them.
    pub account: Option<AccountName>,
    /// In this state.
    pub state: Option<ChatState>,
    /// Of this kind.
    pub kind: Option<PeerKind>,
    /// With this in their title or name, public name, number or phone; people are among them then.
    pub q: Option<String>,
}

/// The registry's part of a store.
#[derive(Clone, Copy)]
pub struct Chats<'a> {
    pub(crate) store: &'a Store,
}

impl Chats<'_> {
    /// Chats that were made, changed or left here, and groups, supergroups and channels that some account is in, by
    /// chat id, a page at a time. A basic group that became a supergroup is listed as that.
    pub async fn list(&self, filter: &ChatFilter, page: &Page) -> Result<Paged<ChatRecord>, StoreError> {
        let (filter, page) = (filter.clone(), page.clone());
        self.store.read(move |connection| registry::list(connection, &filter, &page)).await
    }

    /// One chat; a private dialog, too, if some account has it.
    pub async fn get(&self, chat_id: ChatId) -> Result<Option<ChatRecord>, StoreError> {
        self.store.read(move |connection| registry::get(connection, chat_id)).await
    }

    /// What people call these chats, as far as it is known.
    pub async fn names(&self, chats: Vec<ChatId>) -> Result<BTreeMap<ChatId, ChatNames>, StoreError> {
        self.store.read(move |connection| names::named(connection, &chats)).await
    }

    /// The chats and people that a text names: by a part of the title, name or public name, by the number or the phone.
    pub async fn find(&self, text: &str) -> Result<Vec<ChatId>, StoreError> {
        let text = text.to_owned();
        self.store.read(move |connection| names::find(connection, &text)).await
    }

    /// Changes the registry, all of it or nothing.
    pub async fn change(&self, changes: Vec<RegistryChange>, at: Timestamp) -> Result<(), StoreError> {
        self.store.write(registry::Change { changes, at }).await
    }

    /// Gives chats to other accounts by hand, each with its failover.
    pub async fn move_by_hand(&self, moves: Vec<Failover>) -> Result<(), StoreError> {
        self.store.write(registry::MoveByHand { moves }).await
    }

    /// The chats that were left, by chat id.
    pub async fn left(&self) -> Result<Vec<ChatId>, StoreError> {
        self.store.read(|connection| registry::ids(connection, statements::LEFT, ())).await
    }

    /// The chats that were made here with exactly this title, by chat id.
    pub async fn titled(&self, title: &str) -> Result<Vec<ChatId>, StoreError> {
        let title = title.to_owned();
        self.store.read(move |connection| registry::ids(connection, statements::TITLED, [title])).await
    }
}
