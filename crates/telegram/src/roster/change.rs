//! Adding, changing and removing accounts while the program runs.

use std::sync::Arc;

use domain::AccountName;
use domain::account::AccountState;
use store::{OwnerlessSession, Switch};

use super::{AccountChange, Definition, NewAccount, RosterError, StoredKey, run};
use crate::account::Account;
use crate::account::view::{AccountSource, AccountView};
use crate::pool::Pool;

impl Pool {
    /// Adds an account. It has no session yet: give it one, or sign in.
    pub async fn add_account(self: &Arc<Self>, new: NewAccount) -> Result<AccountView, RosterError> {
        let definition = Definition::of_new(new, &self.builder.proxies)?;
        self.change(move |pool| async move { pool.add(definition).await }).await
    }

    async fn add(&self, definition: Definition) -> Result<AccountView, RosterError> {
        let name = definition.name.clone();
        let is_taken = self.get(&name).is_some() || self.reserved.read().contains(&name);
        if is_taken || !self.store.accounts().add(&definition.to_stored()).await? {
            return Err(RosterError::NameTaken(name));
        }
        let account = self.install(definition, Vec::new(), Switch::On).await?;
        tracing::info!(account = %name, "added");
        Ok(AccountView::of(&account))
    }

    pub(super) async fn install(
        &self,
        definition: Definition,
        stored: Vec<StoredKey>,
        switch: Switch,
    ) -> Result<Arc<Account>, RosterError> {
        let (account, arrived) = self.builder.account(self.slots.next(), definition, stored, switch).await?;
        let account = Arc::new(account);
        self.registry.adopt(&account.name, account.index);
        self.slots.add(Arc::clone(&account));
        run(&self.running, &account, arrived);
        // It may know what no one knew.
        self.lookups.forget_misses();
        self.changes.tell();
        Ok(account)
    }

    fn own(&self, name: &AccountName) -> Result<Arc<Account>, RosterError> {
        let account = self.get(name).ok_or_else(|| RosterError::NoSuchAccount(name.clone()))?;
        match account.definition().source {
            AccountSource::Store => Ok(account),
            AccountSource::Settings => Err(RosterError::ReadOnly(name.clone())),
        }
    }

    /// Changes what is said of an account. Its connections are made again only when they have to be.
    pub async fn change_account(
        self: &Arc<Self>,
        name: &AccountName,
        change: AccountChange,
    ) -> Result<AccountView, RosterError> {
        let name = name.clone();
        self.change(move |pool| async move {
            let account = pool.own(&name)?;
            let before = account.definition();
            let after = before.changed(change, &pool.builder.proxies)?;
            if !pool.store.accounts().change(&after.to_stored()).await? {
                return Err(RosterError::NoSuchAccount(name));
            }
            let reconnects = before.connects_otherwise(&after);
            let is_limited_otherwise = before.limits != after.limits;
            account.define(after);
            if is_limited_otherwise {
                account.pace.limit(account.definition().limits).await?;
            }
            pool.slots.sort();
            if reconnects {
                pool.arrange(&account, true).await?;
            }
            pool.changes.tell();
            tracing::info!(account = %name, "changed");
            Ok(AccountView::of(&account))
        })
        .await
    }

    /// Takes an account out. Its connections are closed first; its sessions that may be alive are kept without an
    /// owner; chats that are bound to it wait for an account of its name.
    pub async fn remove_account(
        self: &Arc<Self>,
        name: &AccountName,
        force: bool,
    ) -> Result<(), RosterError> {
        let name = name.clone();
        self.change(move |pool| async move { pool.remove(&name, force).await }).await
    }

    async fn remove(&self, name: &AccountName, force: bool) -> Result<(), RosterError> {
        let account = self.own(name)?;
        if !force {
            let count = self.store.accounts().open_work(name).await?;
            if count > 0 {
                return Err(RosterError::MessagesInProgress { account: name.clone(), count });
            }
        }
        self.logins.forget(name);
        let keep = left_over(&account, |_| true, "the account was removed");
        // Out of reach first, so that nothing more is begun; what it knew is forgotten when nothing can write it again.
        self.slots.remove(name);
        self.registry.orphan(account.index, name);
        account.closing.cancel();
        let removed = match self.close_lines(&account, &account.lines()).await {
            Ok(()) => self.store.accounts().remove(name, &keep).await.map_err(RosterError::from),
            Err(error) => Err(error),
        };
        if let Err(error) = removed {
            if matches!(error, RosterError::NotClosed(_)) {
                // Nothing is opened beside a connection that may be alive. It is there to be taken out again.
                self.registry.adopt(name, account.index);
                self.slots.add(account);
                self.changes.tell();
            } else {
                let (definition, switch) = (Definition::clone(&account.definition()), account.switch());
                self.install(definition, account.stored(), switch).await?;
            }
            return Err(error);
        }
        self.changes.tell();
        tracing::info!(account = %name, "removed");
        Ok(())
    }
}

/// The sessions of the store that an account gives up, and that may be alive.
pub(super) fn left_over(
    account: &Account,
    given_up: impl Fn(&StoredKey) -> bool,
    why: &str,
) -> Vec<OwnerlessSession> {
    let is_lost = |key: &StoredKey| {
        let origin = crate::line::Origin::Stored(key.key.fingerprint());
        let lines = account.lines();
        let line = lines.iter().find(|line| line.origin() == origin);
        line.is_some_and(|line| matches!(line.state(), AccountState::NeedsLogin | AccountState::Banned))
    };
    let person = account.health.person();
    let left = account.stored().into_iter().filter(|key| given_up(key) && !is_lost(key));
    left.map(|StoredKey { key, .. }| {
        let copy = key.copy();
        OwnerlessSession {
            fingerprint: key.fingerprint(),
            dc_id: copy.dc_id,
            auth_key: copy.key,
            user: person.clone().filter(|person| key.user_id.is_none_or(|user_id| user_id == person.user_id)),
            origin: format!("account {}: {why}", account.name),
        }
    })
    .collect()
}
