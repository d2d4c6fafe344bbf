//! The wire: MTProto 2.0 over TCP, the server's side. It knows bytes and keys, not chats.
//!
//! Its salts do not change: each key has one, made of the key itself. Clients begin with another one all the same, so
//! the way of a wrong salt is gone through by each of them.

mod arrival;
mod connection;
mod der;
mod dialogue;
mod envelope;
mod exchange;
mod gzip;
mod message_id;
mod outgoing;
mod peel;
mod refusals;
mod rsa;
mod session;
mod talk;
mod tl;
mod transport;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::exchange::{GENERATOR, PRIME};
pub(crate) use self::rsa::fixed;
pub use self::rsa::{RsaError, RsaKey};
use crate::call::{ConnectionId, World};
use crate::keys::KeyRing;

/// Connections of one data centre at the same time.
const MOST_CONNECTIONS: usize = 8192;
/// The wait after a connection could not be accepted, such as when no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Connections are numbered across all data centres of the process.
static CONNECTIONS: AtomicU64 = AtomicU64::new(1);

/// One data centre: a port, its keys, and the world behind it.
pub struct DataCentre {
    /// Its number.
    pub dc_id: i32,
    /// Where it listens; all transports are served there.
    pub listener: TcpListener,
    /// The keys it knows, and those that are made with it.
    pub keys: Arc<KeyRing>,
    /// Its key for the key exchange.
    pub rsa: Arc<RsaKey>,
    /// What answers.
    pub world: Arc<dyn World>,
}

/// What the connections of a data centre share.
struct Centre {
    dc_id: i32,
    keys: Arc<KeyRing>,
    rsa: Arc<RsaKey>,
    world: Arc<dyn World>,
    sessions: session::Sessions,
    refusals: refusals::Refusals,
}

impl DataCentre {
    /// Serves until the token is cancelled; then all connections are closed before this returns.
    pub async fn serve(self, stop: CancellationToken) {
        let Self { dc_id, listener, keys, rsa, world } = self;
        let centre = Arc::new(Centre {
            dc_id,
            keys,
            rsa,
            world,
            sessions: session::Sessions::default(),
            refusals: refusals::Refusals::default(),
        });
        let tasks = TaskTracker::new();
        tokio::select! {
            () = stop.cancelled() => {}
            () = accept(&centre, &listener, &stop, &tasks) => {}
        }
        drop(listener);
        tasks.close();
        tasks.wait().await;
    }
}

async fn accept(centre: &Arc<Centre>, listener: &TcpListener, stop: &CancellationToken, tasks: &TaskTracker) {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let (stream, address) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(dc = centre.dc_id, %error, "a connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
        let id = ConnectionId(CONNECTIONS.fetch_add(1, Ordering::Relaxed));
        let serving =
            connection::serve(Arc::clone(centre), stream, address.ip(), id, stop.clone(), tasks.clone());
        tasks.spawn(async move {
            serving.await;
            drop(place);
        });
    }
}
