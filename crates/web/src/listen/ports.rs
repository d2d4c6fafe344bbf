//! A TCP port: taken at once if it is free, else tried again until it is.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

use super::board::{Board, ListenerState, Place};
use super::connection_limiter::{ConnectionLimiter, TooMany};
use super::{Floor, connection, holder};
use crate::auth::{ConnectionInfo, ListenerKind};

/// After an error of the system (such as too many open files), how long until the next connection is taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Keeps a port served until the stop.
pub(super) async fn keep(floor: Floor, place: Place, address: SocketAddr, router: Router) {
    let Some(listener) = bind(&floor, place, address).await else { return };
    let most = floor.state.limits().connections;
    let (connections, limiter) = (
        Arc::new(Semaphore::new(most)),
        ConnectionLimiter::new(most, floor.state.options().trusted_proxies.clone()),
    );
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = floor.stop.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%address, %error, "a connection could not be taken");
                floor.state.clock().sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // One caller that takes all there is would keep the others away.
        let share = match limiter.acquire(peer.ip()) {
            Ok(share) => share,
            Err(TooMany { is_news }) => {
                if is_news {
                    tracing::warn!(%address, peer = %peer.ip(), "it has its share of connections; more are closed");
                }
                continue;
            }
        };
        // An answer leaves at once instead of waiting for more.
        if stream.set_nodelay(true).is_err() {
            continue;
        }
        let via = ConnectionInfo { listener: ListenerKind::Port, peer: Some(peer.ip().to_canonical()) };
        let serving = connection::run(floor.clone(), stream, via, router.clone(), permit);
        floor.tasks.spawn(async move {
            serving.await;
            drop(share);
        });
    }
}

/// Binds the port as soon as it can be; `None` when the stop came first.
async fn bind(floor: &Floor, place: Place, address: SocketAddr) -> Option<TcpListener> {
    let board = floor.state.board();
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let local = listener.local_addr().ok();
                board.listening(place, local, floor.state.clock().now());
                tracing::info!(address = %local.unwrap_or(address), "listening");
                return Some(listener);
            }
            Err(error) => tell(floor, board, place, address, &error).await,
        }
        tokio::select! {
            () = floor.state.clock().sleep(floor.state.limits().retry) => {}
            () = floor.stop.cancelled() => return None,
        }
    }
}

/// Says why the port cannot be had, once for each reason.
async fn tell(floor: &Floor, board: &Board, place: Place, address: SocketAddr, error: &io::Error) {
    let before = board.view(place);
    let now = floor.state.clock().now();
    if error.kind() == io::ErrorKind::AddrInUse {
        let holder = tokio::task::spawn_blocking(move || holder::holder(address)).await.ok().flatten();
        if before.is_some_and(|view| view.state == ListenerState::Taken && view.holder == holder) {
            return;
        }
        let detail = match &holder {
            Some(holder) => format!("{address} is taken by {holder}; it is tried again until it is free"),
            None => format!("{address} is taken by another program; it is tried again until it is free"),
        };
        tracing::error!("{detail}");
        board.taken(place, holder, detail, now);
    } else {
        let detail = format!("the system refuses {address}: {error}; it is tried again");
        if before.is_some_and(|view| view.detail.as_ref() == Some(&detail)) {
            return;
        }
        tracing::error!("{detail}");
        board.refused(place, detail, now);
    }
}
