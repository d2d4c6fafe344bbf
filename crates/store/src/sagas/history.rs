//! The history of each saga, entry by entry.

use domain::saga::{SagaEntry, SagaEvent, StepOutcome};
use domain::{AccountName, OperationId, Timestamp};

use super::statements as sql;
use super::{key, state_of};
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};

/// A saga has at most this many entries, counted before a note is added.
const MOST: i64 = 1000;
/// Texts of providers and callers are cut to this many bytes.
const LONGEST: usize = 1000;

/// Adds an entry after those there are.
pub(super) fn add(
    transaction: &Transaction<'_>,
    id: &OperationId,
    entry: &SagaEntry,
) -> Result<(), StoreError> {
    transaction.run(
        sql::INSERT_STEP,
        params![
            key(id),
            entry.at.as_micros(),
            entry.what.as_str(),
            entry.account.as_ref().map(AccountName::as_str),
            entry.outcome.map(StepOutcome::as_str),
            entry.detail,
        ],
    )?;
    Ok(())
}

/// An entry about the saga as a whole.
pub(super) fn plain(at: Timestamp, what: SagaEvent, detail: Option<&str>) -> SagaEntry {
    SagaEntry { at, what, account: None, outcome: None, detail: detail.map(shortened) }
}

/// The entry as it is kept.
pub(super) fn bounded(entry: SagaEntry) -> SagaEntry {
    SagaEntry { detail: entry.detail.as_deref().map(shortened), ..entry }
}

fn shortened(text: &str) -> String {
    text[..text.floor_char_boundary(LONGEST)].to_owned()
}

/// Whether the history ends with these entries.
pub(super) fn ends_with(
    transaction: &Transaction<'_>,
    id: &OperationId,
    entries: &[SagaEntry],
) -> Result<bool, StoreError> {
    let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
    let last = transaction.all(sql::LAST_STEPS, params![key(id), count], entry)?;
    Ok(last.iter().rev().eq(entries))
}

pub(super) struct NoteWrite {
    id: OperationId,
    entry: SagaEntry,
}

impl NoteWrite {
    pub(super) fn new(id: OperationId, entry: SagaEntry) -> Self {
        Self { id, entry: bounded(entry) }
    }
}

impl Write for NoteWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAGA_NOTE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let last = transaction.first(sql::LAST_STEP, [key(&self.id)], |row| {
            Columns::new(row, "operation_steps").get::<i64>(0)
        })?;
        match last {
            Some(last) if last + 1 >= MOST => Ok(()),
            // A saga has an entry from its first moment on.
            Some(last) if last >= 0 => add(transaction, &self.id, &self.entry),
            _ => state_of(transaction, &self.id).and_then(|_| add(transaction, &self.id, &self.entry)),
        }
    }
}

pub(super) fn read(connection: &Connection, id: OperationId) -> Result<Vec<SagaEntry>, StoreError> {
    connection.all(sql::STEPS, [key(&id)], entry)
}

fn entry(row: &Row<'_>) -> Result<SagaEntry, StoreError> {
    let columns = Columns::new(row, "operation_steps");
    Ok(SagaEntry {
        at: columns.time(0)?,
        what: columns.parsed(1)?,
        account: columns.maybe_account(2)?,
        outcome: columns.maybe_parsed(3)?,
        detail: columns.get(4)?,
    })
}
