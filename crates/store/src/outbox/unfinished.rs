//! What waits in the outbox: whose queue it is in, how much there is, and the next of it.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use domain::message::{MessageState, OutboundMessage};
use domain::{AccountName, ApiKeyId, ChatId, ChatRef, MessageId, Service, Timestamp};

use super::reading::{address_of, message, with_parts};
use super::{Origin, Outbox, StoredLane, TABLE, ending, key};
use crate::column::Columns;
use crate::database::{Connection, FromValue, Parameters, Row, params};
use crate::statement::statements;
use crate::unreadable::Unfinished;
use crate::write::{Transaction, Write};
use crate::{StoreError, codes, point};

statements! {
    LAST_ID = "SELECT id FROM outbox ORDER BY id DESC LIMIT 1";
    /// In pieces: what one statement sorts stays small, however much waits.
    COUNT_WAITING = "
        SELECT queue, media, api_key, listener, count(*) FROM (
            SELECT queue, media, api_key, listener FROM outbox
            WHERE state = 0 AND (queue, id) > ($1, $2) ORDER BY queue, id LIMIT 10000) AS piece
        GROUP BY queue, media, api_key, listener";
    LAST_COUNTED = "
        SELECT queue, id FROM outbox WHERE state = 0 AND (queue, id) > ($1, $2) ORDER BY queue, id LIMIT 1 OFFSET 9999";
    COUNT_SCHEDULED = "
        SELECT queue, media, api_key, listener, count(*) FROM (
            SELECT queue, media, api_key, listener FROM outbox
            WHERE state = 1 AND (send_at, id) > ($1, $2) ORDER BY send_at, id LIMIT 10000) AS piece
        GROUP BY queue, media, api_key, listener";
    LAST_SCHEDULED_COUNTED = "
        SELECT send_at, id FROM outbox WHERE state = 1 AND (send_at, id) > ($1, $2) ORDER BY send_at, id LIMIT 1 OFFSET 9999";
    /// Of the index alone: what is under way is little, and what waits may be much.
    IN_PROGRESS = "
        SELECT id, state FROM outbox WHERE id > $1 AND state = 3 AND state < 20 ORDER BY id LIMIT $2";
    SCOPE = "SELECT queue, media, api_key, listener, state, id FROM outbox WHERE id = $1";
    OF_QUEUE = "
        SELECT id, chat, chat_id, pin, queue FROM outbox WHERE queue = $1 AND id > $2 AND state = 0 ORDER BY id LIMIT $3";
    OF_CHAT = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content,
            queue, media, api_key, listener
        FROM outbox WHERE chat = $1 AND coalesce(pin, '') = $2 AND state = 0 ORDER BY id LIMIT $3";
    OF_CHAT_ID = "
        SELECT id, state, chat, chat_id, pin, account, on_flood, send_at, created_at, updated_at, failure, content,
            queue, media, api_key, listener
        FROM outbox WHERE chat_id = $1 AND coalesce(pin, '') = $2 AND state = 0 ORDER BY id LIMIT $3";
    WAITS_FOR_CHAT = "
        SELECT 1 FROM outbox WHERE chat = $1 AND coalesce(pin, '') = $2 AND state = 0 LIMIT 1";
    WAITS_FOR_CHAT_ID = "
        SELECT 1 FROM outbox WHERE chat_id = $1 AND coalesce(pin, '') = $2 AND state = 0 LIMIT 1";
    NEXT_SCHEDULED = "SELECT send_at, id, media FROM outbox WHERE state = 1 ORDER BY send_at, id LIMIT 1";
    DUE = "
        SELECT id, chat, chat_id, pin, queue, media, api_key, listener FROM outbox
        WHERE send_at <= $1 AND state = 1 ORDER BY send_at, id LIMIT $2";
    BECOMES_DUE = "UPDATE outbox SET state = 0 WHERE id = $1 AND state = 1";
}

