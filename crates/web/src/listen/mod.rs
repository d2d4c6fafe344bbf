//! Listening: the main port, the legacy ports and the control socket, each on its own, until the stop.

mod board;
mod connection;
mod connection_limiter;
mod control_socket;
mod holder;
mod old_port;
mod ports;
mod standby;
mod tls;

use std::time::Duration;

use axum::Router;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) use board::Board;
use board::ListenerId;
pub use board::{ListenerState, ListenerView};
pub use holder::Holder;
pub use standby::answer_unavailable;
pub use tls::{Tls, TlsError};

use crate::state::State;
use old_port::OldPort;

/// What a listener hands its connections to.
#[derive(Clone)]
struct Floor {
    state: State,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What a port answers by, as long as nothing else takes its place.
#[derive(Clone)]
struct Serving {
    router: Router,
    tls: Option<Tls>,
    replaced: CancellationToken,
}

impl Serving {
    fn by(router: Router) -> Self {
        Self { router, tls: None, replaced: CancellationToken::new() }
    }
}

/// A legacy port that is kept open.
struct OpenPort {
    port: OldPort,
    id: ListenerId,
    serving: watch::Sender<Serving>,
    closed: CancellationToken,
}

/// Serves on every listener until `stop`; then no new connection is taken, open requests are finished within the drain
/// time, and this returns. `pages` are for people; the main listener alone serves them, beside the API. What the API has no path
/// for is theirs to answer.
pub async fn serve(state: State, pages: Router, stop: CancellationToken) {
    let floor = Floor { state: state.clone(), stop: stop.clone(), tasks: TaskTracker::new() };
    let board = state.board();
    // A program that died may have left session files that were sent to it.
    state.bundles().clear().await;

    let options = state.options();
    let main = Serving { tls: options.tls.clone(), ..Serving::by(crate::router::main(&state, pages)) };
    let (main, serving) = watch::channel(main);
    floor.tasks.spawn(ports::keep(
        floor.clone(),
        ListenerId::MAIN,
        options.listen,
        serving,
        CancellationToken::new(),
    ));
    if let (Some(path), Some(id)) = (&options.control_socket, board.control()) {
        let router = crate::router::control(&state);
        floor.tasks.spawn(control_socket::keep(floor.clone(), id, path.clone(), router));
    }
    let ports = OldPort::all(&options.legacy).into_iter().enumerate();
    let mut open = ports.map(|(number, port)| floor.open(&port, ListenerId::legacy(number))).collect();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            () = state.options_changed() => {
                let options = state.options();
                encrypt(&main, options.tls.clone());
                floor.arrange(&mut open, &OldPort::all(&options.legacy));
            }
        }
    }
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

/// Has the main port show this certificate to its next connections, or none. Those that are open go on, unless it no longer
/// speaks what they do.
fn encrypt(main: &watch::Sender<Serving>, tls: Option<Tls>) {
    let before = main.borrow().clone();
    let replaced = if before.tls.is_some() == tls.is_some() {
        before.replaced.clone()
    } else {
        before.replaced.cancel();
        CancellationToken::new()
    };
    main.send_replace(Serving { tls, replaced, ..before });
}

impl Floor {
    fn open(&self, port: &OldPort, id: ListenerId) -> OpenPort {
        let (sender, serving) = watch::channel(self.serving(port));
        let closed = CancellationToken::new();
        self.tasks.spawn(ports::keep(self.clone(), id, port.address(), serving, closed.clone()));
        OpenPort { port: port.clone(), id, serving: sender, closed }
    }

    fn serving(&self, port: &OldPort) -> Serving {
        Serving::by(port.router(&self.state))
    }

    /// Brings the legacy ports to what the settings say. One that stays where it is stays open: its next connections are
    /// answered by what the settings say now.
    fn arrange(&self, open: &mut Vec<OpenPort>, wanted: &[OldPort]) {
        let mut before = std::mem::take(open);
        let stays = |port: &OldPort, before: &mut Vec<OpenPort>| {
            let same = |one: &OpenPort| one.port.address() == port.address();
            before.iter().position(same).map(|place| before.swap_remove(place))
        };
        let stay: Vec<_> = wanted.iter().map(|port| stays(port, &mut before)).collect();
        for gone in before {
            gone.closed.cancel();
            gone.serving.borrow().replaced.cancel();
            self.state.board().remove(gone.id);
        }
        for (port, stays) in wanted.iter().zip(stay) {
            let port = if let Some(mut stays) = stays {
                if stays.port != *port {
                    stays.port = port.clone();
                    stays.serving.send_replace(self.serving(port)).replaced.cancel();
                }
                stays
            } else {
                let address = port.address();
                let now = self.state.clock().now();
                self.open(port, self.state.board().add(address.port().to_string(), address, now))
            };
            open.push(port);
        }
    }
}
