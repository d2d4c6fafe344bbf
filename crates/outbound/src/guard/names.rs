//! Names for the HTTP client: resolved, judged, and only then handed on to be dialled.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{AllowList, Allowed, Refused, judge};

/// How many addresses of one name are looked at.
const MOST_ADDRESSES: usize = 32;

#[derive(Debug, thiserror::Error)]
#[error("the name does not resolve to any address")]
pub struct Unresolved;

/// A resolver whose answers have passed the guard. For `ClientBuilder::dns_resolver`, on a client that keeps no idle
/// connections and follows no redirects by itself.
#[derive(Clone)]
pub struct Names {
    inner: Arc<dyn Resolve>,
    allowed: Arc<Allowed>,
    /// The host of the proxy, which the settings name.
    proxy: Option<String>,
}

impl Names {
    pub fn of_system(allowed: Allowed) -> Self {
        Self::new(Arc::new(System), allowed)
    }

    /// Lets public addresses pass alone. An address that is refused is explained by the setting for files.
    pub fn public() -> Self {
        Self::of_system(Allowed::new(AllowList::Media, Vec::new()))
    }

    pub fn new(inner: Arc<dyn Resolve>, allowed: Allowed) -> Self {
        Self { inner, allowed: Arc::new(allowed), proxy: None }
    }

    /// Lets the host of this proxy pass.
    pub(crate) fn with_proxy(mut self, proxy: Option<&Url>) -> Self {
        self.proxy = proxy.and_then(Url::host_str).map(str::to_owned);
        self
    }

    /// What is let pass although it is not public.
    pub fn allowed(&self) -> &Allowed {
        &self.allowed
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let is_proxy = self.proxy.as_deref() == Some(name.as_str());
        let found = self.inner.resolve(name);
        if is_proxy {
            return found;
        }
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let found: Vec<_> = found.await?.take(MOST_ADDRESSES).collect();
            let fit = fit(&found, &allowed)?.ok_or(Unresolved)?;
            Ok(Box::new(fit.into_iter()) as Addrs)
        })
    }
}

/// Of the addresses of a name those that may be dialled; nothing when it has none. When there were some and all of them are refused, the first refusal.
pub fn fit(found: &[SocketAddr], allowed: &Allowed) -> Result<Option<Vec<SocketAddr>>, Refused> {
    let mut refused = None;
    let mut fit = Vec::new();
    for address in found {
        match judge(address.ip(), allowed) {
            Ok(()) => fit.push(*address),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    match (fit.is_empty(), refused) {
        (true, Some(refusal)) => Err(refusal),
        (true, None) => Ok(None),
        (false, _) => Ok(Some(fit)),
    }
}

/// Returns the addresses of a host that a caller named, as far as they may be dialled.
///
/// # Errors
/// The host has no address. The guard refuses all of them: [`io::ErrorKind::PermissionDenied`].
pub async fn resolve(host: &str, port: u16, allowed: &Allowed) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = tokio::net::lookup_host((host, port)).await?.take(MOST_ADDRESSES).collect();
    let fit =
        fit(&found, allowed).map_err(|refused| io::Error::new(io::ErrorKind::PermissionDenied, refused))?;
    fit.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, Unresolved))
}

struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(unresolved)?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// The system does not say whether a name is unknown or the resolver was away; the caller cannot help either.
fn unresolved(_: io::Error) -> Unresolved {
    Unresolved
}
