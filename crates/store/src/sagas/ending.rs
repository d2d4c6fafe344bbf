//! The ends of a saga that a person decides on, and the ways back from them.

use domain::saga::{RegistryChange, Saga, SagaEvent, SagaState, Task, Verdict};
use domain::{ChatId, OperationId, Timestamp};

use super::accept::{Start, StoredKeep};
use super::change::{Prepared, keep_request};
use super::statements as sql;
use super::{SagaChange, TABLE, events, held_back, history, key, no_such_saga, reading, state_of};
use crate::column::{Columns, to_json};
use crate::database::params;
use crate::outbox::statements as joins;
use crate::point::{self, Point};
use crate::write::{Transaction, Write};
use crate::{StoreError, chats, failed_requests};

pub(super) fn cancel(
    transaction: &Transaction<'_>,
    id: &OperationId,
    at: Timestamp,
    detail: Option<&str>,
) -> Result<bool, StoreError> {
    if transaction.execute(sql::CANCEL, params![at.as_micros(), key(id)])? == 0 {
        return state_of(transaction, id).map(|_| false);
    }
    history::add(transaction, id, &history::plain(at, SagaEvent::Cancelled, detail))?;
    if let Some(saga) = reading::one(transaction, id)? {
        events::ended(transaction, &saga, SagaState::Cancelled, at);
    }
    let keep = transaction
        .first(sql::STORED_KEEP, [key(id)], |row| Columns::new(row, TABLE).maybe_json::<StoredKeep>(0))?
        .flatten();
    if let Some(keep) = keep {
        keep_request(transaction, id, &keep, detail.unwrap_or("cancelled"), at)?;
    }
    Ok(true)
}

pub(super) fn retry(
    transaction: &Transaction<'_>,
    id: &OperationId,
    at: Timestamp,
) -> Result<bool, StoreError> {
    if !matches!(state_of(transaction, id)?, SagaState::Failed | SagaState::Cancelled) {
        return Ok(false);
    }
    if !held_back::take_up(transaction, id, at)? {
        start_again(transaction, id, at)?;
    }
    history::add(transaction, id, &history::plain(at, SagaEvent::Retried, None))?;
    if let Some(saga) = reading::one(transaction, id)? {
        events::resumed(transaction, &saga, at);
    }
    failed_requests::tried_again(transaction, key(id), at)?;
    Ok(true)
}

pub(super) struct ResolveWrite {
    pub(super) id: OperationId,
    pub(super) verdict: Verdict,
    pub(super) at: Timestamp,
    /// What else is written when the verdict is the end of the whole.
    end: Option<Prepared>,
}

impl ResolveWrite {
    pub(super) const fn new(id: OperationId, verdict: Verdict, at: Timestamp) -> Self {
        Self { id, verdict, at, end: None }
    }

    pub(super) fn ending(change: SagaChange) -> Result<Self, StoreError> {
        let saga = &change.saga;
        if saga.state != SagaState::Done {
            let what = format!("{} is to end by a person's word, but is not done", saga.id);
            return Err(StoreError::conflict(TABLE, what));
        }
        let (id, at) = (saga.id, saga.updated_at);
        Ok(Self { id, verdict: Verdict::Done(None), at, end: Some(Prepared::new(change)?) })
    }
}

impl Write for ResolveWrite {
    type Answer = bool;
    const POINT: Option<Point> = Some(point::SAGA_RESOLVE);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<bool, StoreError> {
        let Self { id, verdict, at, end } = self;
        let saga = reading::one(transaction, id)?.ok_or_else(|| no_such_saga(id))?;
        if saga.state != SagaState::InDoubt {
            return Ok(false);
        }
        let detail = match verdict {
            Verdict::Done(chat_id) => {
                go_on(transaction, &saga, *chat_id, *at)?;
                chat_id.map_or_else(|| "done".to_owned(), |chat_id| format!("done: {chat_id}"))
            }
            Verdict::Again => {
                start_again(transaction, id, *at)?;
                "again".to_owned()
            }
        };
        history::add(transaction, id, &history::plain(*at, SagaEvent::Resolved, Some(&detail)))?;
        events::resumed(transaction, &saga, *at);
        end.iter().try_for_each(|end| end.apply(transaction))?;
        Ok(true)
    }
}

/// The saga goes on behind the step that was in doubt.
fn go_on(
    transaction: &Transaction<'_>,
    saga: &Saga,
    chat_id: Option<ChatId>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let until = start_of(transaction, &saga.id)?.patient_until(at);
    let params = params![chat_id.map(ChatId::get), until.as_micros(), at.as_micros(), key(&saga.id)];
    transaction.run(sql::GO_ON, params)?;
    let Task::CreateChat { title, about, .. } = &saga.task else { return Ok(()) };
    let (Some(chat_id), Some(account)) = (chat_id, &saga.account) else {
        let what = format!("{} made a chat: without that chat and its account it cannot go on", saga.id);
        return Err(StoreError::conflict(TABLE, what));
    };
    let created = RegistryChange::Created {
        chat_id,
        title: title.clone(),
        about: about.clone(),
        account: account.clone(),
    };
    chats::apply(transaction, &created, Some(saga), at)
}

pub(super) fn start_of(transaction: &Transaction<'_>, id: &OperationId) -> Result<Start, StoreError> {
    transaction
        .first(sql::START, [key(id)], |row| Columns::new(row, TABLE).json::<Start>(0))?
        .ok_or_else(|| no_such_saga(id))
}

/// Puts a saga back to where it was when it was taken in.
fn start_again(transaction: &Transaction<'_>, id: &OperationId, at: Timestamp) -> Result<(), StoreError> {
    let start = start_of(transaction, id)?;
    transaction.run(
        sql::START_AGAIN,
        params![
            start.chat_id.map(ChatId::get),
            to_json(TABLE, &start.progress)?,
            start.patient_until(at).as_micros(),
            at.as_micros(),
            key(id),
        ],
    )?;
    Ok(())
}

pub(crate) struct AnsweredWrite(pub(super) OperationId);

impl Write for AnsweredWrite {
    type Answer = ();
    const POINT: Option<Point> = Some(point::SAGA_ANSWERED);

    fn apply(&self, transaction: &Transaction<'_>) -> Result<(), StoreError> {
        transaction.run(sql::FORGET_JOIN, [key(&self.0)])
    }
}

pub(super) fn unanswered(transaction: &Transaction<'_>, id: &OperationId) -> Result<(), StoreError> {
    // By the row through which the same body finds the saga, if its request had no key.
    let fingerprint = transaction
        .first(sql::JOIN_OF, [key(id)], |row| Columns::new(row, TABLE).get::<Option<[u8; 32]>>(0))?
        .ok_or_else(|| no_such_saga(id))?;
    if let Some(fingerprint) = fingerprint {
        transaction.open_joins_changed();
        transaction.run(joins::OPEN_JOIN, params![fingerprint, key(id)])?;
    }
    Ok(())
}
