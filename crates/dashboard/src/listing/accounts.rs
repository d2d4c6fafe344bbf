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
        self.names(visitor, "/v1/accounts").await
    }

    /// The same of the browser profiles.
    pub(crate) async fn profile_names(&self, visitor: &Visitor) -> Vec<String> {
        self.names(visitor, "/v1/campaign-profiles").await
    }

    async fn names(&self, visitor: &Visitor, path: &str) -> Vec<String> {
        let listed = self.ask::<api::Page<Named>>(visitor, Method::GET, path, None).await;
        listed.map(|listed| listed.items.into_iter().map(|one| one.name).collect()).unwrap_or_default()
    }
}
