//! What providers tell about a message after they have it: that it arrived, that it was read.

use domain::MessageId;
use store::{Receipt, StoreError};

use crate::Delivery;

impl Delivery {
    /// Notes how far something is that was sent through a channel, and names the message it belongs to; none where no
    /// message of ours is known by that id.
    ///
    /// # Errors
    /// The store cannot be written; the provider is to say it again.
    pub async fn receipt(&self, receipt: Receipt) -> Result<Option<MessageId>, StoreError> {
        let store = self.0.store.clone();
        self.to_the_end(async move { store.outbox().receipt(receipt).await }).await?
    }
}
