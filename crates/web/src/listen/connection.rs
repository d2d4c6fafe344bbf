//! One connection: requests in, answers out, with a bound on time and size of everything.
//!
//! An answer may be given before its request was read to the end. Were the connection closed then, the system would report to
//! the client that it is broken, and the client might never read the answer: so what it still writes is read on for a while
//! and thrown away.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::OwnedSemaphorePermit;
use tokio_io_timeout::TimeoutWriter;
use tower::ServiceExt;

use super::{Floor, Serving};
use crate::auth::ConnectionInfo;

/// How many bytes are read on behind the last answer.
const READ_ON: usize = 64 * 1024 * 1024;

/// How long a client may write nothing behind the last answer.
const PAUSE: Duration = Duration::from_secs(2);

/// Serves one connection to its end; after the stop, and once its port serves otherwise, the open request is finished and the
/// connection closed.
pub(super) async fn run<S>(
    floor: Floor,
    stream: S,
    via: ConnectionInfo,
    serving: Serving,
    permit: OwnedSemaphorePermit,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = floor.state.limits();
    // A client that stops reading its answer is cut off.
    let mut stream = TimeoutWriter::new(stream);
    stream.set_timeout(Some(limits.body_time));
    let mut stream = Box::pin(stream);
    let ended = serve(&floor, &mut stream, via, serving).await;
    match ended {
        Ok(Ok(())) => {
            let reading_on = tokio::time::timeout(limits.body_time, read_on(&mut stream));
            tokio::select! {
                // What comes of it changes nothing: the answer is given.
                _ = reading_on => {}
                () = floor.stop.cancelled() => {}
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
) -> Result<hyper::Result<()>, tokio::time::error::Elapsed>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
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
            .serve_connection(TokioIo::new(stream), service)
    );
    let is_replaced = tokio::select! {
        ended = connection.as_mut() => return Ok(ended),
        () = floor.stop.cancelled() => false,
        () = replaced.cancelled() => true,
    };
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
