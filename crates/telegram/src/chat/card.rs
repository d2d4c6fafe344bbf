//! What memory knows of a chat, without asking anyone.

use domain::account::Reason;
use domain::{AccountName, ChatId, ChatKind, ChatRef, Username};
use store::PeerKind;

use crate::peers::PeerRelation;
use crate::pool::Pool;
use crate::routing::dialog_moves::{CannotTake, may_take};
use crate::routing::registry::Bound;

/// A chat as the accounts know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChatInfo {
    pub chat_id: ChatId,
    pub title: String,
    pub username: Option<Username>,
    pub kind: PeerKind,
    /// The accounts that are in it, best first.
    pub accounts: Vec<AccountName>,
}

/// Why a chat cannot be bound to an account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BindError {
    #[error("there is no account {0}")]
    NoSuchAccount(AccountName),
    #[error("the account {account} is not in the chat")]
    NotInChat { account: AccountName, members: Vec<AccountName> },
    #[error("{account} {why}")]
    CannotTake { account: AccountName, why: CannotTake },
}

impl Pool {
    /// What memory knows of a chat; `None` when no account knows it.
    pub fn chat_info(&self, chat: &ChatRef) -> Option<ChatInfo> {
        let chat_id = self.find(chat)?;
        let accounts = self.accounts_in(chat_id);
        let first = self.bound(chat_id).and_then(|index| self.at(index));
        let all = self.all();
        let known = first.iter().chain(all.iter()).find_map(|account| account.peers.get(chat_id))?;
        Some(ChatInfo { chat_id, title: known.title, username: known.username, kind: known.kind, accounts })
    }

    pub fn is_left(&self, chat: &ChatRef) -> bool {
        self.find(chat).is_some_and(|chat_id| self.registry.is_left(chat_id))
    }

    pub fn accounts_in(&self, chat_id: ChatId) -> Vec<AccountName> {
        let chat_id = self.registry.today(chat_id);
        let all = self.all();
        let inside = all.iter().filter(|account| account.peers.relation(chat_id) == PeerRelation::Dialog);
        inside.map(|account| account.name.clone()).collect()
    }

    /// The account that a chat goes through, also one that is no longer there.
    pub fn account_of(&self, chat_id: ChatId) -> Option<AccountName> {
        match self.registry.bound(self.registry.today(chat_id))? {
            Bound::To(place) => self.at(place).map(|account| account.name.clone()),
            Bound::ToMissing(name) => Some(name),
        }
    }

    /// The private dialogs that go through an account, also through one that is no longer there.
    pub fn private_dialogs_of(&self, account: &AccountName) -> Vec<ChatId> {
        let bound = self.index(account).map_or_else(|| Bound::ToMissing(account.clone()), Bound::To);
        self.registry.private_dialogs(&bound)
    }

    /// Whether a chat may be bound to this account. Changes nothing: the change is the store's, and is then reported
    /// through [`delivery::Steps::registered`].
    pub fn bind(&self, chat_id: ChatId, account: &AccountName) -> Result<(), BindError> {
        let taker = self.get(account).ok_or_else(|| BindError::NoSuchAccount(account.clone()))?;
        let relation = taker.peers.relation(self.registry.today(chat_id));
        if chat_id.kind() == ChatKind::User {
            let peer_flood = taker.health.restriction() == Some(Reason::PeerFlood);
            let has_public_name = taker.names.of(chat_id).is_some();
            return may_take(taker.is_lost(), relation, has_public_name, peer_flood)
                .map_err(|why| BindError::CannotTake { account: account.clone(), why });
        }
        if relation == PeerRelation::Dialog {
            return Ok(());
        }
        Err(BindError::NotInChat { account: account.clone(), members: self.accounts_in(chat_id) })
    }
}
