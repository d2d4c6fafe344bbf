//! What Telegram keeps whole accounts from, until someone starts them over.

use domain::account::Reason;
use domain::{AccountName, Timestamp};

use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::Connection;

/// Reads the word of a reason that restricts an account.
fn from_word(word: &str) -> Option<Reason> {
    [Reason::PeerFlood, Reason::Frozen].into_iter().find(|reason| reason.as_str() == word)
}

pub(super) fn all(connection: &Connection) -> Result<Vec<(AccountName, Reason, Timestamp)>, StoreError> {
    connection.all(sql::RESTRICTIONS, (), |row| {
        let columns = Columns::new(row, "telegram_restrictions");
        Ok((columns.account(0)?, columns.word(1, "reason", from_word)?, columns.time(2)?))
    })
}
