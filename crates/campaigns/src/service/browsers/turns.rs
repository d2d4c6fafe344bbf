//! Whose turn it is at a browser profile: the runs that it sends for have its browser one after the other.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use domain::ProfileName;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// The turns at all profiles.
#[derive(Default)]
pub(in crate::service) struct Turns(Mutex<HashMap<ProfileName, Arc<Queue>>>);

/// Those who wait for one profile; the first of them is the next.
struct Queue {
    turn: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// A turn at a profile; it ends when it is dropped.
pub(super) struct Turn {
    queue: Arc<Queue>,
    _held: OwnedSemaphorePermit,
}

impl Turn {
    /// Whether another run waits for the profile.
    pub(super) fn is_wanted(&self) -> bool {
        self.queue.waiting.load(Ordering::Relaxed) > 0
    }
}

impl Turns {
    /// Waits for a turn; those who have one and nap hear of it by `changed`. None when the run pauses first.
    pub(super) async fn take(
        &self,
        name: &ProfileName,
        changed: &Notify,
        pause: &CancellationToken,
    ) -> Option<Turn> {
        let queue = Arc::clone(
            self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(name.clone()).or_insert_with(|| {
                Arc::new(Queue { turn: Arc::new(Semaphore::new(1)), waiting: AtomicUsize::new(0) })
            }),
        );
        let turn = Arc::clone(&queue.turn);
        let held = if let Ok(held) = Arc::clone(&turn).try_acquire_owned() {
            held
        } else {
            let _waiting = Waiting::at(&queue);
            changed.notify_waiters();
            tokio::select! {
                held = turn.acquire_owned() => held.ok()?,
                () = pause.cancelled() => return None,
            }
        };
        Some(Turn { queue, _held: held })
    }
}

/// Counts as one who waits until it is dropped.
struct Waiting<'a>(&'a Queue);

impl<'a> Waiting<'a> {
    fn at(queue: &'a Queue) -> Self {
        queue.waiting.fetch_add(1, Ordering::Relaxed);
        Self(queue)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn runs_that_share_a_profile_have_it_in_turns() {
        let (turns, changed, pause) = (Turns::default(), Notify::new(), CancellationToken::new());
        let name: ProfileName = "shop".parse().expect("a name");
        let other: ProfileName = "other".parse().expect("a name");
        let first = turns.take(&name, &changed, &pause).await.expect("a turn");
        assert!(!first.is_wanted() && turns.take(&other, &changed, &pause).await.is_some());
        let heard = changed.notified();
        {
            let second = turns.take(&name, &changed, &pause);
            tokio::pin!(second);
            assert!(futures::poll!(&mut second).is_pending());
            heard.await;
            assert!(first.is_wanted());
            drop(first);
            let second = second.await.expect("a turn");
            assert!(!second.is_wanted());
            pause.cancel();
            assert!(turns.take(&name, &changed, &pause).await.is_none());
            assert!(!second.is_wanted());
        }
    }
}
