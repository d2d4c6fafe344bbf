//! Whether a caller of a stream may still have it: keys are revoked and people are removed meanwhile.

use std::time::Duration;

use access::Right;
use store::{Scope, StoreError};

use super::caller::Caller;
use super::key_cache::CachedKey;
use crate::state::State;

/// The longest wait for the store to say so.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Whether a caller still may look. A store that does not answer ends nothing: a key that is remembered opens doors
/// meanwhile as well, and it is asked again.
pub(crate) async fn may_still_read(state: &State, caller: &Caller) -> bool {
    match state.clock().timeout(TIMEOUT, look(state, caller)).await {
        Ok(Ok(still)) => still,
        Ok(Err(error)) => {
            tracing::debug!(%error, "the store does not answer whether a follower is still allowed");
            true
        }
        Err(_) => true,
    }
}

async fn look(state: &State, caller: &Caller) -> Result<bool, StoreError> {
    match (&caller.user, caller.api_key) {
        (Some(user), _) => {
            let person = state.access().person(user).await?;
            Ok(person.is_some_and(|person| access::may(person.role, Right::Look)))
        }
        (None, Some(key)) => {
            let now = state.clock().now();
            let known = state.keys().of_id(state.store(), key).await?;
            // A key that is limited to other things meanwhile begins again.
            let is_same =
                |known: &CachedKey| caller.key.as_ref().is_none_or(|key| key.limits == known.limits);
            Ok(known.is_some_and(|key| key.may(Scope::Read) && !key.is_expired(now) && is_same(&key)))
        }
        // Anyone who owns the data directory.
        (None, None) => Ok(true),
    }
}
