//! A bounded buffer of lines for the writer. Logging never waits; what does not fit is dropped and counted.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The most bytes that wait.
const MOST: usize = 4 << 20;
/// From here on the writer is woken at once instead of gathering more.
const MANY: usize = 256 << 10;

/// Lines on their way from those who log to the one who writes.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    waiting: Mutex<Waiting>,
    /// Something to do for the writer.
    work: Condvar,
    done: Condvar,
}

/// What waits, and what the writer is asked for.
#[derive(Debug, Default)]
struct Waiting {
    rows: Vec<u8>,
    lines: u64,
    dropped: u64,
    /// How often lines were taken, and how often what was taken is written.
    taken: u64,
    written: u64,
    /// Whether a flush waits for what is there now.
    flush_requested: bool,
    /// Whether no more lines are taken.
    closed: bool,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) rows: Vec<u8>,
    pub(crate) lines: u64,
    /// Lines that did not fit since the last one.
    pub(crate) dropped: u64,
    /// Whether this is the last.
    pub(crate) closed: bool,
}

impl Intake {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // A thread that panicked while holding it has left whole lines or none.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a line in.
    pub(crate) fn put(&self, row: &[u8]) {
        let mut waiting = self.lock();
        if waiting.closed {
            return;
        }
        if waiting.rows.len() + row.len() > MOST {
            waiting.dropped += 1;
            return;
        }
        let before = waiting.rows.len();
        waiting.rows.extend_from_slice(row);
        waiting.lines += 1;
        let many = before < MANY && waiting.rows.len() >= MANY;
        drop(waiting);
        // Waking costs more than the line, so only the first and the many-th line do it.
        if before == 0 || many {
            self.work.notify_one();
        }
    }

    /// Waits for lines, at most `idle`, and then a moment `gather` for more of them. `spare` is memory to go on with.
    pub(crate) fn take(&self, idle: Duration, gather: Duration, mut spare: Vec<u8>) -> Batch {
        spare.clear();
        let calm = |waiting: &mut Waiting| {
            waiting.rows.is_empty() && waiting.dropped == 0 && !waiting.flush_requested && !waiting.closed
        };
        let few =
            |waiting: &mut Waiting| waiting.rows.len() < MANY && !waiting.flush_requested && !waiting.closed;
        let waiting = self.lock();
        let (mut waiting, idle) =
            self.work.wait_timeout_while(waiting, idle, calm).unwrap_or_else(PoisonError::into_inner);
        if !idle.timed_out() {
            let gathered = self.work.wait_timeout_while(waiting, gather, few);
            waiting = gathered.unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting.taken += 1;
        waiting.flush_requested = false;
        Batch {
            rows: std::mem::replace(&mut waiting.rows, spare),
            lines: std::mem::take(&mut waiting.lines),
            dropped: std::mem::take(&mut waiting.dropped),
            closed: waiting.closed,
        }
    }

    /// What was taken is written.
    pub(crate) fn written(&self) {
        let mut waiting = self.lock();
        waiting.written = waiting.taken;
        drop(waiting);
        self.done.notify_all();
    }

    /// Waits until all that is there now is written, at most `limit`. False when it was not.
    pub(crate) fn flush(&self, limit: Duration) -> bool {
        let mut waiting = self.lock();
        if waiting.rows.is_empty() && waiting.written == waiting.taken {
            return true;
        }
        waiting.flush_requested = true;
        // What waits goes with the next taking; what is in the writer's hands went with the last.
        let due = waiting.taken + u64::from(!waiting.rows.is_empty());
        self.work.notify_one();
        let ended = self.done.wait_timeout_while(waiting, limit, |waiting| waiting.written < due);
        !ended.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Takes no more lines; the writer gets what is there and ends.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::ZERO;

    #[test]
    fn lines_that_do_not_fit_are_dropped_and_counted() {
        let intake = Intake::default();
        let row = vec![7; MOST / 4];
        for _ in 0..6 {
            intake.put(&row);
        }
        let batch = intake.take(NOW, NOW, Vec::new());
        assert_eq!((batch.rows.len(), batch.lines, batch.dropped), (MOST, 4, 2));
        intake.written();
        intake.put(&row);
        intake.close();
        intake.put(&row);
        let last = intake.take(NOW, NOW, batch.rows);
        assert_eq!((last.lines, last.dropped, last.closed), (1, 0, true));
    }

    #[test]
    fn a_flush_waits_for_queued_lines_within_its_limit() {
        let intake = Intake::default();
        assert!(intake.flush(NOW));
        intake.put(&[1]);
        assert!(!intake.flush(Duration::from_millis(1)));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let batch = intake.take(Duration::from_secs(5), Duration::from_secs(5), Vec::new());
                assert_eq!(batch.rows, [1]);
                intake.written();
            });
            assert!(intake.flush(Duration::from_mins(1)));
        });
        assert!(intake.flush(NOW));
    }
}
