//! What was not answered, put on its way again by a person.

use domain::{AnyReceivedId, TurnId};
use store::{Page, Paged, Replayed, StoreError, StoredTurn};

use crate::rules::rules;
use crate::service::Pipeline;

/// The most turns that one write starts again.
const MOST: u32 = 500;

impl Pipeline {
    /// Turns that no program answered though one was to and whose client still waits, the last one first.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn failed_turns(&self, page: &Page) -> Result<Paged<StoredTurn>, StoreError> {
        self.inner().parts.store.pipeline().failed_turns(page).await
    }

    /// Starts turns again: those given, else the last 500 that failed. Returns the result of each.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn retry_turns(
        &self,
        given: Option<Vec<TurnId>>,
    ) -> Result<Vec<(TurnId, Replayed)>, StoreError> {
        let parts = &self.inner().parts;
        let given = if let Some(given) = given {
            given
        } else {
            let page = Page { limit: MOST, cursor: None };
            let found = parts.store.pipeline().failed_turns(&page).await?.items;
            found.into_iter().map(|turn| turn.id).collect()
        };
        let rules = rules(&parts.settings, parts.clock.now());
        let came = parts.store.pipeline().retry_turns(given, &rules).await?;
        self.inner().moved();
        Ok(came)
    }

    /// Puts a message that was received on its way again; none where it is not stored.
    ///
    /// # Errors
    /// The store cannot be written.
    pub async fn replay(&self, message: AnyReceivedId) -> Result<Option<Replayed>, StoreError> {
        let parts = &self.inner().parts;
        let rules = rules(&parts.settings, parts.clock.now());
        let came = parts.store.pipeline().replay(message, &rules).await?;
        self.inner().moved();
        Ok(came)
    }
}
