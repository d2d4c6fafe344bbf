//! The log store of a program: the thread that writes, and everything that its readers ask for.

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use ambient::Handle;
use domain::Timestamp;
use tokio::sync::{Semaphore, broadcast};

use crate::draft::Draft;
use crate::error::{OpenError, ReadError};
use crate::filter::Filter;
use crate::histogram::Histogram;
use crate::intake::Intake;
use crate::layer::Gathered;
use crate::level::Level;
use crate::line::{Line, LineId};
use crate::reader::{Order, Page, Query, Reader};
use crate::row::Rows;
use crate::tail::{self, Tail};
use crate::writer::{Retention, Timeouts, Writer};

/// How long the writer waits for more lines before it writes: what a killed program can lose at most.
const GATHER: Duration = Duration::from_millis(200);
/// How often it looks for what has grown too old when nothing is written.
const IDLE: Duration = Duration::from_mins(1);
const SEARCHES: usize = 2;
const TURN: Duration = Duration::from_secs(10);

/// What a log store did since the program's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Lines that are in its files.
    pub written: u64,
    /// Lines that came faster than they could be written.
    pub dropped: u64,
    /// Lines for which there was no room on the disk.
    pub lost: u64,
    pub size: u64,
}

/// The log store. Cheap to clone.
#[derive(Clone)]
pub struct LogStore(Handle<Inner>);

struct Inner {
    reader: Reader,
    budget: Option<u64>,
    timeout: Timeouts,
    /// A store at rest has no writer.
    intake: Option<Arc<Intake>>,
    lines: broadcast::Sender<Arc<Line>>,
    shared: Arc<Shared>,
    searches: Arc<Semaphore>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// The counts of the writer's thread.
#[derive(Debug, Default)]
struct Shared {
    written: AtomicU64,
    dropped: AtomicU64,
    lost: AtomicU64,
    size: AtomicU64,
}

impl LogStore {
    /// Opens the folder and writes there what has gathered and what comes, on a thread of its own, until [`close`](Self::close).
    ///
    /// # Errors
    /// See [`OpenError`]. What has gathered is let go of then.
    pub fn open(folder: &Path, retention: Retention, gathered: Gathered) -> Result<Self, OpenError> {
        let Gathered { clock, intake } = gathered;
        let (budget, timeout) = (Some(retention.budget), retention.timeout);
        let writer = Writer::open(folder, retention, clock.clone()).inspect_err(|_| intake.close())?;
        let (lines, _) = broadcast::channel(tail::WAITING);
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("logs".to_owned()).spawn({
            let (intake, lines, shared) = (Arc::clone(&intake), lines.clone(), Arc::clone(&shared));
            move || Thread { writer, clock, intake, lines, shared, unreported: (0, 0) }.run()
        });
        let thread =
            thread.map_err(|source: io::Error| OpenError::Io { folder: folder.to_owned(), source })?;
        Ok(Self(Handle::new(Inner {
            reader: Reader::new(folder),
            budget,
            timeout,
            intake: Some(intake),
            lines,
            shared,
            searches: Arc::new(Semaphore::new(SEARCHES)),
            thread: Mutex::new(Some(thread)),
        })))
    }

    /// The store of a folder in which this process writes nothing: another may.
    pub fn at_rest(folder: &Path) -> Self {
        let (lines, _) = broadcast::channel(1);
        Self(Handle::new(Inner {
            reader: Reader::new(folder),
            budget: None,
            timeout: Timeouts::DEFAULT,
            intake: None,
            lines,
            shared: Arc::default(),
            searches: Arc::new(Semaphore::new(SEARCHES)),
            thread: Mutex::new(None),
        }))
    }

    /// A page of lines, with all that was logged before the call.
    ///
    /// # Errors
    /// The files cannot be read, or too many search already.
    pub async fn search(&self, query: Query) -> Result<Page, ReadError> {
        self.read(move |reader| reader.search(&query)).await
    }

    /// One line; nothing when there is none of this id any more.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn line(&self, id: LineId) -> Result<Option<Line>, ReadError> {
        self.read(move |reader| reader.line(id)).await
    }

