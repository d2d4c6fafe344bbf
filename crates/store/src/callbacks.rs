//! Callbacks on their way to another program: when each is due, and how often it was tried.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::{CallbackId, FailedRequestId, OperationId, Service, Timestamp};
use serde::Serialize;
use uuid::Uuid;

use crate::column::{Columns, to_json};
use crate::database::{Connection, Row, params};
use crate::failed_requests::{self, Direction, Failed, FailedRequest, FailedState};
use crate::point::{self, Point};
use crate::sagas::NewCallback;
use crate::statement::statements;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError};

const TABLE: &str = "callbacks";
/// The receiver of a post that is a callback: the settings name it.
const RECEIVER: [u8; 0] = [];
/// What failed requests call the other program.
const ENDPOINT: &str = "invite_callback";
/// Callbacks read at once at most.
const LONGEST_BATCH: u32 = 1000;
/// What went wrong is cut to this many bytes.
const LONGEST: usize = 1000;

// How a callback goes is a row of `posts`, of kind 1.
statements! {
    SAVE = "
        INSERT INTO callbacks (id, operation, client_tg_id, invite_link) VALUES ($1, $2, $3, $4)
        ON CONFLICT (id) DO NOTHING";
    SAVE_POST = "
        INSERT INTO posts (kind, receiver, event, item, state, attempts, next_at) VALUES (1, $1, 0, $2, 0, 0, $3)
        ON CONFLICT (receiver, kind, event, item) DO NOTHING";
    DUE = "
        SELECT c.id, c.operation, c.client_tg_id, c.invite_link, p.attempts, p.next_at, p.error, o.listener
        FROM posts AS p JOIN callbacks AS c ON c.id = p.item LEFT JOIN operations AS o ON o.id = c.operation
        WHERE p.kind = 1 AND p.state = 0 AND p.next_at <= $1 ORDER BY p.next_at, p.item LIMIT $2";
    NEXT_DUE = "SELECT next_at FROM posts WHERE kind = 1 AND state = 0 ORDER BY next_at LIMIT 1";
    GET = "
        SELECT c.id, c.operation, c.client_tg_id, c.invite_link, p.attempts, p.next_at, p.error, o.listener
        FROM posts AS p JOIN callbacks AS c ON c.id = p.item LEFT JOIN operations AS o ON o.id = c.operation
        WHERE p.kind = 1 AND p.event = 0 AND p.item = $1";
    /// Those that were tried and wait for the next try; one that a person tries again is a failed request already.
    PUT_OFF = "
        SELECT c.id, c.operation, c.client_tg_id, c.invite_link, p.attempts, p.next_at, p.error, o.listener
        FROM posts AS p JOIN callbacks AS c ON c.id = p.item LEFT JOIN operations AS o ON o.id = c.operation
        WHERE p.kind = 1 AND p.event = 0 AND p.item < $1 AND p.state = 0 AND p.attempts > 0
          AND NOT EXISTS (SELECT 1 FROM failed_requests AS f WHERE f.id = c.id)
        ORDER BY p.item DESC LIMIT $2";
    ONE_PUT_OFF = "
        SELECT c.id, c.operation, c.client_tg_id, c.invite_link, p.attempts, p.next_at, p.error, o.listener
        FROM posts AS p JOIN callbacks AS c ON c.id = p.item LEFT JOIN operations AS o ON o.id = c.operation
        WHERE p.kind = 1 AND p.event = 0 AND p.item = $1 AND p.state = 0 AND p.attempts > 0";
    NEXT_TRY = "SELECT next_at FROM posts WHERE kind = 1 AND event = 0 AND item = $1 AND state = 0";
    HURRY = "UPDATE posts SET next_at = $1 WHERE kind = 1 AND event = 0 AND item = $2 AND state = 0";
    STATE_OF = "SELECT state FROM posts WHERE kind = 1 AND event = 0 AND item = $1";
    DELIVERED = "
        UPDATE posts SET state = 2, tried_at = $1 WHERE kind = 1 AND event = 0 AND item = $2 AND state <> 2";
    AGAIN = "
        UPDATE posts SET attempts = attempts + 1, error = $1, next_at = $2
        WHERE kind = 1 AND event = 0 AND item = $3 AND state = 0";
    GIVE_UP = "
        UPDATE posts SET state = 1, attempts = attempts + 1, error = $1
        WHERE kind = 1 AND event = 0 AND item = $2 AND state = 0";
    WAITING = "SELECT item FROM posts WHERE kind = 1 AND state = 0 ORDER BY next_at, item LIMIT $1";
    /// It was not tried.
    HOLD_BACK = "UPDATE posts SET state = 1, error = $1 WHERE kind = 1 AND event = 0 AND item = $2 AND state = 0";
    REQUEUE = "UPDATE posts SET state = 0, next_at = $1 WHERE kind = 1 AND event = 0 AND item = $2 AND state = 1";
    DROP_GIVEN_UP = "DELETE FROM posts WHERE kind = 1 AND event = 0 AND item = $1 AND state = 1";
    DROP = "DELETE FROM callbacks WHERE id = $1";
    DROP_DELIVERED = "
        DELETE FROM posts WHERE kind = 1 AND event = 0 AND item IN (
            SELECT item FROM posts WHERE kind = 1 AND state <> 0 AND state = 2 AND tried_at <= $1
            ORDER BY tried_at LIMIT $2)";
    DROP_POSTLESS = "
        DELETE FROM callbacks WHERE NOT EXISTS (
            SELECT 1 FROM posts AS p WHERE p.kind = 1 AND p.event = 0 AND p.item = callbacks.id)";
}

