//! What holds accounts back: floods, slow modes, marks of chats, and switches set by hand.

use domain::account::{Flood, Operation};
use domain::{AccountName, ChatId, Timestamp};

use super::statements as sql;
use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, params};
use crate::write::Transaction;

/// One thing that holds an account back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hold {
    /// The provider wants a pause in one kind of call.
    Flood {
        /// The account.
        account: AccountName,
        /// What must wait.
        operation: Operation,
        /// Until when.
        until: Timestamp,
    },
    /// The chat lets the account write only so often.
    SlowMode {
        /// The account.
        account: AccountName,
        /// The chat.
        chat_id: ChatId,
        /// Until when.
        until: Timestamp,
    },
    /// The account may not write in the chat at all.
    Mark {
        /// The account.
        account: AccountName,
        /// The chat.
        chat_id: ChatId,
        /// What the provider said.
        why: String,
        /// When.
        at: Timestamp,
    },
}

/// Everything that holds accounts back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holds {
    /// Floods by account.
    pub floods: Vec<(AccountName, Flood)>,
    /// Slow modes by account and chat, each with its deadline.
    pub slow_modes: Vec<(AccountName, ChatId, Timestamp)>,
    /// Chats that an account may not write in, why, and since when that is known.
    pub marks: Vec<(AccountName, ChatId, String, Timestamp)>,
}

/// How an account was switched by hand.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Switch {
    /// It works.
    On,
    /// It stays connected and gets no work.
    Paused,
    /// It is not connected.
    Stopped,
}

domain::enum_words!(Switch);

/// Keeps a hold, as a part of whatever write it came with.
pub(crate) fn save(transaction: &Transaction<'_>, hold: &Hold) -> Result<(), StoreError> {
    match hold {
        Hold::Flood { account, operation, until } => transaction
            .execute(sql::SAVE_FLOOD, params![account.as_str(), operation.as_str(), until.as_micros()]),
        Hold::SlowMode { account, chat_id, until } => transaction
            .execute(sql::SAVE_SLOW_MODE, params![account.as_str(), chat_id.get(), until.as_micros()]),
        Hold::Mark { account, chat_id, why, at } => {
            transaction.execute(sql::SAVE_MARK, params![account.as_str(), chat_id.get(), why, at.as_micros()])
        }
    }?;
    Ok(())
}

pub(super) fn read(connection: &Connection, now: Timestamp) -> Result<Holds, StoreError> {
    let now = now.as_micros();
    Ok(Holds {
        floods: connection.all(sql::FLOODS, [now], |row| {
            let columns = Columns::new(row, "telegram_floods");
            let operation = columns.word(1, "operation", |word| word.parse::<Operation>().ok())?;
            Ok((columns.account(0)?, Flood { operation, until: columns.time(2)? }))
        })?,
        slow_modes: connection.all(sql::SLOW_MODES, [now], |row| {
            let columns = Columns::new(row, "telegram_slow_modes");
            Ok((columns.account(0)?, columns.chat_id(1)?, columns.time(2)?))
        })?,
        marks: connection.all(sql::MARKS, (), |row| {
            let columns = Columns::new(row, "telegram_marks");
            Ok((columns.account(0)?, columns.chat_id(1)?, columns.get(2)?, columns.time(3)?))
        })?,
    })
}
