//! A user of the dashboard, in whose name the dashboard asks the API.

use std::net::IpAddr;

use domain::{Role, UserName};

/// Who asks, from where. Travels with a request inside the program and never comes from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    pub user: UserName,
    pub role: Role,
    /// Where their browser is, behind trusted proxies.
    pub address: Option<IpAddr>,
}