/// A callback that names a new chat's invite link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Callback {
    /// Its id.
    pub id: CallbackId,
    /// The saga that made the chat.
    pub operation: OperationId,
    /// The client it is about, as the caller wrote it.
    pub client_tg_id: String,
    /// The link.
    pub invite_link: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is to be tried.
    pub next_at: Timestamp,
    /// What went wrong the last time.
    pub last_error: Option<String>,
    /// The listener that was asked for the chat; `None` once the saga is gone.
    pub listener: Option<String>,
}

/// What came of attempts to post callbacks since the store was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallbacksCounted {
    /// The other program took it.
    pub delivered: u64,
    /// It did not, and is asked again later.
    pub put_off: u64,
    /// It did not, and the callback is kept as a failed request.
    pub given_up: u64,
}

/// The same, while it is counted.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    delivered: AtomicU64,
    put_off: AtomicU64,
    given_up: AtomicU64,
}

/// The callbacks' part of a store.
#[derive(Clone, Copy)]
pub struct Callbacks<'a> {
    pub(crate) store: &'a Store,
}

impl Callbacks<'_> {
    /// Callbacks whose time has come, those that have waited longest first, 1 to 1000 at once.
    pub async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<Callback>, StoreError> {
        let params = (now.as_micros(), limit.clamp(1, LONGEST_BATCH));
        self.store.all(DUE, params, read).await
    }

    /// When the next callback is due, if one waits.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.first(NEXT_DUE, (), |row| Columns::new(row, TABLE).time(0)).await
    }

    /// The other program took it.
    pub async fn delivered(&self, id: CallbackId, at: Timestamp) -> Result<(), StoreError> {
        self.store
            .change(point::CALLBACK_DELIVERED, move |transaction| {
                if transaction.execute(DELIVERED, params![at.as_micros(), key(&id)])? == 0 {
                    return is_already(transaction, &id, 2).map(drop);
                }
                failed_requests::ended_well(transaction, key(&id), at)
            })
            .await?;
        self.store.inner.callbacks_counted.delivered.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// It was not taken: it is tried again at `next_at`, or given up and kept as a failed request.
    pub async fn failed(
        &self,
        id: CallbackId,
        error: String,
        at: Timestamp,
        next_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.store
            .change(point::CALLBACK_FAILED, move |transaction| {
                not_taken(transaction, id, &error, at, next_at)
            })
            .await?;
        let counters = &self.store.inner.callbacks_counted;
        let counter = if next_at.is_some() { &counters.put_off } else { &counters.given_up };
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// What came of attempts since the store was opened.
    pub fn counted(&self) -> CallbacksCounted {
        let Counters { delivered, put_off, given_up } = &self.store.inner.callbacks_counted;
        CallbacksCounted {
            delivered: delivered.load(Ordering::Relaxed),
            put_off: put_off.load(Ordering::Relaxed),
            given_up: given_up.load(Ordering::Relaxed),
        }
    }

    /// Tries a callback that waits for its next try at once. False for any other.
    pub async fn hurry(&self, id: CallbackId, at: Timestamp) -> Result<bool, StoreError> {
        let hurry = move |transaction: &Transaction<'_>| {
            transaction.execute(HURRY, params![at.as_micros(), key(&id)])
        };
        Ok(self.store.write(hurry).await? > 0)
    }

    /// Tries a callback that was given up again, from now on; its failed request says so. Its attempts go on counting.
    /// False for any other.
    pub async fn requeue(&self, id: CallbackId, at: Timestamp) -> Result<bool, StoreError> {
        self.store
            .change(point::CALLBACK_REQUEUE, move |transaction| {
                if transaction.execute(REQUEUE, params![at.as_micros(), key(&id)])? == 0 {
                    return is_already(transaction, &id, 0).map(|_| false);
                }
                failed_requests::tried_again(transaction, key(&id), at)?;
                Ok(true)
            })
            .await
    }
}

