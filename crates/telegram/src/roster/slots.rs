//! Places of accounts: each account keeps its own as long as the program runs, and an empty one is never given again.

use std::collections::HashMap;
use std::sync::Arc;

use domain::AccountName;

use crate::account::Account;
use ambient::lock::RwLock;

/// All accounts, by place and by name. Anyone who goes through them has a list that does not change meanwhile.
#[derive(Default)]
pub(crate) struct Slots(RwLock<Inner>);

#[derive(Default)]
struct Inner {
    by_index: Vec<Option<Arc<Account>>>,
    by_name: HashMap<AccountName, usize>,
    /// Those that are there, by priority, then by name.
    all: Arc<[Arc<Account>]>,
}

impl Inner {
    fn sort(&mut self) {
        let mut all: Vec<_> = self.by_index.iter().flatten().cloned().collect();
        all.sort_by(|a, b| (a.priority(), &a.name).cmp(&(b.priority(), &b.name)));
        self.all = all.into();
    }
}

impl Slots {
    /// The place of the next account. Anyone who asks is the only one who adds.
    pub(crate) fn next(&self) -> usize {
        self.0.read().by_index.len()
    }

    /// Adds an account, which was made for [`Slots::next`].
    pub(crate) fn add(&self, account: Arc<Account>) {
        let mut inner = self.0.write();
        let index = account.index;
        if inner.by_index.len() <= index {
            inner.by_index.resize(index + 1, None);
        }
        inner.by_name.insert(account.name.clone(), index);
        inner.by_index[index] = Some(account);
        inner.sort();
    }

    /// Takes an account out; its place stays empty.
    pub(crate) fn remove(&self, name: &AccountName) -> Option<Arc<Account>> {
        let mut inner = self.0.write();
        let index = inner.by_name.remove(name)?;
        let account = inner.by_index.get_mut(index)?.take();
        inner.sort();
        account
    }

    /// The order is another one: a priority changed.
    pub(crate) fn sort(&self) {
        self.0.write().sort();
    }

    pub(crate) fn all(&self) -> Arc<[Arc<Account>]> {
        Arc::clone(&self.0.read().all)
    }

    /// The account in a place, if it is still there.
    pub(crate) fn at(&self, index: usize) -> Option<Arc<Account>> {
        self.0.read().by_index.get(index)?.clone()
    }

    pub(crate) fn get(&self, name: &AccountName) -> Option<Arc<Account>> {
        let inner = self.0.read();
        inner.by_index.get(*inner.by_name.get(name)?)?.clone()
    }

    pub(crate) fn index_of(&self, name: &AccountName) -> Option<usize> {
        self.0.read().by_name.get(name).copied()
    }
}