/// Whose queue a message waits in, for as long as it waits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Queue {
    /// The caller named the one account.
    Pinned(AccountName),
    /// The account was the first choice when the message was accepted.
    Account(AccountName),
    /// Any account.
    Pool,
}

impl Queue {
    /// The account, where there is one.
    pub const fn account(&self) -> Option<&AccountName> {
        match self {
            Self::Pinned(account) | Self::Account(account) => Some(account),
            Self::Pool => None,
        }
    }
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pinned(account) => write!(f, "pin:{account}"),
            Self::Account(account) => write!(f, "account:{account}"),
            Self::Pool => f.write_str("pool"),
        }
    }
}

impl FromStr for Queue {
    type Err = domain::account::InvalidAccountName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            Some(("pin", name)) => name.parse().map(Self::Pinned),
            Some(("account", name)) => name.parse().map(Self::Account),
            _ => Ok(Self::Pool),
        }
    }
}

/// Who handed a message in, as far as a quota goes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Caller {
    /// Who has this key.
    Key(ApiKeyId),
    /// Anyone without a key at this listener.
    Listener(Arc<str>),
}

impl Caller {
    /// Who this origin is.
    pub fn of(origin: &Origin) -> Self {
        origin.api_key.map_or_else(|| Self::Listener(origin.listener.as_str().into()), Self::Key)
    }
}

/// What an unfinished message counts as.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct QuotaScope {
    /// Where it waits.
    pub queue: Queue,
    /// Who handed it in.
    pub caller: Caller,
    /// The service that sends it; none in a channel.
    pub service: Option<Service>,
}

impl QuotaScope {
    fn read(columns: &Columns<'_>, first: usize) -> Result<Self, StoreError> {
        let key = columns.maybe_api_key(first + 2)?;
        Ok(Self {
            queue: columns.parsed(first)?,
            service: codes::sending(columns.get(first + 1)?),
            caller: match key {
                Some(key) => Caller::Key(key),
                None => Caller::Listener(columns.get::<String>(first + 3)?.into()),
            },
        })
    }
}

/// How many messages wait at one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingAt {
    /// What they count as.
    pub place: QuotaScope,
    /// Whether they wait for their time.
    pub scheduled: bool,
    /// How many.
    pub count: u64,
}

/// A message that waits, without what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The message.
    pub id: MessageId,
    /// Where to; an error when that cannot be read.
    pub lane: Result<StoredLane, StoreError>,
    /// Where it waits.
    pub queue: Queue,
}

impl Waiting {
    fn read(row: &Row<'_>) -> Result<Self, StoreError> {
        let columns = Columns::new(row, TABLE);
        Ok(Self { id: columns.message_id(0)?, lane: lane(&columns), queue: columns.parsed(4)? })
    }
}

fn lane(columns: &Columns<'_>) -> Result<StoredLane, StoreError> {
    let chat = columns.parsed(1)?;
    Ok(StoredLane {
        address: address_of(&chat, columns.maybe_chat_id(2)?),
        chat,
        pin: columns.maybe_account(3)?,
    })
}

/// The message whose time comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextScheduled {
    /// When.
    pub at: Timestamp,
    /// The message.
    pub id: MessageId,
    /// The service that sends it; none in a channel.
    pub service: Option<Service>,
}

/// A lane as the store knows it: every name that its chat goes by, and its id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LaneKey {
    /// The chat, once known.
    pub chat_id: Option<ChatId>,
    /// As callers named it.
    pub names: Vec<ChatRef>,
    /// The account that the caller pinned it to.
    pub pin: Option<AccountName>,
}

/// Messages of a lane at most that are read at once.
const LONGEST_LANE_PAGE: u32 = 256;

/// Messages that become due in one write at most.
const MOST_DUE: u32 = 200;

