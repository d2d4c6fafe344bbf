//! Taking a saga in: once for each key, once for each body that a caller without a key repeats.

use std::time::Duration;

use domain::saga::{Progress, SagaEvent, SagaState};
use domain::{AccountName, ChatId, OperationId, Service, Timestamp};
use serde::{Deserialize, Serialize};

use super::statements as sql;
use super::{AcceptSaga, Keep, SagaAccepted, TABLE, events, held_back, history, key};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::outbox::{Idempotency, Join, statements as keys};
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, codes, failed_requests};

/// A body that is longer than this many bytes is not kept.
const LONGEST_PAYLOAD: usize = 64 * 1024;

/// What a saga begins with again when it is retried.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Start {
    pub(super) chat_id: Option<ChatId>,
    pub(super) progress: Progress,
    /// How long a later step is kept waiting for a flood, in microseconds.
    patience: u64,
}

impl Start {
    /// Until when later steps are kept waiting, if it begins at this time.
    pub(super) fn patient_until(&self, at: Timestamp) -> Timestamp {
        at.plus(Duration::from_micros(self.patience))
    }
}

/// [`Keep`] as its column has it.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct StoredKeep {
    pub(super) service: Service,
    pub(super) endpoint: String,
    pub(super) payload: String,
}

impl StoredKeep {
    fn of(keep: &Keep) -> Self {
        let length = keep.payload.len();
        let payload = if length > LONGEST_PAYLOAD {
            format!(r#"{{"note":"the body had {length} bytes, too many to keep"}}"#)
        } else {
            keep.payload.clone()
        };
        Self { service: keep.service, endpoint: keep.endpoint.clone(), payload }
    }
}

/// The saga in the form of its columns, made by the caller's thread.
pub(super) struct AcceptWrite {
    accept: AcceptSaga,
    chat: Option<String>,
    task: String,
    progress: String,
    start: String,
    keep: Option<String>,
    address: Option<String>,
}

impl AcceptWrite {
    pub(super) fn new(accept: AcceptSaga) -> Result<Self, StoreError> {
        let saga = &accept.saga;
        if saga.state != SagaState::Queued || saga.begun.is_some() || saga.failure.is_some() {
            return Err(StoreError::conflict(TABLE, "a new saga is queued, and nothing of it is begun"));
        }
        let patience = saga.patient_until.since(saga.created_at).as_micros();
        let start = Start {
            chat_id: saga.chat_id,
            progress: saga.progress.clone(),
            patience: u64::try_from(patience).unwrap_or(u64::MAX),
        };
        Ok(Self {
            chat: saga.task.chat().map(ToString::to_string),
            task: to_json(TABLE, &saga.task)?,
            progress: to_json(TABLE, &saga.progress)?,
            start: to_json(TABLE, &start)?,
            keep: accept.keep.as_ref().map(|keep| to_json(TABLE, &StoredKeep::of(keep))).transpose()?,
            address: accept.origin.address.map(|address| address.to_string()),
            accept,
        })
    }

    fn same_body(
        &self,
        transaction: &Transaction<'_>,
        join: &Join,
    ) -> Result<Option<OperationId>, StoreError> {
        let ended_after = self.accept.saga.created_at.minus(join.repeats);
        transaction.first(sql::FIND_JOIN, params![join.fingerprint, ended_after.as_micros()], |row| {
            Columns::new(row, "request_joins").operation_id(0)
        })
    }

    fn save_key(&self, transaction: &Transaction<'_>, id: &OperationId) -> Result<(), StoreError> {
        if let Some(idempotency) = &self.accept.idempotency {
            let at = self.accept.saga.created_at.as_micros();
            transaction
                .execute(keys::SAVE_KEY, params![idempotency.scope, idempotency.fingerprint, key(id), at])?;
        }
        Ok(())
    }

