//! Whether a caller may still have what it was let in for: keys are revoked and narrowed, and users lose roles, meanwhile.

use std::time::Duration;

use domain::Timestamp;
use store::StoreError;
use tokio::sync::watch;

use super::caller::Caller;
use super::demand::Demand;
use super::witness::Witness;
use crate::state::State;

/// The longest wait for the store to say so.
const TIMEOUT: Duration = Duration::from_secs(5);
/// So soon the store is asked again that did not answer, and a caller looked for that was not checked yet.
const AGAIN: Duration = Duration::from_millis(200);

/// Waits until the caller of a request may no longer have its answer: its key was revoked, expired or was narrowed, or its user
/// was removed or lost the role.
///
/// A store that does not answer ends nothing: it is asked again.
pub(super) async fn lost(state: State, witness: Witness, mut changes: watch::Receiver<u64>) {
    let mut last_look = None;
    loop {
        let end = match last_look {
            Some(Still::Allowed { until }) => until,
            _ => witness.caller().and_then(|caller| caller.key.as_ref()?.expires_at),
        };
        tokio::select! {
            seen = changes.changed() => if seen.is_err() {
                // The store is closed, and the program about to end.
                return std::future::pending().await;
            },
            () = reached(&state, end) => {}
        }
        loop {
            // A caller that was not checked yet may be let in by what was read before the change.
            if let Some((caller, demand)) = witness.seen() {
                match state.clock().timeout(TIMEOUT, may_still(&state, caller, *demand)).await {
                    Ok(Ok(Still::Lost)) => return,
                    Ok(Ok(allowed)) => {
                        last_look = Some(allowed);
                        break;
                    }
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "the store does not answer whether a caller is still allowed");
                    }
                    Err(_) => {}
                }
            }
            state.clock().sleep(AGAIN).await;
        }
    }
}

/// Waits until the key of a caller expires.
async fn reached(state: &State, end: Option<Timestamp>) {
    match end {
        Some(end) => state.clock().sleep_until(end).await,
        None => std::future::pending().await,
    }
}

/// What a caller may now.
#[derive(Debug, Clone, Copy)]
enum Still {
    /// The same as before, until its key expires.
    Allowed {
        until: Option<Timestamp>,
    },
    Lost,
}

async fn may_still(state: &State, caller: &Caller, demand: Demand) -> Result<Still, StoreError> {
    let still = |is_allowed: bool| if is_allowed { Still::Allowed { until: None } } else { Still::Lost };
    match (&caller.user, caller.api_key) {
        (Some(user), _) => {
            let person = state.access().person(user).await?;
            Ok(still(person.is_some_and(|person| access::may(person.role, demand.right))))
        }
        (None, Some(key)) => {
            let now = state.clock().now();
            let Some(key) = state.keys().of_id(state.store(), key).await? else { return Ok(Still::Lost) };
            // A key that is limited to other things meanwhile begins again.
            let is_same = caller.key.as_ref().is_none_or(|before| before.limits == key.limits);
            let is_allowed = demand.scopes.are_held_by(&key) && !key.is_expired(now) && is_same;
            Ok(if is_allowed { Still::Allowed { until: key.expires_at } } else { Still::Lost })
        }
        // Anyone who owns the data directory.
        (None, None) => Ok(still(true)),
    }
}
