//! One connection: requests in, answers out, with a bound on time and size of everything.

use std::pin::pin;

use axum::Router;
use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tower::ServiceExt;

use super::Floor;
use super::patience::Patience;
use crate::auth::Via;

/// Serves one connection to its end; after the stop the open request is finished and the connection closed.
pub(super) async fn run<S>(floor: Floor, stream: S, via: Via, router: Router, permit: OwnedSemaphorePermit)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = floor.state.limits();
    let service = service_fn(|request: http::Request<Incoming>| {
        let router = router.clone();
        async move {
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(via);
            router.oneshot(request).await
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_headers(limits.headers)
            .max_header_size(limits.head)
            .serve_connection(TokioIo::new(Patience::new(stream, limits.body_time)), service)
    );
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        () = floor.stop.cancelled() => None,
    };
    let ended = if let Some(ended) = ended {
        Ok(ended)
    } else {
        connection.as_mut().graceful_shutdown();
        tokio::time::timeout(limits.drain, connection).await
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended early"),
        Err(_) => tracing::warn!("a request was not finished when the program ended"),
    }
    drop(permit);
}
