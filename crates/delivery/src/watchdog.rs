//! The pulse of work: what is to be begun this very moment, so that a worker that stands still can be seen.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use domain::Service;
use uuid::Uuid;

/// A piece of work that nothing is waited for, and that is not begun yet. It is so for milliseconds, unless the worker
/// stands still.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unbegun {
    /// The id of the message or operation.
    pub what: Uuid,
    /// The service it is part of; none in a channel.
    pub service: Option<Service>,
    /// Since when; of use only to see whether it is still the same attempt to begin it.
    pub since: Duration,
}

/// What is to be begun, by its worker.
#[derive(Debug)]
pub(crate) struct Watchdog<W>(Mutex<HashMap<W, Unbegun>>);

impl<W> Default for Watchdog<W> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<W: Copy + Eq + Hash> Watchdog<W> {
    /// The pulse of a worker; it ends when this is dropped.
    pub(crate) fn of(&self, worker: W) -> Watch<'_, W> {
        Watch { watchdog: self, worker }
    }

    /// Everything that is to be begun.
    pub(crate) fn unbegun(&self) -> Vec<Unbegun> {
        self.map().values().copied().collect()
    }

    fn map(&self) -> std::sync::MutexGuard<'_, HashMap<W, Unbegun>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pulse of one worker.
#[derive(Debug)]
pub(crate) struct Watch<'a, W: Copy + Eq + Hash> {
    watchdog: &'a Watchdog<W>,
    worker: W,
}

impl<W: Copy + Eq + Hash> Watch<'_, W> {
    /// It is about to begin this.
    pub(crate) fn arm(&self, unbegun: Unbegun) {
        self.watchdog.map().insert(self.worker, unbegun);
    }

    /// It waits for something, or asks someone.
    pub(crate) fn disarm(&self) {
        self.watchdog.map().remove(&self.worker);
    }
}

impl<W: Copy + Eq + Hash> Drop for Watch<'_, W> {
    fn drop(&mut self) {
        self.disarm();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn begun_waiting_or_abandoned_work_has_no_pulse() {
        let watchdog = Watchdog::default();
        let unbegun = Unbegun { what: Uuid::nil(), service: Some(Service::SendText), since: Duration::ZERO };
        let watch = watchdog.of(1);
        watch.arm(unbegun);
        assert_eq!(watchdog.unbegun(), [unbegun]);
        watch.disarm();
        assert_eq!(watchdog.unbegun(), []);
        watch.arm(unbegun);
        drop(watch);
        assert_eq!(watchdog.unbegun(), []);
    }
}
