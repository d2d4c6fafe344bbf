//! The names of the accounts, for filters.

use http::Method;
use serde::Deserialize;

use crate::dashboard::Dashboard;
use crate::visitor::Visitor;

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Dashboard {
    /// The accounts there are; none where they cannot be had, since a filter is no reason for a page to fail.
    pub(crate) async fn account_names(&self, visitor: &Visitor) -> Vec<String> {
        let listed = self.ask::<api::Page<Named>>(visitor, Method::GET, "/v1/accounts", None).await;
        listed.map(|listed| listed.items.into_iter().map(|one| one.name).collect()).unwrap_or_default()
    }
}
