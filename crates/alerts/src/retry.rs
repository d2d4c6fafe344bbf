//! When a target that did not take something is tried again, and until when.

use std::time::Duration;

use domain::Timestamp;
use events::Kind;

/// A notice that no target took for so long is news no more.
pub(crate) const TOO_OLD: Duration = Duration::from_hours(7 * 24);

/// How long to wait after a failure that came after so many others. It never ends but by age.
pub(crate) fn wait(failed_before: u32) -> Duration {
    Kind::Alert.wait(failed_before).unwrap_or(TOO_OLD)
}

/// Whether its time has come, wherever the clock was set to.
pub(crate) fn is_due(next_at: Timestamp, now: Timestamp) -> bool {
    Kind::Alert.is_due(next_at, now)
}
