//! Callers without a key that wait for an answer: one row for all of a group.
//!
//! A caller is in the row of the group that took its message in until it has its answer or is gone. Those that are left at
//! a start belong to a process that has ended.

use std::collections::{BTreeMap, HashMap};

use super::accept::Join;
use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, Prepared, params};

/// The bytes of a message's id.
type Key = [u8; 16];

/// Bytes of a caller in its row: fingerprint, message, how long the message can be joined.
const LENGTH: usize = 32 + 16 + 8;

/// A caller without a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct WaitingCaller {
    pub(super) fingerprint: [u8; 32],
    pub(super) message: Key,
    /// Microseconds.
    pub(super) repeats: i64,
}

impl WaitingCaller {
    pub(super) fn new(join: &Join, message: Key) -> Self {
        let repeats = i64::try_from(join.repeats.as_micros()).unwrap_or(i64::MAX);
        Self { fingerprint: join.fingerprint, message, repeats }
    }

    fn bytes(&self) -> impl Iterator<Item = u8> + use<> {
        let Self { fingerprint, message, repeats } = *self;
        fingerprint.into_iter().chain(message).chain(repeats.to_be_bytes())
    }

    fn read(bytes: &[u8; LENGTH]) -> Option<Self> {
        let (fingerprint, rest) = bytes.split_first_chunk()?;
        let (message, repeats) = rest.split_first_chunk()?;
        let repeats = i64::from_be_bytes(repeats.try_into().ok()?);
        Some(Self { fingerprint: *fingerprint, message: *message, repeats })
    }
}

/// What a write says of a caller.
#[derive(Debug, Clone, Copy)]
pub(crate) enum CallerChange {
    /// It waits.
    Waits(WaitingCaller),
    /// The caller of this message waits no longer.
    Left(Key),
}

/// Those that wait, as the rows have them.
#[derive(Debug, Default)]
pub(crate) struct WaitingCallers {
    /// By the first message of the group.
    groups: HashMap<Key, Vec<WaitingCaller>>,
    group_of: HashMap<Key, Key>,
}

/// The rows that a group which is not committed yet has changed, and what they are now.
#[derive(Debug, Default)]
pub(crate) struct ChangedCallers(BTreeMap<Key, Vec<WaitingCaller>>);

impl WaitingCallers {
    /// Those that the rows name.
    pub(crate) fn read(connection: &Connection) -> Result<Self, StoreError> {
        let rows = connection.all(sql::WAITING_CALLERS, (), |row| {
            let columns = Columns::new(row, "waiting_callers");
            Ok((columns.get::<Key>(0)?, columns.get::<Vec<u8>>(1)?))
        })?;
        let callers = |bytes: Vec<u8>| bytes.as_chunks().0.iter().filter_map(WaitingCaller::read).collect();
        let rows = rows.into_iter().map(|(first, bytes)| (first, callers(bytes)));
        let mut waiting = Self::default();
        waiting.committed(ChangedCallers(rows.collect()));
        Ok(waiting)
    }

    /// The caller of a message, if it waits after these changes.
    pub(crate) fn find(&self, message: &Key, changes: &[CallerChange]) -> Option<WaitingCaller> {
        let latest = changes.iter().rev().find_map(|change| match change {
            CallerChange::Waits(caller) => (caller.message == *message).then_some(Some(*caller)),
            CallerChange::Left(left) => (left == message).then_some(None),
        });
        latest.unwrap_or_else(|| {
            let group = self.groups.get(self.group_of.get(message)?)?;
            group.iter().find(|caller| caller.message == *message).copied()
        })
    }

    /// Writes the rows that these changes are about.
    pub(crate) fn write(
        &self,
        prepared: &Prepared<'_>,
        changes: &[CallerChange],
    ) -> Result<ChangedCallers, StoreError> {
        let rows = self.rows_after(changes);
        for (first, callers) in &rows.0 {
            if callers.is_empty() {
                prepared.run(sql::DROP_WAITING_CALLERS, [first])?;
            } else {
                let bytes: Vec<u8> = callers.iter().flat_map(WaitingCaller::bytes).collect();
                prepared.run(sql::SAVE_WAITING_CALLERS, params![first, bytes])?;
            }
        }
        Ok(rows)
    }

