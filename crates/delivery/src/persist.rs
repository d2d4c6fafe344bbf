//! Steps that must be written, and lines that should be.

use std::fmt::Display;
use std::time::Duration;

use domain::MessageId;
use domain::timeline::Entry;
use store::StoreError;
use tokio_util::sync::CancellationToken;

use crate::worker::Gone;
use crate::{Ambient, Delivery};

/// How long a store that does not answer is left alone before the same write is tried again.
pub(crate) const STORE_PAUSE: Duration = Duration::from_millis(500);

/// How long a row that cannot be read, or a value that its table does not take, is left alone: only a person can put it
/// right.
const UNREADABLE_PAUSE: Duration = Duration::from_mins(1);

/// Why something that must be written was not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwritten {
    /// Someone else changed what it is about.
    Changed,
    /// The program is ending.
    Closing,
}

/// Writes until it is written: what is known must not be forgotten because a disk was full for a minute, or because a row
/// cannot be read. Gives up when the store says that what it is about, `subject`, is not what it was, or when the program
/// ends.
pub(crate) async fn write<T, F>(
    ambient: &Ambient,
    closing: &CancellationToken,
    subject: &impl Display,
    write: impl Fn() -> F,
) -> Result<T, Unwritten>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match write().await {
            Ok(answer) => return Ok(answer),
            Err(StoreError::Conflict { table, what } | StoreError::NotFound { table, what }) => {
                tracing::info!(%subject, table, what, "it was changed by someone else");
                return Err(Unwritten::Changed);
            }
            Err(error) => {
                tracing::error!(%subject, %error, "the store does not take a step; trying again");
                tokio::select! {
                    () = ambient.clock.sleep(pause_after(&error)) => {}
                    () = closing.cancelled() => return Err(Unwritten::Closing),
                }
            }
        }
    }
}

/// How long until the store is asked again for what it refused with this error.
pub(crate) const fn pause_after(error: &StoreError) -> Duration {
    match error {
        StoreError::Corrupt { .. } | StoreError::Invalid { .. } => UNREADABLE_PAUSE,
        _ => STORE_PAUSE,
    }
}

impl Delivery {
    /// Writes until it is written, or until the message is not this worker's any more.
    pub(crate) async fn persist<T, F>(&self, id: MessageId, step: impl Fn() -> F) -> Result<T, Gone>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let inner = &self.0;
        match write(&inner.ambient, &inner.closing, &id, step).await {
            Ok(answer) => Ok(answer),
            Err(Unwritten::Changed) => {
                self.tell_stored(id).await;
                Err(Gone)
            }
            Err(Unwritten::Closing) => Err(Gone),
        }
    }

    /// A line in the timeline; losing one is no reason to stop.
    pub(crate) async fn note(&self, id: MessageId, entry: Entry) {
        if let Err(error) = self.0.store.outbox().note(id, entry).await {
            tracing::warn!(subject = %id, %error, "a step could not be written into the timeline");
        }
    }

    /// The store knows better: the one who waits gets what it says.
    pub(crate) async fn tell_stored(&self, id: MessageId) {
        if let Ok(Some(message)) = self.get(id).await
            && message.state.is_final()
        {
            self.end(&message, None);
        }
    }
}
