//! One connection: requests in, answers out, with a bound on time and size of everything.
//!
//! An answer may be given before its request was read to the end. Were the connection closed then, the system would report to
//! the client that it is broken, and the client might never read the answer: so what it still writes is read on for a while
//! and thrown away.

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::HOST;
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt;

use super::connection_limiter::{ConnectionLimiter, Permit, TooMany};
use super::{Floor, Serving, standby};
use crate::auth::{self, ConnectionInfo};
use crate::problem::{Code, Problem};
use crate::{client, headers};

/// How many bytes are read on behind the last answer.
const READ_ON: usize = 64 * 1024 * 1024;

/// How long a client may write nothing behind the last answer.
const PAUSE: Duration = Duration::from_secs(2);

/// How long a client has to write its last request, and to read its last answer, when the store is lost.
const LAST_READ: Duration = Duration::from_millis(300);

/// Serves one connection to its end; after the stop, and once its port serves otherwise, the open request is finished and the
/// connection closed.
pub(super) async fn run<S>(
    floor: Floor,
    stream: S,
    via: ConnectionInfo,
    serving: Serving,
    clients: Option<Arc<ConnectionLimiter>>,
    permit: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = floor.state.limits();
    // A client that stops reading its answer is cut off.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.body_time));
    let mut stream = Box::pin(stream);
    let ended = serve(&floor, &mut stream, via, serving, clients).await;
    match ended {
        Ok(Ok(())) => {
            let reading_on = tokio::time::timeout(limits.body_time, read_on(&mut stream));
            let stopped = async {
                floor.stop.cancelled().await;
                // A client that writes a long body has its answer to read, which says that the store is away.
                if floor.state.store_lost().is_cancelled() {
                    tokio::time::sleep(LAST_READ).await;
                }
            };
            tokio::select! {
                // What comes of it changes nothing: the answer is given.
                _ = reading_on => {}
                () = stopped => {}
            }
        }
        Ok(Err(error)) => tracing::debug!(%error, "a connection ended early"),
        Err(_) => tracing::warn!("a request was not finished when the program ended"),
    }
    drop(permit);
}

async fn serve<S>(
    floor: &Floor,
    stream: &mut S,
    via: ConnectionInfo,
    Serving { router, replaced, .. }: Serving,
    clients: Option<Arc<ConnectionLimiter>>,
) -> Result<hyper::Result<()>, tokio::time::error::Elapsed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let limits = floor.state.limits();
    let service = service_fn(|request: http::Request<Incoming>| {
        let router = router.clone();
        let share = clients.as_ref().map(|clients| share(floor, clients, via, request.headers()));
        async move {
            let share = match share.transpose() {
                Ok(share) => share.flatten(),
                Err(TooMany { .. }) => return Ok(too_many()),
            };
            let is_encrypted = client::is_encrypted(&floor.state, via, request.headers());
            let host = request.headers().get(HOST).cloned();
            let mut request = request.map(Body::new);
            request.extensions_mut().insert(via);
            let mut answer = tokio::select! {
                biased;
                () = floor.state.store_lost().cancelled() => standby::unavailable().into_response(),
                answer = router.oneshot(request) => answer?,
            };
            if is_encrypted {
                headers::over_tls(&mut answer, host.as_ref());
            }
            Ok::<_, Infallible>(match share {
                Some(share) => answer.map(|body| Body::new(Shared { body, _share: share })),
                None => answer,
            })
        }
    });
    let mut connection = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(limits.head_time)
            .max_headers(limits.headers)
            .max_header_size(limits.head)
            .serve_connection(TokioIo::new(stream), service)
    );
    let is_replaced = tokio::select! {
        ended = connection.as_mut() => return Ok(ended),
        () = floor.stop.cancelled() => false,
        () = replaced.cancelled() => true,
    };
    // What a client has just written on an idle connection is answered too: it says that the store is away.
    if floor.state.store_lost().is_cancelled() {
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended),
            () = tokio::time::sleep(LAST_READ) => {}
        }
    }
    connection.as_mut().graceful_shutdown();
    if is_replaced {
        // The request that is open is answered by the settings that it came under, however long that takes.
        tokio::select! {
            ended = connection.as_mut() => return Ok(ended),
            () = floor.stop.cancelled() => {}
        }
    }
    tokio::time::timeout(limits.drain, connection).await
}

/// Takes a request into the share of its client where a trusted proxy passes it on: the proxy's connections are those of all of
/// its clients, and one client could take them all. None where the connection itself was counted.
fn share(
    floor: &Floor,
    clients: &Arc<ConnectionLimiter>,
    via: ConnectionInfo,
    headers: &HeaderMap,
) -> Result<Option<Permit>, TooMany> {
    let options = floor.state.options();
    let trusted = &options.trusted_proxies;
    let Some(peer) = via.peer.filter(|peer| auth::is_in(*peer, trusted)) else { return Ok(None) };
    // What the proxy asks for itself is not counted.
    if !auth::came_through_a_proxy(headers) {
        return Ok(None);
    }
    // Clients without a known address share one limit.
    let client = auth::way(peer, headers, trusted).client;
    let share = clients.take(client);
    if matches!(share, Err(TooMany { is_news: true })) {
        tracing::warn!(%client, %peer, "it has its share of requests through this proxy; more are refused");
    }
    share.map(Some)
}

fn too_many() -> Response {
    let detail = "This address has too many requests open; wait until some are answered.";
    headers::secure(Problem::new(Code::RateLimited, detail).retry_after(1).into_response())
}

/// The body of an answer, which keeps its client's share until it is read or left.
struct Shared {
    body: Body,
    _share: Permit,
}

impl HttpBody for Shared {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// Reads on what a client still writes after the last answer, until it has read that and hangs up.
async fn read_on(stream: &mut (impl AsyncRead + Unpin)) {
    let mut thrown_away = vec![0; 16 * 1024];
    let mut read = 0;
    while read < READ_ON {
        match tokio::time::timeout(PAUSE, stream.read(&mut thrown_away)).await {
            Ok(Ok(bytes)) if bytes > 0 => read += bytes,
            _ => return,
        }
    }
}
