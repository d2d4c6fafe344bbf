//! Requests that failed and are kept, so that a person can try them again or drop them.

use domain::{CallbackId, FailedRequestId, OperationId, Service, Timestamp};
use uuid::Uuid;

use crate::column::Columns;
use crate::database::{Connection, Row, params};
use crate::paging::{Page, Paged};
use crate::point::{self, Point};
use crate::statement::statements;
use crate::sweep::first_id_at;
use crate::write::{Transaction, Write};
use crate::{Store, StoreError, callbacks};

const TABLE: &str = "failed_requests";

statements! {
    /// One that a person dropped stays dropped.
    KEEP = "
        INSERT INTO failed_requests
            (id, at, service, direction, endpoint, payload, error, state, retry_count, operation, callback)
        VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', 0, $8, $9)
        ON CONFLICT (id) DO UPDATE SET
            state = 'pending', last_retry_error = excluded.error, settled_at = NULL
        WHERE failed_requests.state <> 'dropped'";
    ENDED_WELL = "
        UPDATE failed_requests SET state = 'done', settled_at = $1
        WHERE id = $2 AND state IN ('pending', 'retried')";
    /// Another request of the same body brought what these had not.
    SAME_BODY_ENDED_WELL = "
        UPDATE failed_requests SET state = 'done', settled_at = $1
        WHERE state = 'pending' AND id < $2 AND EXISTS (
            SELECT 1 FROM operations AS later, operations AS earlier
            WHERE later.id = $2 AND earlier.id = failed_requests.id
              AND earlier.join_fingerprint = later.join_fingerprint)";
    /// Their key stands for a newer request now.
    SUPERSEDED = "
        UPDATE failed_requests SET state = 'dropped', settled_at = $1 WHERE id = $2 AND state = 'pending'";
    TRIED_AGAIN = "
        UPDATE failed_requests SET state = 'retried', retry_count = retry_count + 1, last_retry_at = $1
        WHERE id = $2 AND state = 'pending'";
    /// Also when its retry failed and did not report that here: a person must be able to retry it once more.
    RETRY = "
        UPDATE failed_requests SET state = 'retried', retry_count = retry_count + 1, last_retry_at = $1
        WHERE id = $2 AND (operation IS NOT NULL OR callback IS NOT NULL)
          AND (state = 'pending' OR (state = 'retried' AND (
            EXISTS (SELECT 1 FROM operations AS o WHERE o.id = $2 AND o.state IN (11, 12))
            OR EXISTS (SELECT 1 FROM posts AS p WHERE p.kind = 1 AND p.event = 0 AND p.item = $2 AND p.state = 1))))";
    DROP = "
        UPDATE failed_requests SET state = 'dropped', settled_at = $1
        WHERE id = $2 AND (state = 'pending' OR (state = 'retried' AND (
            EXISTS (SELECT 1 FROM operations AS o WHERE o.id = $2 AND o.state IN (11, 12))
            OR EXISTS (SELECT 1 FROM posts AS p WHERE p.kind = 1 AND p.event = 0 AND p.item = $2 AND p.state = 1))))";
    GET = "
        SELECT id, at, service, direction, endpoint, payload, error, state, retry_count, last_retry_at,
            last_retry_error, operation, callback
        FROM failed_requests WHERE id = $1";
    LIST = "
        SELECT id, at, service, direction, endpoint, payload, error, state, retry_count, last_retry_at,
            last_retry_error, operation, callback
        FROM failed_requests WHERE id < $1 ORDER BY id DESC LIMIT $2";
    LIST_STATE = "
        SELECT id, at, service, direction, endpoint, payload, error, state, retry_count, last_retry_at,
            last_retry_error, operation, callback
        FROM failed_requests WHERE state = $1 AND id < $2 ORDER BY id DESC LIMIT $3";
    OLD = "SELECT id FROM failed_requests WHERE settled_at <= $1 ORDER BY settled_at LIMIT $2";
    /// Those that no person touched since a time.
    NEGLECTED = "
        SELECT id FROM failed_requests
        WHERE id < $1 AND settled_at IS NULL AND COALESCE(last_retry_at, 0) <= $2 ORDER BY id LIMIT $3";
    FORGET = "DELETE FROM failed_requests WHERE id = $1";
    KEEP_FORM = "
        INSERT INTO failed_requests (id, at, service, direction, endpoint, payload, error, state, retry_count)
        VALUES ($1, $2, 'form', 'inbound', $3, $4, $5, 'pending', 0)";
    KNOWN_FORM = "
        SELECT id FROM failed_requests
        WHERE state = 'pending' AND service = 'form' AND endpoint = $1 AND payload = $2 LIMIT 1";
    DROP_OLDEST_FORMS = "
        DELETE FROM failed_requests WHERE id IN (
            SELECT id FROM failed_requests WHERE state = 'pending' AND service = 'form'
            ORDER BY id DESC LIMIT 1000 OFFSET $1)";
    FORM_TAKEN = "
        UPDATE failed_requests SET state = 'done', settled_at = $1, retry_count = retry_count + 1, last_retry_at = $1
        WHERE id = $2 AND service = 'form' AND state = 'pending'";
    FORM_REFUSED = "
        UPDATE failed_requests SET retry_count = retry_count + 1, last_retry_at = $1, last_retry_error = $2
        WHERE id = $3 AND service = 'form' AND state = 'pending'";
}

