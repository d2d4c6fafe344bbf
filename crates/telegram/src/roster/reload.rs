//! The accounts of the settings, which come, go and change while the program runs.

use std::sync::Arc;
use std::time::Duration;

use config::{AccountSettings, PrivateDialogs};
use domain::AccountName;
use ipnet::IpNet;
use store::{StoredAccount, Switch};

use super::{Definition, RosterError};
use crate::account::Account;
use crate::account::view::AccountSource;
use crate::pool::{self, Pool};
use crate::routing::dialog_moves::MoveRule;

impl Pool {
    /// Brings the accounts of the settings to what these say; answers those that stay as they were, and why.
    ///
    /// # Errors
    /// The program is ending.
    pub async fn reload(
        self: &Arc<Self>,
        settings: &[AccountSettings],
    ) -> Result<Vec<(AccountName, RosterError)>, RosterError> {
        let wanted: Vec<_> = settings.iter().map(Definition::of_settings).collect();
        self.change(move |pool| async move {
            let mut failed = Vec::new();
            for account in pool.all().iter() {
                let is_named = wanted.iter().any(|definition| definition.name == account.name);
                if account.definition().source == AccountSource::Settings
                    && !is_named
                    && let Err(error) = pool.give_up(account).await
                {
                    failed.push((account.name.clone(), error));
                }
            }
            for definition in wanted {
                let name = definition.name.clone();
                let done = match pool.get(&name) {
                    Some(account) if account.definition().is_same_as(&definition) => Ok(()),
                    Some(account) => pool.redefine(&account, definition).await,
                    None => pool.take_in(definition).await,
                };
                if let Err(error) = done {
                    failed.push((name, error));
                }
            }
            Ok(failed)
        })
        .await
    }

    /// What becomes of private dialogs from now on, and for how long a caller is held.
    pub fn move_dialogs(&self, private_dialogs: PrivateDialogs, hold: Duration) {
        *self.move_rule.write() = MoveRule { private_dialogs, hold };
        self.changes.tell();
    }

    /// The private networks that a proxy may be in from now on which is named over the API.
    pub fn allow_private_proxies(&self, networks: Vec<IpNet>) {
        self.builder.proxies.set(networks);
    }

    async fn take_in(&self, definition: Definition) -> Result<(), RosterError> {
        let name = definition.name.clone();
        let stored = pool::stored_keys(&self.store).await?.remove(&name).unwrap_or_default();
        let switches = self.store.accounts().switches().await?;
        let switch =
            switches.into_iter().find(|(of, _)| *of == name).map_or(Switch::On, |(_, switch)| switch);
        self.install(definition, stored, switch).await?;
        self.restore(|of| *of == name).await?;
        tracing::info!(account = %name, "added by the settings");
        Ok(())
    }

    async fn redefine(&self, account: &Account, after: Definition) -> Result<(), RosterError> {
        let before = account.definition();
        let connects_otherwise = before.connects_otherwise(&after);
        account.define(after);
        if before.limits != account.definition().limits {
            account.pace.limit(account.definition().limits).await?;
        }
        self.slots.sort();
        if connects_otherwise {
            self.arrange(account, true).await?;
        }
        self.changes.tell();
        tracing::info!(account = %account.name, "changed by the settings");
        Ok(())
    }

    /// Takes an account out that the settings no longer name. What the store has of it stays, for an account of its name.
    async fn give_up(&self, account: &Arc<Account>) -> Result<(), RosterError> {
        let name = &account.name;
        self.logins.forget(name);
        self.slots.remove(name);
        self.registry.orphan(account.index, name);
        account.closing.cancel();
        if let Err(error) = self.close_lines(account, &account.lines()).await {
            // Nothing is opened beside a connection that may be alive.
            self.registry.adopt(name, account.index);
            self.slots.add(Arc::clone(account));
            self.changes.tell();
            return Err(error);
        }
        let added = self.store.accounts().added().await?;
        if let Some(added) = added.into_iter().find(|added: &StoredAccount| added.name == *name) {
            // It was added under this name before the settings had it.
            self.install(Definition::of_store(added), account.stored(), account.switch()).await?;
            self.restore(|of| of == name).await?;
        }
        self.changes.tell();
        tracing::info!(account = %name, "the settings no longer name it");
        Ok(())
    }
}
