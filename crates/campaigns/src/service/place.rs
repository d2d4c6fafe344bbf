//! The place of a sender among those that are at work at once.

use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;

/// One of the places of a run, while the sender has it.
pub(super) struct Place<'a> {
    slots: &'a Semaphore,
    held: Option<SemaphorePermit<'a>>,
}

impl<'a> Place<'a> {
    pub(super) const fn among(slots: &'a Semaphore) -> Self {
        Self { slots, held: None }
    }

    /// Waits for a place, unless the sender has one. False when the run pauses first.
    pub(super) async fn take(&mut self, pause: &CancellationToken) -> bool {
        if self.held.is_none() {
            self.held = tokio::select! {
                held = self.slots.acquire() => held.ok(),
                () = pause.cancelled() => None,
            };
        }
        self.held.is_some()
    }

    /// Takes a place that is free now. False where there is none.
    pub(super) fn take_free(&mut self) -> bool {
        if self.held.is_none() {
            self.held = self.slots.try_acquire().ok();
        }
        self.held.is_some()
    }

    /// Leaves the place to another sender.
    pub(super) fn leave(&mut self) {
        self.held = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sender_that_leaves_its_place_lets_another_go_on() {
        let (slots, pause) = (Semaphore::new(1), CancellationToken::new());
        let (mut first, mut second) = (Place::among(&slots), Place::among(&slots));
        assert!(first.take(&pause).await && first.take(&pause).await);
        assert!(!second.take_free());
        first.leave();
        assert!(second.take(&pause).await);
        let again = first.take(&pause);
        tokio::pin!(again);
        assert!(futures::poll!(&mut again).is_pending());
        second.leave();
        assert!(again.await);
        pause.cancel();
        assert!(!second.take(&pause).await);
    }
}
