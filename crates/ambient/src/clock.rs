//! The clock: what time it is, and waiting until it is later.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use domain::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

/// Sleeps are cut into pieces of at most this length, so that a jump of the system's clock is noticed soon.
const LONGEST_NAP: Duration = Duration::from_secs(30);

/// Gives the time and waits. Cheap to clone; clones show the same time.
#[derive(Clone)]
pub struct Clock {
    /// How far the clock was moved, in microseconds. Stays 0 unless a test moves it.
    offset: Arc<AtomicI64>,
    /// How far the time of day alone was set back, in microseconds. Stays 0 unless a test sets it.
    set_back: Arc<AtomicI64>,
    moved: Arc<watch::Sender<()>>,
    made_at: Instant,
}

/// A wait ended before the thing waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Elapsed;

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("timed out")
    }
}

impl std::error::Error for Elapsed {}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self {
            offset: Arc::default(),
            set_back: Arc::default(),
            moved: Arc::new(watch::Sender::new(())),
            made_at: Instant::now(),
        }
    }

    /// The present time.
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub fn now(&self) -> Timestamp {
        let system = jiff::Timestamp::now().as_microsecond();
        let shift = self.offset.load(Ordering::Acquire).saturating_sub(self.set_back.load(Ordering::Acquire));
        Timestamp::from_micros(system.saturating_add(shift))
    }

    /// The time since this clock was made, by a monotonic clock: it never goes back. For how long something took
    /// or lasts, where [`Clock::now`] could be set meanwhile.
    pub fn running(&self) -> Duration {
        let moved = u64::try_from(self.offset.load(Ordering::Acquire)).unwrap_or(0);
        self.made_at.elapsed().saturating_add(Duration::from_micros(moved))
    }

    /// Waits until it is `deadline` or later.
    pub async fn sleep_until(&self, deadline: Timestamp) {
        let mut moved = self.moved.subscribe();
        loop {
            let left = deadline.since(self.now());
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(LONGEST_NAP)) => {}
                _ = moved.changed() => {}
            }
        }
    }

    /// Waits for a while: measured by a monotonic clock, so that a jump of the time of day changes nothing.
    pub async fn sleep(&self, duration: Duration) {
        let (started, offset) = (Instant::now(), self.offset.load(Ordering::Acquire));
        let mut moved = self.moved.subscribe();
        loop {
            let shift = self.offset.load(Ordering::Acquire).saturating_sub(offset);
            let shift = Duration::from_micros(u64::try_from(shift).unwrap_or(0));
            let left = duration.saturating_sub(started.elapsed()).saturating_sub(shift);
            if left.is_zero() {
                return;
            }
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = moved.changed() => {}
            }
        }
    }

    /// Waits for `future`, but no longer than `limit`.
    pub async fn timeout<F: Future>(&self, limit: Duration, future: F) -> Result<F::Output, Elapsed> {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = self.sleep(limit) => Err(Elapsed),
        }
    }

    /// Waits for `future`, but not past `deadline`.
    pub async fn timeout_at<F: Future>(&self, deadline: Timestamp, future: F) -> Result<F::Output, Elapsed> {
        tokio::select! {
            biased;
            output = future => Ok(output),
            () = self.sleep_until(deadline) => Err(Elapsed),
        }
    }

    /// Moves the clock forward; everything whose time has come wakes up.
    #[cfg(feature = "testing")]
    pub fn advance(&self, by: Duration) {
        self.offset.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::AcqRel);
        self.moved.send_replace(());
    }

    /// Sets the time of day back, as someone may do with the clock of a machine. What measures a duration goes on.
    #[cfg(feature = "testing")]
    pub fn set_back(&self, by: Duration) {
        self.set_back.fetch_add(i64::try_from(by.as_micros()).unwrap_or(i64::MAX), Ordering::AcqRel);
        self.moved.send_replace(());
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn moving_the_clock_wakes_who_waits() {
        let clock = Clock::system();
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move { clock.sleep(Duration::from_hours(1)).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(3601));
        sleeper.await.expect("wakes");
        let never = std::future::pending::<()>();
        let waiting = tokio::spawn({
            let clock = clock.clone();
            async move { clock.timeout(Duration::from_mins(1), never).await }
        });
        tokio::task::yield_now().await;
        clock.advance(Duration::from_secs(61));
        assert_eq!(waiting.await.expect("ends"), Err(Elapsed));
    }

    #[test]
    fn the_time_of_day_may_be_set_back_and_durations_go_on() {
        let clock = Clock::system();
        let (before, running) = (clock.now(), clock.running());
        clock.advance(Duration::from_secs(10));
        clock.set_back(Duration::from_hours(1));
        assert!(before.since(clock.now()) > Duration::from_secs(3580));
        assert!(clock.running() >= running + Duration::from_secs(10));
    }
}
