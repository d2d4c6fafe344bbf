//! The one thread that writes: it takes all writes that wait, commits them together and only then answers.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use domain::measure::{Histogram, SHORT_TIMES, Spread};
use tokio::sync::{oneshot, watch};

use crate::StoreError;
use crate::deferred::{Deferred, DeferredWrites};
use crate::directory::DirectoryLock;
use crate::group::{self, WriteConnection};
use crate::point::Point;
use crate::queue::{self, Jobs, NoJob, Queue};
use crate::write::{AnyWrite, Durability, Pending, Settled, Transaction, Write, any_write};

/// Writes that may wait for the writer.
const QUEUE: usize = 1024;
/// Writes that are committed together at most.
const GROUP: usize = 256;
/// A group of this size says that many write side by side.
const BUSY: usize = 4;
/// Then the next group gathers for so long before it is committed: the price of a commit is shared by more writes,
/// and those who write are not made to wake the thread one by one. One who writes alone does not wait for this. A longer wait
/// saves less and makes callers wait: with 32 of them a millisecond takes a tenth of the rate.
const GATHER: Duration = Duration::from_micros(400);

/// A read waits no longer for what was said and is not committed.
const CATCH_UP_WITHIN: Duration = Duration::from_secs(1);

/// What was committed without waiting for the disk is on it after this time at the latest.
pub(crate) const SYNC_WITHIN: Duration = Duration::from_millis(500);

enum Job {
    /// Commit it, then answer.
    Write(Pending),
    /// Commit it together with the next write, or soon.
    Deferred(Deferred),
    /// Commit what waits, put the log into the database file and close it.
    Close(oneshot::Sender<Result<(), StoreError>>),
}

/// How much was written since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Writes that were handed to the writer.
    pub writes: u64,
    /// Commits that it took.
    pub commits: u64,
    /// How many of them waited for the disk.
    pub synced: u64,
    /// Statements of the writes that were committed.
    pub statements: u64,
}

/// How large the groups were and how long writing took since the store was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTimes {
    /// Writes in a group that was committed together.
    pub groups: Spread,
    /// Microseconds from the beginning of a group to its end, on the disk or not.
    pub commits: Spread,
    /// Microseconds from when a write was handed over to its answer: the wait for its turn and the commit.
    pub writes: Spread,
}

/// Bounds of the sizes of groups.
const GROUP_SIZES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128, 256];

struct Counters {
    writes: AtomicU64,
    commits: AtomicU64,
    synced: AtomicU64,
    statements: AtomicU64,
    group_sizes: Histogram,
    commit_times: Histogram,
    write_times: Histogram,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            writes: AtomicU64::new(0),
            commits: AtomicU64::new(0),
            synced: AtomicU64::new(0),
            statements: AtomicU64::new(0),
            group_sizes: Histogram::new(GROUP_SIZES),
            commit_times: Histogram::new(SHORT_TIMES),
            write_times: Histogram::new(SHORT_TIMES),
        }
    }
}

/// How many writes that others may have heard of are not committed.
#[derive(Default)]
struct EarlyReports(AtomicU64);

/// One of them, until it is dropped.
struct EarlyReport<'a>(&'a AtomicU64);

impl EarlyReports {
    fn one_more(&self) -> EarlyReport<'_> {
        self.0.fetch_add(1, Ordering::AcqRel);
        EarlyReport(&self.0)
    }
}

impl Drop for EarlyReport<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Changes nothing, and is answered when all before it is committed.
struct CatchUp;

impl Write for CatchUp {
    type Answer = ();

    fn durability(&self) -> Durability {
        Durability::Soon
    }

    fn apply(&self, _: &Transaction<'_>) -> Result<(), StoreError> {
        Ok(())
    }
}

/// The handle to the thread.
pub(crate) struct Writer {
    queue: Option<Queue<Job>>,
    counters: Arc<Counters>,
    early_reports: EarlyReports,
    rights: watch::Receiver<u64>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread. It keeps the lock of the directory until the database is closed.
    pub(crate) fn start(connection: WriteConnection, lock: DirectoryLock) -> io::Result<Self> {
        let (queue, jobs) = queue::bounded(QUEUE);
        let counters = Arc::new(Counters::default());
        let rights = connection.rights();
        let own = Thread {
            connection,
            jobs,
            counters: Arc::clone(&counters),
            deferred: DeferredWrites::default(),
            last_group: 0,
            sync_at: None,
        };
        let thread = thread::Builder::new().name("store-writer".into()).spawn(move || {
            let done = own.work();
            // Only now may another process open the database.
            drop(lock);
            if let Some(reply) = done {
                // The one who closed the store may have gone without waiting.
                let _ = reply.send(Ok(()));
            }
        })?;
        Ok(Self {
            queue: Some(queue),
            counters,
            early_reports: EarlyReports::default(),
            rights,
            thread: Some(thread),
        })
    }

