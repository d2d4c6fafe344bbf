//! The connector: a time limit by our clock, and a second look at the address that a connection leads to.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use ambient::Clock;
use hyper_util::client::legacy::connect::{Connection, HttpInfo};
use tower::{BoxError, Layer, Service};

use crate::guard::{Allowed, judge};

#[derive(Debug, thiserror::Error)]
#[error("no connection in time")]
pub(crate) struct Late;

#[derive(Debug, thiserror::Error)]
#[error("the address of a connection is not known")]
struct Unknown;

#[derive(Debug, thiserror::Error)]
#[error("requests are sent by the client that made them")]
struct Closed;

/// How connections of a client are made.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    /// The longest wait for a connection, by this clock.
    pub(crate) within: Option<(Clock, Duration)>,
    /// The address of each connection must pass the guard with this list. A connection through a proxy has none.
    pub(crate) allowed: Option<Allowed>,
    /// No connection is made.
    pub(crate) is_closed: bool,
}

impl<S> Layer<S> for Rules {
    type Service = Connecting<S>;

    fn layer(&self, inner: S) -> Self::Service {
        Connecting { inner, rules: Arc::new(self.clone()) }
    }
}

#[derive(Clone)]
pub(crate) struct Connecting<S> {
    inner: S,
    rules: Arc<Rules>,
}

impl<S, R> Service<R> for Connecting<S>
where
    S: Service<R, Error = BoxError>,
    S::Response: Connection,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: R) -> Self::Future {
        if self.rules.is_closed {
            return Box::pin(async { Err(Closed.into()) });
        }
        let connecting = self.inner.call(request);
        let rules = Arc::clone(&self.rules);
        Box::pin(async move {
            let made = match &rules.within {
                Some((clock, limit)) => clock.timeout(*limit, connecting).await.map_err(|_| Late)??,
                None => connecting.await?,
            };
            if let Some(allowed) = &rules.allowed {
                judge_peer(&made, allowed)?;
            }
            Ok(made)
        })
    }
}

/// Judges the address that a connection leads to. An address that is a number passes no resolver.
fn judge_peer(made: &impl Connection, allowed: &Allowed) -> Result<(), BoxError> {
    let mut known = http::Extensions::new();
    made.connected().get_extras(&mut known);
    let peer = known.get::<HttpInfo>().ok_or(Unknown)?;
    Ok(judge(peer.remote_addr().ip(), allowed)?)
}
