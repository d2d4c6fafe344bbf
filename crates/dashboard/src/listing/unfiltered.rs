//! The query of a list that has pages and no filters.

use serde::Deserialize;

use super::address;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Unfiltered {
    pub(crate) after: String,
    /// The path of the page; no part of the query.
    #[serde(skip)]
    pub(crate) path: String,
}

impl Unfiltered {
    pub(crate) fn page_after(&self, after: &str) -> String {
        address(&self.path, &[("after", after)])
    }
}
