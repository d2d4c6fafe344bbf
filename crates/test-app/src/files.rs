//! The folders of files of a server under test: small, and on a disk whose room the test says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ambient::{Clock, Ids};
use domain::media::FileKey;
use media::intake::Disk;
use media::shelf::Rules;
use media::{Fetcher, Limits, Outgoing, Shelf, Timeouts};
use outbound::{AllowList, Allowed, Names};
use web::Files;

/// The largest file, in bytes.
pub const MOST: u64 = 8 << 20;

/// What all uploads may have together, in bytes.
pub const MOST_UPLOADED: u64 = 12 << 20;

/// How long an upload is kept.
pub const KEEP: Duration = Duration::from_hours(24);

/// How long a file may bring nothing.
pub const SILENCE: Duration = Duration::from_secs(30);

/// How many bytes the disk has, as the test says.
#[derive(Clone)]
pub struct Free {
    bytes: Arc<AtomicU64>,
    /// After how many questions there is nothing.
    questions: Arc<AtomicU64>,
}

impl Free {
    pub(crate) fn plenty() -> Self {
        Self { bytes: Arc::new(AtomicU64::new(1 << 40)), questions: Arc::new(AtomicU64::new(u64::MAX)) }
    }

    pub fn is(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
    }

    /// The disk is full when it was asked so many times.
    pub fn ends_after(&self, questions: u64) {
        self.questions.store(questions, Ordering::Relaxed);
    }

    /// The same disk, as the store sees it.
    pub(crate) fn of_store(&self) -> store::Disk {
        let bytes = Arc::clone(&self.bytes);
        store::Disk::default().with_free_space(move |_| Ok(bytes.load(Ordering::Relaxed)))
    }

    fn disk(&self) -> Disk {
        let Self { bytes, questions } = self.clone();
        Disk::with_free_space(move |_| {
            let spent =
                questions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
            Ok(if spent.is_ok() { bytes.load(Ordering::Relaxed) } else { 0 })
        })
    }
}

/// Files on their way out through channels, which no provider fetches.
pub(crate) struct Sent(pub(crate) Outgoing);

impl channels::OutgoingFiles for Sent {
    fn path(&self, key: &FileKey) -> PathBuf {
        self.0.path(key)
    }

    fn link(&self, _: &FileKey, _: &str, _: &str) -> Option<String> {
        None
    }
}

/// Opens the folders in a data directory. Addresses may lead to 127.0.0.1.
pub(crate) async fn open(dir: &Path, ids: &Ids, clock: &Clock, free: &Free) -> Files {
    let limits = Limits { most: MOST, idle: SILENCE, total: Duration::from_mins(30) };
    let outgoing = Outgoing::open(dir.join("outgoing"), ids.clone(), clock.clone(), limits);
    let outgoing = outgoing.await.expect("a folder").on(free.disk());
    let received = Outgoing::open(dir.join("received"), ids.clone(), clock.clone(), limits);
    let received = received.await.expect("a folder").on(free.disk());
    let rules = Rules { keep: KEEP, most_bytes: MOST_UPLOADED, most_files: 100 };
    let uploads = dir.join("uploads");
    let shelf = Shelf::open_on(free.disk(), uploads, ids.clone(), clock.clone(), limits, rules);
    let shelf = shelf.await.expect("a shelf");
    let allowed = Allowed::new(AllowList::Media, vec!["127.0.0.1/32".parse().expect("a network")]);
    let timeouts = Timeouts { connection: Duration::from_secs(10), answer: Duration::from_secs(20) };
    let fetcher = Fetcher::new(Names::of_system(allowed), outgoing.intake().clone(), timeouts);
    let folder = dir.join("media");
    std::fs::create_dir_all(&folder).expect("a folder");
    Files { outgoing, received, shelf, fetcher: fetcher.expect("a client"), folder }
}
