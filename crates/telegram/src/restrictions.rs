//! Restrictions that outlast a restart: an account that may make no new contacts may make none after it either.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use domain::account::Reason;
use domain::{AccountName, Timestamp};
use store::{Store, StoreError};
use tokio_util::sync::CancellationToken;

use crate::pool::Pool;
use crate::standing::Standing;

/// How long after the store refused one it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// What is in the store, by account.
type Kept = HashMap<AccountName, (Reason, Timestamp)>;

/// Writes down what Telegram keeps accounts from, as soon as it is known.
pub(crate) async fn keep(pool: Weak<Pool>, closing: CancellationToken) {
    let mut kept = Kept::new();
    loop {
        let Some(here) = pool.upgrade() else { return };
        let mut changes = here.changes.subscribe();
        let clock = here.clock.clone();
        let all_kept = look(&here, &mut kept).await;
        drop(here);
        tokio::select! {
            () = closing.cancelled() => return,
            told = changes.changed() => if told.is_err() { return },
            () = clock.sleep(AGAIN), if !all_kept => {}
        }
    }
}

/// Tells whether everything is written down.
async fn look(pool: &Pool, kept: &mut Kept) -> bool {
    let mut all_kept = true;
    let all = pool.all();
    kept.retain(|name, _| all.iter().any(|account| account.name == *name));
    for account in all.iter() {
        if let Err(error) = write_down(&account.standing, &pool.store, kept).await {
            tracing::warn!(account = %account.name, %error, "a restriction could not be stored");
            all_kept = false;
        }
    }
    all_kept
}

/// The restriction that outlasts a restart, if there is one.
fn lasting(standing: &Standing) -> Option<(Reason, Timestamp)> {
    standing.restricted().filter(|(reason, _)| matches!(reason, Reason::PeerFlood | Reason::Frozen))
}

/// Writes one restriction down, unless it is.
async fn write_down(standing: &Standing, store: &Store, kept: &mut Kept) -> Result<(), StoreError> {
    match lasting(standing) {
        Some(restriction) if kept.get(&standing.name) == Some(&restriction) => Ok(()),
        Some(restriction) => write(standing, store, restriction, kept).await,
        None => {
            // Whoever started the account over has it taken out of the store.
            kept.remove(&standing.name);
            Ok(())
        }
    }
}

async fn write(
    standing: &Standing,
    store: &Store,
    restriction: (Reason, Timestamp),
    kept: &mut Kept,
) -> Result<(), StoreError> {
    let (reason, since) = restriction;
    store.accounts().save_restriction(&standing.name, reason, since).await?;
    match lasting(standing) {
        Some(now) if now == restriction => drop(kept.insert(standing.name.clone(), restriction)),
        // Another one is told of by a change, and written over this one.
        Some(_) => {}
        // It was lifted meanwhile, and must not come back with the next start.
        None => drop(store.accounts().lift_restriction(&standing.name).await?),
    }
    Ok(())
}

/// Lifts whatever restriction there is, in the store and in memory, and forgets whose the account is: that is found out anew.
pub(crate) async fn lift(standing: &Standing, store: &Store) -> Result<(), StoreError> {
    store.accounts().lift_restriction(&standing.name).await?;
    forget(standing, store).await;
    Ok(())
}

/// The second half of lifting: memory, and what was written down while memory still had it.
async fn forget(standing: &Standing, store: &Store) {
    standing.start_over();
    if let Err(error) = store.accounts().lift_restriction(&standing.name).await {
        tracing::warn!(account = %standing.name, %error, "a restriction that was lifted may come back with the next start");
    }
}

#[cfg(test)]
mod tests {
    use ambient::{Chance, Clock};
    use store::{MasterKey, StoreOptions};

    use super::*;
    use crate::standing::Changes;

    async fn open(folder: &tempfile::TempDir) -> (Standing, Store) {
        let clock = Clock::system();
        let options = StoreOptions {
            data_dir: folder.path().to_owned(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: clock.clone(),
            master_key: MasterKey::File(folder.path().join("master.key")),
        };
        let store = Store::open(options).await.expect("a store");
        let name = "main".parse().expect("a name");
        (Standing::new(name, clock, Chance::from_seed(1), Changes::default()), store)
    }

    async fn stored(store: &Store) -> usize {
        store.accounts().restrictions().await.expect("readable").len()
    }

    #[tokio::test]
    async fn one_that_is_written_after_it_was_lifted_is_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let (standing, store) = open(&folder).await;
        let mut kept = Kept::new();
        standing.restrict(Reason::PeerFlood);
        let read = lasting(&standing).expect("there is one");
        lift(&standing, &store).await.expect("lifted");
        write(&standing, &store, read, &mut kept).await.expect("written");
        assert_eq!((stored(&store).await, kept.len()), (0, 0));
    }

    #[tokio::test]
    async fn one_that_is_written_while_it_is_lifted_does_not_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let (standing, store) = open(&folder).await;
        let mut kept = Kept::new();
        standing.restrict(Reason::Frozen);
        // Between the two halves of lifting.
        store.accounts().lift_restriction(&standing.name).await.expect("lifted");
        write_down(&standing, &store, &mut kept).await.expect("written");
        assert_eq!(stored(&store).await, 1);
        forget(&standing, &store).await;
        assert_eq!((stored(&store).await, standing.restriction()), (0, None));
        write_down(&standing, &store, &mut kept).await.expect("nothing to do");
        assert_eq!((stored(&store).await, kept.len()), (0, 0));
    }

    #[tokio::test]
    async fn one_that_lasts_is_written_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let (standing, store) = open(&folder).await;
        let mut kept = Kept::new();
        standing.restrict(Reason::PeerFlood);
        write_down(&standing, &store, &mut kept).await.expect("written");
        assert_eq!((stored(&store).await, kept.len()), (1, 1));
    }
}
