//! Whether the store may be worked on no longer, for what must end then.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

/// Set once, when another process may work on the store or what was written may not be there.
#[derive(Default)]
pub(crate) struct Lost {
    happened: AtomicBool,
    notify: Notify,
}

impl Lost {
    /// Waits until it is set.
    pub(crate) async fn wait(&self) {
        let notified = self.notify.notified();
        if !self.is_set() {
            notified.await;
        }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.happened.load(Ordering::Acquire)
    }

    pub(crate) fn set(&self) {
        self.happened.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }
}
