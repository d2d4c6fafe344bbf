//! How many calls are on a connection, so that it is only dropped while there are none.

use std::sync::atomic::{AtomicU32, Ordering};

/// What the count is while the connection is being dropped.
const SHUT: u32 = u32::MAX;

#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicU32);

/// A call that is on the connection, until this is dropped.
#[derive(Debug)]
pub(crate) struct Inside<'a>(&'a AtomicU32);

impl Gate {
    /// Lets a call in; waits for the instant that it takes to drop the connection.
    pub(crate) async fn enter(&self) -> Inside<'_> {
        loop {
            let entered = self.0.try_update(Ordering::AcqRel, Ordering::Acquire, |count| {
                (count < SHUT - 1).then_some(count + 1)
            });
            if entered.is_ok() {
                return Inside(&self.0);
            }
            tokio::task::yield_now().await;
        }
    }

    /// Does something while there is no call, and none can come in; false when there are some.
    pub(crate) fn when_empty(&self, act: impl FnOnce()) -> bool {
        if self.0.compare_exchange(0, SHUT, Ordering::AcqRel, Ordering::Acquire).is_err() {
            return false;
        }
        act();
        self.0.store(0, Ordering::Release);
        true
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_gate_closes_only_without_running_calls() {
        let gate = Gate::default();
        let (first, second) = (gate.enter().await, gate.enter().await);
        assert!(!gate.when_empty(|| unreachable!("there are calls")));
        drop(first);
        assert!(!gate.when_empty(|| unreachable!("there is a call")));
        drop(second);
        let mut acted = false;
        assert!(gate.when_empty(|| acted = true));
        assert!(acted);
        drop(gate.enter().await);
        assert!(gate.when_empty(|| {}));
    }
}
