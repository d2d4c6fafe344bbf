//! The HTTP client for fetching: no proxies, no redirects, no cookies, no idle connections; names through the guard.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ambient::Clock;
use reqwest::Client;
use reqwest::redirect::Policy;
use tower::{BoxError, Layer, Service};

use crate::guard::Names;

#[derive(Debug, thiserror::Error)]
#[error("files cannot be fetched; install the system's certificates (ca-certificates)")]
pub struct ClientError(#[from] reqwest::Error);

#[derive(Debug, thiserror::Error)]
#[error("no connection in time")]
pub(super) struct Late;

pub(super) fn new(names: Names, clock: Clock, connection: Duration) -> Result<Client, ClientError> {
    let client = Client::builder()
        .user_agent(concat!("switchboard/", env!("CARGO_PKG_VERSION")))
        // A variable of the environment must not lead calls past the guard.
        .no_proxy()
        .dns_resolver(names)
        // Followed by hand: each address is judged again.
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // A connection that is kept would be used again without asking its name.
        .pool_max_idle_per_host(0)
        .http1_only()
        .connector_layer(Within { clock, limit: connection })
        .build()?;
    Ok(client)
}

/// Gives connecting a limit by our clock.
#[derive(Clone)]
struct Within {
    clock: Clock,
    limit: Duration,
}

impl<S> Layer<S> for Within {
    type Service = Connecting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Connecting { inner, within: Arc::new(self.clone()) }
    }
}

#[derive(Clone)]
struct Connecting<S> {
    inner: S,
    within: Arc<Within>,
}

impl<S, R> Service<R> for Connecting<S>
where
    S: Service<R, Error = BoxError>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let connecting = self.inner.call(request);
        let within = Arc::clone(&self.within);
        Box::pin(async move { within.clock.timeout(within.limit, connecting).await.map_err(|_| Late)? })
    }
}