    fn rows_after(&self, changes: &[CallerChange]) -> ChangedCallers {
        let mut rows = BTreeMap::<Key, Vec<WaitingCaller>>::new();
        let mut new = None;
        for change in changes {
            match change {
                CallerChange::Waits(caller) => {
                    rows.entry(*new.get_or_insert(caller.message)).or_default().push(*caller);
                }
                CallerChange::Left(message) => {
                    let Some(first) = self.group_of.get(message).copied().or(new) else { continue };
                    let known = || self.groups.get(&first).cloned().unwrap_or_default();
                    let callers = rows.entry(first).or_insert_with(known);
                    callers.retain(|caller| caller.message != *message);
                }
            }
        }
        ChangedCallers(rows)
    }

    /// The group is committed.
    pub(crate) fn committed(&mut self, changed: ChangedCallers) {
        for (first, callers) in changed.0 {
            for before in self.groups.remove(&first).into_iter().flatten() {
                self.group_of.remove(&before.message);
            }
            if !callers.is_empty() {
                self.group_of.extend(callers.iter().map(|caller| (caller.message, first)));
                self.groups.insert(first, callers);
            }
        }
    }
}

/// Notes that the callers of a process that has ended are gone.
pub(crate) fn all_left(connection: &Connection) -> Result<(), StoreError> {
    connection.execute(sql::OPEN_ALL_JOINS, ())?;
    let callers = WaitingCallers::read(connection)?.groups.into_values().flatten();
    for WaitingCaller { fingerprint, message, repeats } in callers {
        connection.execute(sql::SAVE_OPEN_JOIN, params![fingerprint, message, repeats])?;
    }
    connection.execute(sql::DROP_ALL_WAITING_CALLERS, ()).map(drop)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn caller(number: u8) -> WaitingCaller {
        WaitingCaller { fingerprint: [number % 3; 32], message: [number; 16], repeats: i64::from(number) }
    }

    /// What the rows hold, in the order of their messages.
    fn rows(connection: &Connection) -> Vec<WaitingCaller> {
        let groups = WaitingCallers::read(connection).unwrap().groups;
        let mut callers: Vec<_> = groups.into_values().flatten().collect();
        callers.sort_by_key(|caller| caller.message);
        callers
    }

    proptest! {
        /// Groups of callers that come and of some that leave. A group is committed, or undone, or the answer to its commit is lost.
        #[test]
        fn rows_hold_those_that_wait(groups in proptest::collection::vec((0..4_u8, any::<u64>(), 0..4_u8), 0..20)) {
            let connection = Connection::migrated();
            let (mut callers, mut expected, mut number) = (WaitingCallers::default(), BTreeMap::new(), 0_u8);
            for (coming, leaving, end) in groups {
                let mut after = expected.clone();
                let mut changes = Vec::new();
                for _ in 0..coming {
                    number += 1;
                    after.insert(number, caller(number));
                    changes.push(CallerChange::Waits(caller(number)));
                }
                for left in (1..=number).filter(|left| leaving >> (left % 64) & 1 == 1) {
                    prop_assert_eq!(callers.find(&[left; 16], &changes), after.remove(&left));
                    changes.push(CallerChange::Left([left; 16]));
                }
                connection.batch("BEGIN");
                let written = callers.write(&Prepared::new(&connection), &changes).unwrap();
                connection.batch(if end == 0 { "ROLLBACK" } else { "COMMIT" });
                match end {
                    0 => {}
                    1 => callers = WaitingCallers::read(&connection).unwrap(),
                    _ => callers.committed(written),
                }
                if end > 0 {
                    expected = after;
                }
                prop_assert_eq!(rows(&connection), expected.values().copied().collect::<Vec<_>>());
            }
            all_left(&connection).unwrap();
            let open = "SELECT count(*) FROM request_joins WHERE open = 1";
            let open: i64 = connection.first(open, (), |row| row.get(0)).unwrap().unwrap();
            prop_assert_eq!(usize::try_from(open), Ok(expected.len()));
            prop_assert_eq!(rows(&connection), Vec::new());
        }
    }
}
