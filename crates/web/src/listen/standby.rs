//! What a program answers while it waits for its store.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use http::StatusCode;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Tls;
use crate::problem::{Code, Problem};

/// Connections to an address at a time. Each is for one request and ends within this time.
const CONNECTIONS: usize = 100;
const WITHIN: Duration = Duration::from_secs(10);
/// The pause after a connection that could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers each request on these addresses with 503 and `store_unavailable` until `stop`, so that callers try again; encrypted
/// where there is a certificate. An address that cannot be listened on is left out; the server says why when it opens it itself.
pub async fn answer_unavailable(addresses: Vec<(SocketAddr, Option<Tls>)>, stop: CancellationToken) {
    let refuse = || std::future::ready(unavailable());
    let router = Router::new().route("/health/live", get(StatusCode::OK)).fallback(refuse);
    let mut serving = JoinSet::new();
    for (address, tls) in addresses {
        let Ok(listener) = TcpListener::bind(address).await else { continue };
        serving.spawn(serve(listener, tls, router.clone()));
    }
    stop.cancelled().await;
    // A caller that keeps its connection open does not keep the address.
    serving.shutdown().await;
}

/// The answer to every request as long as this process has no store.
pub(super) fn unavailable() -> Problem {
    let detail =
        "This process waits for its store: the database is away, or another process works on it. Try again.";
    Problem::new(Code::StoreUnavailable, detail).retry_after(5)
}

async fn serve(listener: TcpListener, tls: Option<Tls>, router: Router) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if open.len() < CONNECTIONS => {
                match accepted {
                    Ok((stream, _)) => {
                        open.spawn(tokio::time::timeout(WITHIN, answer(stream, tls.clone(), router.clone())));
                    }
                    // The machine may be out of files for a moment.
                    Err(_) => tokio::time::sleep(PAUSE).await,
                }
            }
            _ = open.join_next(), if !open.is_empty() => {}
        }
    }
}

async fn answer(stream: TcpStream, tls: Option<Tls>, router: Router) {
    match tls {
        None => answer_on(stream, router).await,
        Some(tls) => {
            if let Ok(stream) = tls.accept(stream).await {
                answer_on(stream, router).await;
            }
        }
    }
}

async fn answer_on(stream: impl AsyncRead + AsyncWrite + Unpin, router: Router) {
    let service = TowerToHyperService::new(router);
    let connection = http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service);
    if let Err(error) = connection.await {
        tracing::debug!(%error, "a connection ended early");
    }
}