    /// Up to `count` lines before and after a line, in the order in which they were written.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn around(&self, id: LineId, count: usize) -> Result<(Vec<Line>, Vec<Line>), ReadError> {
        self.read(move |reader| reader.around(id, count)).await
    }

    /// Lines and errors in equal stretches of the time from `from` to `to`; see [`Reader::histogram`].
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn histogram(
        &self,
        filter: Filter,
        from: Timestamp,
        to: Timestamp,
        bucket: Duration,
    ) -> Result<Histogram, ReadError> {
        self.read(move |reader| reader.histogram(&filter, from, to, bucket)).await
    }

    /// The lines that match and are written from now on. In a store at rest there are none.
    pub fn tail(&self, filter: Filter) -> Tail {
        Tail::new(self.0.lines.subscribe(), filter)
    }

    /// The same for a reader who was away and has this line: first up to `most` lines that match and were written after it,
    /// the oldest first, and [`TailEvent::LeftOut`](crate::TailEvent::LeftOut) if there were more.
    ///
    /// # Errors
    /// As [`search`](Self::search).
    pub async fn tail_after(&self, filter: Filter, last: LineId, most: usize) -> Result<Tail, ReadError> {
        // Before the search, so that nothing falls between the two.
        let mut tail = self.tail(filter.clone());
        let query = Query { filter, order: Order::OldestFirst, after: Some(last), limit: most };
        tail.tell_first(last, self.search(query).await?);
        Ok(tail)
    }

    /// What was written and what was not.
    pub fn counts(&self) -> Counts {
        let shared = &self.0.shared;
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            written: get(&shared.written),
            dropped: get(&shared.dropped),
            lost: get(&shared.lost),
            size: get(&shared.size),
        }
    }

    /// The most that its files may have together, in bytes; nothing where this process writes none.
    pub fn budget(&self) -> Option<u64> {
        self.0.budget
    }

    /// Writes what waits and ends the thread; takes at most a few seconds.
    pub async fn close(&self) {
        let Some(intake) = self.0.intake.clone() else { return };
        let thread = self.0.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        intake.close();
        let Some(thread) = thread else { return };
        let ended = tokio::task::spawn_blocking(move || thread.join());
        let _ = tokio::time::timeout(self.0.timeout.end, ended).await;
    }

    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, ReadError> + Send + 'static,
    ) -> Result<T, ReadError> {
        let turn = tokio::time::timeout(TURN, Arc::clone(&self.0.searches).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(ReadError::Busy) };
        let (intake, reader, limit) = (self.0.intake.clone(), self.0.reader.clone(), self.0.timeout.reader);
        let reading = tokio::task::spawn_blocking(move || {
            // Held until the end, also when the caller is gone.
            let _turn = turn;
            if let Some(intake) = intake {
                intake.flush(limit);
            }
            read(&reader)
        });
        reading.await.map_err(|_| ReadError::Broken)?
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(intake) = &self.intake {
            intake.close();
        }
    }
}

struct Thread {
    writer: Writer,
    clock: ambient::Clock,
    intake: Arc<Intake>,
    lines: broadcast::Sender<Arc<Line>>,
    shared: Arc<Shared>,
    /// Lines dropped and lost without a line about it yet.
    unreported: (u64, u64),
}

impl Thread {
    fn run(mut self) {
        let mut spare = Vec::new();
        let mut swept = self.clock.now();
        self.tell_size();
        loop {
            let batch = self.intake.take(IDLE, GATHER, spare);
            self.unreported.0 += batch.dropped;
            self.shared.dropped.fetch_add(batch.dropped, Ordering::Relaxed);
            let excuse = self.excuse();
            if !excuse.is_empty() && self.write(&excuse, 1) {
                self.unreported = (0, 0);
            }
            self.write(&batch.rows, batch.lines);
            let now = self.clock.now();
            // Also when the clock was set back.
            if now < swept || now.since(swept) >= IDLE {
                self.writer.sweep();
                swept = now;
            }
            self.tell_size();
            self.intake.written();
            if batch.closed {
                return;
            }
            spare = batch.rows;
        }
    }

    /// Writes lines and sends them to the tails; false when one was lost.
    fn write(&mut self, rows: &[u8], lines: u64) -> bool {
        if rows.is_empty() {
            return true;
        }
        let first = self.writer.next();
        let lost = self.writer.write(rows);
        self.shared.written.fetch_add(lines.saturating_sub(lost), Ordering::Relaxed);
        self.shared.lost.fetch_add(lost, Ordering::Relaxed);
        self.unreported.1 += lost;
        // Of a batch that was written in part it is not known here which lines were; those who stay see that on the disk.
        if lost == 0 && self.lines.receiver_count() > 0 {
            for (number, head) in (first..).zip(Rows::new(rows)) {
                let _ = self.lines.send(Arc::new(head.line(number, rows, rows)));
            }
        }
        lost == 0
    }

    /// A line about lines that are missing, if there are any.
    fn excuse(&self) -> Vec<u8> {
        let (dropped, lost) = self.unreported;
        let mut row = Vec::new();
        if dropped + lost == 0 {
            return row;
        }
        let mut draft = Draft::default();
        let words =
            "log lines are missing here: they came faster than they could be written, or the disk was full";
        draft.add("message", |out| out.write_str(words));
        draft.add("dropped", |out| write!(out, "{dropped}"));
        draft.add("lost", |out| write!(out, "{lost}"));
        draft.finish(self.clock.now().as_micros(), Level::Warn, "logs", &mut row);
        row
    }

    fn tell_size(&self) {
        self.shared.size.store(self.writer.size(), Ordering::Relaxed);
    }
}
