//! The steps of each message.

use domain::outcome::OutcomeKind;
use domain::timeline::{Entry, Step};
use domain::{AccountName, MessageId, Timestamp};

use super::statements as sql;
use super::{key, state_of};
use crate::column::Columns;
use crate::database::{Connection, ToValue, params};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, codes};

/// A message has at most this many steps, counted before a note is added.
const MOST: i64 = 1000;
/// Of attempts in a row the first few are kept, and the last.
const FIRST_ATTEMPTS: usize = 3;
const LAST_ATTEMPTS: usize = 10;
/// Texts of providers and callers are cut to this many bytes.
const LONGEST: usize = 1000;

/// The first step of a message: that it is accepted, or that it is accepted and begun.
pub(super) fn first(
    transaction: &Transaction<'_>,
    id: &MessageId,
    at: Timestamp,
    begun: Option<(u16, &AccountName)>,
) -> Result<(), StoreError> {
    let step = if begun.is_some() { codes::ACCEPTED_AND_BEGUN } else { codes::of_step(Step::Accepted) };
    let (part, account) = begun.unzip();
    let account = account.map(AccountName::as_str);
    transaction.run_row(sql::INSERT_FIRST_STEP, params![key(id), at.as_micros(), step, part, account])
}

/// Adds a step after those there are.
pub(super) fn add(transaction: &Transaction<'_>, id: &MessageId, entry: &Entry) -> Result<(), StoreError> {
    with_columns(id, entry, |columns| transaction.run(sql::INSERT_STEP, columns))
}

/// Adds the only step that the group adds to this message.
pub(super) fn add_one(
    transaction: &Transaction<'_>,
    id: &MessageId,
    entry: &Entry,
) -> Result<(), StoreError> {
    with_columns(id, entry, |columns| transaction.run_row(sql::INSERT_STEP, columns))
}

fn with_columns<T>(id: &MessageId, entry: &Entry, insert: impl FnOnce(&[&dyn ToValue]) -> T) -> T {
    insert(params![
        key(id),
        entry.at.as_micros(),
        codes::of_step(entry.step),
        entry.part,
        entry.account.as_ref().map(AccountName::as_str),
        entry.outcome.map(OutcomeKind::as_str),
        entry.detail.as_deref().map(shortened),
    ])
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
        let count = transaction
            .first(sql::STEPS, [key(&self.id)], |row| Columns::new(row, "outbox_timeline").get::<i64>(0))?;
        match count {
            Some(count) if count >= MOST => return Ok(()),
            // A message has steps from its first moment on.
            Some(count) if count > 0 => {}
            _ => drop(state_of(transaction, &self.id)?),
        }
        add(transaction, &self.id, &self.entry)?;
        if self.entry.step == Step::Attempted { thin_out(transaction, &self.id) } else { Ok(()) }
    }
}

/// Drops an attempt from the middle when there are more in a row than are kept: a provider that stays away for hours is not
/// worth thousands of lines, and the last ones say how it is now.
fn thin_out(transaction: &Transaction<'_>, id: &MessageId) -> Result<(), StoreError> {
    let last = transaction.all(sql::LAST_STEPS, [key(id)], |row| {
        let columns = Columns::new(row, "outbox_timeline");
        Ok((columns.get::<i64>(0)?, columns.coded(1, "step", codes::step)?))
    })?;
    let in_a_row = last.iter().take_while(|(_, step)| *step == Step::Attempted).count();
    match last.get(LAST_ATTEMPTS) {
        Some((middle, _)) if in_a_row > FIRST_ATTEMPTS + LAST_ATTEMPTS => {
            transaction.run(sql::DROP_STEP, params![key(id), middle])
        }
        _ => Ok(()),
    }
}

pub(super) fn read(connection: &Connection, id: MessageId) -> Result<Vec<Entry>, StoreError> {
    let rows = connection.all(sql::TIMELINE, [key(&id)], |row| {
        let columns = Columns::new(row, "outbox_timeline");
        let is_both = columns.get::<i64>(1)? == codes::ACCEPTED_AND_BEGUN;
        let entry = Entry {
            at: columns.time(0)?,
            step: columns.coded(1, "step", codes::step)?,
            part: columns.get(2)?,
            account: columns.maybe_account(3)?,
            outcome: columns.maybe_parsed(4)?,
            detail: columns.get(5)?,
        };
        Ok((is_both, entry))
    })?;
    let entries = rows.into_iter().flat_map(|(is_both, entry)| {
        let accepted = is_both.then(|| plain(entry.at, Step::Accepted, None));
        accepted.into_iter().chain([entry])
    });
    Ok(entries.collect())
}