fn count(
    connection: &Connection,
    statement: &str,
    after: impl Parameters,
    scheduled: bool,
) -> Result<Vec<WaitingAt>, StoreError> {
    connection.all(statement, after, |row| {
        let columns = Columns::new(row, TABLE);
        Ok(WaitingAt { place: QuotaScope::read(&columns, 0)?, scheduled, count: columns.count(4)? })
    })
}

/// The end of a piece that was counted.
fn counted<T: FromValue>(row: &Row<'_>) -> Result<(T, [u8; 16]), StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok((columns.get(0)?, columns.get(1)?))
}

impl Outbox<'_> {
    /// The id of the message that was accepted last, whatever came of it.
    pub async fn last_id(&self) -> Result<Option<MessageId>, StoreError> {
        self.store
            .read(|connection| connection.first(LAST_ID, (), |row| Columns::new(row, TABLE).message_id(0)))
            .await
    }

    /// How many messages wait, by place; those under way are not among them. A place may come several times: its counts add up.
    pub async fn count_waiting(&self) -> Result<Vec<WaitingAt>, StoreError> {
        self.store
            .read(|connection| {
                let mut all = Vec::new();
                let mut last = Some((String::new(), [0; 16]));
                while let Some((queue, id)) = last {
                    all.extend(count(connection, COUNT_WAITING, params![queue.as_str(), id], false)?);
                    last = connection.first(LAST_COUNTED, params![queue.as_str(), id], counted)?;
                }
                let mut last = Some((i64::MIN, [0; 16]));
                while let Some((send_at, id)) = last {
                    all.extend(count(connection, COUNT_SCHEDULED, params![send_at, id], true)?);
                    last = connection.first(LAST_SCHEDULED_COUNTED, params![send_at, id], counted)?;
                }
                Ok(all)
            })
            .await
    }

    /// The ids of messages that are under way, oldest first.
    pub async fn under_way(
        &self,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<MessageId>, StoreError> {
        let after = after.map_or([0; 16], |id| *key(&id));
        self.store
            .read(move |connection| {
                connection.all(IN_PROGRESS, params![after, limit.clamp(1, super::LONGEST_BATCH)], |row| {
                    Columns::new(row, TABLE).message_id(0)
                })
            })
            .await
    }

    /// Where a message waits, or waited.
    pub async fn place(&self, id: MessageId) -> Result<Option<QuotaScope>, StoreError> {
        self.store
            .read(move |connection| {
                connection.first(SCOPE, [key(&id)], |row| QuotaScope::read(&Columns::new(row, TABLE), 0))
            })
            .await
    }

    /// The next messages of a queue, oldest first, those after `after` alone.
    pub async fn of_queue(
        &self,
        queue: Queue,
        after: Option<MessageId>,
        limit: u32,
    ) -> Result<Vec<Waiting>, StoreError> {
        let after = after.map_or([0; 16], |id| *key(&id));
        self.store
            .read(move |connection| {
                let limit = limit.clamp(1, super::LONGEST_BATCH);
                connection.all(OF_QUEUE, params![queue.to_string(), after, limit], Waiting::read)
            })
            .await
    }

    /// The first messages of a lane, oldest first, each with its place. Messages whose row cannot be read are
    /// `unreadable`.
    pub async fn of_lane(
        &self,
        lane: LaneKey,
        limit: u32,
    ) -> Result<Unfinished<MessageId, (OutboundMessage, QuotaScope)>, StoreError> {
        let limit = limit.clamp(1, LONGEST_LANE_PAGE);
        self.store.read(move |connection| of_lane(connection, &lane, limit)).await
    }

    /// Whether any message of a lane waits.
    pub async fn waits_in(&self, lane: LaneKey) -> Result<bool, StoreError> {
        self.store
            .read(move |connection| {
                let pin = lane.pin.as_ref().map_or("", AccountName::as_str);
                if let Some(chat_id) = lane.chat_id
                    && connection.first(WAITS_FOR_CHAT_ID, params![chat_id.get(), pin], |_| Ok(()))?.is_some()
                {
                    return Ok(true);
                }
                for name in &lane.names {
                    let name = name.to_string();
                    if connection.first(WAITS_FOR_CHAT, params![name, pin], |_| Ok(()))?.is_some() {
                        return Ok(true);
                    }
                }
                Ok(false)
            })
            .await
    }

    /// The message whose time comes first.
    pub async fn next_scheduled(&self) -> Result<Option<NextScheduled>, StoreError> {
        self.store
            .read(|connection| {
                connection.first(NEXT_SCHEDULED, (), |row| {
                    let columns = Columns::new(row, TABLE);
                    Ok(NextScheduled {
                        at: columns.time(0)?,
                        id: columns.message_id(1)?,
                        service: codes::sending(columns.get(2)?),
                    })
                })
            })
            .await
    }

    /// Queues the messages whose time has come, so many at most in one write; none when there are no more.
    pub async fn becomes_due(&self, now: Timestamp) -> Result<Vec<(Waiting, QuotaScope)>, StoreError> {
        self.store.write(DueWrite(now)).await
    }

    /// Ends a message of which nothing was given to an account, and returns where it waited and for what. Nothing when it
    /// is too late for that.
    pub async fn take_back(
        &self,
        id: MessageId,
        at: Timestamp,
        detail: Option<String>,
    ) -> Result<Option<(QuotaScope, MessageState)>, StoreError> {
        self.store
            .change(point::CANCEL, move |transaction| {
                let waited = transaction.first(SCOPE, [key(&id)], |row| {
                    let columns = Columns::new(row, TABLE);
                    Ok((QuotaScope::read(&columns, 0)?, columns.coded(4, "state", codes::message)?))
                })?;
                let done = ending::cancel(transaction, &id, at, detail.clone())?;
                Ok(waited.filter(|_| done))
            })
            .await
    }
}

