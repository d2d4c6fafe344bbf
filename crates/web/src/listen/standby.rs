//! What a program answers while it waits for its store.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use axum::serve::Listener;
use http::StatusCode;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::Tls;
use crate::problem::{Code, Problem};

/// Connections that agree on encryption at a time, and how long each may take.
const AGREEING: usize = 100;
const AGREED_WITHIN: Duration = Duration::from_secs(10);

/// Answers each request on these addresses with 503 and `store_unavailable` until `stop`, so that callers try again; encrypted
/// where there is a certificate. An address that cannot be listened on is left out; the server says why when it opens it itself.
pub async fn answer_unavailable(addresses: Vec<(SocketAddr, Option<Tls>)>, stop: CancellationToken) {
    let refuse = async || {
        let detail = "This process waits for its store: the database is away, or another process works on it. Try again.";
        Problem::new(Code::StoreUnavailable, detail).retry_after(5)
    };
    let router = Router::new().route("/health/live", get(StatusCode::OK)).fallback(refuse);
    let mut serving = JoinSet::new();
    for (address, tls) in addresses {
        let Ok(listener) = TcpListener::bind(address).await else { continue };
        let (router, stopped) = (router.clone(), stop.clone().cancelled_owned());
        match tls {
            None => {
                serving.spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future())
            }
            Some(tls) => {
                let listener = Encrypted { listener, tls, agreeing: JoinSet::new() };
                serving.spawn(axum::serve(listener, router).with_graceful_shutdown(stopped).into_future())
            }
        };
    }
    stop.cancelled().await;
    // A caller that keeps its connection open does not keep the address.
    serving.shutdown().await;
}

/// A port whose connections are encrypted. One that does not come to it keeps no other waiting.
struct Encrypted {
    listener: TcpListener,
    tls: Tls,
    agreeing: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
}

impl Listener for Encrypted {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, peer) = Listener::accept(&mut self.listener), if self.agreeing.len() < AGREEING => {
                    let tls = self.tls.clone();
                    self.agreeing.spawn(async move {
                        let agreed = tokio::time::timeout(AGREED_WITHIN, tls.accept(stream)).await;
                        Some((agreed.ok()?.ok()?, peer))
                    });
                }
                agreed = self.agreeing.join_next(), if !self.agreeing.is_empty() => {
                    if let Some(Ok(Some(agreed))) = agreed {
                        return agreed;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