    /// See [`crate::Store::rights_changes`].
    pub(crate) fn rights(&self) -> watch::Receiver<u64> {
        self.rights.clone()
    }

    /// Waits for what was said before it is committed.
    pub(crate) async fn catch_up(&self) {
        if self.early_reports.0.load(Ordering::Acquire) == 0 {
            return;
        }
        // A reader of what is not written in time finds the state before it, as after a crash.
        let (reply, committed) = oneshot::channel();
        let settle = Job::Write(Pending::answering(any_write(CatchUp), reply));
        let settled = async {
            if self.put(settle).await.is_ok() {
                let _ = queue::answer(committed).await;
            }
        };
        let _ = tokio::time::timeout(CATCH_UP_WITHIN, settled).await;
    }

    /// Hands a write over between two points where a test can end the program, and waits until it is on the disk.
    pub(crate) async fn write(
        &self,
        write: Box<dyn AnyWrite>,
        is_reported_early: bool,
        point: Option<Point>,
    ) -> Settled {
        if let Some(point) = &point {
            point.before().await;
        }
        let _report = is_reported_early.then(|| self.early_reports.one_more());
        let (reply, answered) = oneshot::channel();
        let begun = Instant::now();
        self.put(Job::Write(Pending::answering(write, reply))).await?;
        let settled = queue::answer(answered).await;
        self.counters.write_times.add_time(begun.elapsed());
        if let Some(point) = &point {
            point.after().await;
        }
        settled
    }

    /// Hands a write over that need not be on the disk before the caller goes on.
    pub(crate) async fn defer(&self, change: Deferred) -> Result<(), StoreError> {
        let point = change.point();
        if let Some(point) = &point {
            point.before().await;
        }
        self.put(Job::Deferred(change)).await?;
        if let Some(point) = &point {
            point.after().await;
        }
        Ok(())
    }

    /// Ends the thread after what waits.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        let (reply, closed) = oneshot::channel();
        self.put(Job::Close(reply)).await?;
        queue::answer(closed).await
    }

    pub(crate) fn written(&self) -> Written {
        Written {
            writes: self.counters.writes.load(Ordering::Relaxed),
            commits: self.counters.commits.load(Ordering::Relaxed),
            synced: self.counters.synced.load(Ordering::Relaxed),
            statements: self.counters.statements.load(Ordering::Relaxed),
        }
    }

    pub(crate) fn times(&self) -> WriteTimes {
        WriteTimes {
            groups: self.counters.group_sizes.spread(),
            commits: self.counters.commit_times.spread(),
            writes: self.counters.write_times.spread(),
        }
    }

    async fn put(&self, job: Job) -> Result<(), StoreError> {
        match &self.queue {
            Some(queue) => queue.put(job).await,
            None => Err(StoreError::Unavailable("it is closed".into())),
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Without a queue the thread ends after what waits; with it the lock of the directory.
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the store died");
        }
    }
}

struct Thread {
    connection: WriteConnection,
    jobs: Jobs<Job>,
    counters: Arc<Counters>,
    deferred: DeferredWrites,
    /// How many that someone waited for were in the last group.
    last_group: usize,
    /// When what was committed is synced, unless another write is before.
    sync_at: Option<Instant>,
}

impl Thread {
    /// Works until it is asked to close or no one is left; closes the database.
    fn work(mut self) -> Option<oneshot::Sender<Result<(), StoreError>>> {
        group::limit_pages(&self.connection.connection, &self.connection.space);
        let mut flush_at: Option<Instant> = None;
        let close = loop {
            self.sync_if_due();
            let (writes, end) = self.gather(flush_at.into_iter().chain(self.sync_at).min());
            if writes.is_empty() && end.is_none() && !self.deferred.is_empty() {
                let now = Instant::now();
                let latest = now + self.deferred.longest_wait();
                let due = *flush_at.insert(flush_at.map_or(latest, |due| due.min(latest)));
                if now < due && !self.deferred.is_long() {
                    continue;
                }
            }
            self.commit(writes);
            flush_at = None;
            match end {
                None => {}
                Some(End::Close(reply)) => break Some(reply),
                Some(End::Alone) => break None,
            }
        };
        self.finish();
        close
    }

