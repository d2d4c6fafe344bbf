//! Accounts whose sessions another side of a move has given up, and which are opened here one by one.

use std::collections::BTreeSet;

use domain::AccountName;
use store::StoreError;

use crate::account::Account;
use crate::pool::Pool;
use ambient::lock::Mutex;

/// The accounts that are not opened yet: their lines wait as those that connect.
#[derive(Debug, Default)]
pub(crate) struct Fenced(Mutex<BTreeSet<AccountName>>);

impl Fenced {
    pub(crate) fn new(accounts: Vec<AccountName>) -> Self {
        Self(Mutex::new(accounts.into_iter().collect()))
    }

    pub(crate) fn has(&self, account: &AccountName) -> bool {
        self.0.lock().contains(account)
    }

    fn open(&self, account: &AccountName) {
        self.0.lock().remove(account);
    }
}

impl Pool {
    /// Lets an account have its sessions; it is in the store first.
    pub(crate) async fn open_fenced(&self, account: &Account) -> Result<(), StoreError> {
        if !self.running.fenced.has(&account.name) {
            return Ok(());
        }
        self.store.fences().open(&account.name, self.clock.now()).await?;
        self.running.fenced.open(&account.name);
        account.lines().iter().for_each(|line| line.fence(false));
        tracing::info!(account = %account.name, "its sessions are opened on this side");
        Ok(())
    }
}
