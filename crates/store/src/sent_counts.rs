//! How many parts each account with limits has sent, by the minute, so that a start goes on counting where the last run was.

use std::time::Duration;

use domain::{AccountName, MessageId, Timestamp};

use crate::column::Columns;
use crate::database::{Connection, Parameters, params};
use crate::statement::statements;
use crate::write::Transaction;
use crate::{Store, StoreError, point};

statements! {
    IS_COUNTED = "SELECT 1 FROM counted_accounts WHERE account = $1";
    COUNTS = "SELECT minute, parts FROM sent_counts WHERE account = $1 AND minute >= $2 ORDER BY minute";
    /// Looks through all that is kept: asked once, when an account is first limited.
    SENT_BY_MINUTE = "
        SELECT at / 60000000, count(*) FROM outbox_timeline
        WHERE account = $1 AND outcome = 'sent' AND at > $2 AND at <= $3 GROUP BY 1";
    /// Parts that may have been sent, and are tried no more.
    IN_DOUBT_BY_MINUTE = "
        SELECT o.updated_at / 60000000, count(*)
        FROM outbox AS o INNER JOIN outbox_parts AS p ON p.message_id = o.id
        WHERE o.state = 10 AND o.state < 20 AND o.account = $1 AND o.updated_at > $2 AND o.updated_at <= $3
            AND p.state = 1 GROUP BY 1";
    /// Parts that accounts have, by account.
    BEGUN = "
        SELECT o.account, count(*)
        FROM outbox AS o INNER JOIN outbox_parts AS p ON p.message_id = o.id
        WHERE o.state = 3 AND o.state < 20 AND o.account IS NOT NULL AND p.state = 1 GROUP BY o.account";
    ADD = "
        INSERT INTO sent_counts (account, minute, parts) VALUES ($1, $2, $3)
        ON CONFLICT (account, minute) DO UPDATE SET parts = sent_counts.parts + excluded.parts";
    ADD_BEGUN = "
        INSERT INTO sent_counts (account, minute, parts)
        SELECT o.account, CAST($1 AS BIGINT), count(*)
        FROM outbox AS o INNER JOIN outbox_parts AS p ON p.message_id = o.id
        WHERE o.id = $2 AND p.state = 1 AND o.account IN (SELECT account FROM counted_accounts) GROUP BY o.account
        ON CONFLICT (account, minute) DO UPDATE SET parts = sent_counts.parts + excluded.parts";
    FORGET = "DELETE FROM sent_counts WHERE account = $1 AND minute < $2";
    MARK = "INSERT INTO counted_accounts (account) VALUES ($1) ON CONFLICT (account) DO NOTHING";
    UNMARK = "DELETE FROM counted_accounts WHERE account = $1";
    DROP_OLD = "
        DELETE FROM sent_counts WHERE (account, minute) IN (
            SELECT account, minute FROM sent_counts WHERE minute < $1 LIMIT $2)";
}

/// The longest span that a limit is for; what was sent before it is forgotten.
const LIFE: Duration = Duration::from_hours(24);

/// The minute since 1970 that an instant is in.
pub(crate) const fn minute(at: Timestamp) -> i64 {
    at.as_seconds().div_euclid(60)
}

/// The first minute that may still count.
pub(crate) fn oldest_minute(now: Timestamp) -> i64 {
    minute(now.minus(LIFE))
}

/// One more part that was sent, or may have been.
pub(crate) fn add(
    transaction: &Transaction<'_>,
    account: &AccountName,
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction.run_beside(ADD, params![account.as_str(), minute(at), 1])
}

/// The parts of a message that was under way when its backup was made may have been sent.
pub(crate) fn add_begun(
    transaction: &Transaction<'_>,
    id: &MessageId,
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction.run(ADD_BEGUN, params![minute(at), id.as_uuid().as_bytes()])
}

fn by_minute(
    connection: &Connection,
    sql: &'static str,
    parameters: impl Parameters,
) -> Result<ByMinute, StoreError> {
    connection.all(sql, parameters, |row| {
        let columns = Columns::new(row, "sent_counts");
        let minute: i64 = columns.get(0)?;
        Ok((Timestamp::from_micros(minute.saturating_mul(60_000_000)), columns.get(1)?))
    })
}

/// What was sent, by the minute that it was sent in.
pub type ByMinute = Vec<(Timestamp, u32)>;

/// The counts of a store.
#[derive(Clone, Copy)]
pub struct SentCounts<'a> {
    pub(crate) store: &'a Store,
}

impl SentCounts<'_> {
    /// What an account has sent within the last day; none if it is not counted.
    pub async fn kept(&self, account: &AccountName) -> Result<Option<ByMinute>, StoreError> {
        let (account, first) = (account.clone(), oldest_minute(self.store.now()));
        self.store
            .read(move |connection| {
                if connection.first(IS_COUNTED, [account.as_str()], |_| Ok(()))?.is_none() {
                    return Ok(None);
                }
                by_minute(connection, COUNTS, params![account.as_str(), first]).map(Some)
            })
            .await
    }

    /// The same of an account that is not counted, until an instant. Looks through all messages there are.
    pub async fn look_through(
        &self,
        account: &AccountName,
        until: Timestamp,
    ) -> Result<ByMinute, StoreError> {
        let account = account.clone();
        self.store
            .read(move |connection| {
                let (since, until) = (until.minus(LIFE).as_micros(), until.as_micros());
                let span = params![account.as_str(), since, until];
                let mut sent = by_minute(connection, SENT_BY_MINUTE, span)?;
                sent.extend(by_minute(connection, IN_DOUBT_BY_MINUTE, span)?);
                Ok(sent)
            })
            .await
    }

    /// Counts an account from now on. `sent` is what it sent until `until`; what is counted here since stays.
    pub async fn begin(
        &self,
        account: &AccountName,
        sent: ByMinute,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let account = account.clone();
        let begin = move |transaction: &Transaction<'_>| {
            let account = account.as_str();
            transaction.run(FORGET, params![account, minute(until)])?;
            for (at, parts) in &sent {
                transaction.run(ADD, params![account, minute(*at), parts])?;
            }
            transaction.run(MARK, [account])
        };
        self.store.change(point::COUNT_ACCOUNT, begin).await
    }

    /// Counts an account no longer.
    pub async fn end(&self, account: &AccountName) -> Result<(), StoreError> {
        let name = account.clone();
        let look = move |connection: &Connection| connection.first(IS_COUNTED, [name.as_str()], |_| Ok(()));
        if self.store.read(look).await?.is_none() {
            return Ok(());
        }
        let account = account.clone();
        let end = move |transaction: &Transaction<'_>| transaction.run(UNMARK, [account.as_str()]);
        self.store.change(point::COUNT_ACCOUNT, end).await
    }

    /// How many parts each account has that were begun and have no outcome.
    pub async fn begun(&self) -> Result<Vec<(AccountName, u32)>, StoreError> {
        self.store
            .read(|connection| {
                connection.all(BEGUN, (), |row| {
                    let columns = Columns::new(row, "outbox");
                    Ok((columns.account(0)?, columns.get(1)?))
                })
            })
            .await
    }
}
