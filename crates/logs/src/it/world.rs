//! A folder with a store whose lines come from real events.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ambient::Clock;
use logs::{Filter, LogStore, Order, Page, Query, Reader, Retention};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt;

/// How long a search for lines waits for those that are on their way. Disks can be slow.
pub(crate) const TIMEOUT: Duration = Duration::from_mins(1);

/// A store, and those who log into it.
pub(crate) struct World {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) clock: Clock,
    pub(crate) store: LogStore,
    pub(crate) dispatch: Dispatch,
}

pub(crate) fn retention(budget: u64) -> Retention {
    let retention = Retention::new(budget, Duration::from_hours(30 * 24)).with_free_space(|_| Ok(1 << 40));
    retention.with_timeout(TIMEOUT)
}

impl World {
    pub(crate) fn new(budget: u64) -> Self {
        Self::on(tempfile::tempdir().expect("a folder"), retention(budget))
    }

    pub(crate) fn on(folder: tempfile::TempDir, retention: Retention) -> Self {
        let clock = Clock::system();
        let (layer, gathered) = logs::layer(clock.clone());
        let store = LogStore::open(&folder.path().join("logs"), retention, gathered).expect("opens");
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        Self { folder, clock, store, dispatch }
    }

    pub(crate) fn logs(&self) -> PathBuf {
        self.folder.path().join("logs")
    }

    /// Logs, with this store in the place of the program's.
    pub(crate) fn log(&self, log: impl FnOnce()) {
        tracing::dispatcher::with_default(&self.dispatch, log);
    }

    pub(crate) async fn all(&self) -> Vec<logs::Line> {
        let query = Query { order: Order::OldestFirst, limit: 5_000, ..Query::default() };
        let mut lines = Vec::new();
        let mut after = None;
        loop {
            let page = self.store.search(Query { after, ..query.clone() }).await.expect("reads");
            assert_eq!(page.damaged, 0);
            lines.extend(page.lines);
            after = page.next;
            if after.is_none() {
                return lines;
            }
        }
    }

    pub(crate) async fn find(&self, filter: Filter) -> Page {
        self.store.search(Query { filter, limit: 1_000, ..Query::default() }).await.expect("reads")
    }

    /// Ends the store and gives the folder.
    pub(crate) async fn end(self) -> tempfile::TempDir {
        self.store.close().await;
        self.folder
    }
}

/// What all files of a folder have together, in bytes.
pub(crate) fn size(folder: &Path) -> u64 {
    let files = std::fs::read_dir(folder).expect("a folder").flatten();
    files.filter_map(|file| file.metadata().ok()).map(|file| file.len()).sum()
}

/// The same while lines are written there; nothing when a file changed meanwhile, which would be counted where it was
/// and where it went.
pub(crate) fn size_at_once(folder: &Path) -> Option<u64> {
    let files = || -> Option<Vec<_>> {
        let files = std::fs::read_dir(folder).ok()?.flatten();
        let mut files: Vec<_> =
            files.filter_map(|file| Some((file.file_name(), file.metadata().ok()?.len()))).collect();
        files.sort();
        Some(files)
    };
    let found = files()?;
    (files()? == found).then(|| found.iter().map(|(_, size)| size).sum())
}

/// All lines of a folder, from the oldest.
pub(crate) fn read(folder: &Path) -> Vec<logs::Line> {
    let reader = Reader::new(folder);
    let mut lines = Vec::new();
    let mut after = None;
    loop {
        let query = Query { order: Order::OldestFirst, limit: 5_000, after, ..Query::default() };
        let page = reader.search(&query).expect("reads");
        lines.extend(page.lines);
        after = page.next;
        if after.is_none() {
            return lines;
        }
    }
}
