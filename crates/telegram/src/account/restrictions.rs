//! Restrictions that outlast a restart: an account that may make no new contacts may make none after it either.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use domain::account::Reason;
use domain::{AccountName, Timestamp};
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::account::health::AccountHealth;
use crate::pool::Pool;

/// How long after the store refused one it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

type Stored = HashMap<AccountName, (Reason, Timestamp)>;

/// Writes down what Telegram keeps accounts from, as soon as it is known.
pub(crate) async fn keep(pool: Weak<Pool>, closing: CancellationToken) {
    let mut kept = Stored::new();
    loop {
        let Some(here) = pool.upgrade() else { return };
        let mut changes = here.changes.subscribe();
        let clock = here.clock.clone();
        let all_stored = look(&here, &mut kept).await;
        drop(here);
        tokio::select! {
            () = closing.cancelled() => return,
            notified = changes.changed() => if notified.is_err() { return },
            () = clock.sleep(AGAIN), if !all_stored => {}
        }
    }
}

async fn look(pool: &Pool, kept: &mut Stored) -> bool {
    let mut all_stored = true;
    let all = pool.all();
    kept.retain(|name, _| all.iter().any(|account| account.name == *name));
    for account in all.iter() {
        if let Err(error) = write_down(&account.health, &pool.store, kept).await {
            tracing::warn!(account = %account.name, %error, "a restriction could not be stored");
            all_stored = false;
        }
    }
    all_stored
}

/// The restriction that outlasts a restart, if there is one.
fn lasting(health: &AccountHealth) -> Option<(Reason, Timestamp)> {
    health.restricted().filter(|(reason, _)| matches!(reason, Reason::PeerFlood | Reason::Frozen))
}

/// Writes one restriction down, unless it is.
async fn write_down(health: &AccountHealth, store: &Store, kept: &mut Stored) -> Result<(), StoreError> {
    match lasting(health) {
        Some(restriction) if kept.get(&health.name) == Some(&restriction) => Ok(()),
        Some(restriction) => write(health, store, restriction, kept).await,
        None => {
            // Anyone who started the account over has it taken out of the store.
            kept.remove(&health.name);
            Ok(())
        }
    }
}

async fn write(
    health: &AccountHealth,
    store: &Store,
    restriction: (Reason, Timestamp),
    kept: &mut Stored,
) -> Result<(), StoreError> {
    let (reason, since) = restriction;
    store.accounts().save_restriction(&health.name, reason, since).await?;
    match lasting(health) {
        Some(now) if now == restriction => drop(kept.insert(health.name.clone(), restriction)),
        // Another one is reported by a change, and written over this one.
        Some(_) => {}
        // It was lifted meanwhile, and must not come back with the next start.
        None => drop(store.accounts().lift_restriction(&health.name).await?),
    }
    Ok(())
}

/// Lifts whatever restriction there is, in the store and in memory, and forgets whose the account is: that is found out again.
pub(crate) async fn lift(health: &AccountHealth, store: &Store) -> Result<(), StoreError> {
    store.accounts().lift_restriction(&health.name).await?;
    forget(health, store).await;
    Ok(())
}

/// The second half of lifting: memory, and what was written down while memory still had it.
async fn forget(health: &AccountHealth, store: &Store) {
    health.start_over();
    if let Err(error) = store.accounts().lift_restriction(&health.name).await {
        tracing::warn!(account = %health.name, %error, "a restriction that was lifted may come back with the next start");
    }
}

#[cfg(test)]
mod tests {
    use ambient::{Chance, Clock};
    use store::{MasterKey, StoreOptions};

    use super::*;
    use crate::account::health::Changes;

    async fn open(folder: &tempfile::TempDir) -> (AccountHealth, Store) {
        let clock = Clock::system();
        let options = StoreOptions {
            data_dir: folder.path().to_owned(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(folder.path().join("master.key")),
        };
        let store = Store::open(options).await.expect("a store");
        let name = "main".parse().expect("a name");
        (AccountHealth::new(name, clock, Chance::from_seed(1), Changes::default()), store)
    }

    async fn stored(store: &Store) -> usize {
        store.accounts().restrictions().await.expect("readable").len()
    }

    #[tokio::test]
    async fn a_restriction_written_after_its_lifting_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (health, store) = open(&folder).await;
        let mut kept = Stored::new();
        health.restrict(Reason::PeerFlood);
        let read = lasting(&health).expect("there is one");
        lift(&health, &store).await.expect("lifted");
        write(&health, &store, read, &mut kept).await.expect("written");
        assert_eq!((stored(&store).await, kept.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_restriction_written_during_its_lifting_is_removed() {
        let folder = tempfile::tempdir().expect("a folder");
        let (health, store) = open(&folder).await;
        let mut kept = Stored::new();
        health.restrict(Reason::Frozen);
        // Between the two halves of lifting.
        store.accounts().lift_restriction(&health.name).await.expect("lifted");
        write_down(&health, &store, &mut kept).await.expect("written");
        assert_eq!(stored(&store).await, 1);
        forget(&health, &store).await;
        assert_eq!((stored(&store).await, health.restriction()), (0, None));
        write_down(&health, &store, &mut kept).await.expect("nothing to do");
        assert_eq!((stored(&store).await, kept.len()), (0, 0));
    }

    #[tokio::test]
    async fn a_lasting_restriction_is_written_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (health, store) = open(&folder).await;
        let mut kept = Stored::new();
        health.restrict(Reason::PeerFlood);
        write_down(&health, &store, &mut kept).await.expect("written");
        assert_eq!((stored(&store).await, kept.len()), (1, 1));
    }
}
