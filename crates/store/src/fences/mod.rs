//! Fences: which side of a move holds the sessions. One session never runs on two sides.
//!
//! The side that gives the sessions up writes so into its store, with a number that only grows, before the other may open them.
//! Its data directory remembers the number too, since a store can be put back from a backup that is older.

mod side;

use std::path::Path;

use domain::{AccountName, Timestamp};
use serde::{Deserialize, Serialize};

use crate::column::Columns;
use crate::database::{Address, Connection, params};
use crate::statement::statements;
use crate::{OpenError, Store, StoreError};

use side::Own;
pub use side::{Side, recorded_side, remember_fence, remembered_fence, side_of};

statements! {
    FENCE = "SELECT number, holder, holder_name, giver, giver_name, at FROM fences WHERE id = 1";
    SAVE_FENCE = "
        INSERT INTO fences (id, number, holder, holder_name, giver, giver_name, at) VALUES (1, $1, $2, $3, $4, $5, $6)
        ON CONFLICT (id) DO UPDATE SET
            number = excluded.number, holder = excluded.holder, holder_name = excluded.holder_name,
            giver = excluded.giver, giver_name = excluded.giver_name, at = excluded.at
        WHERE excluded.number > fences.number";
    FORGET_SESSIONS = "DELETE FROM session_fences";
    SAVE_SESSION = "INSERT INTO session_fences (account, number, opened_at) VALUES ($1, $2, NULL)";
    OPEN_SESSION = "
        UPDATE session_fences SET opened_at = $1 WHERE account = $2 AND opened_at IS NULL";
    NOT_OPENED = "SELECT account FROM session_fences WHERE opened_at IS NULL ORDER BY account";
}

/// Who holds the sessions, and since which number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fence {
    /// It only grows: of two fences the larger number holds.
    pub number: i64,
    /// The side that may open the sessions.
    pub holder: Side,
    /// The side that gave them up.
    pub giver: Side,
    /// When that was.
    pub at: Timestamp,
}

/// The fences' part of a store.
#[derive(Clone, Copy)]
pub struct Fences<'a> {
    pub(crate) store: &'a Store,
}

impl Fences<'_> {
    /// The newest fence of this store.
    pub async fn newest(&self) -> Result<Option<Fence>, StoreError> {
        self.store.read(read).await
    }

    /// Gives the sessions to the holder of a fence. Those of `one_by_one` are opened there when [`Fences::open`] says so, all
    /// others at once. A fence with a number that is not larger than the one in the store changes nothing.
    pub async fn give(&self, fence: &Fence, one_by_one: &[AccountName]) -> Result<(), StoreError> {
        let (fence, accounts) = (fence.clone(), one_by_one.to_vec());
        let write = move |transaction: &crate::write::Transaction<'_>| {
            let Fence { number, holder, giver, at } = &fence;
            let saved = transaction.execute(
                SAVE_FENCE,
                params![number, holder.id, holder.name, giver.id, giver.name, at.as_micros()],
            )?;
            if saved == 0 {
                return Ok(());
            }
            transaction.run(FORGET_SESSIONS, ())?;
            for account in &accounts {
                transaction.run(SAVE_SESSION, params![account.as_str(), number])?;
            }
            Ok(())
        };
        self.store.write(write).await
    }

    /// The accounts whose sessions are not opened on this side yet.
    pub async fn not_opened(&self) -> Result<Vec<AccountName>, StoreError> {
        self.store.all(NOT_OPENED, (), |row| Columns::new(row, "session_fences").account(0)).await
    }

    /// From now on the sessions of an account may be opened.
    pub async fn open(&self, account: &AccountName, at: Timestamp) -> Result<(), StoreError> {
        let account = account.clone();
        let write = move |transaction: &crate::write::Transaction<'_>| {
            transaction.run(OPEN_SESSION, params![at.as_micros(), account.as_str()])
        };
        self.store.write(write).await
    }
}

fn read(connection: &Connection) -> Result<Option<Fence>, StoreError> {
    connection.first(FENCE, (), |row| {
        let columns = Columns::new(row, "fences");
        Ok(Fence {
            number: columns.get(0)?,
            holder: Side { id: columns.get(1)?, name: columns.get(2)? },
            giver: Side { id: columns.get(3)?, name: columns.get(4)? },
            at: columns.time(5)?,
        })
    })
}

/// Whether the store of a data directory may be opened there.
pub(crate) fn check(
    connection: &Connection,
    data_dir: &Path,
    failed: impl FnOnce(StoreError) -> OpenError,
) -> Result<(), OpenError> {
    let in_store = read(connection).map_err(failed)?;
    let own = side::read(data_dir)?;
    let Some(own) = own else { return Ok(()) };
    match holding(own.fence, in_store) {
        Some(fence) if fence.holder.id != own.side.id => {
            Err(OpenError::GivenUp { dir: data_dir.to_owned(), fence: Box::new(fence) })
        }
        _ => Ok(()),
    }
}

/// The same for a file that is not there yet: none is made on a side that another one holds the sessions of.
pub(crate) fn check_before_it_is_made(address: &Address, data_dir: &Path) -> Result<(), OpenError> {
    let Address::Sqlite(file) = address else { return Ok(()) };
    match side::read(data_dir)? {
        Some(Own { side, fence: Some(fence) }) if fence.holder.id != side.id && !file.exists() => {
            Err(OpenError::GivenUp { dir: data_dir.to_owned(), fence: Box::new(fence) })
        }
        _ => Ok(()),
    }
}

/// The fence that holds: the one that the data directory remembers, or the one in the store.
fn holding(remembered: Option<Fence>, in_store: Option<Fence>) -> Option<Fence> {
    match (remembered, in_store) {
        (Some(one), Some(other)) => Some(if other.number > one.number { other } else { one }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fence(number: i64, holder: &str) -> Fence {
        let side = |id: &str| Side { id: id.to_owned(), name: format!("{id}.example.com") };
        Fence { number, holder: side(holder), giver: side("giver"), at: Timestamp::default() }
    }

    #[test]
    fn the_larger_number_holds_wherever_it_stands() {
        let (small, large) = (fence(1, "old"), fence(2, "new"));
        assert_eq!(holding(None, None), None);
        assert_eq!(holding(None, Some(small.clone())), Some(small.clone()));
        assert_eq!(holding(Some(large.clone()), Some(small.clone())), Some(large.clone()));
        assert_eq!(holding(Some(small), Some(large.clone())), Some(large));
    }
}
