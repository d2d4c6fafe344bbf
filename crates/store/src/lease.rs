//! The right to work on the database of a server: one process at a time, known by a number that only grows.
//!
//! The holder renews it every 3 s. When it could not for 6 s, counted also while the machine or the process is suspended, it
//! gives up; 10 s after the last renewal, by the clock of the server, another one may take it. What the former holder still
//! sends is refused: each of its transactions looks at the number first. What is not written to the store asks before it acts
//! ([`Term::is_held`]): a holder that slept does nothing before it knows.
//!
//! A program that is started again on the data directory of its dead predecessor takes the lease at once: the lock of the
//! directory proves that the predecessor is dead.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

use crate::database::Postgres;
use crate::directory::DirectoryLock;
use crate::{OpenError, StoreError};

/// These five are in seconds; see [`seconds`].
const HOLDS_FOR: u32 = 10;
const RENEW_EVERY: u32 = 3;
/// After a renewal that failed.
const ASK_AGAIN_AFTER: u32 = 1;
const GIVE_UP_AFTER: u32 = 6;
/// A renewal tries twice and may have to connect between: all of it ends before the lease does.
const ANSWERED_WITHIN: u32 = 1;

/// The table, made with the schema's own tables.
pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS store_leases (
        name TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, holder TEXT NOT NULL, epoch BIGINT NOT NULL, expires_at TIMESTAMPTZ NOT NULL,
        place TEXT COLLATE \"C\"
    )";
/// A lease that has expired is free. So is one of this place: its holder is dead, as this process has its lock.
const TAKE: &str = "
    INSERT INTO store_leases (name, holder, epoch, expires_at, place)
    VALUES ('store', $1, 1, now() + $2::bigint * interval '1 millisecond', $3)
    ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, epoch = store_leases.epoch + 1, expires_at = excluded.expires_at, place = excluded.place
    WHERE store_leases.expires_at < now() OR store_leases.place = excluded.place
    RETURNING epoch";
const HOLDER: &str = "SELECT holder FROM store_leases WHERE name = 'store'";
const RENEW: &str = "
    UPDATE store_leases SET expires_at = now() + $2::bigint * interval '1 millisecond'
    WHERE name = 'store' AND epoch = $1
    RETURNING epoch";
const GIVE_BACK: &str = "UPDATE store_leases SET expires_at = now() WHERE name = 'store' AND epoch = $1";

/// A lease that is held.
pub(crate) struct Lease {
    pub(crate) epoch: i64,
    term: Arc<Term>,
    /// None once it is given back.
    renewing: Mutex<Option<Renewing>>,
}

/// The thread that renews it, until the sender is dropped.
struct Renewing {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// How long the store is held, for what must end with it and for what asks before it acts: as long as the lease of a server, or
/// until the database file is lost.
#[derive(Default)]
pub(crate) struct Term {
    is_over: AtomicBool,
    /// When it was renewed last, in milliseconds of [`suspended_time`].
    renewed_at: AtomicU64,
    changed: Notify,
}

impl Term {
    /// One that needs no renewal.
    pub(crate) fn endless() -> Self {
        Self { renewed_at: AtomicU64::new(u64::MAX), ..Self::default() }
    }

    /// Waits until the store is lost.
    pub(crate) async fn over(&self) {
        loop {
            let changed = self.changed.notified();
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            changed.await;
        }
    }

    /// Whether the store is lost, as far as it is known at once.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    /// Whether the lease is held now. Where it was not renewed in time, as after a sleep, that is only known once it is renewed or
    /// lost, which is waited for; 10 s at most.
    pub(crate) async fn is_held(&self) -> bool {
        if self.is_fresh() {
            return true;
        }
        let known = async {
            loop {
                let changed = self.changed.notified();
                if self.is_over.load(Ordering::Acquire) || self.is_fresh() {
                    break self.is_fresh();
                }
                changed.await;
            }
        };
        tokio::time::timeout(seconds(HOLDS_FOR), known).await.unwrap_or(false)
    }

    /// Whether it is held, as far as it is known at once.
    pub(crate) fn is_fresh(&self) -> bool {
        let renewed_at = Duration::from_millis(self.renewed_at.load(Ordering::Acquire));
        !self.is_over.load(Ordering::Acquire)
            && suspended_time().saturating_sub(renewed_at) < seconds(GIVE_UP_AFTER)
    }

    /// It was renewed by a request that was sent then.
    fn renew(&self, requested_at: Duration) {
        let millis = u64::try_from(requested_at.as_millis()).unwrap_or_default();
        self.renewed_at.store(millis, Ordering::Release);
        self.changed.notify_waiters();
    }

    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
        self.changed.notify_waiters();
    }
}

