//! The messages or sagas that are not finished, and who waits for them.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use domain::Timestamp;
use tokio::sync::oneshot;

/// One on its way.
struct Entry<T> {
    waiters: Vec<oneshot::Sender<Box<T>>>,
    held_until: Option<Timestamp>,
}

impl<T> Default for Entry<T> {
    fn default() -> Self {
        Self { waiters: Vec::new(), held_until: None }
    }
}

/// Who waits for what: things of the kind `T`, named by an `I`.
pub(crate) struct Live<I, T>(Mutex<HashMap<I, Entry<T>>>);

impl<I, T> Default for Live<I, T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<I: Copy + Eq + Hash, T: Clone> Live<I, T> {
    /// One starts on its way. Before anyone can ask for it, so that no end is missed.
    pub(crate) fn begin(&self, id: I) {
        self.map().entry(id).or_default();
    }

    /// It was not accepted after all.
    pub(crate) fn abandon(&self, id: I) {
        self.map().remove(&id);
    }

    /// Resolves when it is final; `None` if it is not on its way.
    pub(crate) fn wait(&self, id: I) -> Option<oneshot::Receiver<Box<T>>> {
        let mut map = self.map();
        let waiters = &mut map.get_mut(&id)?.waiters;
        waiters.retain(|waiter| !waiter.is_closed());
        let (tell, told) = oneshot::channel();
        waiters.push(tell);
        Some(told)
    }

    /// It is final, and stored so. Before anyone is told it is counted, if it was still on its way: of several who tell
    /// the same end one is the first.
    pub(crate) fn finish(&self, id: I, ended: &T, count: impl FnOnce(&T)) {
        // Bound to a name first: the lock is not held while it is counted.
        let entry = self.map().remove(&id);
        let Some(entry) = entry else { return };
        count(ended);
        for waiter in entry.waiters {
            // A caller that went away needs no answer.
            let _ = waiter.send(Box::new(ended.clone()));
        }
    }

    /// Notes until when every account that could carry it is held back; `None` when that is over.
    pub(crate) fn hold(&self, id: I, until: Option<Timestamp>) {
        if let Some(entry) = self.map().get_mut(&id) {
            entry.held_until = until;
        }
    }

    /// Until when every account that could carry it is held back.
    pub(crate) fn held_until(&self, id: I) -> Option<Timestamp> {
        self.map().get(&id)?.held_until
    }

    /// Whether it is on its way.
    pub(crate) fn has(&self, id: I) -> bool {
        self.map().contains_key(&id)
    }

    /// How many are on their way.
    pub(crate) fn len(&self) -> usize {
        self.map().len()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<I, Entry<T>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
