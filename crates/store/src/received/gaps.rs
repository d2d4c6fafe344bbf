//! What an account missed and reads from the histories of its chats: which, since when, and how far that is.

use std::time::Duration;

use domain::{AccountName, ChatId, TelegramMessageId, Timestamp};

use crate::StoreError;
use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::point::{self, Point};
use crate::statement::statements;
use crate::write::{Transaction, Write};

const TABLE: &str = "received_gaps";

/// How long it is listed what was not read.
pub(crate) const LISTED: Duration = Duration::from_hours(24 * 30);

statements! {
    /// What is kept of a chat says better since when; a row that is there is read again from the earlier time.
    ADD = "
        INSERT INTO received_gaps (account, chat_id, since, messages, noticed_at)
        VALUES ($1, $2, coalesce((SELECT max(place) FROM received_messages WHERE chat_id = $2), $3), 0, $4)
        ON CONFLICT (account, chat_id) DO UPDATE SET
            since = CASE WHEN received_gaps.failure IS NULL AND received_gaps.since < excluded.since
                THEN received_gaps.since ELSE excluded.since END,
            reached = NULL, messages = 0, noticed_at = excluded.noticed_at, failure = NULL, failed_at = NULL";
    /// The same for a chat of which more may be missing than behind the last message that is kept.
    ADD_SINCE = "
        INSERT INTO received_gaps (account, chat_id, since, messages, noticed_at) VALUES ($1, $2, $3, 0, $4)
        ON CONFLICT (account, chat_id) DO UPDATE SET
            since = CASE WHEN received_gaps.failure IS NULL AND received_gaps.since < excluded.since
                THEN received_gaps.since ELSE excluded.since END,
            reached = NULL, messages = 0, noticed_at = excluded.noticed_at, failure = NULL, failed_at = NULL";
    MOVE = "
        UPDATE received_gaps SET reached = $1, messages = messages + $2 WHERE account = $3 AND chat_id = $4";
    END = "DELETE FROM received_gaps WHERE account = $1 AND chat_id = $2";
    FAIL = "
        UPDATE received_gaps SET failure = $1, failed_at = $2 WHERE account = $3 AND chat_id = $4";
    OPEN = "
        SELECT account, chat_id, since, reached, messages, noticed_at, failure FROM received_gaps
        WHERE account = $1 AND failure IS NULL ORDER BY chat_id";
    OF_ACCOUNT = "
        SELECT account, chat_id, since, reached, messages, noticed_at, failure FROM received_gaps
        WHERE account = $1 ORDER BY noticed_at DESC, chat_id LIMIT 1000";
    DROP_OLD = "
        DELETE FROM received_gaps WHERE (account, chat_id) IN (
            SELECT account, chat_id FROM received_gaps WHERE failed_at < $1 LIMIT $2)";
}

/// Messages that an account missed, as far as one chat goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReceivedGap {
    /// The account.
    pub account: AccountName,
    /// The chat; none: all private chats and basic groups, which are to be looked through yet.
    pub chat_id: Option<ChatId>,
    /// What was written before this was reported.
    pub since: Timestamp,
    /// The newest message that was read since.
    pub reached: Option<TelegramMessageId>,
    /// How many were read since.
    pub messages: u64,
    /// When it was noticed.
    pub noticed_at: Timestamp,
    /// Why the rest is not read; none while it is being read.
    pub failure: Option<String>,
}

/// Messages that an account missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missed {
    /// Of this channel or supergroup; none: of private chats and basic groups.
    pub channel: Option<ChatId>,
    /// What was written before this, by Telegram's clock, was reported.
    pub since: Timestamp,
}

/// A page of a history, beside its messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRead {
    /// Whose.
    pub chat_id: ChatId,
    /// Its newest message; none where nothing is left.
    pub reached: Option<TelegramMessageId>,
    /// How many there are in it.
    pub messages: u32,
}

/// What comes of a gap, beside its pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GapChange {
    /// It concerns these chats.
    Chats {
        /// Which.
        chats: Vec<ChatId>,
        /// Since when.
        since: Timestamp,
        /// Why there may be others.
        failure: Option<String>,
    },
    /// The rest of it is not read.
    Failed {
        /// Of this chat; none: which chats it concerns could not be seen.
        chat_id: Option<ChatId>,
        /// Why.
        why: String,
    },
}

pub(super) struct Change {
    pub(super) account: AccountName,
    pub(super) gap: GapChange,
    pub(super) at: Timestamp,
}

impl Write for Change {
    type Answer = ();
    const POINT: Option<Point> = Some(point::CHANGE_GAP);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let (account, at) = (self.account.as_str(), self.at.as_micros());
        match &self.gap {
            GapChange::Chats { chats, since, failure } => {
                for chat_id in chats {
                    transaction.run(ADD_SINCE, params![account, chat_id.get(), since.as_micros(), at])?;
                }
                match failure {
                    None => transaction.run(END, params![account, 0]),
                    Some(why) => transaction.run(FAIL, params![why, at, account, 0]),
                }
            }
            GapChange::Failed { chat_id, why } => {
                transaction.run(FAIL, params![why, at, account, chat_id.map_or(0, ChatId::get)])
            }
        }
    }
}

/// Notes that messages were missed.
pub(super) fn add(
    transaction: &Transaction<'_>,
    account: &AccountName,
    missed: &Missed,
    at: Timestamp,
) -> Result<(), StoreError> {
    let (account, since, at) = (account.as_str(), missed.since.as_micros(), at.as_micros());
    match missed.channel {
        Some(channel) => transaction.run(ADD, params![account, channel.get(), since, at]),
        None => transaction.run(ADD_SINCE, params![account, 0, since, at]),
    }
}

/// Notes how far a history is read.
pub(super) fn read_page(
    transaction: &Transaction<'_>,
    account: &AccountName,
    page: &PageRead,
) -> Result<(), StoreError> {
    let (account, chat_id) = (account.as_str(), page.chat_id.get());
    match page.reached {
        Some(reached) => transaction.run(MOVE, params![reached.get(), page.messages, account, chat_id]),
        None => transaction.run(END, params![account, chat_id]),
    }
}

pub(super) fn open(connection: &Connection, account: &AccountName) -> Result<Vec<ReceivedGap>, StoreError> {
    connection.all(OPEN, [account.as_str()], gap)
}

pub(super) fn all(connection: &Connection, account: &AccountName) -> Result<Vec<ReceivedGap>, StoreError> {
    connection.all(OF_ACCOUNT, [account.as_str()], gap)
}

fn gap(row: &Row<'_>) -> Result<ReceivedGap, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(ReceivedGap {
        account: columns.account(0)?,
        chat_id: ChatId::new(columns.get(1)?),
        since: columns.time(2)?,
        reached: columns.get::<Option<i64>>(3)?.and_then(TelegramMessageId::new),
        messages: columns.count(4)?,
        noticed_at: columns.time(5)?,
        failure: columns.get(6)?,
    })
}
