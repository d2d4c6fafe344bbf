//! Asking the program to read its settings again.

use api::ReloadedSettings;
use tokio::sync::{mpsc, oneshot};

/// Requests that may wait for the one that is worked on; further ones are turned away.
const MOST: usize = 4;

/// The result, or what is wrong with the settings, of which nothing was applied then.
pub type Reloaded = Result<ReloadedSettings, String>;

/// A request; it is answered once.
pub type ReloadRequest = oneshot::Sender<Reloaded>;

/// Where requests go. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReloadRequests(mpsc::Sender<ReloadRequest>);

/// Why a request is not worked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotReloaded {
    #[error("the settings are being read again already; wait until that is done")]
    Busy,
    #[error("the server is stopping")]
    Stopping,
}

impl ReloadRequests {
    /// The two ends: who asks, and who answers.
    pub fn channel() -> (Self, mpsc::Receiver<ReloadRequest>) {
        let (requests, receiver) = mpsc::channel(MOST);
        (Self(requests), receiver)
    }

    pub(crate) async fn ask(&self) -> Result<Reloaded, NotReloaded> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(answer).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => NotReloaded::Busy,
            mpsc::error::TrySendError::Closed(_) => NotReloaded::Stopping,
        })?;
        answered.await.map_err(|_| NotReloaded::Stopping)
    }
}
