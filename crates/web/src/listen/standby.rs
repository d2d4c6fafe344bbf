//! What a program answers while it waits for its store.

use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::problem::{Code, Problem};

/// Answers each request on these addresses with 503 and `store_unavailable` until `stop`, so that callers try again. An
/// address that cannot be listened on is left out; the server says why when it opens it itself.
pub async fn answer_unavailable(addresses: Vec<SocketAddr>, stop: CancellationToken) {
    let refuse = async || {
        let detail = "This process waits for its store: the database is away, or another process works on it. Try again.";
        Problem::new(Code::StoreUnavailable, detail).retry_after(5)
    };
    let router = Router::new().route("/health/live", get(StatusCode::OK)).fallback(refuse);
    let mut serving = tokio::task::JoinSet::new();
    for address in addresses {
        let Ok(listener) = TcpListener::bind(address).await else { continue };
        let stopped = stop.clone().cancelled_owned();
        serving.spawn(axum::serve(listener, router.clone()).with_graceful_shutdown(stopped).into_future());
    }
    stop.cancelled().await;
    // A caller that keeps its connection open does not keep the address.
    serving.shutdown().await;
}
