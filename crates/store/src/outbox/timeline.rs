//! The steps of each message's way.

use domain::timeline::{Entry, Step};
use domain::{AccountName, MessageId, Timestamp};
use rusqlite::{Connection, params};

use super::statements as sql;
use super::{key, state_of};
use crate::column::Columns;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, codes, statement};

/// A message has at most this many steps, counted before a note is added.
const MOST: i64 = 1000;
/// Texts of providers and callers are cut to this many bytes.
const LONGEST: usize = 1000;

/// One of the first steps of a message, whose place is known.
pub(super) fn first(
    transaction: &Transaction<'_>,
    id: &MessageId,
    seq: i64,
    at: Timestamp,
    step: Step,
    given_to: Option<(u16, &AccountName)>,
) -> Result<(), StoreError> {
    transaction.execute(
        sql::INSERT_FIRST_STEP,
        params![
            key(id),
            seq,
            at.as_micros(),
            codes::of_step(step),
            given_to.map(|(part, _)| part),
            given_to.map(|(_, account)| account.as_str()),
        ],
    )?;
    Ok(())
}

/// Adds a step after those there are.
pub(super) fn add(transaction: &Transaction<'_>, id: &MessageId, entry: &Entry) -> Result<(), StoreError> {
    transaction.execute(
        sql::INSERT_STEP,
        params![
            key(id),
            entry.at.as_micros(),
            codes::of_step(entry.step),
            entry.part,
            entry.account.as_ref().map(AccountName::as_str),
            entry.outcome.as_deref().map(shortened),
            entry.detail.as_deref().map(shortened),
        ],
    )?;
    Ok(())
}

/// A step about the message as a whole.
pub(super) fn plain(at: Timestamp, step: Step, detail: Option<String>) -> Entry {
    Entry { at, step, part: None, account: None, outcome: None, detail }
}

fn shortened(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST)]
}

pub(super) struct NoteWrite {
    pub(super) id: MessageId,
    pub(super) entry: Entry,
}

impl Write for NoteWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::NOTE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let last = transaction.first(sql::LAST_STEP, [key(&self.id)], |row| {
            Columns::new(row, "outbox_timeline").get::<i64>(0)
        })?;
        match last {
            Some(last) if last + 1 >= MOST => Ok(()),
            // A message has steps from its first moment on.
            Some(last) if last >= 0 => add(transaction, &self.id, &self.entry),
            _ => state_of(transaction, &self.id).and_then(|_| add(transaction, &self.id, &self.entry)),
        }
    }
}

pub(super) fn read(connection: &Connection, id: MessageId) -> Result<Vec<Entry>, StoreError> {
    statement::all(connection, sql::TIMELINE, [key(&id)], |row| {
        let columns = Columns::new(row, "outbox_timeline");
        Ok(Entry {
            at: columns.time(0)?,
            step: columns.coded(1, "step", codes::step)?,
            part: columns.get(2)?,
            account: columns.maybe_account(3)?,
            outcome: columns.get(4)?,
            detail: columns.get(5)?,
        })
    })
}
