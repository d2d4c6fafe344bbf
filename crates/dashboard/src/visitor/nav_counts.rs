//! How much waits for someone, for the numbers in the rail.

use std::fmt;

use crate::dashboard::{Dashboard, NavCounts};

/// Where to look how much waits. No one looks before a page shows it: a press that leads to one, or a piece of one, does not.
#[derive(Clone, Default)]
pub(crate) struct NavCountsSource(Option<Dashboard>);

impl NavCountsSource {
    pub(crate) fn by(dashboard: &Dashboard) -> Self {
        Self(Some(dashboard.clone()))
    }

    /// As it is now; nothing on pages for strangers.
    pub(crate) fn now(&self) -> NavCounts {
        self.0.as_ref().map(Dashboard::tally).unwrap_or_default()
    }
}

impl fmt::Debug for NavCountsSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NavCountsSource").finish_non_exhaustive()
    }
}
