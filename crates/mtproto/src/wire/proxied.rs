//! A proxy to connect through, and whose word it is: that decides where it may lead.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use domain::SecretText;
use outbound::{Allowed, guard};

use super::socks::{Proxy, ProxyError};

/// How many addresses of one name are looked at.
const MOST_ADDRESSES: usize = 32;

#[derive(Clone)]
pub struct Proxied {
    address: SecretText,
    /// What it is judged by each time it is dialled; none for what the settings name, which is the owner's own word.
    judged_by: Option<Arc<Allowed>>,
}

impl Proxied {
    pub const fn by_owner(address: SecretText) -> Self {
        Self { address, judged_by: None }
    }

    pub const fn by_caller(address: SecretText, allowed: Arc<Allowed>) -> Self {
        Self { address, judged_by: Some(allowed) }
    }

    pub(super) fn parse(&self) -> Result<Proxy, ProxyError> {
        Proxy::parse(&self.address)
    }

    /// Where the proxy is, as far as it may be dialled: a name that means something else the next time is judged again.
    pub(super) async fn addresses(&self, proxy: &Proxy) -> Result<Vec<SocketAddr>, ProxyError> {
        let found = tokio::net::lookup_host((&*proxy.host, proxy.port)).await.map_err(ProxyError::Broken)?;
        let found: Vec<_> = found.take(MOST_ADDRESSES).collect();
        let fit = match &self.judged_by {
            None => Some(found),
            Some(allowed) => guard::fit(&found, allowed)?,
        };
        let nowhere = || ProxyError::Broken(io::Error::other("its name leads nowhere"));
        fit.filter(|addresses| !addresses.is_empty()).ok_or_else(nowhere)
    }
}

/// Judges the address of a proxy that a caller names, where its host is a number in whatever notation or a name that always means this
/// machine. Other names are judged when they are dialled. What is no proxy's address is not judged here.
pub fn judge_named(address: &SecretText, allowed: &Allowed) -> Result<(), guard::Refused> {
    Proxy::parse(address).map_or(Ok(()), |proxy| guard::host(&proxy.host, allowed))
}
