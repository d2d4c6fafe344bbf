//! What Telegram keeps whole accounts from, until somebody starts them over.

use domain::account::Reason;
use domain::{AccountName, Timestamp};
use rusqlite::{Connection, params};

use super::statements as sql;
use crate::column::Columns;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, statement};

/// Reads the word of a reason that restricts an account.
fn from_word(word: &str) -> Option<Reason> {
    [Reason::PeerFlood, Reason::Frozen].into_iter().find(|reason| reason.as_str() == word)
}

pub(super) struct SaveRestriction(pub(super) AccountName, pub(super) Reason, pub(super) Timestamp);

impl Write for SaveRestriction {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAVE_RESTRICTION);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let row = params![self.0.as_str(), self.1.as_str(), self.2.as_micros()];
        transaction.execute(sql::SAVE_RESTRICTION, row)?;
        Ok(())
    }
}

pub(super) struct LiftRestriction(pub(super) AccountName);

impl Write for LiftRestriction {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::LIFT_RESTRICTION);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        Ok(transaction.execute(sql::LIFT_RESTRICTION, [self.0.as_str()])? > 0)
    }
}

pub(super) fn all(connection: &Connection) -> Result<Vec<(AccountName, Reason, Timestamp)>, StoreError> {
    statement::all(connection, sql::RESTRICTIONS, [], |row| {
        let columns = Columns::new(row, "telegram_restrictions");
        Ok((columns.account(0)?, columns.word(1, "reason", from_word)?, columns.time(2)?))
    })
}
