//! What the store's registry says of chats, kept in memory: whose each is, which were left, which became another one.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};

use domain::saga::RegistryChange;
use domain::{AccountName, ChatId, ChatKind};

use ambient::lock::RwLock;

/// The account that a chat belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bound {
    /// One that is there, by its place.
    To(usize),
    /// One that is not there any more.
    ToMissing(AccountName),
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    bindings: RwLock<HashMap<ChatId, Bound>>,
    left: RwLock<HashSet<ChatId>>,
    migrations: RwLock<HashMap<ChatId, ChatId>>,
    creators_stay: AtomicBool,
}

impl Registry {
    pub(crate) fn new(
        bindings: HashMap<ChatId, Bound>,
        left: HashSet<ChatId>,
        migrations: HashMap<ChatId, ChatId>,
    ) -> Self {
        Self {
            bindings: RwLock::new(bindings),
            left: RwLock::new(left),
            migrations: RwLock::new(migrations),
            creators_stay: AtomicBool::new(false),
        }
    }

    pub(crate) fn bound(&self, chat_id: ChatId) -> Option<Bound> {
        self.bindings.read().get(&chat_id).cloned()
    }

    /// The first account that sends into a chat keeps it.
    pub(crate) fn bind_first(&self, chat_id: ChatId, account: usize) {
        if self.bound(chat_id).is_none() {
            let mut bindings = self.bindings.write();
            bindings.entry(chat_id).or_insert(Bound::To(account));
        }
    }

    pub(crate) fn rebind(&self, chat_id: ChatId, bound: Bound) {
        self.bindings.write().insert(chat_id, bound);
    }

    /// An account came: what was bound to its name is bound to it.
    pub(crate) fn adopt(&self, name: &AccountName, index: usize) {
        let mut bindings = self.bindings.write();
        for bound in
            bindings.values_mut().filter(|bound| matches!(bound, Bound::ToMissing(gone) if gone == name))
        {
            *bound = Bound::To(index);
        }
    }

    /// An account is gone: what was bound to it is bound to its name alone.
    pub(crate) fn orphan(&self, index: usize, name: &AccountName) {
        let mut bindings = self.bindings.write();
        for bound in bindings.values_mut().filter(|bound| **bound == Bound::To(index)) {
            *bound = Bound::ToMissing(name.clone());
        }
    }

    /// The private dialogs that belong to an account: by its place, or by its name once it is gone.
    pub(crate) fn private_dialogs(&self, account: &Bound) -> Vec<ChatId> {
        let bindings = self.bindings.read();
        let of_account = bindings.iter().filter(|(_, bound)| *bound == account).map(|(chat_id, _)| *chat_id);
        let mut chats: Vec<_> = of_account.filter(|chat_id| chat_id.kind() == ChatKind::User).collect();
        chats.sort_unstable();
        chats
    }

    /// Telegram did not let the account that made a chat leave it: so it will be with the others.
    pub(crate) fn note_creators_stay(&self) {
        self.creators_stay.store(true, Ordering::Relaxed);
    }

    /// Whether Telegram is known not to let accounts leave the chats that they made.
    pub(crate) fn creators_stay(&self) -> bool {
        self.creators_stay.load(Ordering::Relaxed)
    }

    pub(crate) fn is_left(&self, chat_id: ChatId) -> bool {
        self.left.read().contains(&chat_id)
    }

    /// Takes a change over; `place` finds an account's place.
    pub(crate) fn change(&self, change: &RegistryChange, index_of: impl Fn(&AccountName) -> Option<usize>) {
        let left = || self.left.write();
        match change {
            RegistryChange::Created { chat_id, account, .. } | RegistryChange::Bound { chat_id, account } => {
                self.rebind(
                    *chat_id,
                    index_of(account).map_or_else(|| Bound::ToMissing(account.clone()), Bound::To),
                );
                left().remove(chat_id);
            }
            RegistryChange::Left { chat_id } => {
                self.bindings.write().remove(chat_id);
                left().insert(*chat_id);
            }
            RegistryChange::Linked { .. } | RegistryChange::Edited { .. } => {}
        }
    }

    pub(crate) fn today(&self, chat_id: ChatId) -> ChatId {
        let migrations = self.migrations.read();
        migrations.get(&chat_id).copied().unwrap_or(chat_id)
    }

    /// A basic group became a supergroup: its binding goes over. Returns whether that is news.
    pub(crate) fn migrated(&self, from: ChatId, to: ChatId) -> bool {
        if self.today(from) == to || from == to {
            return false;
        }
        self.migrations.write().insert(from, to);
        let mut bindings = self.bindings.write();
        if let Some(bound) = bindings.remove(&from) {
            bindings.entry(to).or_insert(bound);
        }
        drop(bindings);
        let mut left = self.left.write();
        if left.remove(&from) {
            left.insert(to);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> AccountName {
        text.parse().expect("a name")
    }

    #[test]
    fn the_first_keeps_a_chat_until_it_is_bound_again_or_left() {
        let (registry, chat) = (Registry::default(), ChatId::channel(5).expect("id"));
        registry.bind_first(chat, 1);
        registry.bind_first(chat, 2);
        assert_eq!(registry.bound(chat), Some(Bound::To(1)));
        let index_of = |account: &AccountName| (account.as_str() == "main").then_some(0);
        registry.change(&RegistryChange::Left { chat_id: chat }, index_of);
        assert_eq!((registry.bound(chat), registry.is_left(chat)), (None, true));
        registry.change(&RegistryChange::Bound { chat_id: chat, account: name("main") }, index_of);
        assert_eq!((registry.bound(chat), registry.is_left(chat)), (Some(Bound::To(0)), false));
        registry.change(&RegistryChange::Bound { chat_id: chat, account: name("gone") }, index_of);
        assert_eq!(registry.bound(chat), Some(Bound::ToMissing(name("gone"))));
    }

    #[test]
    fn bindings_of_a_removed_account_wait_for_its_name() {
        let (registry, chat) = (Registry::default(), ChatId::channel(5).expect("id"));
        registry.bind_first(chat, 1);
        registry.orphan(0, &name("other"));
        assert_eq!(registry.bound(chat), Some(Bound::To(1)));
        registry.orphan(1, &name("main"));
        assert_eq!(registry.bound(chat), Some(Bound::ToMissing(name("main"))));
        registry.adopt(&name("other"), 2);
        registry.adopt(&name("main"), 3);
        assert_eq!(registry.bound(chat), Some(Bound::To(3)));
    }

    #[test]
    fn group_bindings_pass_to_the_supergroup() {
        let registry = Registry::default();
        let (from, to) = (ChatId::group(5).expect("id"), ChatId::channel(6).expect("id"));
        registry.bind_first(from, 3);
        assert_eq!(registry.today(from), from);
        assert!(registry.migrated(from, to));
        assert!(!registry.migrated(from, to));
        assert_eq!((registry.today(from), registry.today(to)), (to, to));
        assert_eq!((registry.bound(from), registry.bound(to)), (None, Some(Bound::To(3))));
    }
}
