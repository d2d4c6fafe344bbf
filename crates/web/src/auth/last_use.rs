//! When keys were used last: noted in the store once a minute each, by no request that waits for it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::ApiKeyId;

use crate::state::State;

/// A use within this time of the one that was noted is not noted.
const EVERY: Duration = Duration::from_mins(1);
/// The most keys that are remembered.
const BOUND: usize = 4096;

/// When a use of each key was noted last, by the monotonic clock.
#[derive(Default)]
pub(crate) struct LastUses(Mutex<HashMap<ApiKeyId, Duration>>);

impl LastUses {
    /// Whether this use is to be noted; it counts as noted then.
    fn is_due(&self, key: ApiKeyId, now: Duration) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.get(&key).is_some_and(|before| now.saturating_sub(*before) < EVERY) {
            return false;
        }
        if noted.len() >= BOUND {
            noted.clear();
        }
        noted.insert(key, now);
        true
    }
}

/// Notes that a key is used, behind the request.
pub(super) fn note(state: &State, key: ApiKeyId, from: Option<IpAddr>) {
    if !state.last_uses().is_due(key, state.clock().running()) {
        return;
    }
    let (store, at) = (state.store().clone(), state.clock().now());
    ambient::spawn_detached(state.tasks(), async move {
        if let Err(error) = store.api_keys().used(key, at, from).await {
            tracing::debug!(%key, %error, "the use of a key was not noted");
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_use_is_noted_once_a_minute(gaps in prop::collection::vec(0_u64..90, 1..50)) {
            let (uses, key) = (LastUses::default(), ApiKeyId::MIN);
            let (mut now, mut last) = (Duration::ZERO, None::<Duration>);
            for gap in gaps {
                now += Duration::from_secs(gap);
                let due = last.is_none_or(|last| now.saturating_sub(last) >= EVERY);
                prop_assert_eq!(uses.is_due(key, now), due);
                last = if due { Some(now) } else { last };
            }
        }
    }
}