fn of_lane(
    connection: &Connection,
    lane: &LaneKey,
    limit: u32,
) -> Result<Unfinished<MessageId, (OutboundMessage, QuotaScope)>, StoreError> {
    let pin = lane.pin.as_ref().map_or("", AccountName::as_str);
    let mut rows = std::collections::BTreeMap::new();
    let mut read = |row: &Row<'_>| {
        let columns = Columns::new(row, TABLE);
        let whole = message(row).and_then(|message| Ok((message, QuotaScope::read(&columns, 12)?)));
        rows.insert(columns.message_id(0)?, whole);
        Ok(())
    };
    if let Some(chat_id) = lane.chat_id {
        connection.all(OF_CHAT_ID, params![chat_id.get(), pin, limit], &mut read)?;
    }
    for name in &lane.names {
        connection.all(OF_CHAT, params![name.to_string(), pin, limit], &mut read)?;
    }
    let first = rows.into_iter().take(limit as usize);
    Unfinished::of(first.map(|(id, row)| {
        let whole = row.and_then(|(message, place)| Ok((with_parts(connection, message)?, place)));
        (id, whole)
    }))
}

struct DueWrite(Timestamp);

impl Write for DueWrite {
    type Answer = Vec<(Waiting, QuotaScope)>;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<Self::Answer, StoreError> {
        let due = transaction.all(DUE, params![self.0.as_micros(), MOST_DUE], |row| {
            Ok((Waiting::read(row)?, QuotaScope::read(&Columns::new(row, TABLE), 4)?))
        })?;
        for (waiting, _) in &due {
            transaction.run(BECOMES_DUE, [key(&waiting.id)])?;
        }
        Ok(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_is_read_back_as_it_was_written() {
        let name: AccountName = "main".parse().unwrap();
        for queue in [Queue::Pinned(name.clone()), Queue::Account(name), Queue::Pool] {
            assert_eq!(queue.to_string().parse(), Ok(queue));
        }
    }
}