/// The service of a form that a page of a site sent.
const FORM: &str = "form";
/// The most refused forms that wait. Anyone may send one, so a new form beyond them removes the oldest.
const MOST_FORMS: u32 = 1_000;

/// The direction of a request.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// It came to us.
    Inbound,
    /// It went from us to another program.
    Outbound,
}

domain::enum_words!(Direction);

/// What became of a failed request.
#[derive(strum::EnumString, strum::IntoStaticStr, strum::VariantArray)]
#[strum(serialize_all = "snake_case", const_into_str)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FailedState {
    /// A callback that was not taken and is tried again by itself.
    Waiting,
    /// It waits for a person.
    Pending,
    /// It is being tried again.
    Retried,
    /// Trying it again helped.
    Done,
    /// A person dropped it.
    Dropped,
}

domain::enum_words!(FailedState);

/// A request that failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedRequest {
    /// Its id: the number of its saga or callback.
    pub id: FailedRequestId,
    /// When it first failed.
    pub at: Timestamp,
    /// The service it belongs to; none of a form that a page of a site sent.
    pub service: Option<Service>,
    /// The direction in which it went.
    pub direction: Direction,
    /// Its path.
    pub endpoint: String,
    /// Its body as JSON text.
    pub payload: String,
    /// Why it failed the first time.
    pub error: String,
    /// What became of it.
    pub state: FailedState,
    /// How often it was tried again by hand.
    pub retry_count: u32,
    /// When it was last tried again.
    pub last_retry_at: Option<Timestamp>,
    /// Why that failed.
    pub last_retry_error: Option<String>,
    /// The saga it made.
    pub operation: Option<OperationId>,
    /// The callback it is.
    pub callback: Option<CallbackId>,
    /// When it is tried next by itself.
    pub next_try_at: Option<Timestamp>,
}

/// The failed requests of a store.
#[derive(Clone, Copy)]
pub struct FailedRequests<'a> {
    pub(crate) store: &'a Store,
}