    /// Waits for work and takes all there is, as far as a group goes.
    fn gather(&mut self, until: Option<Instant>) -> (Vec<Pending>, Option<End>) {
        let mut writes = Vec::new();
        let mut next = match until {
            None => self.jobs.next(),
            Some(due) => self.jobs.next_within(due.saturating_duration_since(Instant::now())),
        };
        if self.last_group >= BUSY && next.is_ok() {
            thread::park_timeout(GATHER);
        }
        loop {
            match next {
                Ok(Job::Write(pending)) => writes.push(pending),
                Ok(Job::Deferred(write)) => self.deferred.put(write),
                Ok(Job::Close(reply)) => return (writes, Some(End::Close(reply))),
                Err(NoJob::Yet) => return (writes, None),
                Err(NoJob::EverMore) => return (writes, Some(End::Alone)),
            }
            if writes.len() >= GROUP || self.deferred.is_long() {
                return (writes, None);
            }
            next = self.jobs.waiting();
        }
    }

    fn commit(&mut self, writes: Vec<Pending>) {
        // No one would learn of a message that was taken in for a caller who is gone.
        let mut wanted: Vec<_> = writes.into_iter().filter(|pending| !pending.is_abandoned()).collect();
        self.last_group = wanted.len();
        // What waited goes first: the one who went on without waiting for it finds it done by what they write next.
        let mut group: Vec<_> = self.deferred.take().collect();
        group.append(&mut wanted);
        if group.is_empty() {
            return;
        }
        let size = group.len() as u64;
        self.counters.writes.fetch_add(size, Ordering::Relaxed);
        let begun = Instant::now();
        let counters = &self.counters;
        // Counted before anybody is answered: who was answered finds their commit counted.
        let ended = |committed: Option<Durability>| {
            if let Some(durability) = committed {
                counters.commits.fetch_add(1, Ordering::Relaxed);
                let synced = u64::from(durability == Durability::Synced);
                counters.synced.fetch_add(synced, Ordering::Relaxed);
                counters.group_sizes.add(size);
            }
            counters.commit_times.add_time(begun.elapsed());
        };
        // Without the thread nothing would ever be written again. The one who waits for a write of a group that broke hears
        // that it was not made, as it was rolled back.
        let connection = &mut self.connection;
        if let Ok(left_over) = catch_unwind(AssertUnwindSafe(|| group::run(connection, group, ended))) {
            self.deferred.keep(left_over);
        } else {
            tracing::error!("a group of writes broke and is undone; the store goes on");
            self.connection.may_come_back = true;
            self.connection.connection.roll_back();
        }
        self.counters.statements.store(self.connection.statements, Ordering::Relaxed);
    }

    fn sync_if_due(&mut self) {
        if !self.connection.is_unsynced {
            self.sync_at = None;
            return;
        }
        let now = Instant::now();
        if now < *self.sync_at.get_or_insert(now + SYNC_WITHIN) {
            return;
        }
        self.sync_at = None;
        match self.connection.sync() {
            Ok(()) => {
                self.counters.commits.fetch_add(1, Ordering::Relaxed);
                self.counters.synced.fetch_add(1, Ordering::Relaxed);
            }
            Err(error) => tracing::warn!(%error, "what was committed is not synced yet"),
        }
    }

    fn finish(mut self) {
        self.connection.finish();
        self.connection.connection.close();
    }
}

/// Why the thread stops.
enum End {
    /// It was asked to.
    Close(oneshot::Sender<Result<(), StoreError>>),
    /// All handles are gone.
    Alone,
}

#[cfg(test)]
mod tests {
    use ambient::Clock;

    use super::*;
    use crate::{MasterKey, OpenError, Store, StoreOptions};

    /// A write with a mistake in it.
    struct Broken;

    impl Write for Broken {
        type Answer = ();

        fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
            transaction.run("INSERT INTO store_facts (name, value) VALUES ('half', x'00')", ())?;
            panic!("a mistake")
        }
    }

    #[tokio::test]
    async fn a_write_that_breaks_is_undone_and_the_store_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let options = || StoreOptions {
            data_dir: dir.path().to_owned(),
            url: "sqlite:switchboard.db".to_owned(),
            clock: Clock::system(),
            master_key: MasterKey::File("master.key".into()),
        };
        let store = Store::open(options()).await.unwrap();
        let broken = store.write(Broken).await.unwrap_err();
        assert!(matches!(broken, StoreError::Unavailable(_)), "{broken}");
        store.round_trip().await.unwrap();
        let sql = "SELECT count(*) FROM store_facts WHERE name = 'half'";
        let left = store.first(sql, (), |row| row.get::<i64>(0)).await;
        assert_eq!(left, Ok(Some(0)));
        assert!(matches!(Store::open(options()).await, Err(OpenError::InUse { .. })), "the lock is held");
    }
}
