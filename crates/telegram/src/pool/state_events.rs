//! Events about accounts: each tick reports those whose shown state differs from the last one reported.

use std::collections::HashMap;
use std::time::Duration;

use domain::event::AccountEvent;
use domain::{AccountName, AccountState};

use super::Pool;

/// How often the states are looked at. What comes and goes within one tick is not reported.
const TICK: Duration = Duration::from_secs(1);

impl Pool {
    /// Reports changes for as long as it is polled. While the store takes nothing, the state is written later.
    pub async fn tell_states(&self) {
        let mut reported = HashMap::new();
        loop {
            self.clock.sleep(TICK).await;
            let accounts = self.all();
            let shown = accounts.iter().map(|account| (&account.name, account.shown().state));
            let changes = changes(&reported, shown);
            if changes.is_empty() {
                continue;
            }
            match self.store.events().account_states(changes.clone(), self.clock.now()).await {
                Ok(()) => reported.extend(changes.into_iter().map(|(name, change)| (name, change.state))),
                Err(error) => tracing::debug!(%error, "states of accounts are written later"),
            }
        }
    }
}

/// What is to be reported. An account begins as connecting, which is not reported.
fn changes<'a>(
    reported: &HashMap<AccountName, AccountState>,
    shown: impl Iterator<Item = (&'a AccountName, AccountState)>,
) -> Vec<(AccountName, AccountEvent)> {
    let change = |(name, state): (&AccountName, AccountState)| {
        let was = reported.get(name).copied();
        let is_new = was.unwrap_or(AccountState::Connecting) != state;
        is_new.then(|| (name.clone(), AccountEvent { state, was }))
    };
    shown.filter_map(change).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_last_reported_state_is_the_shown_one(
            ticks in proptest::collection::vec(proptest::collection::vec(0..AccountState::ALL.len(), 2), 1..20),
        ) {
            let names: Vec<AccountName> = ["main", "backup_1"].map(|name| name.parse().unwrap()).into();
            let mut reported = HashMap::new();
            for tick in ticks {
                let shown: Vec<_> = tick.iter().map(|state| AccountState::ALL[*state]).collect();
                for (name, change) in changes(&reported, names.iter().zip(shown.iter().copied())) {
                    prop_assert_ne!(Some(change.state), change.was);
                    prop_assert_eq!(change.was, reported.insert(name, change.state));
                }
                for (name, shown) in names.iter().zip(&shown) {
                    prop_assert_eq!(reported.get(name).unwrap_or(&AccountState::Connecting), shown);
                }
                prop_assert!(changes(&reported, names.iter().zip(shown.iter().copied())).is_empty());
            }
        }
    }
}
