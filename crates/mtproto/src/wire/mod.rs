//! The connection of one key to its data centre: opened, asked, watched, and closed so that nothing of it is left.
//!
//! `dialogue` knows what waits and what is in flight; `message`, `envelope`, `ige` and `framing` are the layers of the protocol
//! under it; `live` moves the bytes, and `runner` is the task that connects and greets. `plain` is for the key exchange.

mod arrived;
mod dialogue;
mod envelope;
mod error;
mod framing;
mod greeting;
mod ige;
mod live;
mod message;
mod plain;
mod proxied;
mod runner;
mod socket;
mod socks;
#[cfg(test)]
mod tests;

pub use error::{Garbled, Loss, RequestError, RpcError};
pub(crate) use live::Learned;
pub(crate) use plain::{Plain, PlainError};
pub use proxied::{Proxied, judge_named};

use std::sync::Arc;
use std::time::Duration;

use ambient::Clock;
use grammers_session::updates::UpdatesLike;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use self::envelope::Envelope;
use self::runner::{Arrivals, Orders, Request, Runner};
use crate::data_centre::{AuthKey, DataCentre};

/// Requests that may wait for being taken by the connection; anyone who comes later waits for a place.
const WAITING: usize = 64;

/// How long a connection may take to close before its task is aborted: longer than the other side is waited for.
const CLOSING: Duration = socket::PARTING.saturating_mul(2);

#[derive(Clone)]
pub struct Application {
    pub api_id: i32,
    pub proxy: Option<Proxied>,
}

/// Whether a request subscribes its session to updates; once subscribed, a session stays so.
///
/// After <https://core.telegram.org/api/invoking#disabling-updates>.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Updates {
    Wanted,
    /// The request is wrapped in `invokeWithoutUpdates`, and its result is not read for updates either.
    Unwanted,
}

#[derive(Clone)]
pub struct Wire {
    requests: mpsc::Sender<Request>,
    orders: watch::Sender<Orders>,
}

impl Wire {
    /// Makes a request, and connects for it if need be. Waits without a limit of its own: each caller has one. A request whose
    /// caller is gone before it is written is never written.
    pub async fn request(&self, body: Vec<u8>, updates: Updates) -> Result<Vec<u8>, RequestError> {
        let closed = |written| RequestError::Lost { loss: Loss::Closed, written };
        let (answer, result) = oneshot::channel();
        self.requests.send(Request { body, updates, answer }).await.map_err(|_| closed(false))?;
        // A task that was aborted cannot report whether it wrote.
        result.await.unwrap_or_else(|_| Err(closed(true)))
    }

    /// Hands a request over without waiting for a place; it is written as soon as what was handed over before it. What comes
    /// back is the future's answer.
    ///
    /// # Errors
    /// There is no place; nothing was written.
    pub fn hand_over(
        &self,
        body: Vec<u8>,
        updates: Updates,
    ) -> Result<impl Future<Output = Result<Vec<u8>, RequestError>> + Send + use<>, RequestError> {
        let closed = |written| RequestError::Lost { loss: Loss::Closed, written };
        let (answer, result) = oneshot::channel();
        self.requests.try_send(Request { body, updates, answer }).map_err(|_| closed(false))?;
        Ok(async move { result.await.unwrap_or_else(|_| Err(closed(true))) })
    }

    pub fn hang_up(&self) {
        self.orders.send_modify(|orders| orders.round = orders.round.wrapping_add(1));
    }
}

/// The connection of one key: at most one at a time. Aborted when dropped; [`Connection::close`] is the polite way.
pub struct Connection {
    pub wire: Wire,
    runner: JoinHandle<()>,
}

impl Connection {
    /// Prepares a connection; it is made with the first request, and again with the first one after it was lost. `arrived` gets each
    /// thing that comes by itself, in order, and that the connection is lost; `observer` looks at it before, and
    /// what was handed over is written when it calls its second argument. Neither may wait.
    pub fn open(
        centre: Arc<DataCentre>,
        key: &AuthKey,
        application: &Application,
        clock: &Clock,
        observer: impl FnMut(&UpdatesLike, &mut dyn FnMut()) + Send + 'static,
        arrived: impl FnMut(UpdatesLike) + Send + 'static,
    ) -> Self {
        let (requests, waiting) = mpsc::channel(WAITING);
        let (orders, ordered) = watch::channel(Orders::default());
        let runner = Runner {
            centre,
            envelope: Envelope::new(key),
            api_id: application.api_id,
            proxy: application.proxy.clone(),
            clock: clock.clone(),
            requests: waiting,
            orders: ordered,
            arrivals: Arrivals { observer: Box::new(observer), arrived: Box::new(arrived) },
        };
        Self { wire: Wire { requests, orders }, runner: tokio::spawn(runner.run()) }
    }

    /// Waits until its task ends by itself, which it does only when something broke; returns what.
    pub async fn broken(&mut self) -> String {
        match (&mut self.runner).await {
            Ok(()) => "the connection task ended".to_owned(),
            Err(error) if error.is_panic() => "the connection task panicked".to_owned(),
            Err(_) => "the connection task was stopped".to_owned(),
        }
    }

    pub fn is_broken(&self) -> bool {
        self.runner.is_finished()
    }

    /// Closes the connection and waits until it is closed: two with one key at a time would end the session.
    pub async fn close(mut self) {
        self.wire.orders.send_modify(|orders| orders.quit = true);
        if !self.runner.is_finished() && tokio::time::timeout(CLOSING, &mut self.runner).await.is_err() {
            self.runner.abort();
            // Its only other end is a panic, which was looked for already.
            let _ = (&mut self.runner).await;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.runner.abort();
    }
}
