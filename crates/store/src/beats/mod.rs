//! Beats, minute by minute, in a file of their own: nothing that is promised to anybody waits behind them.
//!
//! They are written without an fsync for each write; a crash of the machine may cost the last few. A file that is damaged
//! is set aside and begun again: what it held was only the past.

mod file;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ambient::Handle;
use domain::Timestamp;

use crate::database::Connection;
use crate::disk::{Disk, INTAKE_NEEDS};
use crate::{Store, StoreError};

/// No wait on the file is longer than this.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A minute of a card.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMinute {
    /// The card's id.
    pub card: Arc<str>,
    /// The number of the minute.
    pub minute: i64,
    /// What was answered, as a number that means something to the asker.
    pub answer: u8,
    /// How long the answer took, in milliseconds.
    pub latency_ms: Option<u32>,
    /// Why, as a stable code.
    pub reason: Option<Arc<str>>,
}

/// How much a card did in a span of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTally {
    /// The card's id.
    pub card: Arc<str>,
    /// How many minutes a span has.
    pub span: u32,
    /// The number of the span: the number of its first minute, divided by its length.
    pub number: i64,
    /// What was sent in it.
    pub sent: u32,
    /// What failed in it.
    pub failed: u32,
}

/// What is kept of one round.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BeatsBatch {
    /// The number of the minute that runs.
    pub minute: i64,
    /// What time of day it is.
    pub at: Timestamp,
    /// Minutes as they are now; they take the place of what was kept for them.
    pub minutes: Vec<StoredMinute>,
    /// Tallies as they are now; they take the place of what was kept for them.
    pub tallies: Vec<StoredTally>,
    /// Minutes and spans before this minute are forgotten.
    pub forget_before: i64,
}

/// What is kept of earlier rounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BeatsPast {
    /// The minute of the last round, and the time of day it had.
    pub last: Option<(i64, Timestamp)>,
    /// Minutes, oldest first.
    pub minutes: Vec<StoredMinute>,
    /// Tallies, oldest first.
    pub tallies: Vec<StoredTally>,
}

/// The file of beats. It is opened when it is first needed. Cheap to clone.
#[derive(Clone)]
pub struct Beats(Handle<Inner>);

struct Inner {
    dir: PathBuf,
    disk: Disk,
    connection: Mutex<Option<Connection>>,
}

impl Store {
    /// The file of beats, beside the database.
    pub fn beats(&self) -> Beats {
        let location = &self.inner.location;
        Beats(Handle::new(Inner {
            dir: location.dir.clone(),
            disk: location.disk.clone(),
            connection: Mutex::default(),
        }))
    }
}

impl Beats {
    /// What is kept: the minutes of the last `minutes` before the last round, and all tallies.
    ///
    /// # Errors
    /// The file cannot be read. One that is damaged is begun again instead.
    pub async fn past(&self, minutes: i64) -> Result<BeatsPast, StoreError> {
        self.on_a_thread(move |connection| file::past(connection, minutes)).await
    }

    /// Keeps a round, all of it or nothing.
    ///
    /// # Errors
    /// [`StoreError::StorageFull`] also when there is only room left for what was promised: beats are worth less.
    pub async fn save(&self, batch: BeatsBatch) -> Result<(), StoreError> {
        if self.0.disk.free_in(&self.0.dir).is_ok_and(|free| free < INTAKE_NEEDS) {
            return Err(StoreError::StorageFull);
        }
        self.on_a_thread(move |connection| file::save(connection, &batch)).await
    }

    /// Closes the file; the next use opens it again.
    pub async fn close(&self) {
        let inner = self.0.clone();
        let closing = tokio::task::spawn_blocking(move || inner.connection().take());
        if !matches!(tokio::time::timeout(TIMEOUT, closing).await, Ok(Ok(_))) {
            tracing::warn!("the file of beats was not closed in order; it will be when it is opened next");
        }
    }

    async fn on_a_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let inner = self.0.clone();
        let working = tokio::task::spawn_blocking(move || inner.with_connection(work));
        match tokio::time::timeout(TIMEOUT, working).await {
            Ok(Ok(done)) => done,
            Ok(Err(broke)) => Err(StoreError::Unavailable(broke.to_string())),
            Err(_) => Err(StoreError::Unavailable("the file of beats does not answer".to_owned())),
        }
    }
}

impl Inner {
    fn connection(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// On a thread that may block.
    fn with_connection<T>(
        &self,
        work: impl FnOnce(&Connection) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut slot = self.connection();
        let connection = match slot.take() {
            Some(open) => open,
            None => file::open(&self.dir)?,
        };
        let done = work(&connection);
        // After an error it is opened again, which also looks whether the file is damaged.
        if !matches!(done, Err(ref error) if *error != StoreError::StorageFull) {
            *slot = Some(connection);
        }
        done
    }
}