fn key(id: &CallbackId) -> &[u8; 16] {
    id.as_uuid().as_bytes()
}

fn read(row: &Row<'_>) -> Result<Callback, StoreError> {
    let columns = Columns::new(row, TABLE);
    Ok(Callback {
        id: CallbackId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        operation: columns.operation_id(1)?,
        client_tg_id: columns.get(2)?,
        invite_link: columns.get(3)?,
        attempts: columns.get(4)?,
        next_at: columns.time(5)?,
        last_error: columns.get(6)?,
        listener: columns.get(7)?,
    })
}

/// Adds a callback that is due at once, as a part of the write that it came with.
pub(crate) fn save(
    transaction: &Transaction<'_>,
    callback: &NewCallback,
    operation: &OperationId,
    at: Timestamp,
) -> Result<(), StoreError> {
    let NewCallback { id, client_tg_id, invite_link } = callback;
    let operation = operation.as_uuid().as_bytes();
    transaction.run(SAVE, params![key(id), operation, client_tg_id, invite_link])?;
    transaction.run(SAVE_POST, params![RECEIVER, key(id), at.as_micros()])
}

/// Callbacks that were tried and wait for their next try, the newest first, as failed requests show them.
pub(crate) fn put_off(
    connection: &Connection,
    before: [u8; 16],
    rows: u32,
) -> Result<Vec<FailedRequest>, StoreError> {
    connection.all(PUT_OFF, params![before, rows], |row| shown(read(row)?))
}

/// The same of one.
pub(crate) fn one_put_off(
    connection: &Connection,
    id: &[u8; 16],
) -> Result<Option<FailedRequest>, StoreError> {
    connection.first(ONE_PUT_OFF, [id], |row| shown(read(row)?))
}

/// When a callback is tried next, if it waits for that.
pub(crate) fn next_try(connection: &Connection, id: &CallbackId) -> Result<Option<Timestamp>, StoreError> {
    connection.first(NEXT_TRY, [key(id)], |row| Columns::new(row, TABLE).time(0))
}

/// A callback that waits as a failed request shows it.
fn shown(callback: Callback) -> Result<FailedRequest, StoreError> {
    let payload = Shown { user_id: &callback.client_tg_id, invite_link: &callback.invite_link };
    Ok(FailedRequest {
        id: FailedRequestId::from_uuid(*callback.id.as_uuid()),
        at: made_at(callback.id.as_uuid()),
        service: Some(Service::CreateChat),
        direction: Direction::Outbound,
        endpoint: ENDPOINT.to_owned(),
        payload: to_json(TABLE, &payload)?,
        error: callback.last_error.unwrap_or_default(),
        state: FailedState::Waiting,
        retry_count: 0,
        last_retry_at: None,
        last_retry_error: None,
        operation: Some(callback.operation),
        callback: Some(callback.id),
        next_try_at: Some(callback.next_at),
    })
}