impl Lease {
    /// Takes the lease if no one holds it, or if its holder worked on the directory of this lock and is dead therefore.
    pub(crate) fn take(connection: Postgres, lock: Option<&DirectoryLock>) -> Result<Self, OpenError> {
        let server = |error: StoreError| connection.open_error(&error);
        let holds_for = i64::try_from(seconds(HOLDS_FOR).as_millis()).unwrap_or(i64::MAX);
        let requested_at = suspended_time();
        connection.begin().map_err(server)?;
        let place = lock.and_then(DirectoryLock::place);
        let wanted = (name_of_this_process(), holds_for, place);
        let epoch = connection.first(TAKE, &wanted, |row| row.get(0)).map_err(server)?;
        connection.commit().map_err(|error| server(error.into()))?;
        let Some(epoch) = epoch else {
            let holder = connection.first(HOLDER, &(), |row| row.get(0)).map_err(server)?;
            return Err(OpenError::Held { holder: holder.unwrap_or_else(|| "another process".to_owned()) });
        };
        let connection = connection.answering_within(seconds(ANSWERED_WITHIN));
        let term = Arc::<Term>::default();
        term.renew(requested_at);
        let (stop, stopped) = sync_channel(1);
        let renewed = Arc::clone(&term);
        let work = move || {
            let mut pause = RENEW_EVERY;
            while stopped.recv_timeout(seconds(pause)) == Err(RecvTimeoutError::Timeout) {
                pause = RENEW_EVERY;
                let requested_at = suspended_time();
                match connection.first(RENEW, &(epoch, holds_for), |row| row.get::<i64>(0)) {
                    Ok(Some(_)) => renewed.renew(requested_at),
                    Ok(None) => {
                        tracing::error!("another process has taken the store over");
                        return renewed.end();
                    }
                    Err(error) if renewed.is_fresh() => {
                        tracing::warn!(%error, "the lease of the store was not renewed");
                        pause = ASK_AGAIN_AFTER;
                    }
                    Err(error) => {
                        tracing::error!(%error, "the lease of the store is given up");
                        return renewed.end();
                    }
                }
            }
            if let Err(error) = connection.execute(GIVE_BACK, &[epoch]) {
                tracing::warn!(%error, "the lease of the store was not given back; it ends by itself in 10 s");
            }
        };
        let no_thread = |error: io::Error| OpenError::Server { what: format!("no thread: {error}") };
        let thread = thread::Builder::new().name("store-lease".into()).spawn(work).map_err(no_thread)?;
        Ok(Self { epoch, term, renewing: Mutex::new(Some(Renewing { stop, thread })) })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.term.is_over()
    }

    /// How long it is held.
    pub(crate) fn term(&self) -> Arc<Term> {
        Arc::clone(&self.term)
    }
}

impl Lease {
    /// Gives it back, so that another process may have it at once. Blocks until the server knows or does not answer.
    pub(crate) fn release(&self) {
        let renewing = self.renewing.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Renewing { stop, thread }) = renewing {
            drop(stop);
            if thread.join().is_err() {
                tracing::error!("the thread of the lease died");
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.release();
    }
}

/// So many seconds; in a test build, of the length that the environment says.
fn seconds(count: u32) -> Duration {
    #[cfg(feature = "testing")]
    let second = crate::testing::second_of_leases();
    #[cfg(not(feature = "testing"))]
    let second = Duration::from_secs(1);
    second * count
}

/// A clock that goes on while the machine sleeps, and that no one sets.
fn suspended_time() -> Duration {
    let now = clock_gettime(ClockId::Boottime);
    Duration::new(now.tv_sec.try_into().unwrap_or_default(), now.tv_nsec.try_into().unwrap_or_default())
}

/// The machine and the number of this process.
fn name_of_this_process() -> String {
    let machine = rustix::system::uname();
    format!("{} (process {})", machine.nodename().to_string_lossy(), std::process::id())
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_term_that_was_slept_through_is_held_once_renewed() {
        let term = Term::default();
        term.renew(suspended_time());
        assert!(term.is_held().await);
        let slept = || term.renew(suspended_time().saturating_sub(seconds(GIVE_UP_AFTER)));
        for is_taken in [false, true] {
            slept();
            let mut is_held = pin!(term.is_held());
            let mut over = pin!(term.over());
            assert_eq!(is_held.as_mut().now_or_never(), None, "it is not known");
            assert_eq!(over.as_mut().now_or_never(), None);
            if is_taken {
                term.end();
            } else {
                term.renew(suspended_time());
            }
            assert_eq!(is_held.as_mut().now_or_never(), Some(!is_taken));
            assert_eq!(over.as_mut().now_or_never().is_some(), is_taken);
        }
    }
}