    fn insert(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let AcceptSaga { saga, origin, join, .. } = &self.accept;
        transaction.run(
            sql::INSERT_SAGA,
            params![
                key(&saga.id),
                codes::of_saga(saga.state),
                saga.task.kind().as_str(),
                self.chat,
                saga.chat_id.map(ChatId::get),
                saga.pin.as_ref().map(AccountName::as_str),
                saga.account.as_ref().map(AccountName::as_str),
                codes::of_on_flood(saga.on_flood),
                saga.patient_until.as_micros(),
                saga.created_at.as_micros(),
                saga.updated_at.as_micros(),
                join.as_ref().map(|join| &join.fingerprint),
                origin.listener,
                origin.api_key.as_ref().map(|id| id.as_uuid().as_bytes()),
                self.address,
                self.task,
                self.progress,
                self.start,
                self.keep,
            ],
        )?;
        events::accepted(transaction, saga);
        history::add(transaction, &saga.id, &history::plain(saga.created_at, SagaEvent::Accepted, None))
    }
}

impl AcceptWrite {
    /// The key stood for a saga that failed. It must not be retried.
    fn supersede(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        let Some(idempotency) = &self.accept.idempotency else { return Ok(()) };
        let earlier = transaction.first(sql::FIND_KEY, [&idempotency.scope], |row| {
            Columns::new(row, "idempotency_keys").operation_id(1)
        })?;
        match earlier {
            Some(earlier) => {
                failed_requests::superseded(transaction, key(&earlier), self.accept.saga.created_at)
            }
            None => Ok(()),
        }
    }
}

/// What a key stands for at an instant.
pub(super) fn stands_for(
    transaction: &Transaction<'_>,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<Option<SagaAccepted>, StoreError> {
    let found = transaction.first(sql::FIND_KEY, [&idempotency.scope], |row| {
        let columns = Columns::new(row, "idempotency_keys");
        let state = columns.get::<Option<i64>>(3)?.and_then(codes::saga);
        Ok((columns.get::<[u8; 32]>(0)?, columns.operation_id(1)?, columns.time(2)?, state))
    })?;
    let Some((fingerprint, id, since, state)) = found else { return Ok(None) };
    let unmade = match state {
        None | Some(SagaState::Cancelled) => true,
        // It may have been done since the backup was made.
        Some(SagaState::Failed) => !held_back::was(transaction, &id)?,
        Some(_) => false,
    };
    let free = unmade || now.since(since) >= idempotency.same_by.life();
    Ok(match (free, idempotency.fingerprint == fingerprint) {
        (true, _) => None,
        (false, true) => Some(SagaAccepted::Repeated(id)),
        (false, false) => Some(SagaAccepted::Conflict),
    })
}

impl Write for AcceptWrite {
    type Answer = SagaAccepted;
    const POINT: Option<Point> = Some(point::ACCEPT_SAGA);
    const INTAKE: bool = true;

    fn apply(&self, transaction: &Transaction<'_>) -> Result<SagaAccepted, StoreError> {
        if let Some(idempotency) = &self.accept.idempotency
            && let Some(known) = stands_for(transaction, idempotency, self.accept.saga.created_at)?
        {
            return Ok(known);
        }
        if let Some(join) = &self.accept.join
            && let Some(id) = self.same_body(transaction, join)?
        {
            // From here on the key stands for the saga that was joined.
            self.save_key(transaction, &id)?;
            return Ok(SagaAccepted::Joined(id));
        }
        if !transaction.intake_open() {
            return Err(StoreError::StorageFull);
        }
        self.insert(transaction)?;
        self.supersede(transaction)?;
        self.save_key(transaction, &self.accept.saga.id)?;
        if let Some(join) = &self.accept.join {
            let repeats = i64::try_from(join.repeats.as_micros()).unwrap_or(i64::MAX);
            transaction
                .execute(sql::SAVE_JOIN, params![join.fingerprint, key(&self.accept.saga.id), repeats])?;
        }
        Ok(SagaAccepted::New)
    }
}
