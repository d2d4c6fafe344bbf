//! A round trip: something is really written, is on the disk, and is read again.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::database::params;
use crate::statement::statements;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};

/// Where a test makes the store stand still for anyone who asks it so.
pub(crate) const POINT: &str = "store.round_trip";

/// When this process made its first trip, and how many it has begun.
static RUN: OnceLock<i64> = OnceLock::new();
static TRIPS: AtomicU64 = AtomicU64::new(0);

/// The row that is written.
const BEAT: &str = "beat";

statements! {
    WRITE = "
        INSERT INTO store_facts (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value
        WHERE substr(store_facts.value, 1, 8) <> substr(excluded.value, 1, 8) OR store_facts.value < excluded.value";
    READ = "SELECT value FROM store_facts WHERE name = $1";
}

impl Store {
    /// Writes something, waits until it is on the disk, reads it and returns how long that took.
    ///
    /// # Errors
    /// [`StoreError::StorageFull`] also when there is only room left for the outcomes of work that was taken in before:
    /// nothing new is accepted then. Otherwise as any write and read.
    pub async fn round_trip(&self) -> Result<Duration, StoreError> {
        let begun = Instant::now();
        failpoint::reach(POINT).await;
        let run = *RUN.get_or_init(|| self.now().as_micros());
        let trip = Beat { run, trip: TRIPS.fetch_add(1, Ordering::Relaxed) };
        let has_room = self.write(trip).await?;
        let read =
            self.read(|connection| connection.first(READ, [BEAT], |row| row.get::<[u8; 16]>(0))).await?;
        // Two who ask at once read the later of both.
        if read.is_none_or(|read| read[..8] != trip.value()[..8] || read < trip.value()) {
            return Err(StoreError::Unavailable("what was written was not what was read".to_owned()));
        }
        if has_room { Ok(begun.elapsed()) } else { Err(StoreError::StorageFull) }
    }
}

/// A trip of this run of the program.
#[derive(Clone, Copy)]
struct Beat {
    run: i64,
    trip: u64,
}

impl Beat {
    /// What is written. Of one run the later value is the larger one.
    fn value(self) -> [u8; 16] {
        (u128::from(self.run.cast_unsigned()) << 64 | u128::from(self.trip)).to_be_bytes()
    }
}

impl Write for Beat {
    type Answer = bool;
    // It asks for room as new work does, and takes none.
    const INTAKE: bool = true;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        transaction.run(WRITE, params![BEAT, self.value()])?;
        Ok(transaction.intake_open())
    }
}
