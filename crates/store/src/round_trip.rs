//! A round trip: something is really written, is on the disk, and is read again.

use std::time::{Duration, Instant};

use rusqlite::params;

use crate::statement::statements;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError, statement};

/// Where a test makes the store stand still for whoever asks it so.
pub(crate) const POINT: &str = "store.round_trip";

/// The row that is written.
const BEAT: &str = "beat";

statements! {
    WRITE = "
        INSERT INTO store_facts (name, value) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET value = excluded.value";
    READ = "SELECT value FROM store_facts WHERE name = $1";
}

impl Store {
    /// Writes something, waits until it is on the disk, reads it and tells how long that took.
    ///
    /// # Errors
    /// [`StoreError::StorageFull`] also when there is only room left for the outcomes of work that was taken in before:
    /// nothing new is accepted then. Otherwise as any write and read.
    pub async fn round_trip(&self) -> Result<Duration, StoreError> {
        let begun = Instant::now();
        failpoint::reach(POINT).await;
        let written = self.now().as_micros().to_le_bytes().to_vec();
        let has_room = self.write(Beat(written.clone())).await?;
        let read = self
            .read(|connection| {
                statement::first(connection, READ, [BEAT], |row| Ok(row.get::<_, Vec<u8>>(0)?))
            })
            .await?;
        if read != Some(written) {
            return Err(StoreError::inconsistent("store_facts", "what was written was not what was read"));
        }
        if has_room { Ok(begun.elapsed()) } else { Err(StoreError::StorageFull) }
    }
}

struct Beat(Vec<u8>);

impl Write for Beat {
    type Answer = bool;
    // It asks for room as new work does, and takes none.
    const INTAKE: bool = true;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        transaction.execute(WRITE, params![BEAT, self.0])?;
        Ok(transaction.intake_open())
    }
}