impl FailedRequests<'_> {
    /// Failed requests in these states, in any if none is named, newest first, a page at a time.
    pub async fn list(
        &self,
        states: &[FailedState],
        page: &Page,
    ) -> Result<Paged<FailedRequest>, StoreError> {
        let (states, page) = (states.to_vec(), page.clone());
        self.store.read(move |connection| list(connection, &states, &page)).await
    }

    /// One of them.
    pub async fn get(&self, id: FailedRequestId) -> Result<Option<FailedRequest>, StoreError> {
        self.store
            .read(move |connection| match connection.first(GET, [key(&id)], read)? {
                Some(request) => with_next_try(connection, request).map(Some),
                None => callbacks::one_put_off(connection, key(&id)),
            })
            .await
    }

    /// It is tried again. False when it does not wait for a person. What is behind it must be tried again too:
    /// [`crate::Sagas::retry`] and [`crate::Callbacks::requeue`] say it here by themselves, so that this is needed only
    /// to be sure of it beforehand.
    pub async fn retried(&self, id: FailedRequestId, at: Timestamp) -> Result<bool, StoreError> {
        self.settle(point::RETRY_FAILED_REQUEST, RETRY, id, at).await
    }

    /// Keeps a form that was refused, with its fields as JSON and what is wrong with it.
    pub async fn keep_form(
        &self,
        id: FailedRequestId,
        (endpoint, payload, error): (String, String, String),
        at: Timestamp,
    ) -> Result<(), StoreError> {
        self.store
            .write(move |transaction: &Transaction<'_>| {
                // A page that sends the same again changes nothing.
                let same = params![endpoint.as_str(), payload.as_str()];
                if transaction.first(KNOWN_FORM, same, |_| Ok(()))?.is_some() {
                    return Ok(());
                }
                let at = at.as_micros();
                let row = params![key(&id), at, endpoint.as_str(), payload.as_str(), error.as_str()];
                transaction.run(KEEP_FORM, row)?;
                transaction.run(DROP_OLDEST_FORMS, [MOST_FORMS])
            })
            .await
    }

    /// Returns a form that waits for a person and has these fields, as JSON.
    pub async fn known_form(
        &self,
        endpoint: String,
        payload: String,
    ) -> Result<Option<FailedRequestId>, StoreError> {
        self.store
            .read(move |connection| {
                let same = params![endpoint.as_str(), payload.as_str()];
                let id =
                    connection.first(KNOWN_FORM, same, |row| Columns::new(row, TABLE).get::<[u8; 16]>(0))?;
                Ok(id.map(|id| FailedRequestId::from_uuid(Uuid::from_bytes(id))))
            })
            .await
    }

    /// Notes that a form was taken in, or why it was refused again. False when it does not wait for a person.
    pub async fn form_retried(
        &self,
        id: FailedRequestId,
        refused: Option<String>,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.store
            .write(move |transaction: &Transaction<'_>| {
                let at = at.as_micros();
                let rows = match &refused {
                    Some(why) => transaction.execute(FORM_REFUSED, params![at, why.as_str(), key(&id)])?,
                    None => transaction.execute(FORM_TAKEN, params![at, key(&id)])?,
                };
                changed(transaction, &id, rows)
            })
            .await
    }

    /// A person drops it. False when it does not wait for one.
    pub async fn drop(&self, id: FailedRequestId, at: Timestamp) -> Result<bool, StoreError> {
        self.settle(point::DROP_FAILED_REQUEST, DROP, id, at).await
    }

    /// Runs a change of one request; says whether it was in a state that allows it.
    async fn settle(
        &self,
        point: Point,
        sql: &'static str,
        id: FailedRequestId,
        at: Timestamp,
    ) -> Result<bool, StoreError> {
        self.store
            .change(point, move |transaction| {
                let rows = transaction.execute(sql, params![at.as_micros(), key(&id)])?;
                changed(transaction, &id, rows)
            })
            .await
    }
}

fn key(id: &FailedRequestId) -> &[u8; 16] {
    id.as_uuid().as_bytes()
}

fn read(row: &Row<'_>) -> Result<FailedRequest, StoreError> {
    let columns = Columns::new(row, TABLE);
    let callback = columns.get::<Option<[u8; 16]>>(12)?;
    Ok(FailedRequest {
        id: FailedRequestId::from_uuid(Uuid::from_bytes(columns.get(0)?)),
        at: columns.time(1)?,
        service: columns.word(2, "service", |word| match word {
            FORM => Some(None),
            word => Service::from_word(word).map(Some),
        })?,
        direction: columns.word(3, "direction", Direction::from_word)?,
        endpoint: columns.get(4)?,
        payload: columns.get(5)?,
        error: columns.get(6)?,
        state: columns.word(7, "state", FailedState::from_word)?,
        retry_count: columns.get(8)?,
        last_retry_at: columns.maybe_time(9)?,
        last_retry_error: columns.get(10)?,
        operation: columns.maybe_operation_id(11)?,
        callback: callback.map(|bytes| CallbackId::from_uuid(Uuid::from_bytes(bytes))),
        next_try_at: None,
    })
}

fn list(
    connection: &Connection,
    states: &[FailedState],
    page: &Page,
) -> Result<Paged<FailedRequest>, StoreError> {
    let before = page.after::<FailedRequestId>()?.map_or([0xff; 16], |id| *key(&id));
    let rows = page.rows();
    let mut items = Vec::new();
    if states.is_empty() {
        items = connection.all(LIST, params![before, rows], read)?;
    }
    for state in states {
        items.extend(connection.all(LIST_STATE, params![state.as_str(), before, rows], read)?);
    }
    items = items.into_iter().map(|request| with_next_try(connection, request)).collect::<Result<_, _>>()?;
    if states.is_empty() || states.contains(&FailedState::Waiting) {
        items.extend(callbacks::put_off(connection, before, rows)?);
    }
    items.sort_unstable_by_key(|request| std::cmp::Reverse(request.id));
    Ok(page.cut(items, |request| request.id.to_string()))
}