/// When something was made that has an id of ours: the id says it.
fn made_at(id: &Uuid) -> Timestamp {
    let millis = id.as_bytes().iter().take(6).fold(0_i64, |millis, byte| (millis << 8) | i64::from(*byte));
    Timestamp::from_micros(millis.saturating_mul(1000))
}

/// Removes a callback that was given up.
pub(crate) fn forget_given_up(transaction: &Transaction<'_>, id: &[u8; 16]) -> Result<(), StoreError> {
    if transaction.execute(DROP_GIVEN_UP, [id])? > 0 {
        transaction.run(DROP, [id])?;
    }
    Ok(())
}

/// For a callback that a change passed by: whether it is in this state already; an error when it is gone.
fn is_already(transaction: &Transaction<'_>, id: &CallbackId, state: i64) -> Result<bool, StoreError> {
    transaction
        .first(STATE_OF, [key(id)], |row| Columns::new(row, TABLE).get::<i64>(0))?
        .map(|found| found == state)
        .ok_or_else(|| StoreError::not_found(TABLE, format!("there is no callback {id}")))
}

/// An attempt failed: the callback is tried again at `next_at`, or given up.
fn not_taken(
    transaction: &Transaction<'_>,
    id: CallbackId,
    error: &str,
    at: Timestamp,
    next_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let error = &error[..error.floor_char_boundary(LONGEST)];
    let changed = match next_at {
        Some(next_at) => transaction.execute(AGAIN, params![error, next_at.as_micros(), key(&id)])?,
        None => transaction.execute(GIVE_UP, params![error, key(&id)])?,
    };
    if changed == 0 {
        // The same again is no error: the answer to the first may have come too late.
        if is_already(transaction, &id, 1)? && next_at.is_none() {
            return Ok(());
        }
        let what = format!("callback {id} does not wait, so no attempt can have failed");
        return Err(StoreError::conflict(TABLE, what));
    }
    if next_at.is_some() { Ok(()) } else { keep(transaction, &id, error, at) }
}

/// What a failed request shows of a callback.
#[derive(Serialize)]
struct Shown<'a> {
    user_id: &'a str,
    invite_link: &'a str,
}

/// Keeps a callback that was given up as a failed request.
fn keep(
    transaction: &Transaction<'_>,
    id: &CallbackId,
    error: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let Some(callback) = transaction.first(GET, [key(id)], read)? else { return Ok(()) };
    let shown = Shown { user_id: &callback.client_tg_id, invite_link: &callback.invite_link };
    let failed = Failed {
        id: key(id),
        at,
        service: Service::CreateChat,
        direction: Direction::Outbound,
        endpoint: ENDPOINT,
        payload: &to_json(TABLE, &shown)?,
        error,
        operation: Some(&callback.operation),
        callback: Some(id),
    };
    failed_requests::keep(transaction, &failed)
}

/// Gives up so many callbacks that wait, without a try.
pub(crate) struct HoldCallbacks {
    pub(crate) error: String,
    pub(crate) at: Timestamp,
    pub(crate) most: u32,
}

impl Write for HoldCallbacks {
    type Answer = usize;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let waiting = transaction.all(WAITING, [self.most], |row| {
            Ok(CallbackId::from_uuid(Uuid::from_bytes(Columns::new(row, TABLE).get(0)?)))
        })?;
        for id in &waiting {
            transaction.run(HOLD_BACK, params![self.error, key(id)])?;
            keep(transaction, id, &self.error, self.at)?;
        }
        Ok(waiting.len())
    }
}

/// Removes so many callbacks that were delivered long ago.
pub(crate) struct DropDelivered {
    pub(crate) before: Timestamp,
    pub(crate) most: u32,
}

impl Write for DropDelivered {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::DROP_CALLBACKS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let dropped = transaction.execute(DROP_DELIVERED, params![self.before.as_micros(), self.most])?;
        if dropped > 0 {
            transaction.run(DROP_POSTLESS, ())?;
        }
        Ok(dropped)
    }
}
