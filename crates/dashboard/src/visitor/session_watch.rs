//! Someone whose page is notified of changes: for as long as their session lasts, and not until the connection ends.

use std::time::Duration;

use super::Visitor;
use crate::dashboard::Dashboard;

/// How often it is looked whether the session still lasts.
pub(crate) const EVERY: Duration = Duration::from_secs(15);

/// The longest wait for the store to say so.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) struct SessionWatch {
    dashboard: Dashboard,
    who: Option<access::Visitor>,
    /// When they were last looked at, by the monotonic clock.
    looked_at: Duration,
}

impl SessionWatch {
    pub(crate) fn new(dashboard: &Dashboard, visitor: &Visitor) -> Self {
        let looked_at = dashboard.state().clock().running();
        Self { dashboard: dashboard.clone(), who: visitor.session.clone(), looked_at }
    }

    /// How long until they are looked at again.
    pub(crate) fn due(&self) -> Duration {
        let since = self.dashboard.state().clock().running().saturating_sub(self.looked_at);
        EVERY.saturating_sub(since)
    }

    /// Whether they may stay; asks only when it is due. With another role they come back and see another page. A store that
    /// does not answer sends no one away: it is asked again.
    pub(crate) async fn is_valid(&mut self) -> bool {
        if !self.due().is_zero() {
            return true;
        }
        let Some(who) = &self.who else { return false };
        let state = self.dashboard.state();
        let is_valid = match state.clock().timeout(TIMEOUT, state.access().still_lasts(who)).await {
            Ok(Ok(lasts)) => lasts,
            Ok(Err(error)) => {
                tracing::debug!(%error, "the store does not answer whether a session is still valid");
                true
            }
            Err(_) => true,
        };
        self.looked_at = state.clock().running();
        is_valid
    }
}
