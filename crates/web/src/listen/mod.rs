//! Listening: the main port, the legacy ports and the control socket, each on its own, until the stop.

mod board;
mod connection;
mod connection_limiter;
mod control_socket;
mod holder;
mod ports;
mod standby;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use board::Board;
use board::Place;
pub use board::{ListenerState, ListenerView};
pub use holder::Holder;
pub use standby::answer_unavailable;

use crate::legacy;
use crate::state::State;

/// What a listener hands its connections to.
#[derive(Clone)]
struct Floor {
    state: State,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Serves on every listener until `stop`; then no new connection is taken, open requests are finished within the drain
/// time, and this returns. `pages` are for people; the main listener alone serves them, beside the API. What the API has no path
/// for is theirs to answer.
pub async fn serve(state: State, pages: Router, stop: CancellationToken) {
    let floor = Floor { state: state.clone(), stop: stop.clone(), tasks: TaskTracker::new() };
    let board = state.board();
    // A program that died may have left session files that were sent to it.
    state.bundles().clear().await;

    let main = crate::router::main(&state, pages);
    floor.tasks.spawn(ports::keep(floor.clone(), Place::MAIN, state.options().listen, main));
    for (number, port) in state.options().legacy.ports.iter().enumerate() {
        let place = Place::legacy(number);
        let address = SocketAddr::new(port.listen, port.port);
        let router = legacy::router(&state, Arc::new(port.clone()));
        floor.tasks.spawn(ports::keep(floor.clone(), place, address, router));
    }
    if let (Some(path), Some(place)) = (&state.options().control_socket, board.control()) {
        let router = crate::router::control(&state);
        floor.tasks.spawn(control_socket::keep(floor.clone(), place, path.clone(), router));
    }

    stop.cancelled().await;
    state.stop();
    floor.tasks.close();
    // Each connection has the drain time itself; a little more, so that they are the ones that end it.
    let limit = state.limits().drain + Duration::from_secs(1);
    if tokio::time::timeout(limit, floor.tasks.wait()).await.is_err() {
        tracing::warn!(left = floor.tasks.len(), "connections were still open at the end");
    }
    state.tasks().close();
    if tokio::time::timeout(Duration::from_secs(2), state.tasks().wait()).await.is_err() {
        tracing::warn!(
            left = state.tasks().len(),
            "notes about answered callers were still being written at the end"
        );
    }
}
