//! Whether who looks at a page that goes on by itself may still see it.

use std::pin::Pin;
use std::time::Duration;

use super::Visitor;
use crate::dashboard::Dashboard;

/// How often it is looked whether the session still lasts, where no right changes.
pub(crate) const EVERY: Duration = Duration::from_secs(15);

/// The longest wait for the store to say so.
const TIMEOUT: Duration = Duration::from_secs(5);

/// So soon the store is asked again that did not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// The end of a session, which streams wait for.
pub(crate) type SessionEnd = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Returns when the session of a visitor ends: they sign out, are removed, or have another role and come back to see another page.
///
/// A store that does not answer sends no one away: it is asked again.
pub(crate) fn session_end(dashboard: &Dashboard, visitor: &Visitor) -> SessionEnd {
    let (dashboard, who) = (dashboard.clone(), visitor.session.clone());
    // A change since the visitor was let in counts.
    let mut changes = dashboard.state().rights_changes();
    changes.mark_changed();
    Box::pin(async move {
        let Some(who) = who else { return };
        let state = dashboard.state();
        loop {
            tokio::select! {
                seen = changes.changed() => if seen.is_err() {
                    // The store is closed, and the program about to end.
                    return std::future::pending().await;
                },
                () = state.clock().sleep(EVERY) => {}
            }
            loop {
                match state.clock().timeout(TIMEOUT, state.access().still_lasts(&who)).await {
                    Ok(Ok(true)) => break,
                    Ok(Ok(false)) => return,
                    Ok(Err(error)) => {
                        tracing::debug!(%error, "the store does not answer whether a session is still valid");
                    }
                    Err(_) => {}
                }
                state.clock().sleep(AGAIN).await;
            }
        }
    })
}