/// A callback that a person tries again may have to wait for its next try.
fn with_next_try(connection: &Connection, mut request: FailedRequest) -> Result<FailedRequest, StoreError> {
    if let (FailedState::Retried, Some(callback)) = (request.state, &request.callback) {
        request.next_try_at = callbacks::next_try(connection, callback)?;
    }
    Ok(request)
}

/// A request that failed just now.
pub(crate) struct Failed<'a> {
    /// The number of its saga or callback.
    pub(crate) id: &'a [u8; 16],
    pub(crate) at: Timestamp,
    pub(crate) service: Service,
    pub(crate) direction: Direction,
    pub(crate) endpoint: &'a str,
    pub(crate) payload: &'a str,
    pub(crate) error: &'a str,
    pub(crate) operation: Option<&'a OperationId>,
    pub(crate) callback: Option<&'a CallbackId>,
}

/// Keeps a failed request, or notes that trying it again did not help, as a part of the write that it came with.
pub(crate) fn keep(transaction: &Transaction<'_>, failed: &Failed<'_>) -> Result<(), StoreError> {
    transaction.run(
        KEEP,
        params![
            failed.id,
            failed.at.as_micros(),
            failed.service.as_str(),
            failed.direction.as_str(),
            failed.endpoint,
            failed.payload,
            failed.error,
            failed.operation.map(|id| id.as_uuid().as_bytes()),
            failed.callback.map(|id| id.as_uuid().as_bytes()),
        ],
    )?;
    Ok(())
}

/// What is behind it ended well.
pub(crate) fn ended_well(
    transaction: &Transaction<'_>,
    id: &[u8; 16],
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction.run(ENDED_WELL, params![at.as_micros(), id])?;
    // Tried again by hand, an earlier request of the same body would make a second chat.
    transaction.execute(SAME_BODY_ENDED_WELL, params![at.as_micros(), id])?;
    Ok(())
}

/// The caller came again with the same key: what it gets now counts, and the earlier request is not to be tried again.
pub(crate) fn superseded(
    transaction: &Transaction<'_>,
    id: &[u8; 16],
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction.run(SUPERSEDED, params![at.as_micros(), id])?;
    Ok(())
}

/// What is behind it is tried again.
pub(crate) fn tried_again(
    transaction: &Transaction<'_>,
    id: &[u8; 16],
    at: Timestamp,
) -> Result<(), StoreError> {
    transaction.run(TRIED_AGAIN, params![at.as_micros(), id])?;
    Ok(())
}

fn changed(transaction: &Transaction<'_>, id: &FailedRequestId, rows: usize) -> Result<bool, StoreError> {
    if rows > 0 {
        return Ok(true);
    }
    match transaction.first(GET, [key(id)], |_| Ok(()))? {
        Some(()) => Ok(false),
        None => Err(StoreError::not_found(TABLE, format!("there is no failed request {id}"))),
    }
}

/// Removes what was settled, or what no one cared about, for long, so many at once, and callbacks that were given up with
/// it.
pub(crate) struct DropFailedRequests {
    pub(crate) before: Timestamp,
    pub(crate) most: u32,
}

impl Write for DropFailedRequests {
    type Answer = usize;
    const POINT: Option<Point> = Some(point::DROP_FAILED_REQUESTS);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<usize, StoreError> {
        let before = self.before.as_micros();
        let id = |row: &crate::database::Row<'_>| Columns::new(row, TABLE).get::<[u8; 16]>(0);
        let mut old = transaction.all(OLD, params![before, self.most], id)?;
        if old.is_empty() {
            let made_before = first_id_at(self.before);
            old = transaction.all(NEGLECTED, params![made_before, before, self.most], id)?;
        }
        for id in &old {
            callbacks::forget_given_up(transaction, id)?;
            transaction.run(FORGET, [id])?;
        }
        Ok(old.len())
    }
}
