//! How much waits for somebody, for the numbers in the rail.

use std::fmt;

use crate::dashboard::{Dashboard, Tally};

/// Where to look how much waits. Nobody looks before a page shows it: a press that leads to one, or a piece of one, does not.
#[derive(Clone, Default)]
pub(crate) struct Tallied(Option<Dashboard>);

impl Tallied {
    /// As this dashboard has it.
    pub(crate) fn by(dashboard: &Dashboard) -> Self {
        Self(Some(dashboard.clone()))
    }

    /// As it is now; nothing on pages for strangers.
    pub(crate) fn now(&self) -> Tally {
        self.0.as_ref().map(Dashboard::tally).unwrap_or_default()
    }
}

impl fmt::Debug for Tallied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tallied").finish_non_exhaustive()
    }
}
