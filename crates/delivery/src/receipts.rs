//! What providers report about a message after they have it: that it arrived, that it was read.

use std::time::Duration;

use domain::MessageId;
use store::{Receipt, StoreError};

use crate::Delivery;

/// How long a receipt waits for the outcomes of what its account is sending: the provider's answer may be slower than it.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl Delivery {
    /// Notes how far something is that was sent through a channel, and names the message it belongs to; none where no
    /// message of ours is known by that id. One that is not known yet, because it is being sent, is waited for, at most ten
    /// seconds; how many wait so is for the callers to bound.
    ///
    /// # Errors
    /// The store cannot be written; the provider is to say it again.
    pub async fn receipt(&self, receipt: Receipt) -> Result<Option<MessageId>, StoreError> {
        let noted = self.note_receipt(receipt.clone()).await?;
        if noted.is_some() {
            return Ok(noted);
        }
        let outcomes = self.0.waiters.outcomes_of(&receipt.account);
        // What it speaks of may have come to its outcome since the look; else what is left after the wait is not ours.
        let _ = self.0.ambient.clock.timeout(LONGEST_WAIT, outcomes).await;
        self.note_receipt(receipt).await
    }

    async fn note_receipt(&self, receipt: Receipt) -> Result<Option<MessageId>, StoreError> {
        let store = self.0.store.clone();
        self.to_the_end(async move { store.outbox().receipt(receipt).await }).await?
    }
}
