//! Steps that must be written, and lines that should be.

use std::time::Duration;

use domain::MessageId;
use domain::timeline::Entry;
use store::StoreError;

use crate::worker::{Gone, Walk};

/// How long a store that does not answer is left alone before the same write is tried again.
const STORE_PAUSE: Duration = Duration::from_millis(500);

impl Walk<'_> {
    /// Writes until it is written: what is known must not be forgotten because a disk was full for a minute. Gives up
    /// when the store says that the message is not what it was, or when the program ends.
    pub(crate) async fn persist<T, F>(&self, id: MessageId, write: impl Fn() -> F) -> Result<T, Gone>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        loop {
            match write().await {
                Ok(answer) => return Ok(answer),
                Err(StoreError::Inconsistent { table, what }) => {
                    tracing::info!(message = %id, table, what, "the message was changed by someone else");
                    self.tell_stored(id).await;
                    return Err(Gone);
                }
                Err(error) => {
                    tracing::error!(message = %id, %error, "the store does not take a step; trying again");
                    tokio::select! {
                        () = self.delivery.0.ambient.clock.sleep(STORE_PAUSE) => {}
                        () = self.delivery.0.closing.cancelled() => return Err(Gone),
                    }
                }
            }
        }
    }

    /// A line in the timeline; losing one is no reason to stop.
    pub(crate) async fn note(&self, id: MessageId, entry: Entry) {
        if let Err(error) = self.delivery.0.store.outbox().note(id, entry).await {
            tracing::warn!(message = %id, %error, "a step could not be written into the timeline");
        }
    }

    /// The store knows better: whoever waits gets what it says.
    pub(crate) async fn tell_stored(&self, id: MessageId) {
        if let Ok(Some(message)) = self.delivery.get(id).await
            && message.state.is_final()
        {
            self.delivery.0.live.finish(&message);
        }
    }
}
