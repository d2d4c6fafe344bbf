//! Restrictions that outlast a restart: an account that may make no new contacts may make none after it either.

use std::collections::HashMap;
use std::sync::Weak;
use std::time::Duration;

use domain::AccountName;
use domain::account::Reason;
use tokio_util::sync::CancellationToken;

use crate::pool::Pool;

/// How long after the store refused one it is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Writes down what Telegram keeps accounts from, as soon as it is known.
pub(crate) async fn keep(pool: Weak<Pool>, closing: CancellationToken) {
    let mut kept = HashMap::new();
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
async fn look(pool: &Pool, kept: &mut HashMap<AccountName, Reason>) -> bool {
    let mut all_kept = true;
    let all = pool.all();
    kept.retain(|name, _| all.iter().any(|account| account.name == *name));
    for account in all.iter() {
        let lasts = |(reason, _): &(Reason, _)| matches!(reason, Reason::PeerFlood | Reason::Frozen);
        match account.standing.restricted().filter(lasts) {
            Some((reason, _)) if kept.get(&account.name) == Some(&reason) => {}
            Some((reason, since)) => {
                match pool.store.accounts().save_restriction(&account.name, reason, since).await {
                    Ok(()) => drop(kept.insert(account.name.clone(), reason)),
                    Err(error) => {
                        tracing::warn!(account = %account.name, %error, "a restriction could not be stored");
                        all_kept = false;
                    }
                }
            }
            // Whoever started the account over has it taken out of the store.
            None => drop(kept.remove(&account.name)),
        }
    }
    all_kept
}
