//! The right to work on the database of a server: one process at a time, known by a number that only grows.
//!
//! The holder renews it every 3 s. When it could not for 6 s, counted also while the machine or the process is suspended, it
//! gives up; 10 s after the last renewal, by the clock of the server, another one may take it. What the former holder still
//! sends is refused: each of its transactions looks at the number first.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use tokio::sync::Notify;

use crate::database::Postgres;
use crate::{OpenError, StoreError};

/// These four are in seconds; see [`seconds`].
const HOLDS_FOR: u32 = 10;
const RENEW_EVERY: u32 = 3;
const GIVE_UP_AFTER: u32 = 6;
/// A renewal tries twice and may have to connect between: all of it ends before the lease does.
const ANSWERED_WITHIN: u32 = 1;

/// The table, made with the schema's own tables.
pub(crate) const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS store_leases (
        name TEXT COLLATE \"C\" NOT NULL PRIMARY KEY, holder TEXT NOT NULL, epoch BIGINT NOT NULL, expires_at TIMESTAMPTZ NOT NULL
    )";
const TAKE: &str = "
    INSERT INTO store_leases (name, holder, epoch, expires_at) VALUES ('store', $1, 1, now() + $2::bigint * interval '1 millisecond')
    ON CONFLICT (name) DO UPDATE
    SET holder = excluded.holder, epoch = store_leases.epoch + 1, expires_at = excluded.expires_at
    WHERE store_leases.expires_at < now()
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
    lost: Arc<Lost>,
    /// None once it is given back.
    renewing: Mutex<Option<Renewing>>,
}

/// The thread that renews it, until the sender is dropped.
struct Renewing {
    stop: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// Whether the lease was lost, for what must end then.
#[derive(Default)]
pub(crate) struct Lost {
    happened: AtomicBool,
    notify: Notify,
}

impl Lost {
    /// Waits until the lease is lost.
    pub(crate) async fn wait(&self) {
        let notified = self.notify.notified();
        if !self.happened.load(Ordering::Acquire) {
            notified.await;
        }
    }

    fn set(&self) {
        self.happened.store(true, Ordering::Release);
        self.notify.notify_waiters();
    }
}

impl Lease {
    /// Takes the lease if no one holds it.
    pub(crate) fn take(connection: Postgres) -> Result<Self, OpenError> {
        let server = |error: StoreError| OpenError::Server { what: error.to_string() };
        let holds_for = i64::try_from(seconds(HOLDS_FOR).as_millis()).unwrap_or(i64::MAX);
        connection.begin().map_err(server)?;
        let epoch =
            connection.first(TAKE, &(name_of_this_process(), holds_for), |row| row.get(0)).map_err(server)?;
        connection.commit().map_err(|error| server(error.into()))?;
        let Some(epoch) = epoch else {
            let holder = connection.first(HOLDER, &(), |row| row.get(0)).map_err(server)?;
            return Err(OpenError::Held { holder: holder.unwrap_or_else(|| "another process".to_owned()) });
        };
        let connection = connection.answering_within(seconds(ANSWERED_WITHIN));
        let lost = Arc::<Lost>::default();
        let (stop, stopped) = sync_channel(1);
        let losing = Arc::clone(&lost);
        let work = move || {
            let mut renewed_at = suspended_time();
            while stopped.recv_timeout(seconds(RENEW_EVERY)) == Err(RecvTimeoutError::Timeout) {
                match connection.first(RENEW, &(epoch, holds_for), |row| row.get::<i64>(0)) {
                    Ok(Some(_)) => renewed_at = suspended_time(),
                    Ok(None) => {
                        tracing::error!("another process has taken the store over");
                        return losing.set();
                    }
                    Err(error) if suspended_time().saturating_sub(renewed_at) < seconds(GIVE_UP_AFTER) => {
                        tracing::warn!(%error, "the lease of the store was not renewed");
                    }
                    Err(error) => {
                        tracing::error!(%error, "the lease of the store is given up");
                        return losing.set();
                    }
                }
            }
            if let Err(error) = connection.execute(GIVE_BACK, &[epoch]) {
                tracing::warn!(%error, "the lease of the store was not given back; it ends by itself in 10 s");
            }
        };
        let no_thread = |error: io::Error| OpenError::Server { what: format!("no thread: {error}") };
        let thread = thread::Builder::new().name("store-lease".into()).spawn(work).map_err(no_thread)?;
        Ok(Self { epoch, lost, renewing: Mutex::new(Some(Renewing { stop, thread })) })
    }

    pub(crate) fn is_lost(&self) -> bool {
        self.lost.happened.load(Ordering::Acquire)
    }

    /// What tells that it was lost.
    pub(crate) fn lost(&self) -> Arc<Lost> {
        Arc::clone(&self.lost)
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
