//! A TCP port: taken at once if it is free, else tried again until it is.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio_util::sync::CancellationToken;

use super::board::{Board, ListenerId, ListenerState};
use super::connection_limiter::{ConnectionLimiter, TooMany};
use super::{Floor, Serving, connection, holder};
use crate::auth::{ConnectionInfo, ListenerKind};

/// After an error of the system (such as too many open files), how long until the next connection is taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Keeps a port served until the stop, or until `closed`.
pub(super) async fn keep(
    floor: Floor,
    id: ListenerId,
    address: SocketAddr,
    serving: watch::Receiver<Serving>,
    closed: CancellationToken,
) {
    let Some(listener) = bind(&floor, id, address, &closed).await else { return };
    let most = floor.state.limits().connections;
    let (connections, limiter) = (Arc::new(Semaphore::new(most)), ConnectionLimiter::new(most));
    // Behind a proxy it is requests that are counted: it opens connections for all of its clients.
    let clients = ConnectionLimiter::new(most);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &connections) => accepted,
            () = floor.stop.cancelled() => return,
            () = closed.cancelled() => {
                tracing::info!(%address, "closed, as the settings no longer name it");
                return;
            }
        };
        let (stream, peer, permit) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%address, %error, "a connection could not be taken");
                floor.state.clock().sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // One caller that takes all there is would keep the others away.
        let share = match limiter.acquire(peer.ip(), &floor.state.options().trusted_proxies) {
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
        let (floor, serving) = (floor.clone(), serving.borrow().clone());
        let clients = Arc::clone(&clients);
        floor.tasks.clone().spawn(async move {
            serve(floor, stream, peer, serving, clients, permit).await;
            drop(share);
        });
    }
}

/// Serves one connection, encrypted where the port is.
async fn serve(
    floor: Floor,
    stream: TcpStream,
    peer: SocketAddr,
    serving: Serving,
    clients: Arc<ConnectionLimiter>,
    permit: OwnedSemaphorePermit,
) {
    let clients = Some(clients);
    let peer_address = Some(peer.ip().to_canonical());
    let is_encrypted = serving.tls.is_some();
    let via = ConnectionInfo { listener: ListenerKind::Port, peer: peer_address, is_encrypted };
    let Some(tls) = &serving.tls else {
        return connection::run(floor, stream, via, serving, clients, permit).await;
    };
    let limit = floor.state.limits().head_time;
    let agreed = tokio::select! {
        agreed = tokio::time::timeout(limit, tls.accept(stream)) => agreed,
        () = floor.stop.cancelled() => return,
    };
    match agreed {
        // Boxed, as it is 4 kB that a plain connection does not pay.
        Ok(Ok(stream)) => Box::pin(connection::run(floor, stream, via, serving, clients, permit)).await,
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a connection came to no encryption"),
        Err(_) => tracing::debug!(%peer, "a connection did not agree on encryption in time"),
    }
}

/// The next connection, once there is room for it.
async fn accept(
    listener: &TcpListener,
    connections: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = Arc::clone(connections).acquire_owned().await.map_err(io::Error::other)?;
    let (stream, peer) = listener.accept().await?;
    Ok((stream, peer, permit))
}

/// Binds the port as soon as it can be; `None` when the stop came first, or it is not wanted any more.
async fn bind(
    floor: &Floor,
    id: ListenerId,
    address: SocketAddr,
    closed: &CancellationToken,
) -> Option<TcpListener> {
    let board = floor.state.board();
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => {
                let local = listener.local_addr().ok();
                board.listening(id, local, floor.state.clock().now());
                tracing::info!(address = %local.unwrap_or(address), "listening");
                return Some(listener);
            }
            Err(error) => tell(floor, board, id, address, &error).await,
        }
        tokio::select! {
            () = floor.state.clock().sleep(floor.state.limits().retry) => {}
            () = floor.stop.cancelled() => return None,
            () = closed.cancelled() => return None,
        }
    }
}

/// Says why the port cannot be had, once for each reason.
async fn tell(floor: &Floor, board: &Board, id: ListenerId, address: SocketAddr, error: &io::Error) {
    let before = board.view(id);
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
        board.taken(id, holder, detail, now);
    } else {
        let detail = format!("the system refuses {address}: {error}; it is tried again");
        if before.is_some_and(|view| view.detail.as_ref() == Some(&detail)) {
            return;
        }
        tracing::error!("{detail}");
        board.refused(id, detail, now);
    }
}
